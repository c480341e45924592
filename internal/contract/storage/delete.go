package storage

func testDelete(run runner) {
	run("delete/empties the room and takes it off the list", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two", "three")
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: []byte("S2")}, 2)
		t.deleted("a", 1, true)
		t.holds("a", "", 0)
		if l := t.listed("", "", 10); len(l.Rooms) != 0 {
			t.Fatalf("a deleted room is listed: %+v", l)
		}
		t.deleted("a", 1, false)
		t.deleted("a", 0, false)
		t.reopened()
		t.holds("a", "", 0)
	})
	run("delete/fences the owner that it took the room from", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one")
		t.deleted("a", 0, true) // by an operator
		got := t.refused(Deleted, Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte("late")})
		t.is(got, Result{Outcome: Deleted, HeadEpoch: 1, HeadLast: 1}, Item{})
		t.refused(Deleted, Item{Room: "a", Epoch: 1, Seq: 1, Data: []byte("one")})
		head := Position{Epoch: 1, Last: 1}
		_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: 1, Data: []byte("late")})
		t.fails("a snapshot of a deleted room", err, Deleted, head)
		_, err = t.Load(t.Context(), "a", 1)
		t.fails("a load with the deleted epoch", err, Deleted, head)
		t.reopened()
		t.refused(Deleted, Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte("late")})
		t.holds("a", "", 0)
	})
	run("delete/the next claim begins a new log, whose seqs go on", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two")
		t.deleted("a", 1, true)
		if got := t.claimed("a"); got != (Position{Epoch: 2, Last: 2}) {
			t.Fatalf("claim after delete: %+v", got)
		}
		t.holds("a", "", 0)
		t.refused(Fenced, Item{Room: "a", Epoch: 1, Seq: 3, Data: []byte("late")})
		t.refused(Conflict, Item{Room: "a", Epoch: 2, Seq: 1, Data: []byte("one")})
		t.refused(Conflict, Item{Room: "a", Epoch: 2, Seq: 2, Data: []byte("two")})
		_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 2, Seq: 2, Data: []byte("S")})
		t.fails("a snapshot of what was deleted", err, Conflict, Position{Epoch: 2, Last: 2})
		if l := t.listed("", "", 10); len(l.Rooms) != 0 {
			t.Fatalf("the new log is listed before it holds anything: %+v", l)
		}
		t.write("a", 2, "three", "four")
		t.reopened()
		t.holds("a", "", 3, "three", "four")
		t.snapshot(Snapshot{Room: "a", Epoch: 2, Seq: 3, Data: []byte("S3")}, 1)
		t.holds("a", "S3", 4, "four")
	})
	run("delete/again and again", func(t *try) {
		var last uint64
		for epoch := uint64(1); epoch <= 4; epoch++ {
			if got := t.claimed("a"); got != (Position{Epoch: epoch, Last: last}) {
				t.Fatalf("claim %d: %+v", epoch, got)
			}
			last = t.write("a", epoch, "x", "y")
			t.snapshot(Snapshot{Room: "a", Epoch: epoch, Seq: last - 1, Data: pattern(400<<10, epoch)}, 1)
			t.deleted("a", epoch, true)
			t.holds("a", "", 0)
		}
	})
	run("delete/what holds nothing was not there", func(t *try) {
		t.deleted("never claimed", 0, false)
		t.claimed("a")
		t.deleted("a", 1, false)
		t.deleted("a", 0, false)
		t.write("a", 1, "one") // its owner goes on
		t.holds("a", "", 1, "one")
		_, err := t.Delete(t.Context(), "a", 2)
		t.fails("Delete with a future epoch", err, Conflict, Position{Epoch: 1, Last: 1})
		for _, room := range badNames {
			_, err := t.Delete(t.Context(), room, 0)
			t.fails("Delete of a bad name", err, Invalid, Position{})
		}
	})
}

func testList(run runner) {
	run("list/in byte order, page by page", func(t *try) {
		names := []string{"A", "a", "a/1", "a/10", "a/2", "aa", "b", "ä", "€", "😀"} // in byte order
		for i := range names {
			name := names[(i*7+3)%len(names)] // written in another order
			t.claimed(name)
			t.write(name, 1, "r")
		}
		t.lists(names, "", "", 100, false)
		t.lists(names[:3], "", "", 3, true)
		t.lists(names[3:6], "", "a/1", 3, true)
		t.lists(names[7:], "", "b", 3, false)
		t.lists(nil, "", "😀", 3, false)
		t.lists(names[2:5], "a/", "", 10, false)
		t.lists(names[2:3], "a/", "", 1, true)
		t.lists(names[3:5], "a/", "a/1", 2, false)
		t.lists(names[1:6], "a", "", 5, false)
		t.lists(nil, "a", "b", 5, false)
		t.lists(names[2:5], "a/", "A", 5, false)
		t.lists(nil, "none", "", 5, false)
		t.lists(names[4:], "", "a/11", 10, false) // after need not be a room
	})
	run("list/says where each room stands", func(t *try) {
		t.claimed("a")
		t.claimed("a")
		t.write("a", 2, "one", "two", "three")
		t.snapshot(Snapshot{Room: "a", Epoch: 2, Seq: 2, Data: []byte("S2 has 14 bytes"[:14])}, 2)
		got := t.listed("", "", 1)
		want := Info{Room: "a", Position: Position{Epoch: 2, Last: 3, SnapshotSeq: 2}, SnapshotSize: 14}
		if len(got.Rooms) != 1 || got.Rooms[0] != want || got.More {
			t.Fatalf("listed %+v, want %+v", got, want)
		}
	})
	run("list/skips what holds nothing, however much there is of it", func(t *try) {
		for _, room := range []string{"a", "b", "c", "d", "e"} {
			t.claimed(room)
		}
		t.write("c", 1, "one")
		t.write("e", 1, "one")
		t.write("d", 1, "one")
		t.deleted("d", 1, true)
		t.lists([]string{"c", "e"}, "", "", 2, false)
		t.lists([]string{"c"}, "", "", 1, true)
		t.lists([]string{"e"}, "", "c", 1, false)
	})
}

// lists checks a page of List by its names.
func (t *try) lists(want []string, prefix, after string, limit int, more bool) {
	t.Helper()
	got := t.listed(prefix, after, limit)
	names := make([]string, len(got.Rooms))
	for i, info := range got.Rooms {
		names[i] = info.Room
	}
	if len(names) != len(want) || got.More != more {
		t.Fatalf("List(%q, %q, %d) = %q, more %v; want %q, more %v", prefix, after, limit, names, got.More, want, more)
	}
	for i := range want {
		if names[i] != want[i] {
			t.Fatalf("List(%q, %q, %d) = %q, want %q", prefix, after, limit, names, want)
		}
	}
}
