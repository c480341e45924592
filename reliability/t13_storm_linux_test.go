package reliability_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT13Storm kills the edge under thousands of sockets in hundreds of rooms. All
// come back at once, as npm clients do, and are all synced again.
func TestT13Storm(t *testing.T) {
	t.Parallel()
	sockets, rooms := affordable(t, times(900, 9_000)), times(60, 300)
	f := open(t, fleet.Config{})
	s := &storm{url: func() string { return f.Direct(0) }}
	ctx, cancel := context.WithCancel(within(t, 10*patience))
	for n := range sockets {
		s.workers.Go(func() { s.live(ctx, fmt.Sprintf("storm-%d", n%rooms)) })
	}
	defer s.workers.Wait()
	defer cancel()
	_, err := s.synced(ctx, int64(sockets))
	must(t, err)
	steady, err := resident(f.Edges[0].PID(), "VmRSS")
	must(t, err)
	var took []time.Duration
	peak := int64(0)
	for range times(1, 5) {
		must(t, f.Edges[0].Kill())
		s.count.Store(0)
		must(t, f.Edges[0].Start())
		one, err := s.synced(ctx, int64(sockets))
		must(t, err)
		took = append(took, one)
		p, err := resident(f.Edges[0].PID(), "VmHWM")
		must(t, err)
		peak = max(peak, p)
	}
	t.Logf("%d sockets over %d rooms: all synced again %v after the start, at worst; the edge takes %d MiB before, %d MiB at its peak",
		sockets, rooms, percentile(took, 100), steady>>20, peak>>20)
}

// affordable is so many sockets, or fewer where a process may have few open files: a
// third of them, as two other tests run beside this one.
func affordable(t *testing.T, sockets int) int {
	t.Helper()
	var files syscall.Rlimit
	must(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files))
	if most := int(files.Max / 3); most < sockets {
		t.Logf("only %d sockets of %d: a process may have %d open files here", most, sockets, files.Max)
		return most
	}
	return sockets
}

// storm is many sockets that want nothing but to be synced.
type storm struct {
	url     func() string
	workers sync.WaitGroup
	count   atomic.Int64 // of those that are synced
}

func (s *storm) synced(ctx context.Context, n int64) (time.Duration, error) {
	began := time.Now()
	for s.count.Load() < n {
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("%d of %d sockets are synced: %w", s.count.Load(), n, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
	return time.Since(began), nil
}

// live dials as the npm client does: 100 ms after a break, doubled up to 2.5 s.
func (s *storm) live(ctx context.Context, room string) {
	pause := 100 * time.Millisecond
	for ctx.Err() == nil {
		if s.session(ctx, room) {
			pause = 100 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, 2500*time.Millisecond)
	}
}

func (s *storm) session(ctx context.Context, room string) (synced bool) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, s.url()+"/"+room, nil)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if conn.WriteMessage(websocket.BinaryMessage, []byte{0, 0, 1, 0}) != nil {
		return false
	}
	for {
		_, frame, err := conn.ReadMessage()
		if err != nil {
			return synced
		}
		if !synced && len(frame) > 1 && frame[0] == 0 && frame[1] == 1 {
			synced = true
			s.count.Add(1)
		}
	}
}
