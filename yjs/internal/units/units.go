// Package units counts UTF-16 units in UTF-8: the lengths and clocks of Yjs are in
// them, as JavaScript's strings are, and its bytes are UTF-8.
package units

import (
	"encoding/binary"
	"unicode/utf8"
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
	for len(s) >= 8 && binary.LittleEndian.Uint64(s)&highBits == 0 {
		n += 8
		s = s[8:]
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

// Cut finds the byte of s at which its first n units end. If they end inside a
// surrogate pair, inside is true and at is where that code point begins.
func Cut(s []byte, n uint64) (at int, inside bool) {
	if n <= uint64(len(s)) && ASCII(s[:n]) {
		return int(n), false
	}
	for n > 0 && at < len(s) {
		size := 1
		if s[at] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(s[at:])
		}
		if size == utf8.UTFMax {
			if n == 1 {
				return at, true
			}
			n--
		}
		n--
		at += size
	}
	return at, false
}
