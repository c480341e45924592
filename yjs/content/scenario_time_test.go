package content_test

import (
	"slices"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// timeScenarios are about what was: snapshots, positions, and updates in any order.
var timeScenarios = []scenario{
	{"snapshot: what a deleted value has left", pair, func(s *scene) {
		s.act(1, set("test", newMap(object{"k": "v"})))
		s.act(1, set("foo", "initial"), push("item0"))
		then := s.clients[1].view.Snapshot()
		s.act(1, set("foo", "changed"), take(0, 1))
		s.act(1, put(0, "item1"), unset("test"))
		s.past(1, then)
		s.sync()
		s.past(2, then)
	}},
	{"snapshot: formats and embeds that came and went", pair, func(s *scene) {
		s.act(1, insert(0, "abcd"), format(1, 2, bold))
		then := s.clients[1].view.Snapshot()
		s.act(1, embed(2, object{"image": "x"}, nil), format(0, 5, object{"bold": nil, "em": true}), remove(3, 1))
		later := s.clients[1].view.Snapshot()
		s.act(1, remove(0, 3))
		s.past(1, then)
		s.past(1, later)
		s.sync()
		s.past(2, later)
	}},
	{"snapshot: nothing, and everything", pair, func(s *scene) {
		s.past(1, content.Snapshot{Vector: content.Vector{}, Deletes: yjs.IDSet{}})
		s.act(1, push("hello"))
		then := s.clients[1].view.Snapshot()
		s.act(1, put(0, "world"))
		s.past(1, then)
		s.past(1, s.clients[1].view.Snapshot())
	}},
	{"snapshot: before a delete, and half of a text", pair, func(s *scene) {
		s.act(1, push("item1", "item2"), insert(0, "abcd"))
		then := s.clients[1].view.Snapshot()
		s.act(1, take(1, 1), remove(1, 2), insert(1, "later"))
		s.past(1, then)
		s.act(1, format(0, 3, bold), push("item3"))
		s.past(1, then)
	}},
	{"snapshot: types in types", pair, func(s *scene) {
		s.act(1, push("a", newMap(object{"key1": "value1"})), nodes(0, element("p")))
		then := s.clients[1].view.Snapshot()
		s.act(1, set("key1", "changed").in(rootArray, 1), attribute("id", "x").in(rootXML, 0))
		later := s.clients[1].view.Snapshot()
		s.act(1, take(0, 2), attribute("id", "y").in(rootXML, 0))
		s.past(1, then)
		s.past(1, later)
	}},
	{"snapshot: what two did at once", pair, func(s *scene) {
		s.act(1, push("user1item0"))
		s.sync()
		s.act(1, push("user1item1"))
		s.act(2, push("user2item1"))
		one, two := s.clients[1].view.Snapshot(), s.clients[2].view.Snapshot()
		s.sync()
		s.past(1, one)
		s.past(1, two)
		s.act(1, take(0, 3))
		s.past(2, one)
		s.past(1, two)
	}},
	{"position: stays with what is behind it, or before", pair, func(s *scene) {
		text := action{"root": rootText}
		s.act(1, insert(0, "23"))
		behind, before := s.position(1, text, 1, 0), s.position(1, text, 1, -1)
		begin, end := s.position(1, text, 0, -1), s.position(1, text, 2, 0)
		s.act(1, insert(1, "xyz"))
		s.at(1, behind, 4)
		s.at(1, before, 1)
		s.at(1, begin, 0)
		s.at(1, end, 5)
		s.act(1, insert(0, "1"))
		s.at(1, begin, 0)
		s.at(1, before, 2)
		s.act(1, remove(0, 3))
		s.at(1, behind, 2)
		s.at(1, before, 0)
		s.sync()
		s.at(2, behind, 2)
		s.at(2, end, 3)
	}},
	{"position: at every place of a cut text", pair, func(s *scene) {
		s.act(1, insert(0, "1"), insert(0, "abc"), insert(0, "z"), insert(0, "y"), insert(0, "x"), embed(2, object{}, nil), format(1, 3, bold), remove(4, 1))
		for index := range 7 {
			for _, assoc := range []int{0, -1} {
				p := s.position(1, action{"root": rootText}, index, assoc)
				s.at(1, p, index)
			}
		}
		s.sync()
	}},
	{"position: in what undo brings back", pair, func(s *scene) {
		s.does(1, "watch", nil)
		s.act(1, insert(0, "hello world"))
		p := s.position(1, action{"root": rootText}, 1, 0)
		s.at(1, p, 1)
		s.act(1, remove(0, 6))
		s.at(1, p, 0)
		s.does(1, "undo", nil)
		s.look(1)
	}},
	{"position: in an array and among nodes", pair, func(s *scene) {
		s.act(1, push(1, 2, 3), nodes(0, element("a"), element("b")))
		p, q := s.position(1, action{"root": rootArray}, 2, 0), s.position(1, action{"root": rootXML}, 1, -1)
		s.act(1, take(0, 2), put(0, "x"), nodes(0, element("c")))
		s.at(1, p, 1)
		s.at(1, q, 2)
	}},
	{"updates: twice, backwards, merged and in version 2", three, func(s *scene) {
		s.act(1, insert(0, "abc"), set("a", 1))
		s.act(1, remove(1, 1), set("a", 2), push(newMap(object{"x": 1.0})))
		s.act(1, insert(1, "é😀"), set("y", 2).in(rootArray, 0))
		all := s.sent
		for _, u := range slices.Backward(all) {
			s.deliver(2, u)
			s.deliver(2, u)
		}
		merged, err := yjs.MergeUpdates(all[2], all[0])
		if err != nil {
			s.Fatal(err)
		}
		s.deliver(3, merged)
		s.look(3)
		s.deliver(3, all[1])
		s.sync()
	}},
	{"updates: deletes come before what they delete", three, func(s *scene) {
		s.act(1, insert(0, "abc"), push(1, 2))
		s.send(1, 2)
		s.act(2, remove(0, 2), take(0, 1))
		s.deliver(3, s.sent[1])
		s.deliver(3, s.sent[0])
		s.sync()
	}},
	{"updates: a part that is known, and one that isn't", pair, func(s *scene) {
		s.act(1, insert(0, "ab"))
		s.send(1, 2)
		s.act(1, insert(2, "cd"))
		whole, err := s.clients[1].doc.EncodeStateAsUpdate(nil)
		if err != nil {
			s.Fatal(err)
		}
		s.deliver(2, whole)
		s.sync()
	}},
	{"updates: after a gap nothing is seen", three, func(s *scene) {
		s.act(1, insert(0, "a"))
		s.act(1, insert(1, "b"))
		s.act(1, insert(2, "c"), set("k", "v"))
		s.deliver(2, s.sent[2])
		s.deliver(2, s.sent[0])
		s.look(3)
		s.deliver(2, s.sent[1])
		s.sync()
	}},
}
