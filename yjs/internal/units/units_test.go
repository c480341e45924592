package units_test

import (
	"math/rand/v2"
	"testing"
	"unicode/utf16"

	"github.com/fjord-sync/fjord/yjs/internal/units"
)

// TestUnits compares with the standard library's UTF-16, for texts that mix code
// points of one to four bytes.
func TestUnits(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	points := []rune("aZ é€😀\u0000\uFFFD")
	for range 2000 {
		var text []rune
		for range rnd.IntN(24) {
			text = append(text, points[rnd.IntN(len(points))])
		}
		s, want := []byte(string(text)), utf16.Encode(text)
		if got := units.Count(s); got != len(want) {
			t.Fatalf("%q: %d units, want %d", text, got, len(want))
		}
		at, n := 0, 0
		for _, r := range text {
			check(t, s, n, at, false)
			if utf16.RuneLen(r) == 2 {
				check(t, s, n+1, at, true)
			}
			at, n = at+len(string(r)), n+utf16.RuneLen(r)
		}
		check(t, s, n, at, false)
		check(t, s, n+1, at, false) // beyond the end is the end
	}
}

// TestASCII tries each length with each byte of it out of ASCII.
func TestASCII(t *testing.T) {
	for n := range 40 {
		s := make([]byte, n)
		for i := range s {
			s[i] = 0x7f
		}
		if !units.ASCII(s) {
			t.Errorf("%q isn't ASCII", s)
		}
		for i := range s {
			s[i] |= 0x80
			if units.ASCII(s) {
				t.Errorf("%q is ASCII", s)
			}
			s[i] &^= 0x80
		}
	}
}

func check(t *testing.T, s []byte, n, want int, half bool) {
	t.Helper()
	if at, inside := units.Cut(s, uint64(n)); at != want || inside != half {
		t.Fatalf("%q cut at %d: byte %d, inside a pair: %v; want %d, %v", s, n, at, inside, want, half)
	}
}
