package yjs

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// TestFill gives empty documents updates, good and bad, read once and read twice, and
// wants them to say and hold the same.
func TestFill(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	book, _, _ := yjstest.Book(12, 20)
	paper := yjstest.Updates(7, "t", yjstest.Paper(300))
	merged, err := MergeUpdates(paper...)
	if err != nil {
		t.Fatal(err)
	}
	late, err := MergeUpdates(paper[20:]...)
	if err != nil {
		t.Fatal(err)
	}
	filled, failed := 0, 0
	for _, good := range [][]byte{
		{0, 0}, book, merged, late, paper[0], yjstest.Crowd(9, 30),
		{2, 1, 5, 0, 4, 1, 1, 't', 1, 'a', 1, 5, 0, 4, 1, 1, 't', 2, 'a', 'b', 0}, // a client twice
		{1, 1, 5, 0, 4, 1, 1, 't', 1, 'a', 2, 9, 1, 3, 4, 5, 1, 0, 1},             // and what nobody has is deleted
		{1, 3, 5, 0, 4, 1, 1, 't', 1, 'a', 10, 2, 0x84, 5, 0, 1, 'b', 0},          // a gap
	} {
		for i := range 300 {
			update := append([]byte(nil), good...)
			for range min(i, 2) {
				update[rnd.IntN(len(update))] = byte(rnd.Uint32())
			}
			if i%3 == 2 {
				update = update[:rnd.IntN(len(update)+1)]
			}
			w := newTwins()
			took, quick := w.quick.fill(update, &live)
			if !took {
				continue
			}
			filled++
			plain := w.plain.add(update, &live)
			if quick != nil {
				failed++
			}
			if fmt.Sprint(quick) != fmt.Sprint(plain) {
				t.Fatalf("%x: read once %v, read twice %v", update, quick, plain)
			}
			w.compare(t, update)
		}
	}
	if filled < 1000 || failed < 500 || filled-failed < 100 {
		t.Errorf("%d of %d were refused: the test proves little", failed, filled)
	}
}

// TestFillLeaves checks that what is better read twice is left alone.
func TestFillLeaves(t *testing.T) {
	for _, update := range [][]byte{
		{1, 1, 5, 0, 7, 1, 1, 't', 0, 0},      // a shared type
		{9, 1, 5, 0, 4, 1, 1, 't', 1, 'a', 0}, // nine sections in ten bytes
	} {
		d := NewDocument()
		if took, err := d.fill(update, &live); took || err != nil || len(d.clients) > 0 {
			t.Errorf("% x: took it %v, %v", update, took, err)
		}
	}
}
