package yjs

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestSpans adds random ranges to a set and to a plain bitmap.
func TestSpans(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		size := 10 + rnd.IntN(6000)
		var s spans
		var near spot
		model := make([]bool, size+20)
		for range rnd.IntN(4000) {
			start := rnd.IntN(size)
			end := start + 1 + rnd.IntN(1+rnd.IntN(19))
			covered := true
			for i := start; i < end; i++ {
				covered = covered && model[i]
			}
			if rnd.IntN(3) == 0 {
				near = spot{rnd.IntN(12), rnd.IntN(600)}
			}
			var got, changed bool
			got, near = s.covers(uint32(start), uint32(end), near)
			if got != covered {
				t.Fatalf("seed %d: covers(%d, %d) = %v", seed, start, end, got)
			}
			if rnd.IntN(2) == 0 {
				changed, near = s.add(uint32(start), uint32(end), near)
				if changed == covered {
					t.Fatalf("seed %d: add(%d, %d) changed: %v", seed, start, end, changed)
				}
				for i := start; i < end; i++ {
					model[i] = true
				}
			}
		}
		checkSpans(t, &s, model)
	}
}

// TestSpansAreEncodedAnew asks for the encoding before and after each range: what
// is kept of it must not outlive a change, wherever that is.
func TestSpansAreEncodedAnew(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var s spans
	var near spot
	for s.count < 3*keepEncoded {
		start := uint32(rnd.IntN(20 * keepEncoded))
		_, near = s.add(start, start+1+uint32(rnd.IntN(3)), near)
		got, want := s.append(nil), s.encode(nil)
		if !bytes.Equal(got, want) || s.encodedLen() != len(want) {
			t.Fatalf("%d ranges: %x, want %x of %d bytes", s.count, got, want, s.encodedLen())
		}
	}
}

func checkSpans(t *testing.T, s *spans, model []bool) {
	t.Helper()
	count, clock := 0, 0
	for _, chunk := range s.chunks {
		if len(chunk) == 0 || len(chunk) > chunkSpans {
			t.Fatalf("chunk of %d", len(chunk))
		}
		for _, d := range chunk {
			count++
			for ; clock < int(d.start); clock++ {
				if model[clock] {
					t.Fatalf("%d is missing", clock)
				}
			}
			for ; clock < int(d.end); clock++ {
				if !model[clock] {
					t.Fatalf("%d is too much", clock)
				}
			}
			if model[d.end] {
				t.Fatalf("span ends at %d, its clocks don't", d.end)
			}
		}
	}
	for ; clock < len(model); clock++ {
		if model[clock] {
			t.Fatalf("%d is missing at the end", clock)
		}
	}
	if count != s.count {
		t.Fatalf("count %d, want %d", s.count, count)
	}
	if n := len(s.append(nil)); n != s.encodedLen() {
		t.Fatalf("encodedLen %d, want %d", s.encodedLen(), n)
	}
}
