package reliability_test

import (
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT17DrainAlone drains an edge whose rooms are frozen, and rooms whose storage is,
// under load: each leaves in its time, though what it waits for never answers, and
// nothing acknowledged is lost.
func TestT17DrainAlone(t *testing.T) {
	t.Parallel()
	y := yjs(t)
	f := open(t, fleet.Config{})
	c := gather(t, f, "alone", 16, 4)
	c.typeOn(50 * time.Millisecond)
	ctx := within(t, 3*patience)
	_, err := c.recovered(ctx, time.Now())
	must(t, err)
	for _, pair := range []struct{ leaving, frozen *fleet.Process }{{f.Edges[0], f.Rooms[0]}, {f.Rooms[0], f.Storage}} {
		must(t, pair.frozen.Freeze())
		must(t, pair.frozen.Frozen(ctx))
		select { // something to wait for gathers
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
		began := time.Now()
		err := pair.leaving.Drain(leaves)
		if pair.leaving.Alive() {
			t.Fatal(err)
		}
		// Rooms that can't store what they hold say so by their exit status.
		if err != nil && pair.leaving == f.Edges[0] {
			t.Error(err)
		}
		t.Logf("%s left in %v while %s was frozen", pair.leaving.Name, time.Since(began).Round(100*time.Millisecond), pair.frozen.Name)
		must(t, pair.frozen.Thaw())
		must(t, pair.leaving.Start())
		_, err = c.recovered(ctx, began)
		must(t, err)
	}
	must(t, c.judge(y))
}
