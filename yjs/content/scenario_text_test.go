package content_test

import (
	"github.com/fjord-sync/fjord/yjs/content"
)

// textScenarios are about texts and their formats.
var textScenarios = []scenario{
	{"text: inserted at both ends and deleted", pair, func(s *scene) {
		s.act(1, insert(0, "abc"))
		s.act(1, remove(0, 1))
		s.act(1, remove(1, 1))
		s.act(1, insert(0, "z"), remove(0, 1))
		s.sync()
	}},
	{"text: deleted across what two wrote", pair, func(s *scene) {
		s.act(1, insert(0, "one "))
		s.send(1, 2)
		s.act(2, insert(4, "two "))
		s.send(2, 1)
		s.act(1, remove(2, 4))
		s.act(2, insert(4, "x"))
		s.sync()
	}},
	{"text: bold in the middle, and not any more", pair, func(s *scene) {
		s.act(1, insertAs(0, "abc", bold))
		s.sync()
		s.act(1, remove(0, 1))
		s.act(1, insertAs(2, "z", bold))
		s.act(1, insertAs(0, "b", object{"bold": nil}))
		s.act(1, format(1, 1, object{"bold": nil}))
		s.sync()
	}},
	{"text: formats that are false or empty", pair, func(s *scene) {
		s.act(1, insertAs(0, "ab", object{"falsy": false, "zero": 0, "empty": ""}))
		s.act(1, format(0, 1, object{"falsy": nil}))
		s.act(1, format(1, 1, object{"zero": false}))
		s.sync()
	}},
	{"text: lines with formats of their own", pair, func(s *scene) {
		s.act(1, insert(0, "Test\nMulti-line\nFormatting"))
		s.act(1, delta(op(4, bold), op(1, nil), op(10, bold), op(1, nil), op(10, bold)))
		s.sync()
	}},
	{"text: empty lines don't join", pair, func(s *scene) {
		s.act(1, delta(content.Op{Insert: "Text"}, content.Op{Insert: "\n", Attributes: object{"title": true}}, content.Op{Insert: "\nText"}, content.Op{Insert: "\n", Attributes: object{"title": true}}))
		s.sync()
	}},
	{"text: formats outlive the letters before them", pair, func(s *scene) {
		s.act(1, delta(content.Op{Insert: "Text"}, content.Op{Insert: "\n", Attributes: object{"title": true}}, content.Op{Insert: "\n"}))
		s.act(1, delta(content.Op{Retain: 4}, content.Op{Delete: 1}, content.Op{Retain: 1, Attributes: object{"title": true}}))
		s.sync()
	}},
	{"text: embeds of values and of types", pair, func(s *scene) {
		s.act(1, insert(0, "ab"), embed(1, object{"linebreak": "s"}, nil), embed(3, object{"image": "x.png"}, object{"width": 100.0}))
		s.act(1, embed(1, newMap(object{"key": "val"}), bold), embed(0, newText("nested"), nil))
		s.act(2, insert(0, "before "))
		s.sync()
		s.act(2, format(0, 9, object{"em": object{}}))
		s.sync()
	}},
	{"text: formats of deleted text go with it", pair, func(s *scene) {
		s.act(1, insertAs(0, "ab", bold))
		s.act(1, remove(0, 2))
		s.act(1, insert(0, "x"))
		s.sync()
		s.act(1, insertAs(1, "1234", nil), insertAs(3, "ab", bold), remove(3, 2))
		s.sync()
	}},
	{"text: a format that changes nothing", pair, func(s *scene) {
		s.act(1, insert(0, "\n"))
		s.act(1, insertAs(0, "\n", object{"HEADER": "1"}))
		s.act(1, format(0, 1, object{"HEADER": "1"}))
		s.sync()
		s.act(2, format(1, 1, object{"HEADER": "2"}), format(1, 1, object{"HEADER": "1"}))
		s.sync()
	}},
	{"text: a format given twice by two at once", pair, func(s *scene) {
		s.act(1, insert(0, "one two three"))
		s.sync()
		s.act(1, format(0, 7, bold))
		s.act(2, format(4, 9, bold))
		s.look(1)
		s.sync()
		s.act(1, remove(3, 5))
		s.does(2, "tidy", action{"root": rootText, "path": []any{}})
		s.sync()
	}},
	{"text: formats with objects deep in them, taken away and deleted around", pair, func(s *scene) {
		// Yjs knows the object that it put in again as the same; an equal one isn't.
		deep := object{"c": object{"deep": object{"er": object{"x": 1.0}}}}
		s.act(1, insertAs(0, "abcdef", deep))
		e := []action{format(2, 2, object{"c": nil}), remove(2, 2)}
		s.act(1, e...)
		s.act(1, insertAs(0, "uvwxyz", nil), format(0, 6, deep), format(2, 2, object{"c": nil}), remove(2, 2), insert(3, "!"))
		s.sync()
	}},
	{"text: pairs are cut", pair, func(s *scene) {
		s.act(1, insert(0, "👾"))
		s.act(1, insert(1, "hi!"))
		s.sync()
		s.act(2, delta(content.Op{Insert: "👾👾"}))
		s.act(2, remove(1, 2))
		s.look(2)
	}},
	{"text: typed backwards and forwards by three", three, func(s *scene) {
		for i := range 6 {
			s.act(1, insert(0, string(rune('a'+i))))
			s.act(2, insert(0, string(rune('A'+i))))
			s.act(3, insert(i, string(rune('0'+i))))
		}
		s.sync()
		s.act(1, remove(3, 9))
		s.act(2, insert(6, "in what another deletes"))
		s.sync()
	}},
	{"text: a document of lines, lists and a table as one delta, then edited by two", pair, func(s *scene) {
		cell := func(row string) object { return object{"table-cell": object{"row": row, "cell": "c"}} }
		s.act(1, delta(content.Op{Insert: "\n", Attributes: object{"block-id": "b1"}},
			content.Op{Insert: "title"}, content.Op{Insert: "\n", Attributes: object{"header": 1.0, "block-id": "b2"}},
			content.Op{Insert: "item"}, content.Op{Insert: "\n", Attributes: object{"list": object{"list": "bullet"}, "block-id": "b3"}},
			content.Op{Insert: "\n\n\n", Attributes: object{"table-col": object{"width": "150"}}},
			content.Op{Insert: "\n", Attributes: cell("r1")}, content.Op{Insert: "x", Attributes: bold}, content.Op{Insert: "\n", Attributes: cell("r2")},
			content.Op{Insert: object{"image": "i.png"}, Attributes: object{"width": 10.0}}, content.Op{Insert: "\n"}))
		s.sync()
		s.act(1, delta(content.Op{Retain: 1}, content.Op{Retain: 5, Attributes: object{"bold": true}}, content.Op{Delete: 1}, content.Op{Insert: "\n", Attributes: object{"header": 2.0}}, content.Op{Retain: 4}, content.Op{Retain: 1, Attributes: object{"list": nil}}))
		s.act(2, delta(content.Op{Retain: 13}, content.Op{Delete: 2}, content.Op{Insert: "\n", Attributes: cell("r3")}, content.Op{Retain: 2}, content.Op{Insert: "end", Attributes: bold}))
		s.look(1)
		s.sync()
		s.does(1, "tidy", action{"root": rootText, "path": []any{}})
		s.sync()
	}},
	{"text: deleted with its formats while another formats it", three, func(s *scene) {
		s.act(1, insert(0, "Attack ships on fire off the shoulder"))
		s.sync()
		s.act(1, format(13, 7, bold))
		s.act(2, remove(15, 4), format(4, 20, object{"em": true}))
		s.act(3, format(7, 10, object{"bold": nil, "em": true}), insertAs(16, "new", bold))
		s.sync()
		s.act(2, remove(5, 20))
		s.act(3, insertAs(8, "in between", object{"em": nil}))
		s.sync()
	}},
	{"text: attributes of the text itself", pair, func(s *scene) {
		s.act(1, insert(0, "x"), action{"do": "embed", "root": rootText, "index": 0, "value": object{"a": 1.0}})
		s.act(1, nodes(0, []any{"xmltext", "body"}))
		s.sync()
		s.act(2, insert(4, "!").in(rootXML, 0), insertAs(0, "<", bold).in(rootXML, 0))
		s.sync()
	}},
}
