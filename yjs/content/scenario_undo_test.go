package content_test

// undoScenarios are about what yjs brings back: the engine doesn't undo, but must
// read what comes of it.
var undoScenarios = []scenario{
	{"undo: of a text that another has changed", pair, func(s *scene) {
		s.does(1, "watch", nil)
		s.act(1, insert(0, "abc"))
		s.sync()
		s.act(2, insert(1, "xyz"))
		s.sync()
		s.does(1, "undo", nil)
		s.sync()
		s.does(1, "redo", nil)
		s.sync()
	}},
	{"undo: of formats and of deletes", pair, func(s *scene) {
		s.does(1, "watch", nil)
		s.act(1, insert(0, "one two"))
		s.act(1, format(0, 3, bold))
		s.act(1, remove(2, 3))
		s.sync()
		s.does(1, "undo", nil)
		s.does(1, "undo", nil)
		s.sync()
		s.does(1, "redo", nil)
		s.sync()
	}},
	{"undo: of keys and types", pair, func(s *scene) {
		s.act(1, set("a", 0))
		s.does(1, "watch", nil)
		s.act(1, set("a", 1))
		s.does(1, "undo", nil)
		s.does(1, "redo", nil)
		s.act(1, set("a", newMap(object{"x": 1.0})))
		s.act(1, set("y", 2).in(rootMap, "a"))
		s.sync()
		s.act(2, set("a", 44))
		s.sync()
		s.does(1, "undo", nil)
		s.does(1, "undo", nil)
		s.does(1, "undo", nil)
		s.sync()
		s.does(1, "redo", nil)
		s.sync()
	}},
	{"undo: of elements with others in them", pair, func(s *scene) {
		s.does(1, "watch", nil)
		s.act(1, nodes(0, element("div", []any{"xmltext", "content"})))
		s.act(1, action{"do": "remove", "index": 0, "length": 1}.in(rootXML))
		s.sync()
		s.does(1, "undo", nil)
		s.sync()
		s.act(2, insert(0, "new ").in(rootXML, 0, 0))
		s.sync()
		s.does(1, "undo", nil)
		s.does(1, "redo", nil)
		s.sync()
	}},
	{"undo: of an array", pair, func(s *scene) {
		s.does(1, "watch", nil)
		s.act(1, push(1, 2, 3))
		s.act(2, push(4, 5))
		s.sync()
		s.act(1, take(1, 2))
		s.does(1, "undo", nil)
		s.sync()
		s.does(1, "undo", nil)
		s.does(1, "undo", nil)
		s.sync()
	}},
	{"undo: of a type in types, over and over", pair, func(s *scene) {
		s.does(1, "watch", nil)
		s.act(1, set("design", newMap(object{"text": newMap(object{"blocks": newMap(object{"block": "Type something"})})})))
		for _, value := range []string{"Something", "Something Else"} {
			s.act(1, set("text", newMap(object{"blocks": newMap(object{"block": value})})).in(rootMap, "design"))
		}
		s.sync()
		for _, what := range []string{"undo", "undo", "undo", "redo", "redo", "redo", "undo"} {
			s.does(1, what, nil)
			s.sync()
		}
	}},
	{"undo: and again what was undone, after others came between", pair, func(s *scene) {
		s.does(1, "watch", nil)
		s.act(1, set("a", newMap(object{"x": 0.0, "y": 0.0})))
		s.act(1, set("x", 100).in(rootMap, "a"))
		s.act(1, set("x", 200).in(rootMap, "a"), set("y", 200).in(rootMap, "a"))
		s.act(1, unset("a"))
		for range 2 {
			s.sync()
			s.act(2, set("b", "another"))
			for _, what := range []string{"undo", "undo", "undo", "redo", "redo", "redo"} {
				s.does(1, what, nil)
			}
		}
		s.sync()
	}},
	{"undo: of text with formats that another has deleted", pair, func(s *scene) {
		s.act(1, insertAs(0, "bold", bold), insert(4, " plain"))
		s.sync()
		s.does(1, "watch", nil)
		s.act(1, remove(0, 6))
		s.sync()
		s.act(2, insert(0, "x"), remove(1, 2))
		s.sync()
		s.does(1, "undo", nil)
		s.sync()
		s.act(2, remove(2, 2))
		s.sync()
		s.does(1, "redo", nil)
		s.does(1, "undo", nil)
		s.sync()
	}},
}
