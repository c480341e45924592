package badger

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/storetest"
)

func openBench(b *testing.B) (store.Store, *atomic.Int64) {
	var syncs atomic.Int64
	opt := testOptions(b.TempDir())
	opt.Committed = func(Commit) { syncs.Add(1) }
	return openStore(b, opt), &syncs
}

func BenchmarkAppend(b *testing.B) { storetest.BenchmarkAppend(b, openBench) }

func BenchmarkLoad(b *testing.B) { storetest.BenchmarkLoad(b, openBench) }

// BenchmarkOpenClose measures a restart of a small directory.
func BenchmarkOpenClose(b *testing.B) {
	opt := testOptions(b.TempDir())
	var open, closing time.Duration
	for i := 0; b.Loop(); i++ {
		start := time.Now()
		s, err := Open(b.Context(), opt)
		if err != nil {
			b.Fatal(err)
		}
		open += time.Since(start)
		head, err := s.Claim(b.Context(), "a")
		if err != nil {
			b.Fatal(err)
		}
		if r := s.Append(b.Context(), []store.Item{{Room: "a", Epoch: head.Epoch, Seq: head.Last + 1, Data: []byte("x")}}); r[0].Err != nil {
			b.Fatal(r[0].Err)
		}
		start = time.Now()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		closing += time.Since(start)
	}
	b.ReportMetric(float64(open.Milliseconds())/float64(b.N), "open-ms")
	b.ReportMetric(float64(closing.Milliseconds())/float64(b.N), "close-ms")
}
