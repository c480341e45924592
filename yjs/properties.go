package yjs

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// property is one key of an object that is being written: its key, and where in
// the output it and its value stand. A key without output is one that JavaScript
// would leave out.
type property struct {
	key      []byte
	from, to int
}

// arrange puts the properties of an object, which stand at the end of dst in the
// order in which they were read, in the order in which JavaScript has them: keys
// that are array indices first, by number; then the others, by first appearance.
// Of a key that came twice the last value stands in the place of the first. It
// returns dst and how many properties remain.
func arrange(dst []byte, list []property) ([]byte, int) {
	if inOrder(list) {
		return dst, len(list)
	}
	type entry struct {
		property
		index uint64
		isIdx bool
	}
	entries := make([]entry, 0, len(list))
	at := make(map[string]int, len(list))
	for _, p := range list {
		if i, ok := at[string(p.key)]; ok {
			entries[i].property = p
			continue
		}
		at[string(p.key)] = len(entries)
		index, isIdx := ecma.ArrayIndex(p.key)
		entries = append(entries, entry{p, index, isIdx})
	}
	slices.SortStableFunc(entries, func(a, b entry) int {
		switch {
		case a.isIdx && b.isIdx:
			return cmp.Compare(a.index, b.index)
		case a.isIdx:
			return -1
		case b.isIdx:
			return 1
		default:
			return 0
		}
	})
	begin := list[0].from
	old := bytes.Clone(dst[begin:])
	dst = dst[:begin]
	count := 0
	for _, e := range entries {
		if e.from < e.to {
			dst = append(dst, old[e.from-begin:e.to-begin]...)
			count++
		}
	}
	return dst, count
}

// inOrder reports whether arrange has nothing to do; it only needs to be right
// when it says yes.
func inOrder(list []property) bool {
	const few = 8 // comparing all pairs is cheaper than a map
	if len(list) > few {
		return len(list) == 0
	}
	for i, p := range list {
		if p.from == p.to {
			return false
		}
		if _, isIdx := ecma.ArrayIndex(p.key); isIdx && len(list) > 1 {
			return false
		}
		for _, q := range list[:i] {
			if bytes.Equal(p.key, q.key) {
				return false
			}
		}
	}
	return true
}
