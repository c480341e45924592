package reliability_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/fleet"
	"github.com/fjord-sync/fjord/reliability/tap"
)

// generation is how many faults there are before the rooms are judged and new ones
// begin.
const generation = 15

// enough is how many updates are to be echoed between two faults, at least: without
// them a fault hits nothing.
const enough = 64

// TestT1Kill kills a random process, or all of them, under 64 clients, again and
// again. What was echoed must be there after the last start, and storage's history
// must be one. Rooms and storage lose some calls and answers meanwhile.
func TestT1Kill(t *testing.T) {
	t.Parallel()
	y, random := yjs(t), chance(t)
	var total totals
	apart := open(t, fleet.Config{Edges: 2, Rooms: 2})
	apart.Tap.Suffer(tap.Faults{LoseRequest: 0.02, LoseAnswer: 0.02, Repeat: 0.02})
	for n := range times(3, 50) {
		killThem(t, apart, y, random, &total, fmt.Sprintf("apart-%d", n))
	}
	total.report(t, "edge, rooms, storage apart")
	one := open(t, fleet.Config{AllInOne: true})
	for n := range times(1, 17) {
		killThem(t, one, y, random, &total, fmt.Sprintf("one-%d", n))
	}
	total.report(t, "with all in one")
}

// totals are the figures of a test with many rounds.
type totals struct {
	faults, said, echoed int
	recovery             []time.Duration
}

func (n *totals) add(c *crowd) {
	said, echoed, _ := c.totals()
	n.said, n.echoed = n.said+said, n.echoed+echoed
}

func (n *totals) report(t *testing.T, what string) {
	t.Helper()
	t.Logf("%s: %d faults, %d updates said, %d echoed, 0 lost; until all rooms echo again p50 %v p99 %v",
		what, n.faults, n.said, n.echoed, percentile(n.recovery, 50), percentile(n.recovery, 99))
	if n.echoed < enough*n.faults {
		t.Errorf("only %d updates were echoed during %d faults: the test shows nothing", n.echoed, n.faults)
	}
}

// killThem is one generation: a crowd in rooms of its own, kills, a verdict.
func killThem(t *testing.T, f *fleet.Fleet, y *check.Yjs, random *rand.Rand, total *totals, prefix string) {
	t.Helper()
	c := gather(t, f, prefix, 64, 8)
	npm := people(t, f, c)
	c.typeOn(40 * time.Millisecond)
	ctx := within(t, generation*patience)
	for range generation {
		_, err := c.echoed(ctx, 100)
		must(t, err)
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
		began := time.Now()
		if random.IntN(3) == 0 {
			must(t, c.killAll(ctx))
		} else {
			victim := f.All[random.IntN(len(f.All))]
			must(t, victim.Kill())
			time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond)
			began = time.Now()
			must(t, victim.Start())
		}
		took, err := c.recovered(ctx, began)
		must(t, err)
		total.recovery = append(total.recovery, took)
		total.faults++
	}
	npm.finish(t, c)
	if err := c.judge(y); err != nil {
		t.Fatalf("after %d kills: %v", total.faults, err)
	}
	total.add(c)
}

// killAll kills storage under load, then everything else, and looks at what a new
// start finds before any client is back.
func (c *crowd) killAll(ctx context.Context) error {
	err := errors.Join(c.fleet.Storage.Kill(), c.fleet.Kill())
	c.refuse()
	defer c.heal()
	return errors.Join(err, c.fleet.Start(), c.audit(ctx))
}
