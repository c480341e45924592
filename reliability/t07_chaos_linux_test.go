package reliability_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/disk"
	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// TestT7Chaos draws faults of T1 to T6 from a seed, one after the other, in a fleet
// of five processes, and judges everything now and then. -seed draws the same
// faults again, at the same distances.
func TestT7Chaos(t *testing.T) {
	t.Parallel()
	y, random := yjs(t), chance(t)
	d := mounted(t, 1<<30)
	f := open(t, fleet.Config{Edges: 2, Rooms: 2, Data: filepath.Join(d.Dir, "data")})
	t.Cleanup(func() { _ = f.Kill() })
	f.Tap.Suffer(tap.Faults{LoseRequest: 0.01, LoseAnswer: 0.01, Repeat: 0.01})
	clients, rooms := times(48, 400), times(12, 50)
	var total totals
	for n := range times(1, 60) {
		c := gather(t, f, fmt.Sprintf("chaos-%d", n), clients, rooms)
		c.typeOn(time.Duration(times(60, 300)) * time.Millisecond)
		ctx := within(t, time.Duration(times(3, 20))*patience)
		for range times(15, 10) {
			_, err := c.recovered(ctx, time.Now())
			must(t, err)
			_, err = c.echoed(ctx, enough)
			must(t, err)
			all := append(faults(f), crashes(c, d)...)
			one := all[random.IntN(len(all))]
			lasts := time.Duration(100+random.IntN(times(400, 6_000))) * time.Millisecond
			t.Logf("%s for %v", one.name, lasts)
			must(t, one.begin())
			time.Sleep(lasts)
			must(t, one.end())
			took, err := c.recovered(ctx, time.Now())
			if err != nil {
				t.Fatalf("after %s: %v", one.name, err)
			}
			total.recovery = append(total.recovery, took)
			total.faults++
		}
		if err := c.judge(y); err != nil {
			t.Fatal(err)
		}
		total.add(c)
		c.leave()
	}
	total.report(t, "chaos")
}

// crashes are the faults that end processes or take the disk away.
func crashes(c *crowd, d *disk.Disk) []fault {
	var all []fault
	for _, p := range c.fleet.All {
		all = append(all,
			fault{"killing " + p.Name, p.Kill, p.Start},
			fault{"draining " + p.Name, func() error { return c.drain(p) }, p.Start})
	}
	ctx := within(c.t, 20*patience)
	return append(all,
		fault{"a full disk", func() error { return d.Fill(0) }, func() error { _, err := c.released(ctx, d); return err }},
		fault{"killing all", func() error { return c.killAll(ctx) }, func() error { return nil }},
		fault{"a power cut", func() error { return c.cut(ctx, d) }, func() error { return nil }})
}
