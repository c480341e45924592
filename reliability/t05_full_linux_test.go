package reliability_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/disk"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT5DiskFull lets somebody else fill storage's disk, by a little or to the last
// block, and make room again. Storage lives through it, acknowledges nothing that
// it has no space for, and all that clients wrote meanwhile is saved afterwards.
// Only who takes the very last block while Badger writes may end it, now and then:
// see docs/reliability.md. It is started again then, as a supervisor does.
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
	ends, last, fills := 0, 0, times(50, 500)
	for range fills {
		_, err := c.echoed(ctx, 70)
		must(t, err)
		left := []int64{400 << 20, 100 << 20, 1 << 20, 0}[random.IntN(4)]
		if left <= 1<<20 {
			last++
		}
		must(t, d.Fill(left))
		full := time.Now().Add(500 * time.Millisecond) // what was under way may still have had its space
		time.Sleep(time.Duration(100+random.IntN(600)) * time.Millisecond)
		if room, ok := c.echoedSince(full); ok {
			t.Fatalf("%s: an update was acknowledged on a full disk", room)
		}
		released := time.Now()
		ended, err := c.released(ctx, d)
		must(t, err)
		if ended {
			if ends++; left > 1<<20 {
				t.Fatalf("storage ended with %d MiB left; its log is %s", left>>20, f.Storage.Log())
			}
		}
		took, err := c.recovered(ctx, released)
		must(t, err)
		total.recovery = append(total.recovery, took)
		total.faults++
	}
	// One of twenty is usual, on some disks one of ten; who counts them more exactly than
	// to three quarters is told of a fault by chance, now and then.
	if 4*ends > 3*last {
		t.Errorf("the last block ended storage %d times of %d", ends, last)
	}
	must(t, c.judge(y))
	total.add(c)
	t.Logf("the last block ended storage %d times of %d", ends, last)
	total.report(t, "a full disk")
}

// released gives a disk its space back. It reports whether storage has ended for
// want of it, and starts it again then. It may still be dying, so nobody knows before
// it has stored something.
func (c *crowd) released(ctx context.Context, d *disk.Disk) (ended bool, err error) {
	storage := c.fleet.Storage
	if err := d.Release(); err != nil {
		return false, err
	}
	since := time.Now()
	for {
		if _, ok := c.echoedSince(since); ok {
			return false, nil
		}
		select {
		case <-c.news:
		case <-storage.Ended():
			storage.Excuse()
			return true, storage.Start()
		case <-ctx.Done():
			return false, fmt.Errorf("storage neither stores anything nor ends, though its disk has space: %w", ctx.Err())
		}
	}
}
