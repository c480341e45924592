package storage

func testClaim(run runner) {
	run("claim/epochs rise by one, for each room by itself", func(t *try) {
		for want := uint64(1); want <= 3; want++ {
			if got := t.claimed("a"); got != (Position{Epoch: want}) {
				t.Fatalf("claim %d of a: %+v", want, got)
			}
		}
		if got := t.claimed("b"); got != (Position{Epoch: 1}) {
			t.Fatalf("first claim of b: %+v", got)
		}
	})
	run("claim/says where the log stands", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two", "three")
		if got := t.claimed("a"); got != (Position{Epoch: 2, Last: 3}) {
			t.Fatalf("after three records: %+v", got)
		}
		t.snapshot(Snapshot{Room: "a", Epoch: 2, Seq: 2, Data: []byte("one two")}, 2)
		if got := t.claimed("a"); got != (Position{Epoch: 3, Last: 3, SnapshotSeq: 2}) {
			t.Fatalf("after a snapshot: %+v", got)
		}
	})
	run("claim/leaves an unwritten room out of List", func(t *try) {
		t.claimed("a")
		if l := t.listed("", "", 10); len(l.Rooms) != 0 || l.More {
			t.Fatalf("a room that was only claimed is listed: %+v", l)
		}
	})
	run("claim/no epoch is handed out twice, across a restart", func(t *try) {
		t.claimed("a")
		t.claimed("a")
		t.reopened()
		if got := t.claimed("a"); got.Epoch != 3 {
			t.Fatalf("third claim: %+v", got)
		}
	})
	run("claim/refuses what is no name", func(t *try) {
		for _, room := range badNames {
			_, err := t.Claim(t.Context(), room)
			t.fails("Claim of a bad name", err, Invalid, Position{})
		}
	})
}

func testLoad(run runner) {
	run("load/a room that was never written is empty", func(t *try) {
		t.holds("a", "", 0)
		if got := t.loaded("a", 0); got.Position != (Position{}) {
			t.Fatalf("unclaimed: %+v", got.Position)
		}
		t.claimed("a")
		if got := t.loaded("a", 1); got.Position != (Position{Epoch: 1}) {
			t.Fatalf("claimed: %+v", got.Position)
		}
		t.holds("a", "", 0)
	})
	run("load/returns head, snapshot and the records after it", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two", "", "four")
		t.holds("a", "", 1, "one", "two", "", "four")
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: []byte("one two")}, 2)
		t.holds("a", "one two", 3, "", "four")
		t.reopened()
		t.holds("a", "one two", 3, "", "four")
		if got := t.loaded("a", 1); got.Position != (Position{Epoch: 1, Last: 4, SnapshotSeq: 2}) {
			t.Fatalf("head: %+v", got.Position)
		}
	})
	run("load/many records, in order", func(t *try) {
		t.claimed("a")
		texts := make([]string, 1000)
		for i := range texts {
			texts[i] = string(pattern(i%40, uint64(i)))
		}
		for i, text := range texts {
			t.stored(Item{Room: "a", Epoch: 1, Seq: uint64(i + 1), Data: []byte(text)}, uint64(i+1))
		}
		t.holds("a", "", 1, texts...)
	})
	run("load/refuses an epoch that is over, or was never handed out", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one")
		head := t.claimed("a")
		_, err := t.Load(t.Context(), "a", 1)
		t.fails("Load with an old epoch", err, Fenced, head)
		_, err = t.Load(t.Context(), "a", 3)
		t.fails("Load with a future epoch", err, Conflict, head)
		t.holds("a", "", 1, "one")
	})
	run("load/refuses what is no name", func(t *try) {
		for _, room := range badNames {
			_, err := t.Load(t.Context(), room, 0)
			t.fails("Load of a bad name", err, Invalid, Position{})
		}
	})
}
