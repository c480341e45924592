package placement_test

import (
	"fmt"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/placement"
)

func rooms(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("team-%d/doc-%d", i%17, i)
	}
	return list
}

func TestPlacementIsEven(t *testing.T) {
	names := []string{"http://rooms-1:7100", "http://rooms-2:7100", "http://rooms-3:7100", "http://rooms-4:7100"}
	ring := placement.New(names)
	count := make([]int, len(names))
	const n = 40_000
	for _, room := range rooms(n) {
		count[ring.Place(room)]++
	}
	for i, c := range count {
		if share := float64(c) / n; share < 0.24 || share > 0.26 {
			t.Errorf("%s holds %.1f %% of rooms, want 25", names[i], 100*share)
		}
	}
}

func TestPlacementDoesNotDependOnOrder(t *testing.T) {
	a := []string{"http://a", "http://b", "http://c"}
	b := []string{"http://c", "http://a", "http://b"}
	ra, rb := placement.New(a), placement.New(b)
	for _, room := range rooms(1000) {
		if pa, pb := a[ra.Place(room)], b[rb.Place(room)]; pa != pb {
			t.Fatalf("%s is at %s or at %s", room, pa, pb)
		}
	}
}

// A process that comes takes rooms from the others, and moves none between them.
func TestNewProcessMovesOnlyItsShare(t *testing.T) {
	before := []string{"http://a", "http://b", "http://c"}
	after := []string{"http://a", "http://b", "http://c", "http://d"}
	rb, ra := placement.New(before), placement.New(after)
	moved := 0
	const n = 20_000
	for _, room := range rooms(n) {
		from, to := before[rb.Place(room)], after[ra.Place(room)]
		if from == to {
			continue
		}
		moved++
		if to != "http://d" {
			t.Fatalf("%s moved from %s to %s", room, from, to)
		}
	}
	if share := float64(moved) / n; share < 0.24 || share > 0.26 {
		t.Errorf("%.1f %% of rooms moved, want 25", 100*share)
	}
}

// Edges of different releases must agree: these places never change.
func TestPlacesAreForEver(t *testing.T) {
	names := []string{"http://rooms-1:7100", "http://rooms-2:7100", "http://rooms-3:7100"}
	ring := placement.New(names)
	for room, want := range map[string]int{"doc": 0, "team/a/notes": 1, "峡湾": 2, "": 2} {
		if got := ring.Place(room); got != want {
			t.Errorf("%q is at %s, want %d", room, names[got], want)
		}
	}
}

func TestOneProcessHoldsAll(t *testing.T) {
	ring := placement.New([]string{"http://only"})
	for _, room := range rooms(100) {
		if ring.Place(room) != 0 {
			t.Fatal(room)
		}
	}
}

func BenchmarkPlace(b *testing.B) {
	ring := placement.New([]string{"a", "b", "c", "d", "e", "f", "g", "h"})
	b.ReportAllocs()
	for b.Loop() {
		ring.Place("team/a/notes")
	}
}
