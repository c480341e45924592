package reliability_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/fleet"
)

// leaves is how long a process may take to leave, on a busy machine: its own
// deadlines add up to eight seconds, and closing a store takes a dozen syncs.
const leaves = 2 * time.Minute

// roomsLeave is how long rooms try to store what they hold when they leave.
const roomsLeave = 3 * time.Second

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
			_, err := c.echoed(ctx, enough)
			must(t, err)
			began := time.Now()
			must(t, c.drain(p))
			must(t, p.Start())
			took, err := c.recovered(ctx, began)
			must(t, err)
			total.recovery = append(total.recovery, took)
			total.faults++
		}
	}

	if c.late == times(2, 50)*len(f.Rooms) && c.usual() < roomsLeave/10 {
		t.Errorf("no rooms process ever stored in %v what it held, though echoes take %v", roomsLeave, c.usual())
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
		_, err := c.echoed(ctx, enough)
		must(t, err)
		began := time.Now()
		must(t, f.Edges[0].Drain(leaves))
		must(t, f.Edges[0].Start())
		_, err = c.recovered(ctx, began)
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

// drain has a process leave in order. Rooms that couldn't store what they hold within
// the time that they give themselves say so by their exit status, and leave it to the
// clients: where a sync takes seconds, now and then, that is no fault of theirs.
func (c *crowd) drain(p *fleet.Process) error {
	began := time.Now()
	err := p.Drain(leaves)
	if err != nil && !p.Alive() && slices.Contains(c.fleet.Rooms, p) && time.Since(began) >= roomsLeave {
		c.t.Logf("%s gave up what it couldn't store in %v", p.Name, roomsLeave)
		c.late++
		return nil
	}
	return err
}

// usual is how long an echo takes.
func (c *crowd) usual() time.Duration {
	c.latency.Lock()
	defer c.latency.Unlock()
	return percentile(c.latency.times, 50)
}
