package yjs_test

import (
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func TestWholeReplacesSlice(t *testing.T) {
	whole := section(1, 0, root("t", "a😀b"))
	slice := section(1, 2, after(1, 1, "\ufffdb"))
	d := documentOf(t, update(slice), update(whole))
	wantState(t, d, update(whole))
	// What is known stays: the slice brings nothing.
	d = documentOf(t, update(whole), update(slice))
	wantState(t, d, update(whole))
}

// TestAnyOrder cuts a session into pieces, delivers them in any order, some twice,
// and wants the same bytes.
func TestAnyOrder(t *testing.T) {
	whole := "a text with 😀 in it, long enough to be cut"
	rnd := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		// Each letter by itself, then a tail by another client in one piece.
		var pieces [][]byte
		clock := uint64(0)
		for _, r := range whole {
			s := root("t", string(r))
			if clock > 0 {
				s = after(1, clock-1, string(r))
			}
			pieces = append(pieces, update(section(1, clock, s)))
			clock++
			if r > 0xffff {
				clock++
			}
		}
		pieces = append(pieces, update(section(2, 0, after(1, 3, "tail"))), removal(1, 4, 3), removal(1, 6, 4))
		want := cat([]byte{2}, section(2, 0, after(1, 3, "tail")), section(1, 0, root("t", whole)), []byte{1, 1, 1, 4, 6})
		rnd.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		d := yjs.NewDocument()
		for i, p := range pieces {
			apply(t, d, p)
			if rnd.IntN(4) == 0 {
				apply(t, d, pieces[rnd.IntN(i+1)])
			}
			if rnd.IntN(8) == 0 {
				again := state(t, d)
				apply(t, d, again)
				wantState(t, d, again)
				wantState(t, documentOf(t, again), again)
			}
		}
		wantState(t, d, want)
	}
}

// TestOverlap gives structs that reach over what is held, on either side.
func TestOverlap(t *testing.T) {
	list := func(from, to byte) []byte {
		values := num(uint64(to - from))
		for i := from; i < to; i++ {
			values = append(values, 125, i)
		}
		if from == 0 {
			return cat([]byte{8, 1}, str("a"), values)
		}
		return cat([]byte{0x88}, id(1, uint64(from-1)), values)
	}
	// Held are 2–4 and 7; what comes has all around them.
	d := documentOf(t, update(section(1, 2, list(2, 5))), update(section(1, 7, list(7, 8))))
	apply(t, d, update(section(1, 1, list(1, 9))))
	wantState(t, d, update(section(1, 1, list(1, 2), list(2, 5), list(5, 7), list(7, 8), list(8, 9))))
	apply(t, d, update(section(1, 0, list(0, 10))))
	wantState(t, d, update(section(1, 0, list(0, 1), list(1, 2), list(2, 5), list(5, 7), list(7, 8), list(8, 9), list(9, 10))))
	// Collected forms, too.
	d = documentOf(t, update(section(1, 2, gc(1))), update(section(1, 5, gc(1))), update(section(1, 0, gc(8))))
	wantState(t, d, cat([]byte{1}, section(1, 0, gc(8)), []byte{1, 1, 1, 0, 8}))
}
