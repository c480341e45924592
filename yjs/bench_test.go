package yjs_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// history is the updates of a long paper, one per key.
var history = sync.OnceValues(func() ([][]byte, error) {
	edits, _, err := yjstest.History()
	if err != nil {
		return nil, err
	}
	return yjstest.Updates(4_294_967_291, "text", edits), nil
})

func historyOf(b testing.TB) [][]byte {
	b.Helper()
	updates, err := history()
	if err != nil {
		b.Fatal(err)
	}
	return updates
}

func written(b testing.TB) *yjs.Document {
	b.Helper()
	d := yjs.NewDocument()
	for _, u := range historyOf(b) {
		if err := d.ApplyUpdate(u); err != nil {
			b.Fatal(err)
		}
	}
	return d
}

// BenchmarkApply applies one-key updates one at a time; an op is one update.
func BenchmarkApply(b *testing.B) {
	updates := historyOf(b)
	d := yjs.NewDocument()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		k := i % len(updates)
		if k == 0 {
			d = yjs.NewDocument()
		}
		if err := d.ApplyUpdate(updates[k]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkContains asks for each one-key update whether it is known.
func BenchmarkContains(b *testing.B) {
	updates := historyOf(b)
	d := written(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if !d.Contains(updates[i%len(updates)]) {
			b.Fatal("not contained")
		}
	}
}

// BenchmarkLoad applies the whole state to an empty document.
func BenchmarkLoad(b *testing.B) {
	state, err := written(b).EncodeStateAsUpdate(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		if err := yjs.NewDocument().ApplyUpdate(state); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeState(b *testing.B) {
	d := written(b)
	b.SetBytes(int64(d.Size()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.EncodeStateAsUpdate(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDiff answers a peer that lacks the last letter.
func BenchmarkDiff(b *testing.B) {
	updates := historyOf(b)
	d := yjs.NewDocument()
	for _, u := range updates[:len(updates)-1] {
		if err := d.ApplyUpdate(u); err != nil {
			b.Fatal(err)
		}
	}
	vector := d.StateVector()
	if err := d.ApplyUpdate(updates[len(updates)-1]); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.EncodeStateAsUpdate(vector); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStateVector(b *testing.B) {
	d := written(b)
	b.ReportAllocs()
	for b.Loop() {
		d.StateVector()
	}
}

// BenchmarkMerge joins a thousand one-key updates.
func BenchmarkMerge(b *testing.B) {
	updates := historyOf(b)[:1000]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := yjs.MergeUpdates(updates...); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompact drops what was deleted in a paper's history.
func BenchmarkCompact(b *testing.B) {
	state, err := written(b).EncodeStateAsUpdate(nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		d := yjs.NewDocument()
		if err := d.Load(state); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		d.Compact()
	}
}

// BenchmarkApplyInTurns applies one-key updates of many clients who take turns at each
// key, so that each has to be looked up.
func BenchmarkApplyInTurns(b *testing.B) {
	for _, clients := range []uint64{100, 10_000} {
		b.Run(strconv.FormatUint(clients, 10), func(b *testing.B) {
			first := yjs.NewDocument()
			updates := make([][][]byte, 16)
			for key := range updates {
				for i := range clients {
					client := 3_000_000_000 + 77_777*(i*7919%clients)
					u := update(section(client, 0, root("t", "a")))
					if key > 0 {
						u = update(section(client, uint64(key), after(client, uint64(key-1), "a")))
					}
					updates[key] = append(updates[key], u)
				}
			}
			apply(b, first, updates[0]...)
			begin := state(b, first)
			var d *yjs.Document
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				key := i / int(clients) % len(updates)
				if key == 0 && i%int(clients) == 0 {
					d = documentOf(b, begin)
				}
				if key == 0 {
					continue // they are there; one of sixteen costs nothing
				}
				if err := d.ApplyUpdate(updates[key][i%int(clients)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
