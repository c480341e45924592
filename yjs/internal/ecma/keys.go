package ecma

import (
	"cmp"
	"slices"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Prototype is the key that an assignment in JavaScript doesn't take for a key:
// what is stored there is lost.
const Prototype = "__proto__"

// CompareUnits compares strings as JavaScript does, by their UTF-16 units: there,
// code points above U+FFFF come before U+E000.
func CompareUnits(x, y string) int {
	for x != "" && y != "" {
		r, n := utf8.DecodeRuneInString(x)
		s, m := utf8.DecodeRuneInString(y)
		if r != s {
			return cmp.Compare(unitRank(r), unitRank(s))
		}
		x, y = x[n:], y[m:]
	}
	return cmp.Compare(len(x), len(y))
}

func unitRank(r rune) rune {
	if r >= 0xe000 && r <= 0xffff {
		return r + unicode.MaxRune
	}
	return r
}

// SortedKeys returns the keys of an object in the order of Array.prototype.sort.
func SortedKeys(object map[string]any) []string {
	keys := make([]string, 0, len(object))
	for k := range object {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, CompareUnits)
	return keys
}

// PropertyKeys returns the keys of an object in the order in which JavaScript has
// them if they were set in that of SortedKeys: array indices first, by number (10.1.11).
func PropertyKeys(object map[string]any) []string {
	keys := SortedKeys(object)
	slices.SortStableFunc(keys, func(x, y string) int {
		i, isIndex := ArrayIndex(x)
		j, other := ArrayIndex(y)
		switch {
		case isIndex && other:
			return cmp.Compare(i, j)
		case isIndex:
			return -1
		case other:
			return 1
		default:
			return 0
		}
	})
	return keys
}

// ArrayIndex reports whether JavaScript orders a key as a number: a canonical
// decimal below 2^32-1.
func ArrayIndex[S ~string | ~[]byte](key S) (index uint64, ok bool) {
	if len(key) == 0 || len(key) > 10 || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	for i := range len(key) {
		if key[i] < '0' || key[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(string(key), 10, 64)
	return n, err == nil && n < 1<<32-1
}
