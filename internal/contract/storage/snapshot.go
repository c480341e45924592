package storage

import (
	"fmt"
	"strings"
	"sync"
)

func testSnapshot(run runner) {
	run("snapshot/replaces records, then an older snapshot", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two", "three")
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: []byte("S2")}, 2)
		t.holds("a", "S2", 3, "three")
		t.write("a", 1, "four", "five")
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 5, Data: []byte("S5")}, 3)
		t.holds("a", "S5", 6)
		t.write("a", 1, "six")
		t.holds("a", "S5", 6, "six")
		t.reopened()
		t.holds("a", "S5", 6, "six")
	})
	run("snapshot/of any size replaces any other", func(t *try) {
		t.claimed("a")
		sizes := []int{1, 256 << 10, 256<<10 + 1, 1 << 20, 1<<20 + 1, 3 << 20, 5, 2 << 20, 2<<20 + 7}
		for i, size := range sizes {
			seq := t.write("a", 1, "r")
			data := pattern(size, uint64(i))
			t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: seq, Data: data}, 1)
			t.same(fmt.Sprintf("snapshot of %d bytes", size), t.loaded("a", 1).Snapshot, data)
		}
		t.reopened()
		t.same("the last snapshot", t.loaded("a", 1).Snapshot, pattern(2<<20+7, uint64(len(sizes)-1)))
	})
	run("snapshot/must lie between the last one and the log's end", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two", "three")
		head := Position{Epoch: 1, Last: 3}
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: []byte("S2")}, 2)
		for _, seq := range []uint64{1, 2, 4, 100} {
			_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: seq, Data: []byte("other")})
			t.fails(fmt.Sprintf("a snapshot at seq %d", seq), err, Conflict, head)
		}
		_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: 0, Data: []byte("S0")})
		t.fails("a snapshot at seq 0", err, Invalid, Position{})
		_, err = t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 2, Seq: 3, Data: []byte("S3")})
		t.fails("a snapshot with a future epoch", err, Conflict, head)
		_, err = t.PutSnapshot(t.Context(), Snapshot{Room: "unclaimed", Epoch: 1, Seq: 1, Data: []byte("S1")})
		t.fails("a snapshot of an unclaimed room", err, Conflict, Position{})
		t.holds("a", "S2", 3, "three")
	})
	run("snapshot/the same again is stored once", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two")
		for _, data := range [][]byte{[]byte("S"), pattern(2<<20, 7)} {
			seq := t.write("a", 1, "r")
			s := Snapshot{Room: "a", Epoch: 1, Seq: seq, Data: data}
			if _, err := t.PutSnapshot(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			t.snapshot(s, 0)
			other := append([]byte{data[0] ^ 1}, data[1:]...)
			_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: seq, Data: other})
			t.fails("other bytes of the same length", err, Conflict, Position{})
			t.same("snapshot", t.loaded("a", 1).Snapshot, data)
		}
	})
	run("snapshot/a trimmed record cannot be stored again", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one", "two")
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: 2, Data: []byte("S2")}, 2)
		t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 1, Data: []byte("one")})
		t.refused(Conflict, Item{Room: "a", Epoch: 1, Seq: 2, Data: []byte("two")})
		t.holds("a", "S2", 3)
	})
	run("snapshot/has the size that its header says, or nothing happens", func(t *try) {
		t.claimed("a")
		t.write("a", 1, "one")
		for _, size := range []int{10, 300 << 10, 3 << 20} {
			data := pattern(size, 1)
			for _, claimed := range []int{size - 1, size + 1, 2 * size} {
				_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: 1, Data: data, Size: uint64(claimed)})
				t.fails(fmt.Sprintf("%d bytes announced as %d", size, claimed), err, Invalid, Position{})
			}
		}
		_, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: 1, Data: nil})
		t.fails("a snapshot of no bytes", err, Invalid, Position{})
		_, err = t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: 1, Data: []byte("x"), Size: 1 << 60})
		t.fails("a snapshot of 2^60 bytes", err, Invalid, Position{})
		for _, room := range badNames {
			_, err := t.PutSnapshot(t.Context(), Snapshot{Room: room, Epoch: 1, Seq: 1, Data: []byte("x")})
			t.fails("a snapshot of a bad name", err, Invalid, Position{})
		}
		t.holds("a", "", 1, "one")
	})
	run("snapshot/trims more records than are swept at once", func(t *try) {
		t.claimed("a")
		const n = 600
		for seq := uint64(1); seq <= n; seq++ {
			t.stored(Item{Room: "a", Epoch: 1, Seq: seq, Data: []byte("r")}, seq)
		}
		t.snapshot(Snapshot{Room: "a", Epoch: 1, Seq: n - 1, Data: []byte("S")}, n-1)
		t.holds("a", "S", n, "r")
		t.reopened()
		t.holds("a", "S", n, "r")
	})
	run("snapshot/a load sees the room before or after, never between", testAtomic)
}

// testAtomic loads a room while its owner appends and compacts. Each record names
// its seq and each snapshot all seqs up to its own, so every load can be checked
// by itself.
func testAtomic(t *try) {
	const last = 120
	t.claimed("a")
	var writer sync.WaitGroup
	defer writer.Wait()
	done := make(chan error, 1)
	writer.Go(func() {
		done <- func() error {
			for seq := uint64(1); seq <= last; seq++ {
				got, err := t.Append(t.Context(), Item{Room: "a", Epoch: 1, Seq: seq, Data: fmt.Appendf(nil, "%d ", seq)})
				if err != nil || got[0].Outcome != Stored {
					return fmt.Errorf("append %d: %+v, %w", seq, got, err)
				}
				if seq%7 == 0 {
					data := counted(seq)
					if seq%3 == 0 { // a large one, in chunks
						data += strings.Repeat(" ", 600<<10)
					}
					if _, err := t.PutSnapshot(t.Context(), Snapshot{Room: "a", Epoch: 1, Seq: seq, Data: []byte(data)}); err != nil {
						return fmt.Errorf("snapshot %d: %w", seq, err)
					}
				}
			}
			return nil
		}()
	})
	for {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			return
		default:
		}
		r := t.loaded("a", 1)
		text := strings.TrimRight(string(r.Snapshot), " ")
		if text != "" {
			text += " "
		}
		for _, rec := range r.Records {
			text += string(rec.Data)
		}
		if want := counted(r.Last); text != want {
			t.Fatalf("a load at seq %d, snapshot %d, reads %q", r.Last, r.SnapshotSeq, text)
		}
	}
}

// counted returns "1 2 3 … n ".
func counted(n uint64) string {
	var b strings.Builder
	for i := uint64(1); i <= n; i++ {
		fmt.Fprintf(&b, "%d ", i)
	}
	return b.String()
}
