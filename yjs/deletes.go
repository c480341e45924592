package yjs

import (
	"slices"
	"sort"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// span is clocks from start up to end, end excluded; start < end.
type span struct{ start, end uint32 }

// spans is a set of clocks of one client: ascending, neither overlapping nor
// touching.
type spans []span

// seek returns the index of the first span that ends at or after a clock.
func (s spans) seek(clock uint32) int {
	n := len(s)
	if n == 0 || s[n-1].end < clock {
		return n
	}
	if n == 1 || s[n-2].end < clock {
		return n - 1
	}
	return sort.Search(n, func(i int) bool { return s[i].end >= clock })
}

// covers reports whether all clocks from start up to end are in the set.
func (s spans) covers(start, end uint32) bool {
	i := s.seek(start)
	if i < len(s) && s[i].end == start {
		i++
	}
	return i < len(s) && s[i].start <= start && end <= s[i].end
}

// add puts the clocks from start up to end into the set, start < end.
func (s *spans) add(start, end uint32) {
	i := s.seek(start)
	if i == len(*s) || end < (*s)[i].start {
		*s = slices.Insert(*s, i, span{start, end})
		return
	}
	at := &(*s)[i]
	at.start = min(at.start, start)
	if end <= at.end {
		return
	}
	at.end = end
	// What follows may be swallowed.
	j := i + 1
	for j < len(*s) && (*s)[j].start <= at.end {
		at.end = max(at.end, (*s)[j].end)
		j++
	}
	if j > i+1 {
		*s = slices.Delete(*s, i+1, j)
	}
}

// encodedLen returns the number of bytes that append appends.
func (s spans) encodedLen() int {
	n := lib0.VarUintLen(uint64(len(s)))
	for _, d := range s {
		n += lib0.VarUintLen(uint64(d.start)) + lib0.VarUintLen(uint64(d.end-d.start))
	}
	return n
}

func (s spans) append(dst []byte) []byte {
	dst = lib0.AppendVarUint(dst, uint64(len(s)))
	for _, d := range s {
		dst = lib0.AppendVarUint(dst, uint64(d.start))
		dst = lib0.AppendVarUint(dst, uint64(d.end-d.start))
	}
	return dst
}
