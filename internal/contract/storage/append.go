package storage

import "strings"

func testAppend(run runner) {
	run("append/seqs go on without holes", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two")
		for _, seq := range []uint64{4, 5, 1 << 63} {
			got := t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: seq, Data: []byte("x")})
			t.is(got, Result{Outcome: Conflict, HeadEpoch: 1, HeadLast: 2}, Item{})
		}
		t.write("a", 1, "three")
		t.holds("a", "", 1, "one", "two", "three")
	})
	run("append/the same again is stored once", func(t *try) {
		t.claimed("a")
		one := Item{Room: "a", Epoch: 1, Seq: 1, Data: []byte("one")}
		two := Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte{}}
		t.stored(one, 1)
		t.stored(one, 1)
		t.stored(two, 2)
		t.stored(two, 2)
		t.stored(one, 2) // an earlier one too
		t.reopened()
		t.stored(two, 2)
		t.holds("a", "", 1, "one", "")
	})
	run("append/the same place with other bytes is a conflict", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two")
		for _, text := range []string{"ONE", "on", "ones", ""} {
			t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 1, Data: []byte(text)})
			t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte(text)})
		}
		t.holds("a", "", 1, "one", "two")
	})
	run("append/another owner's record isn't mine, whatever its bytes", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one")
		t.claimed("a")
		t.refused(Conflict, Item{Room: "a", Epoch: 2, Seq: 1, Data: []byte("one")})
		t.holds("a", "", 1, "one")
	})
	run("append/needs a claim", func(t *try) {
		t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 1, Data: []byte("x")})
		t.claimed("a")
		t.refused(Conflict, Item{Room: "a", Epoch: 2, Seq: 1, Data: []byte("x")})
		t.refused(Invalid, Item{Room: "a", Epoch: 0, Seq: 1, Data: []byte("x")})
		t.refused(Invalid, Item{Room: "a", Epoch: 1, Seq: 0, Data: []byte("x")})
		t.holds("a", "", 0)
	})
	run("append/every item stands alone", testItems)
	run("append/one item per room", func(t *try) {
		t.claimed("a")
		got, err := t.Append(t.Context(),
			Item{Room: "a", Epoch: 1, Seq: 1, Data: []byte("one")},
			Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte("two")})
		if err != nil || len(got) != 2 || got[0].Outcome != Stored || got[1].Outcome != Invalid {
			t.Fatalf("two items of a room: %+v, %v", got, err)
		}
		t.holds("a", "", 1, "one")
	})
	run("append/no items, no results", func(t *try) {
		if got, err := t.Append(t.Context()); err != nil || len(got) != 0 {
			t.Fatalf("Append() = %+v, %v", got, err)
		}
	})
	run("append/a call that has ended is unknown, and trying again finds out", func(t *try) {
		t.claimed("a")
		item := Item{Room: "a", Epoch: 1, Seq: 1, Data: []byte("one")}
		if got, err := t.Append(ended(t.Context()), item); err == nil {
			for _, r := range got {
				if r.Outcome != Unknown {
					t.Fatalf("a call that has ended: %+v", r)
				}
			}
		}
		t.stored(item, 1)
		t.holds("a", "", 1, "one")
	})
	run("append/refuses what is too large", func(t *try) {
		if t.subject.TooLargeRecord == 0 {
			t.Skip("the subject names no such size")
		}
		t.claimed("a")
		t.refused(Invalid, Item{Room: "a", Epoch: 1, Seq: 1, Data: make([]byte, t.subject.TooLargeRecord)})
		t.holds("a", "", 0)
	})
}

func testItems(t *try) {
	rooms := []string{"good", "good, too", "stale", "hole", "again", "gone", "other", "large", "large and stale", "large and again"}
	for _, room := range rooms {
		t.claimed(room)
	}
	large := pattern(400<<10, 1)
	t.claimed("stale")
	t.claimed("large and stale")
	t.stored(Item{Room: "large and again", Epoch: 1, Seq: 1, Data: large}, 1)
	t.write("again", 1, "one")
	t.write("other", 1, "one")
	t.write("gone", 1, "one")
	t.deleted("gone", 1, true)
	items := []struct {
		Item
		want Outcome
	}{
		{Item{Room: "stale", Epoch: 1, Seq: 1, Data: []byte("x")}, Fenced},
		{Item{Room: "hole", Epoch: 1, Seq: 2, Data: []byte("x")}, Conflict},
		{Item{Room: "never claimed", Epoch: 1, Seq: 1, Data: []byte("x")}, Conflict},
		{Item{Room: "again", Epoch: 1, Seq: 1, Data: []byte("one")}, Stored},
		{Item{Room: "other", Epoch: 1, Seq: 1, Data: []byte("two")}, Conflict},
		{Item{Room: "", Epoch: 1, Seq: 1, Data: []byte("x")}, Invalid},
		{Item{Room: strings.Repeat("n", 256), Epoch: 1, Seq: 1, Data: []byte("x")}, Invalid},
		{Item{Room: "gone", Epoch: 1, Seq: 2, Data: []byte("x")}, Deleted},
		{Item{Room: "good", Epoch: 1, Seq: 1, Data: []byte("one")}, Stored},
		{Item{Room: "large", Epoch: 1, Seq: 1, Data: large}, Stored},
		{Item{Room: "large and stale", Epoch: 1, Seq: 1, Data: large}, Fenced},
		{Item{Room: "large and again", Epoch: 1, Seq: 1, Data: large}, Stored},
		{Item{Room: "good, too", Epoch: 1, Seq: 1, Data: []byte("one")}, Stored},
	}
	call := make([]Item, len(items))
	for i := range items {
		call[i] = items[i].Item
	}
	got, err := t.Append(t.Context(), call...)
	if err != nil || len(got) != len(call) {
		t.Fatalf("%d results, %v; want %d", len(got), err, len(call))
	}
	for i, r := range got {
		if r.Outcome != items[i].want {
			t.Errorf("%s: %s (%s), want %s", show(call[i]), r.Outcome, r.Message, items[i].want)
		}
	}
	for _, room := range []string{"good", "good, too", "again", "other"} {
		t.holds(room, "", 1, "one")
	}
	t.holds("large", "", 1, string(large))
	t.holds("large and again", "", 1, string(large))
	for _, room := range []string{"stale", "hole", "never claimed", "gone", "large and stale"} {
		t.holds(room, "", 0)
	}
}

func testFence(run runner) {
	run("fence/an old owner's record is refused", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one")
		t.claimed("a")
		for _, seq := range []uint64{1, 2, 3} {
			got := t.refused(Fenced, Item{Room: "a", Epoch: 1, Seq: seq, Data: []byte("one")})
			t.is(got, Result{Outcome: Fenced, HeadEpoch: 2, HeadLast: 1}, Item{})
		}
		t.write("a", 2, "two")
		t.holds("a", "", 1, "one", "two")
	})
	run("fence/holds where a snapshot has freed the old owner's place", func(t *try) {
		// The old owner writes record 3 late: the new one has stored and compacted
		// its own record 3, so no key is in the way any more.
		t.claimed("a")
		t.write("a", 1, "one", "two")
		t.claimed("a")
		t.write("a", 2, "three", "four")
		t.snapshot(Snapshot{Room: "a", Epoch: 2, Seq: 4, Data: []byte("all four")}, 4)
		for seq := uint64(1); seq <= 6; seq++ {
			t.refused(Fenced, Item{Room: "a", Epoch: 1, Seq: seq, Data: []byte("late")})
		}
		t.holds("a", "all four", 5)
	})
	run("fence/an old owner's snapshot and delete are refused", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two")
		head := t.claimed("a")
		_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: []byte("late")})
		t.fails("an old owner's snapshot", err, Fenced, head)
		_, err = t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: pattern(3<<20, 1)})
		t.fails("an old owner's large snapshot", err, Fenced, head)
		_, err = t.Delete(t.Context(), "a", 1)
		t.fails("an old owner's delete", err, Fenced, head)
		t.holds("a", "", 1, "one", "two")
	})
	run("fence/lasts over a restart", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one")
		t.claimed("a")
		t.reopened()
		t.refused(Fenced, Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte("late")})
		t.write("a", 2, "two")
		t.holds("a", "", 1, "one", "two")
	})
	run("fence/of two owners at once, one writes", testTwoOwners)
}

// testTwoOwners lets an old and a new owner write the same seqs at the same time.
func testTwoOwners(t *try) {
	t.claimed("a")
	t.write("a", 1, "one")
	t.claimed("a")
	type answer struct {
		outcome Outcome
		err     error
	}
	stale := make(chan answer)
	go func() {
		var last answer
		for seq := uint64(2); seq <= 50; seq++ {
			got, err := t.Append(t.Context(), Item{Room: "a", Epoch: 1, Seq: seq, Data: []byte("old")})
			if err != nil {
				last = answer{err: err}
				break
			}
			if last = (answer{outcome: got[0].Outcome}); last.outcome != Fenced {
				break
			}
		}
		stale <- last
	}()
	texts := []string{"one"}
	for seq := uint64(2); seq <= 50; seq++ {
		t.stored(Item{Room: "a", Epoch: 2, Seq: seq, Data: []byte("new")}, seq)
		texts = append(texts, "new")
	}
	if got := <-stale; got.err != nil || got.outcome != Fenced {
		t.Fatalf("the old owner's last append: %+v, want %s", got, Fenced)
	}
	t.holds("a", "", 1, texts...)
}
