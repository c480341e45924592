package yjs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestChunks puts values between others in several orders: the chunks stay in order, and
// have room for little more than there is.
func TestChunks(t *testing.T) {
	const n, most = 10_000, 128
	forward := make([]int, n)
	for i := range forward {
		forward[i] = i
	}
	backward := slices.Clone(forward)
	slices.Reverse(backward)
	random := rand.New(rand.NewPCG(1, 2)).Perm(n)
	for name, c := range map[string]struct {
		order []int
		room  float64 // for each value
	}{
		"forward":           {forward, 1.1},
		"backward":          {backward, 1.1},
		"second half first": {slices.Concat(forward[n/2:], forward[:n/2]), 1.1},
		"half backward":     {slices.Concat(forward[n/2:], backward[n/2:]), 1.1},
		"in any order":      {random, 1.7},
	} {
		var chunks [][]int
		for _, v := range c.order {
			i := 0
			for i < len(chunks) && chunks[i][len(chunks[i])-1] < v {
				i++
			}
			at := spot{i, 0}
			if i < len(chunks) {
				at.j, _ = slices.BinarySearch(chunks[i], v)
			}
			if chunks, at = insertAt(chunks, at, v, most); chunks[at.i][at.j] != v {
				t.Fatalf("%s: %d isn't where it is said to be", name, v)
			}
		}
		if got := slices.Concat(chunks...); !slices.Equal(got, forward) {
			t.Errorf("%s: not in order", name)
		}
		if room := roomOf(chunks); float64(room) > c.room*n {
			t.Errorf("%s: room for %d", name, room)
		}
	}
}

// TestPile fills, drops, cuts and resets piles, and compares them with lists.
func TestPile(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var p pile[int]
	var want []int
	for step := range 3000 {
		switch n := rnd.IntN(len(want) + 1); rnd.IntN(20) {
		case 0:
			p.cut(n)
			want = want[:n]
			if room := roomOf(p.chunks); room > 2*n+keepRoom+chunkPile {
				t.Fatalf("room for %d stays of %d", room, n)
			}
		case 1:
			p.drop(n)
			want = want[:n]
		case 2:
			if step%5 == 0 {
				p.reset()
				want = nil
			}
		default:
			for range rnd.IntN(60) {
				p.push(step)
				want = append(want, step)
			}
		}
		if p.count != len(want) {
			t.Fatalf("%d values, want %d", p.count, len(want))
		}
		for i := range want {
			if *p.at(i) != want[i] {
				t.Fatalf("value %d is %d, want %d", i, *p.at(i), want[i])
			}
		}
	}
}
