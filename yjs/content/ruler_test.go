package content

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestRuler compares both kinds of ruler with looking at every clock.
func TestRuler(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 3))
		end := uint32(1 + rnd.IntN(700))
		marked := make([]bool, end)
		dense, sparse := newRuler(end, int(end)), newRuler(1<<30, 1)
		if dense.words == nil || sparse.words != nil {
			t.Fatal("the wrong kinds")
		}
		for i := range 1 + rnd.IntN(80) {
			clock := uint32(rnd.IntN(int(end)))
			if i == 0 {
				clock = 0
			}
			marked[clock] = true
			dense.mark(clock)
			sparse.mark(clock)
		}
		const first = 1000
		holder := int32(first - 1)
		holders := make([]int32, end)
		for clock, here := range marked {
			if here {
				holder++
			}
			holders[clock] = holder
		}
		for name, r := range map[string]*ruler{"dense": &dense, "sparse": &sparse} {
			if after := r.number(first); after != holder+1 {
				t.Fatalf("seed %d: %s: %d nodes, want %d", seed, name, after-first, holder+1-first)
			}
			for clock, want := range holders {
				if got := r.holder(uint32(clock)); got != want {
					t.Fatalf("seed %d: %s: node %d holds clock %d, want %d", seed, name, got, clock, want)
				}
				if !marked[clock] {
					continue
				}
				next := uint32(math.MaxUint32)
				if k := slices.Index(marked[clock+1:], true); k >= 0 {
					next = uint32(clock + 1 + k)
				}
				if got := r.after(uint32(clock)); got != next {
					t.Fatalf("seed %d: %s: %d after clock %d, want %d", seed, name, got, clock, next)
				}
			}
		}
	}
}
