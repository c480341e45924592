package reliability_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// The tests below run builds that break a promise on purpose (the tags are in
// services/storage/internal/store/badger/fault.go) and demand that the checks find
// out. A kill leaves the page cache, so only a power cut or the watch over syncs
// shows a missing sync; only lost answers make rooms send a record twice.

func found(t *testing.T, err error, signs ...string) {
	t.Helper()
	for _, sign := range signs {
		if err != nil && strings.Contains(err.Error(), sign) {
			first, _, _ := strings.Cut(err.Error(), "\n")
			t.Logf("found out: %.160s", first)
			return
		}
	}
	t.Fatalf("a broken build wasn't found out: want one of %v, got %v", signs, err)
}

// again lets a fault hit a crowd until somebody notices, and returns what they say.
func again(ctx context.Context, t *testing.T, c *crowd, fault func() error) error {
	t.Helper()
	for n := range 40 {
		if _, err := c.echoed(ctx, 300); err != nil {
			t.Fatal(err)
		}
		if err := fault(); err != nil {
			t.Logf("noticed at the %d. fault", n+1)
			return err
		}
	}
	return nil
}

func TestBrokenT1AckEarly(t *testing.T) {
	t.Parallel()
	f := open(t, fleet.Config{Tags: "fjord_ackearly"})
	c := gather(t, f, "broken", 64, 8)
	c.typeOn(20 * time.Millisecond)
	ctx := within(t, 3*patience)
	found(t, again(ctx, t, c, func() error { return c.killAll(ctx) }), "LOST:", "SEEN:")
}

func TestBrokenT1NoDedup(t *testing.T) {
	t.Parallel()
	f := open(t, fleet.Config{Tags: "fjord_nodedup"})
	f.Tap.Suffer(tap.Faults{LoseAnswer: 0.2})
	c := gather(t, f, "broken", 16, 4)
	c.typeOn(20 * time.Millisecond)
	ctx := within(t, 3*patience)
	// A slow disk gathers hundreds of updates in a call, of which none may be lost.
	for lost := 0; lost < 20; {
		_, err := c.echoed(ctx, 100)
		must(t, err)
		lost = 0
		for _, op := range f.Tap.Ops() {
			if op.Kind == tap.Append && op.Unknown {
				lost++
			}
		}
	}
	// What is stored while the log is read would look like a fault of the build's.
	c.rest()
	for _, y := range c.all {
		must(t, y.Settled(ctx))
	}
	found(t, c.logs(ctx), "LOG:", "LINEAR:")
}

func TestBrokenT2NoSync(t *testing.T) {
	t.Parallel()
	brokenPowerCut(t, "fjord_nosync")
}

func TestBrokenT2AckEarly(t *testing.T) {
	t.Parallel()
	brokenPowerCut(t, "fjord_ackearly")
}

func brokenPowerCut(t *testing.T, tags string) {
	t.Helper()
	d := mounted(t, 1<<30)
	f := open(t, fleet.Config{Tags: tags, Data: filepath.Join(d.Dir, "data")})
	t.Cleanup(func() { _ = f.Kill() })
	c := gather(t, f, "broken", 64, 8)
	c.typeOn(20 * time.Millisecond)
	ctx := within(t, 3*patience)
	found(t, again(ctx, t, c, func() error { return c.cut(ctx, d) }), "LOST:", "SEEN:")
}

func TestBrokenT16NoSync(t *testing.T) {
	t.Parallel()
	brokenHonesty(t, "fjord_nosync")
}

func TestBrokenT16AckEarly(t *testing.T) {
	t.Parallel()
	brokenHonesty(t, "fjord_ackearly")
}

func brokenHonesty(t *testing.T, tags string) {
	t.Helper()
	d, data := watched(t)
	f := open(t, fleet.Config{Tags: tags, Data: data})
	t.Cleanup(func() { _ = f.Kill() })
	c := gather(t, f, "broken", 16, 4)
	c.typeOn(20 * time.Millisecond)
	found(t, c.dishonest(within(t, patience), d), "EARLY:")
}
