package reliability_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT5DiskFull lets somebody else fill storage's disk, by a little or to the last
// block, and make room again. Storage lives through it, acknowledges nothing that
// it has no space for, and all that clients wrote meanwhile is saved afterwards.
func TestT5DiskFull(t *testing.T) {
	t.Parallel()
	y, random := yjs(t), chance(t)
	d := mounted(t, 1<<30)
	f := open(t, fleet.Config{Data: filepath.Join(d.Dir, "data")})
	t.Cleanup(func() { _ = f.Kill() })
	c := gather(t, f, "full", 32, 8)
	c.typeOn(50 * time.Millisecond)
	ctx := within(t, 10*patience)
	var total totals
	for range times(50, 500) {
		_, err := c.echoed(ctx, 70)
		must(t, err)
		must(t, d.Fill([]int64{400 << 20, 100 << 20, 1 << 20, 0}[random.IntN(4)]))
		full := time.Now().Add(500 * time.Millisecond) // what was under way may still have had its space
		time.Sleep(time.Duration(100+random.IntN(600)) * time.Millisecond)
		if room, ok := c.echoedSince(full); ok {
			t.Fatalf("%s: an update was acknowledged on a full disk", room)
		}
		released := time.Now()
		must(t, d.Release())
		took, err := c.recovered(ctx, released)
		must(t, err)
		total.recovery = append(total.recovery, took)
		total.faults++
	}
	must(t, c.judge(y))
	total.add(c)
	total.report(t, "a full disk")
}
