package registry

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// A document that makes the engine panic while it is compacted costs its room nothing
// but that, nor do others have to wait for ever.
func TestPanicWhileCompacting(t *testing.T) {
	var log bytes.Buffer
	r := New(Config{Room: room.Config{Kind: room.Volatile}, Logger: slog.New(slog.NewTextHandler(&log, nil)), Metrics: prometheus.NewRegistry()}, nil)
	defer func() {
		if err := r.Drain(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	panics := room.Copy{State: []byte{0, 0}, Compact: func(*yjs.Document) { panic("a document that nobody thought of") }}
	for range 2 * compactors {
		if d := r.compact("doc", panics); d != nil {
			t.Fatal("a document that nobody finished")
		}
	}
	if r.compact("doc", room.Copy{State: []byte{0, 0}, Compact: room.Collect}) == nil {
		t.Error("a sound document isn't compacted any more")
	}
	if got := log.String(); !strings.Contains(got, "nobody thought of") || !strings.Contains(got, "room=doc") {
		t.Errorf("operators are told %q", got)
	}
	if d := r.compact("doc", room.Copy{State: []byte{1}, Compact: room.Collect}); d != nil {
		t.Error("bytes that are no document are compacted")
	}
}

// So many are compacted at a time; the others wait, but not when the process goes.
func TestCompactionsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Config{Room: room.Config{Kind: room.Volatile}, Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry()}, nil)
		began, gate := make(chan struct{}, 10), make(chan struct{})
		held := room.Copy{State: []byte{0, 0}, Compact: func(*yjs.Document) { began <- struct{}{}; <-gate }}
		done := make(chan *yjs.Document, 10)
		for range compactors + 1 {
			go func() { done <- r.compact("doc", held) }()
		}
		synctest.Wait()
		if len(began) != compactors {
			t.Errorf("%d are compacted at a time, want %d", len(began), compactors)
		}
		if err := r.Drain(t.Context()); err != nil {
			t.Error(err)
		}
		if <-done != nil || len(began) != compactors {
			t.Error("a compaction begins when the process goes")
		}
		close(gate)
		for range compactors {
			if <-done == nil {
				t.Error("what was begun isn't done")
			}
		}
	})
}
