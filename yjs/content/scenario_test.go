package content_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

const defaultScenes = 100

// scenario is what some clients do, and yjs does the same beside it. They are about
// what yjs' own tests are about, in other words.
type scenario struct {
	name    string
	clients []uint64
	play    func(s *scene)
}

var (
	pair  = []uint64{1, 2}
	three = []uint64{1, 2, 3}
)

// TestScenarios plays all of them with and without garbage collection.
func TestScenarios(t *testing.T) {
	o := difftest.Start(t, "testdata/oracle.mjs")
	for _, c := range slices.Concat(textScenarios, typeScenarios, undoScenarios, timeScenarios) {
		for name, gc := range map[string]bool{"": true, ", everything kept": false} {
			t.Run(c.name+name, func(t *testing.T) {
				s := begun(t, o, gc, c.clients...)
				c.play(s)
				again(s)
			})
		}
	}
}

// again delivers all updates to a newcomer in the opposite order.
func again(s *scene) {
	s.Helper()
	s.sync()
	d := yjs.NewDocument()
	for _, u := range slices.Backward(s.sent) {
		if err := d.ApplyUpdate(u); err != nil {
			s.Fatal(err)
		}
	}
	v, err := content.Of(d)
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range natural {
		if got, want := look(v, r), look(s.clients[s.order[0]].view, r); got != want {
			s.Errorf("%s backwards\n %s\nwant\n %s", r[0], got, want)
		}
	}
}

// TestScenes lets clients here and in yjs do the same at random, at once and without
// each other, and hear of each other at random times.
func TestScenes(t *testing.T) {
	o := difftest.Start(t, "testdata/oracle.mjs")
	first := difftest.FromEnv(t, "YJS_SEED", 1)
	for seed := first; seed < first+difftest.FromEnv(t, "YJS_SCENES", defaultScenes) && !t.Failed(); seed++ {
		r := &editor{Rand: rand.New(rand.NewPCG(uint64(seed), 13)), calm: true}
		ids := []uint64{1, 70_000, 1<<32 - 1}[:2+r.IntN(2)]
		s := begun(t, o, true, ids...)
		undoes := r.IntN(2) == 0
		if undoes {
			s.does(ids[0], "watch", nil)
		}
		var moments []content.Snapshot
		for range 4 + r.IntN(20) {
			from, to := pick(r.Rand, ids...), pick(r.Rand, ids...)
			switch roll := r.IntN(8); {
			case roll < 5:
				s.improvise(r, from, 1+r.IntN(3))
			case roll < 6 && undoes:
				s.does(ids[0], pick(r.Rand, "undo", "undo", "redo"), nil)
			case from != to:
				s.send(from, to)
				moments = append(moments, s.clients[to].view.Snapshot())
			}
		}
		if len(moments) > 0 {
			s.contains(pick(r.Rand, moments...))
		}
		again(s)
		if t.Failed() {
			t.Logf("again: YJS_SEED=%d go test ./content -run TestScenes", seed)
		}
	}
}
