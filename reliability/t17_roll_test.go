package reliability_test

import (
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/fleet"
)

// leaves is how long a process may take to leave, on a busy machine: its own
// deadlines add up to eight seconds.
const leaves = 30 * time.Second

// TestT17RollingRestart drains and starts rooms and storage one after the other,
// under load: no websocket is closed, nothing is lost. Then storage stays away:
// nothing is acknowledged meanwhile, and all is saved when it is back. Then the
// edge leaves in order as well, and everybody comes back.
func TestT17RollingRestart(t *testing.T) {
	t.Parallel()
	y := yjs(t)
	f := open(t, fleet.Config{Rooms: 2})
	c := gather(t, f, "roll", 64, 8)
	c.typeOn(50 * time.Millisecond)
	ctx := within(t, time.Duration(times(5, 60))*patience)
	_, err := c.recovered(ctx, time.Now())
	must(t, err)
	_, _, dials := c.totals()
	var total totals
	for range times(2, 50) {
		for _, p := range append(append([]*fleet.Process{}, f.Rooms...), f.Storage) {
			began := time.Now()
			must(t, p.Drain(leaves))
			must(t, p.Start())
			took, err := c.recovered(ctx, began)
			must(t, err)
			total.recovery = append(total.recovery, took)
			total.faults++
		}
	}

	must(t, f.Storage.Drain(leaves))
	gone := time.Now()
	select {
	case <-time.After(time.Duration(times(5, 30)) * time.Second):
	case <-ctx.Done():
	}
	if room, ok := c.echoedSince(gone); ok {
		t.Errorf("%s: what was said after storage had left was acknowledged before it was back", room)
	}
	must(t, f.Storage.Start())
	took, err := c.recovered(ctx, gone)
	must(t, err)
	t.Logf("storage was away for %v: nothing acknowledged meanwhile, everything once it was back", took.Round(100*time.Millisecond))
	c.settle()
	if _, _, now := c.totals(); now != dials {
		t.Errorf("%d websockets were closed by restarts of rooms and storage, want none", now-dials)
	}

	c.typeOn(50 * time.Millisecond)
	for range times(1, 20) {
		began := time.Now()
		must(t, f.Edges[0].Drain(leaves))
		must(t, f.Edges[0].Start())
		_, err := c.recovered(ctx, began)
		must(t, err)
		total.faults++
	}
	must(t, c.judge(y))
	total.add(c)
	total.report(t, "rolling restarts")
}

// echoedSince returns a room in which something is echoed that was said after a
// moment.
func (c *crowd) echoedSince(moment time.Time) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for room, latest := range c.latest {
		if latest.After(moment) {
			return room, true
		}
	}
	return "", false
}
