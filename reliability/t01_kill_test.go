package reliability_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/reliability/check"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT1Kill kills a random process under 64 clients, again and again. What was
// echoed must be there after the last start, and storage's history must be one.
func TestT1Kill(t *testing.T) {
	y, random := yjs(t), chance(t)
	const generation = 15 // kills before the rooms are checked and new ones begin
	var total totals
	apart := open(t, fleet.Config{Edges: 2, Rooms: 2})
	for n := range times(3, 50) {
		killThem(t, apart, y, random, &total, fmt.Sprintf("apart-%d", n), generation)
	}
	total.report(t, "edge, rooms, storage apart")
	one := open(t, fleet.Config{AllInOne: true})
	for n := range times(1, 17) {
		killThem(t, one, y, random, &total, fmt.Sprintf("one-%d", n), generation)
	}
	total.report(t, "with all in one")
}

// totals are the figures of a test with many rounds.
type totals struct {
	kills, said, echoed int
	recovery            []time.Duration
}

func (n *totals) report(t *testing.T, what string) {
	t.Helper()
	t.Logf("%s: %d faults, %d updates said, %d echoed, 0 lost; until all rooms echo again p50 %v p99 %v",
		what, n.kills, n.said, n.echoed, percentile(n.recovery, 50), percentile(n.recovery, 99))
}

// killThem is one generation: a crowd in rooms of its own, so many kills, a verdict.
func killThem(t *testing.T, f *fleet.Fleet, y *check.Yjs, random *rand.Rand, total *totals, prefix string, kills int) {
	t.Helper()
	c := gather(t, f, prefix, 64, 8)
	npm := people(t, f, c)
	c.typeOn(40 * time.Millisecond)
	ctx := within(t, time.Duration(kills)*patience)
	for range kills {
		_, err := c.echoed(ctx, 100)
		must(t, err)
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
		victim := f.All[random.IntN(len(f.All))]
		must(t, victim.Kill())
		time.Sleep(time.Duration(random.IntN(50)) * time.Millisecond)
		began := time.Now()
		must(t, victim.Start())
		took, err := c.recovered(ctx, began)
		must(t, err)
		total.recovery = append(total.recovery, took)
		total.kills++
	}
	npm.finish(t, c)
	if err := c.judge(y); err != nil {
		t.Fatalf("after %d kills: %v", kills, err)
	}
	said, echoed, _ := c.totals()
	total.said, total.echoed = total.said+said, total.echoed+echoed
	if echoed < 64*kills {
		t.Fatalf("only %d updates were echoed during %d kills: the test shows nothing", echoed, kills)
	}
}
