// Package units counts UTF-16 units in UTF-8: the lengths and clocks of Yjs are in
// them, as JavaScript's strings are, and its bytes are UTF-8.
package units

import (
	"encoding/binary"
	"math/bits"
)

const highBits = 0x8080808080808080

// ASCII reports whether s is ASCII, and so valid UTF-8 of one unit a byte. Most
// strings of an update are a few letters, so it has no loop for the rest of a word:
// the last eight bytes are looked at together, some of them twice.
func ASCII(s []byte) bool {
	if n := len(s); n >= 8 {
		all := binary.LittleEndian.Uint64(s[n-8:])
		for ; len(s) > 8; s = s[8:] {
			all |= binary.LittleEndian.Uint64(s)
		}
		return all&highBits == 0
	} else if n >= 4 {
		return (binary.LittleEndian.Uint32(s)|binary.LittleEndian.Uint32(s[n-4:]))&(highBits>>32) == 0
	} else if n > 0 {
		return (s[0]|s[n/2]|s[n-1])&0x80 == 0
	}
	return true
}

// Count returns how many units s has: one for each code point, and a second one
// for those of four bytes.
func Count(s []byte) int {
	n := 0
	for ; len(s) >= 8; s = s[8:] {
		n += word(binary.LittleEndian.Uint64(s))
	}
	for _, b := range s {
		// A unit begins at each byte that doesn't continue a code point ...
		if int8(b) >= -0x40 {
			n++
		}
		// ... and a code point of four bytes has a second one.
		if b >= 0xf0 {
			n++
		}
	}
	return n
}

// word is Count for eight bytes.
func word(w uint64) int {
	if w&highBits == 0 {
		return 8
	}
	continues := w &^ (w << 1) & highBits                  // 10xxxxxx
	pairs := w & (w << 1) & (w << 2) & (w << 3) & highBits // 1111xxxx
	return 8 - bits.OnesCount64(continues) + bits.OnesCount64(pairs)
}

// Cut finds the byte of s, which is UTF-8, at which its first n units end. If they end
// inside a surrogate pair, inside is true and at is where that code point begins.
func Cut(s []byte, n uint64) (at int, inside bool) {
	if n <= uint64(len(s)) && ASCII(s[:n]) {
		return int(n), false
	}
	// A word has nine units at most: seven letters, and a code point of four bytes that
	// begins with its last one.
	for ; n > 9 && len(s)-at >= 8; at += 8 {
		n -= uint64(word(binary.LittleEndian.Uint64(s[at:])))
	}
	for at < len(s) && s[at]&0xc0 == 0x80 {
		at++ // of a code point that was counted
	}
	for n > 0 && at < len(s) {
		switch c := s[at]; {
		case c < 0x80:
			at++
		case c < 0xe0:
			at += 2
		case c < 0xf0:
			at += 3
		case n == 1:
			return at, true
		default:
			at += 4
			n--
		}
		n--
	}
	return at, false
}
