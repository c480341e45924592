package yjs

import (
	"unicode/utf16"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs/internal/units"
)

// Clocks count UTF-16 units, as JavaScript's strings do; bytes are UTF-8. A code
// point above U+FFFF takes four bytes and two units, all others take one unit.

// replacement is U+FFFD in UTF-8. Yjs puts it for each half of a surrogate pair
// that was cut in two.
const replacement = "\uFFFD"

// textReader reads the UTF-16 units of a struct's text, forwards only.
type textReader struct {
	s     []byte
	pos   int    // byte of s that comes next
	low   uint16 // second half of the pair before pos, if it wasn't read yet
	clock uint64 // of the unit that comes next
}

func textOf(src []byte, b *block) textReader {
	if b.kind() != kindString {
		return textReader{}
	}
	r := reader{src: src, pos: b.body, trusted: true}
	return textReader{s: r.bytes(), clock: b.clock}
}

func (t *textReader) next() uint16 {
	t.clock++
	if t.low != 0 {
		u := t.low
		t.low = 0
		return u
	}
	r, size := utf8.DecodeRune(t.s[t.pos:])
	t.pos += size
	if size < 4 {
		return uint16(r)
	}
	high, low := utf16.EncodeRune(r)
	t.low = uint16(low)
	return uint16(high)
}

// sameText compares two texts between two clocks that both have and that neither
// has passed. U+FFFD stands for any unit: for half of a pair that was cut, and for
// whatever came behind a half that stood alone, since yjs spoils both where it cuts
// behind a high one.
func sameText(x, y *textReader, from, to uint64) bool {
	x.skip(from)
	y.skip(from)
	for x.clock < to {
		n := min(int(to-x.clock), len(x.s)-x.pos, len(y.s)-y.pos)
		if k := sameASCII(x.s[x.pos:], y.s[y.pos:], n); k > 0 && x.low|y.low == 0 {
			x.pos, y.pos = x.pos+k, y.pos+k
			x.clock, y.clock = x.clock+uint64(k), y.clock+uint64(k)
			continue
		}
		if a, b := x.next(), y.next(); a != b && a != 0xfffd && b != 0xfffd {
			return false
		}
	}
	return true
}

func (t *textReader) skip(clock uint64) {
	if t.clock < clock && t.low != 0 {
		t.next()
	}
	if t.clock >= clock {
		return
	}
	n, inside := units.Cut(t.s[t.pos:], clock-t.clock)
	t.pos, t.clock = t.pos+n, clock
	if inside {
		t.clock--
		t.next()
	}
}

// sameASCII returns how many of the first n bytes of two texts are the same and
// below 0x80.
func sameASCII(x, y []byte, n int) int {
	for i := range n {
		if x[i] != y[i] || x[i] >= utf8.RuneSelf {
			return i
		}
	}
	return max(n, 0)
}
