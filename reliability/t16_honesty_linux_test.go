package reliability_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/barrier"
	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/typist"
)

var markers = regexp.MustCompile(`<[0-9a-f]{8}[0-9]{6}>`)

// TestT16AckHonesty holds the time of every echo against the time at which a sync
// returned that covers the bytes of its update.
func TestT16AckHonesty(t *testing.T) {
	t.Parallel()
	d, data := watched(t)
	f := open(t, fleet.Config{Data: data})
	t.Cleanup(func() { _ = f.Kill() })
	c := gather(t, f, "honest", 64, 8)
	ctx := within(t, time.Duration(times(1, 10))*patience)
	c.typeOn(20 * time.Millisecond)
	_, err := c.echoed(ctx, int64(times(5_000, 500_000)))
	must(t, err)
	c.settle()
	n, err := c.honest(d)
	must(t, err)
	_, syncs := d.Counts()
	t.Logf("%d echoes held against %d syncs: 0 came before theirs", n, syncs)
}

// watched is a data directory whose syncs are seen.
func watched(t *testing.T) (*barrier.Dir, string) {
	t.Helper()
	dir := workspace(t)
	above, below := filepath.Join(dir, "watched"), filepath.Join(dir, "below")
	must(t, errors.Join(os.Mkdir(above, 0o755), os.Mkdir(below, 0o755)))
	d, err := barrier.Mount(above, below, markers, typist.MarkerSize)
	forbidden(t, err, barrier.ErrForbidden)
	must(t, err)
	t.Cleanup(func() {
		if err := d.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return d, filepath.Join(above, "data")
}

// honest returns how many echoes it has looked at, or the first that came before
// its update was synced.
func (c *crowd) honest(d *barrier.Dir) (int, error) {
	looked := 0
	for _, y := range c.all {
		h, err := y.History()
		if err != nil {
			return looked, err
		}
		for _, s := range h.Said {
			if !s.Insert || s.EchoAt.IsZero() {
				continue
			}
			looked++
			at, ok := d.Synced(typist.Marker(y.Client, s.N))
			switch {
			case !ok:
				return looked, fmt.Errorf("EARLY: update %d of client %d was echoed and never synced", s.N, y.Client)
			case at.After(s.EchoAt):
				return looked, fmt.Errorf("EARLY: update %d of client %d was echoed %v before it was synced", s.N, y.Client, at.Sub(s.EchoAt))
			}
		}
	}
	return looked, nil
}

// dishonest waits until an echo comes too early, or ctx ends.
func (c *crowd) dishonest(ctx context.Context, d *barrier.Dir) error {
	for {
		if _, err := c.echoed(ctx, 200); err != nil {
			return err
		}
		if _, err := c.honest(d); err != nil {
			return err
		}
	}
}
