package storetest

import (
	"bytes"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// keystroke is about the size of one typed letter as a Yjs update, in a batch.
const keystroke = 30

// BenchmarkAppend measures appends of one small record each by 1, 16, 64 and 256
// writers, each with a room of its own. open returns a new store and the number of
// its syncs so far, nil if it has none.
func BenchmarkAppend(b *testing.B, open func(b *testing.B) (store.Store, *atomic.Int64)) {
	for _, writers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s, syncs := open(b)
			for i := range writers {
				if _, err := s.Claim(b.Context(), benchRoom(i)); err != nil {
					b.Fatal(err)
				}
			}
			var before int64
			if syncs != nil {
				before = syncs.Load()
			}
			b.ReportAllocs()
			b.ResetTimer()
			appendAll(b, s, writers)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			if syncs != nil {
				b.ReportMetric(float64(b.N)/float64(syncs.Load()-before), "appends/sync")
			}
		})
	}
}

func benchRoom(i int) string { return fmt.Sprintf("bench/room-%05d", i) }

// appendAll stores b.N records, as many writers at once as asked for.
func appendAll(b *testing.B, s store.Store, writers int) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			items := []store.Item{{Room: benchRoom(i), Epoch: 1, Data: bytes.Repeat([]byte{byte(i)}, keystroke)}}
			for seq := store.Seq(1); left.Add(-1) >= 0; seq++ {
				items[0].Seq = seq
				if r := s.Append(b.Context(), items); r[0].Err != nil {
					b.Error(r[0].Err)
					return
				}
			}
		})
	}
	all.Wait()
}

// BenchmarkLoad measures the load of a room as a rooms process opens it: a
// snapshot, and the records since.
func BenchmarkLoad(b *testing.B, open func(b *testing.B) (store.Store, *atomic.Int64)) {
	for _, size := range []struct {
		snapshot, records int
	}{{0, 10}, {20 << 10, 200}, {5 << 20, 200}} {
		b.Run(fmt.Sprintf("snapshot=%d/records=%d", size.snapshot, size.records), func(b *testing.B) {
			s, _ := open(b)
			if _, err := s.Claim(b.Context(), "a"); err != nil {
				b.Fatal(err)
			}
			seq := store.Seq(0)
			put := func() {
				seq++
				item := store.Item{Room: "a", Epoch: 1, Seq: seq, Data: bytes.Repeat([]byte{1}, keystroke)}
				if r := s.Append(b.Context(), []store.Item{item}); r[0].Err != nil {
					b.Fatal(r[0].Err)
				}
			}
			if size.snapshot > 0 {
				put()
				snap := store.Snapshot{Room: "a", Epoch: 1, Seq: seq, Size: uint64(size.snapshot)}
				if _, err := s.PutSnapshot(b.Context(), snap, bytes.NewReader(make([]byte, size.snapshot))); err != nil {
					b.Fatal(err)
				}
			}
			for range size.records {
				put()
			}
			b.SetBytes(int64(size.snapshot + size.records*keystroke))
			b.ReportAllocs()
			for b.Loop() {
				var n counter
				if err := s.Load(b.Context(), "a", 1, &n); err != nil || n.records != size.records {
					b.Fatal(n.records, err)
				}
			}
		})
	}
}

// counter is a store.Sink that counts.
type counter struct{ records int }

func (*counter) Head(store.Head) error      { return nil }
func (*counter) SnapshotChunk([]byte) error { return nil }
func (c *counter) Record(store.Record) error {
	c.records++
	return nil
}
