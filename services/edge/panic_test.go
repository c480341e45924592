package edge_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/ywebsocket"
)

// fragile is y-websocket with a defect: it panics at a frame that begins with fe,
// and when it should say an update that begins with bad.
type fragile struct{ ywebsocket.Dialect }

func (fragile) Name() string { return "fragile" }

func (f fragile) Decode(dst []dialect.Message, frame []byte) ([]dialect.Message, error) {
	if frame[0] == 0xfe {
		panic("a frame that we don't understand")
	}
	return f.Dialect.Decode(dst, frame)
}

func (f fragile) Append(dst []byte, m dialect.Message) []byte {
	if bytes.HasPrefix(m.Body, []byte("bad")) {
		panic("an update that we can't say")
	}
	return f.Dialect.Append(dst, m)
}

func newFragile(t *testing.T) (w *world, log *lockedBuffer, caught func(where string) float64) {
	all := spoken.All
	spoken.All = slices.Concat(all, []dialect.Dialect{fragile{}})
	t.Cleanup(func() { spoken.All = all })
	log = &lockedBuffer{}
	registry := prometheus.NewPedanticRegistry()
	w = newWorld(t, func(c *edge.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(log, nil))
		c.Metrics = registry
		c.Hooks = []edge.Hook{func(r edge.Request) *edge.Refusal {
			if r.Room == "hook" {
				panic("a hook that somebody else wrote")
			}
			return nil
		}}
	})
	return w, log, func(where string) float64 {
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			for _, m := range f.GetMetric() {
				if f.GetName() == "fjord_edge_panics_total" && m.GetLabel()[0].GetValue() == where {
					return m.GetCounter().GetValue()
				}
			}
		}
		t.Fatalf("no panics are counted in %s", where)
		return 0
	}
}

// A panic over what one client sent ends that client, and nobody else notices.
func TestPanicOverAFrameEndsItsSocketAlone(t *testing.T) {
	w, log, caught := newFragile(t)
	good, bad := w.sync("doc"), w.carry("/-/fragile/doc")
	bad.send("00 00 01 00")
	bad.want("00 01 00", "00 00 01 00")
	bad.send("fe")
	bad.wantClosed(1011, "come back")
	good.send(anUpdate)
	good.want(anUpdate)
	if caught("socket") != 1 {
		t.Error("the panic isn't counted")
	}
	if !strings.Contains(log.String(), "a frame that we don't understand") || !strings.Contains(log.String(), "panic_test.go") {
		t.Errorf("the log has no panic with its stack: %s", log.String())
	}
	if err := w.edge.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// A panic over what a room says to one client ends that client; the link, which
// all rooms share, stands.
func TestPanicOverADeliveryEndsItsSocketAlone(t *testing.T) {
	w, _, caught := newFragile(t)
	good, bad, other := w.sync("doc"), w.carry("/-/fragile/doc"), w.sync("other")
	bad.send("00 00 01 00")
	bad.want("00 01 00", "00 00 01 00")
	w.rooms.Append("doc", []byte("bad news"))
	bad.wantClosed(1011, "come back")
	good.want("00 02 08 626164206e657773")
	other.send(anUpdate)
	other.want(anUpdate)
	if n := w.count(isResume); caught("session") != 1 || n != 0 {
		t.Errorf("%v panics were caught and %d rooms attached again, want 1 and 0", caught("session"), n)
	}
}

// A hook that panics costs its own request, and no place.
func TestPanicOfAHookHoldsNoPlace(t *testing.T) {
	w, _, _ := newFragile(t)
	if _, _, err := w.dial(request{path: "/hook", header: http.Header{}}); err == nil {
		t.Error("let in by a hook that panicked")
	}
	w.sync("doc").send(anUpdate)
	if err := w.edge.Drain(t.Context()); err != nil {
		t.Errorf("a place is still held: %v", err)
	}
}
