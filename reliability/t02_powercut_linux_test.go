package reliability_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/disk"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT2PowerCut cuts the power of storage's disk under 64 clients: what the disk
// wasn't told to keep is gone, which a kill can't show.
func TestT2PowerCut(t *testing.T) {
	t.Parallel()
	y, random := yjs(t), chance(t)
	d := mounted(t, 1<<30)
	f := open(t, fleet.Config{Data: filepath.Join(d.Dir, "data")})
	t.Cleanup(func() { _ = f.Kill() })
	var total totals
	for n := range times(2, 40) {
		cutThem(t, f, d, y, random, &total, fmt.Sprintf("cut-%d", n))
	}
	total.report(t, "power cuts")
}

func cutThem(t *testing.T, f *fleet.Fleet, d *disk.Disk, y *check.Yjs, random *rand.Rand, total *totals, prefix string) {
	t.Helper()
	c := gather(t, f, prefix, 64, 8)
	c.typeOn(40 * time.Millisecond)
	ctx := within(t, 25*patience)
	for range 25 {
		_, err := c.echoed(ctx, 100)
		must(t, err)
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
		began := time.Now()
		must(t, c.cut(ctx, d))
		took, err := c.recovered(ctx, began)
		must(t, err)
		total.recovery = append(total.recovery, took)
		total.faults++
	}
	if err := c.judge(y); err != nil {
		t.Fatalf("after %d power cuts: %v", total.faults, err)
	}
	total.add(c)
}

// cut takes the power away, and everything that ran with it, and looks at what a
// new start finds before any client is back. Storage is frozen first: on a machine
// without power nothing runs, but ext4 lets a sync that was under way return success
// while it goes down, and storage would pass that on.
func (c *crowd) cut(ctx context.Context, d *disk.Disk) error {
	err := errors.Join(c.fleet.Storage.Freeze(), c.fleet.Storage.Frozen(ctx),
		d.Cut(), c.fleet.Storage.Kill(), c.fleet.Kill(), d.Unmount(), d.Mount())
	if err != nil {
		return err
	}
	c.refuse()
	defer c.heal()
	if err := c.fleet.Start(); err != nil {
		return err
	}
	return c.audit(ctx)
}

// mounted is a disk of its own for a test. Who may not mount is told: a test that
// is left out in silence shows nothing.
func mounted(t *testing.T, size int64) *disk.Disk {
	t.Helper()
	d, err := disk.Make(workspace(t), size)
	forbidden(t, err, disk.ErrForbidden)
	must(t, err)
	t.Cleanup(func() {
		if err := d.Unmount(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// forbidden skips a test, visibly, on a machine that lets nobody mount; to root on
// any other it is a failure, as it is to people who didn't say that they know.
func forbidden(t *testing.T, err, kind error) {
	t.Helper()
	switch {
	case !errors.Is(err, kind):
	case os.Getuid() == 0:
		t.Skipf("NOT SHOWN on this machine: %v", err)
	case os.Getenv("FJORD_RELIABILITY_NO_ROOT") == "1":
		t.Skipf("NOT SHOWN, as FJORD_RELIABILITY_NO_ROOT=1 wishes: %v", err)
	default:
		t.Fatalf("this test wants root: run it as root, or leave it out with FJORD_RELIABILITY_NO_ROOT=1: %v", err)
	}
}
