package reliability_test

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/typist"
)

// BenchmarkEcho measures the time from sending an update to its echo, so until it is
// synced to disk: 500 rooms with a client each, 2 000 updates a second in all, for
// ten seconds, all in one process.
func BenchmarkEcho(b *testing.B) {
	const clients, rate, lasts = 500, 2_000, 10 * time.Second
	dir, err := os.MkdirTemp(*keep, "fjord-echo-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	f, err := fleet.Open(fleet.Config{Dir: dir, AllInOne: true})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := f.Start(); err != nil {
		b.Fatal(err)
	}
	var mu sync.Mutex // guards times
	var times []time.Duration
	all := make([]*typist.Typist, clients)
	for i := range all {
		all[i] = typist.Open(typist.Config{URL: f.Direct(0), Room: fmt.Sprintf("echo-%d", i), Client: 7, OnEcho: func(s *typist.Said) {
			mu.Lock()
			defer mu.Unlock()
			times = append(times, s.EchoAt.Sub(s.At))
		}})
		defer all[i].Close()
	}
	for _, y := range all {
		if err := y.Synced(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		var typing sync.WaitGroup
		began := time.Now()
		each := time.Second * clients / rate
		for i, y := range all {
			typing.Go(func() {
				for next := began.Add(each * time.Duration(i) / clients); next.Before(began.Add(lasts)); next = next.Add(each) {
					time.Sleep(time.Until(next))
					y.Type()
				}
			})
		}
		typing.Wait()
		for _, y := range all {
			if err := y.Settled(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	b.ReportMetric(float64(percentile(times, 50).Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(percentile(times, 99).Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(len(times)), "updates")
}
