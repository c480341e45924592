package storage

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// badNames are no room names. (Bytes that aren't UTF-8 have their own test: a
// client may refuse them before the store sees them.)
var badNames = []string{"", strings.Repeat("n", 256)}

// oddNames are room names that a careless key codec mixes up: names that are a
// prefix of another, that look like a separator, a length or a seq, and of every
// length at the edges.
func oddNames() []string {
	names := []string{
		"a", "ab", "abc", "a\x00", "a\x00\x00", "a\x00\x00\x00\x00\x00\x00\x00\x01", "\x00", "\x01", "\x00a",
		"\x01a", "\x02ab", "a/b", "a/", "/", "../a", ".", "..", "h", "r", "s", "x", "!badger!", "\x7f", "\u0080",
		"ä", "a\u0308", "\ufeff", "\ufffd", "\u202e", "𝄞", "\U0010ffff", " ", "\n", "'; drop table rooms; --",
		strings.Repeat("n", 254), strings.Repeat("n", 255), strings.Repeat("é", 127), strings.Repeat("\x00", 255),
	}
	for i := range byte(16) {
		names = append(names, "k"+string(rune(i)), "k"+string(rune(i))+"k")
	}
	return names
}

func testNames(run runner) {
	run("names/any UTF-8, each a room of its own", func(t *try) {
		names := oddNames()
		for i, name := range names {
			t.claimed(name)
			t.write(name, 1, fmt.Sprintf("%d one", i), fmt.Sprintf("%d two", i), fmt.Sprintf("%d three", i))
		}
		for i, name := range names {
			t.snapshot(Snapshot{Room: name, Epoch: 1, Seq: 2, Data: fmt.Appendf(nil, "%d S2", i)}, 2)
		}
		t.deleted("a", 1, true)
		t.reopened()
		t.holds("a", "", 0)
		for i, name := range names[1:] {
			t.holds(name, fmt.Sprintf("%d S2", i+1), 3, fmt.Sprintf("%d three", i+1))
		}
		want := slices.Sorted(slices.Values(names[1:]))
		t.lists(want, "", "", 1000, false)
	})
	run("names/bytes that aren't UTF-8 are refused", func(t *try) {
		for _, name := range []string{"\xff", "a\xc3", "\xed\xa0\x80"} {
			if pos, err := t.Claim(t.Context(), name); err == nil {
				t.Errorf("Claim(%q) = %+v", name, pos)
			}
			got, err := t.Append(t.Context(), Item{Room: name, Epoch: 1, Seq: 1, Data: []byte("x")})
			if err == nil && (len(got) != 1 || got[0].Outcome != Invalid) {
				t.Errorf("Append to %q: %+v", name, got)
			}
		}
		t.lists(nil, "", "", 10, false)
	})
}

func testLarge(run runner) {
	run("large/a record", func(t *try) {
		t.claimed("a")
		data := pattern(t.subject.LargeRecord, 1)
		item := Item{Room: "a", Epoch: 1, Seq: 2, Data: data}
		t.write("a", 1, "before")
		t.stored(item, 2)
		t.stored(item, 2)
		t.write("a", 1, "after")
		t.reopened()
		t.stored(item, 3)
		other := slices.Clone(data)
		other[len(other)-1] ^= 1
		t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 2, Data: other})
		t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 2, Data: data[:len(data)-1]})
		t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte("small")})
		t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 1, Data: data})
		r := t.loaded("a", 1)
		if len(r.Records) != 3 || string(r.Records[0].Data) != "before" || string(r.Records[2].Data) != "after" {
			t.Fatalf("%d records", len(r.Records))
		}
		t.same("the record", r.Records[1].Data, data)
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: []byte("S2")}, 2)
		t.reopened()
		t.holds("a", "S2", 3, "after")
	})
	run("large/records of all sizes around the chunks'", func(t *try) {
		t.claimed("a")
		const chunk = 256 << 10
		sizes := []int{0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk, 4*chunk - 1, 4 * chunk, 4*chunk + 1, 9 * chunk}
		for i, size := range sizes {
			t.stored(Item{Room: "a", Epoch: 1, Seq: uint64(i + 1), Data: pattern(size, uint64(i))}, uint64(i+1))
		}
		t.reopened()
		r := t.loaded("a", 1)
		if len(r.Records) != len(sizes) {
			t.Fatalf("%d records, want %d", len(r.Records), len(sizes))
		}
		for i, size := range sizes {
			t.same(fmt.Sprintf("the record of %d bytes", size), r.Records[i].Data, pattern(size, uint64(i)))
		}
	})
	run("large/a snapshot", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two")
		data := pattern(t.subject.LargeSnapshot, 2)
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 1, Data: data}, 1)
		t.same("the snapshot", t.loaded("a", 1).Snapshot, data)
		t.reopened()
		r := t.loaded("a", 1)
		t.same("the snapshot after a restart", r.Snapshot, data)
		if len(r.Records) != 1 || string(r.Records[0].Data) != "two" {
			t.Fatalf("records after the snapshot: %d", len(r.Records))
		}
	})
}

func testTogether(run runner) {
	run("together/many writers, each with a room", func(t *try) {
		const writers, records = 24, 40
		t.together(writers, func(i int) error {
			room := fmt.Sprintf("room-%d", i)
			pos, err := t.Claim(t.Context(), room)
			if err != nil || pos != (Position{Epoch: 1}) {
				return fmt.Errorf("claim: %+v, %w", pos, err)
			}
			for seq := uint64(1); seq <= records; seq++ {
				got, err := t.Append(t.Context(), Item{Room: room, Epoch: 1, Seq: seq, Data: fmt.Appendf(nil, "%d/%d", i, seq)})
				if err != nil || len(got) != 1 || got[0].Outcome != Stored {
					return fmt.Errorf("append %d: %+v, %w", seq, got, err)
				}
			}
			return nil
		})
		for i := range writers {
			texts := make([]string, records)
			for seq := range texts {
				texts[seq] = fmt.Sprintf("%d/%d", i, seq+1)
			}
			t.holds(fmt.Sprintf("room-%d", i), "", 1, texts...)
		}
	})
	run("together/one room claimed by many: every epoch once", func(t *try) {
		const claimers = 32
		var mu sync.Mutex // guards seen
		seen := map[uint64]int{}
		t.together(claimers, func(int) error {
			pos, err := t.Claim(t.Context(), "a")
			mu.Lock()
			defer mu.Unlock()
			seen[pos.Epoch]++
			return err
		})
		for epoch := uint64(1); epoch <= claimers; epoch++ {
			if seen[epoch] != 1 {
				t.Errorf("epoch %d was handed out %d times", epoch, seen[epoch])
			}
		}
	})
	run("together/the same record from many: stored once", func(t *try) {
		t.claimed("a")
		for seq := uint64(1); seq <= 5; seq++ {
			size := 10
			if seq == 3 {
				size = 700 << 10 // in chunks
			}
			data := pattern(size, seq)
			t.together(8, func(int) error {
				got, err := t.Append(t.Context(), Item{Room: "a", Epoch: 1, Seq: seq, Data: data})
				if err != nil || got[0].Outcome != Stored {
					return fmt.Errorf("append: %+v, %w", got, err)
				}
				return nil
			})
		}
		if r := t.loaded("a", 1); len(r.Records) != 5 {
			t.Fatalf("%d records, want 5", len(r.Records))
		}
	})
	run("together/other bytes for the same place from many: one wins", func(t *try) {
		t.claimed("a")
		for seq, size := range []int{10, 700 << 10} {
			var mu sync.Mutex // guards won
			won := map[Outcome]int{}
			t.together(8, func(i int) error {
				got, err := t.Append(t.Context(), Item{Room: "a", Epoch: 1, Seq: uint64(seq + 1), Data: pattern(size, uint64(i))})
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				won[got[0].Outcome]++
				return nil
			})
			if won[Stored] != 1 || won[Conflict] != 7 {
				t.Fatalf("outcomes for %d bytes: %v", size, won)
			}
		}
		t.loaded("a", 1)
	})
}

// together runs f for 0 … n-1 at once.
func (t *try) together(n int, f func(i int) error) {
	t.Helper()
	errs := make(chan error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := f(i); err != nil {
				errs <- fmt.Errorf("%d: %w", i, err)
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	if t.Failed() {
		t.FailNow()
	}
}
