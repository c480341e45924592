package yjs

import "unicode/utf8"

// Clocks count UTF-16 units, as JavaScript's strings do; bytes are UTF-8. A code
// point above U+FFFF takes four bytes and two units, all others take one unit.

// replacement is U+FFFD in UTF-8. Yjs puts it for each half of a surrogate pair
// that was cut in two.
const replacement = "\uFFFD"

// units returns how many UTF-16 units the UTF-8 text s has.
func units(s []byte) uint64 {
	n := 0
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
	return uint64(n)
}

// cut finds the byte of s at which its first n units end. If they end inside a
// surrogate pair, inside is true and at is where that code point begins.
func cut(s []byte, n uint64) (at int, inside bool) {
	for n > 0 && at < len(s) {
		size := 1
		if s[at] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(s[at:])
		}
		if size == 4 {
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
