package room

import (
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// TestWeight types into a document whose weight is counted now and then: what is said
// of its limit must be what counting at each letter says, and its memory never far off.
func TestWeight(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	d := yjs.NewDocument()
	var w weight
	w.weigh(d)
	refused, counted := 0, 0
	for author := range uint64(30) {
		for _, update := range yjstest.Updates(author+1, "text", yjstest.Paper(50+random.IntN(300))) {
			n := len(update)
			for _, room := range []int{-1, 0, n - 1, n, n + 1, w.since, w.since + n} {
				limit := d.Size() + room
				before := w // or asking would count each time
				got := w.exceeds(d, limit, n)
				w = before
				if want := room < n; got != want {
					t.Fatalf("with room for %d of %d bytes: exceeded %v, want %v", room, n, got, want)
				}
				if got {
					refused++
				}
			}
			if err := d.ApplyUpdate(update); err != nil {
				t.Fatal(err)
			}
			if w.grow(d, n); w.since == 0 {
				counted++
			}
			if off := d.Memory() - w.memory; off > weighAfter || -off > weighAfter+w.size/16 {
				t.Fatalf("%d bytes are counted of %d, with %d since", w.memory, d.Memory(), w.since)
			}
		}
	}
	if refused == 0 || counted == 0 || counted > 100 {
		t.Errorf("refused %d times, counted %d times: want some, and few", refused, counted)
	}
}
