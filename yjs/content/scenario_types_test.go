package content_test

// typeScenarios are about the other shared types.
var typeScenarios = []scenario{
	{"map: values of every kind", pair, func(s *scene) {
		s.act(1, set("number", 3), set("string", "hello Y"), set("object", object{"key": object{"key2": "value"}}), set("true", true), set("false", false), set("null", nil),
			set("undefined", []any{"undefined"}), set("big", []any{"bigint", "-9007199254740993"}), set("bytes", []any{"bytes", []int{1, 2, 3}}), set("y-map", newMap(object{})), set("nan", []any{"number", "NaN"}))
		s.act(1, set("y-array", newArray(newMap(object{}))).in(rootMap, "y-map"))
		s.sync()
		s.act(2, set("b", newText("x")).in(rootMap, "y-map", "y-array", 0))
		s.sync()
	}},
	{"map: the last of two at once", pair, func(s *scene) {
		s.act(1, set("stuff", "c0"))
		s.act(2, set("stuff", "c1"))
		s.sync()
		s.act(2, set("stuff", []any{"undefined"}))
		s.act(1, set("stuff", "c3"))
		s.sync()
	}},
	{"map: set and deleted by four at once", []uint64{1, 2, 3, 4}, func(s *scene) {
		s.act(1, set("stuff", "c0"))
		s.act(2, set("stuff", "c0"))
		s.act(3, set("stuff", "c1"))
		s.act(4, set("stuff", "c1"))
		s.sync()
		s.act(1, set("stuff", "c0"))
		s.act(2, set("stuff", "c0"))
		s.act(2, unset("stuff"))
		s.act(3, set("stuff", "c1"))
		s.act(4, unset("stuff"))
		s.sync()
	}},
	{"map: cleared while others set", three, func(s *scene) {
		s.act(1, set("a", 1), set("b", 2))
		s.sync()
		s.does(1, "clear", action{"root": rootMap, "path": []any{}})
		s.act(2, set("b", 3))
		s.act(3, set("c", 4))
		s.sync()
	}},
	{"map: types in types, replaced and deleted in turns by three", three, func(s *scene) {
		s.act(1, set("deep", newMap(object{"deeper": newMap(object{"x": 1.0})})))
		s.sync()
		s.act(1, set("deeper", newText("one")).in(rootMap, "deep"))
		s.act(2, set("x", 2).in(rootMap, "deep", "deeper"))
		s.act(3, unset("deeper").in(rootMap, "deep"))
		s.sync()
		s.act(2, unset("deep"))
		s.act(3, set("deeper", 3).in(rootMap, "deep"))
		s.act(3, set("deep", newArray(1)))
		s.sync()
	}},
	{"map: set in a type that another replaces", pair, func(s *scene) {
		s.act(1, set("map", newMap(object{"in": 1.0})))
		s.sync()
		s.act(1, set("map", newMap(object{"other": 2.0})))
		s.act(2, set("more", newArray("x")).in(rootMap, "map"))
		s.sync()
	}},
	{"map: many values of a key in one transaction", pair, func(s *scene) {
		s.act(1, set("a", 1), set("a", 2), set("a", newMap(object{})), unset("a"), set("a", "end"), set("b", 1), unset("b"))
		s.sync()
	}},
	{"map: keys that objects in JavaScript don't like", pair, func(s *scene) {
		s.act(1, set("", 1), set("__proto__", 2), set("constructor", 3), set("10", 4), set("9", 5))
		s.sync()
		s.act(2, unset("__proto__"))
		s.sync()
	}},
	{"array: inserted and deleted", pair, func(s *scene) {
		s.act(1, put(0, "hi"), push(1, 2, nil))
		s.sync()
		s.act(2, take(1, 2), put(1, true, object{"x": 1.0}))
		s.sync()
		s.act(1, take(0, 4))
		s.sync()
	}},
	{"array: three insert at the same place", three, func(s *scene) {
		s.act(1, put(0, 0))
		s.act(2, put(0, 1))
		s.act(3, put(0, 2))
		s.sync()
	}},
	{"array: three insert and delete", three, func(s *scene) {
		s.act(1, put(0, "x", "y", "z"))
		s.sync()
		s.act(1, put(1, 0))
		s.act(2, take(0, 1), take(1, 1))
		s.act(3, put(1, 2))
		s.sync()
	}},
	{"array: inserts and deletes that come late", three, func(s *scene) {
		s.act(1, put(0, "x", "y"))
		s.sync()
		s.act(2, put(1, "user1"))
		s.act(3, put(1, "user2"))
		s.act(1, put(1, "user0"))
		s.act(2, take(0, 1))
		s.send(2, 1)
		s.act(1, take(0, 2))
		s.sync()
	}},
	{"array: an element is moved, by deleting it and putting another like it, by two at once", pair, func(s *scene) {
		s.act(1, push(0, newMap(object{"k": 1.0}), 2, newArray("x")))
		s.sync()
		s.act(1, take(1, 1), put(0, newMap(object{"k": 1.0})))
		s.act(2, take(1, 1), push(newMap(object{"k": 1.0})), set("late", true).in(rootArray, 3))
		s.sync()
		s.act(1, take(0, 1), put(1, newMap(object{"k": 2.0})), take(2, 1))
		s.act(2, take(2, 2))
		s.sync()
	}},
	{"array: put before what another deletes, in one transaction and the next", pair, func(s *scene) {
		s.act(1, push(1, 2, 3, 4))
		s.sync()
		s.act(1, put(2, "a"), take(2, 1), put(2, "b", "c"), take(3, 2))
		s.act(2, take(0, 3))
		s.act(2, put(0, "d"), put(1, "e"))
		s.sync()
	}},
	{"array: deleted at once by all", three, func(s *scene) {
		s.act(1, put(0, "x", "y", "z"))
		s.sync()
		s.act(1, take(0, 3))
		s.act(2, take(0, 2))
		s.act(3, take(1, 2), push("w"))
		s.sync()
	}},
	{"array: types in types, new ones tell nothing by themselves", pair, func(s *scene) {
		s.act(1, put(0, newArray(newMap(object{"k": 1.0}), newText("abc")), []any{"doc", "guid", object{}}))
		s.sync()
		s.act(2, set("k", 2).in(rootArray, 0, 0), insert(3, "d").in(rootArray, 0, 1), push(newArray()))
		s.sync()
		s.act(1, take(0, 1))
		s.act(2, insert(0, "too late ").in(rootArray, 0, 1))
		s.sync()
	}},
	{"array: numbers where encodings change", pair, func(s *scene) {
		s.act(1, push(2_147_483_647, -2_147_483_647, int64(2_147_483_648), -2_147_483_648, 63, 64, -64, 9_007_199_254_740_991.0, 0.1, []any{"number", "-0"}, 1e21, 5e-324))
		s.sync()
	}},
	{"xml: attributes", pair, func(s *scene) {
		s.act(1, nodes(0, element("p")))
		s.act(1, attribute("height", "10").in(rootXML, 0))
		s.sync()
		s.act(2, attribute("height", "20").in(rootXML, 0), attribute("b", "1").in(rootXML, 0))
		s.act(1, action{"do": "unattribute", "key": "height"}.in(rootXML, 0))
		s.sync()
	}},
	{"xml: children come and go", pair, func(s *scene) {
		s.act(1, nodes(0, []any{"xmltext", "init"}, element("div", element("p", []any{"xmltext", "deep"}), []any{"hook", "h", object{"k": 1.0}})))
		s.sync()
		s.act(2, insert(4, " more").in(rootXML, 0), nodes(1, element("br")), set("k", 2).in(rootXML, 2, 1))
		s.act(1, action{"do": "remove", "index": 0, "length": 1}.in(rootXML, 1))
		s.sync()
		s.act(2, action{"do": "remove", "index": 0, "length": 1}.in(rootXML))
		s.sync()
	}},
	{"xml: formats of a text are elements", pair, func(s *scene) {
		s.act(1, nodes(0, []any{"xmltext", "A test"}))
		s.act(1, format(2, 4, object{"em": object{}, "strong": object{"id": "x"}}).in(rootXML, 0))
		s.sync()
		s.act(2, format(0, 3, object{"em": object{}}).in(rootXML, 0))
		s.sync()
	}},
	{"subdocuments", pair, func(s *scene) {
		s.act(1, set("a", []any{"doc", "a", object{"autoLoad": true}}), set("b", []any{"doc", "b", object{"gc": false, "meta": object{"x": 1.0}}}))
		s.sync()
		s.act(2, unset("a"), push([]any{"doc", "a", object{}}))
		s.sync()
	}},
	{"many roots in one transaction", pair, func(s *scene) {
		s.act(1, insert(0, "t"), push("a"), set("m", 1), nodes(0, element("x")))
		s.act(2, nodes(0, element("y")), set("m", 2), push("b"), insert(0, "T"))
		s.sync()
	}},
	{"nothing", pair, func(s *scene) {
		s.sync()
		s.act(1, insert(0, "x"), remove(0, 1))
		s.sync()
	}},
}
