package yjs

import "slices"

// level is one type: the clock at which it stands, and how deep. Six bytes, because
// a document can have nearly as many types as paragraphs have letters.
type level [3]uint16 // clock, its lower half first; depth

// What a level has in place of a depth, which is at least 1.
const (
	unsettled = 0      // not yet worked out: only while an update is checked
	elsewhere = 0xffff // its place is in nesting.odd
)

func levelAt(clock uint64, depth uint16) level {
	return level{uint16(clock), uint16(clock >> 16), depth}
}

func (l level) clock() uint64 { return uint64(l[0]) | uint64(l[1])<<16 }

// author is the types of one client, in the order of their clocks. Those that came
// behind later ones aren't here but in nesting.odd: making room for each would take
// quadratic time.
type author struct {
	id     uint64
	levels []level
	hint   int // the level that was found last
	// loose is what the levels from first on hang on, as far as they are unsettled.
	loose []bond
	first int
}

// find returns the place in levels of the type at a clock, or -1. What is looked for
// is mostly near what was found before: the one before that, or the one around it.
func (a *author) find(clock uint64) int {
	if len(a.levels) == 0 {
		return -1
	}
	lo, hi := 0, len(a.levels)
	at := min(a.hint, hi-1)
	if a.levels[at].clock() > clock {
		hi = at
		for step := 1; hi-step > 0; step *= 2 {
			if a.levels[hi-step].clock() <= clock {
				lo = hi - step
				break
			}
			hi -= step
		}
	} else {
		lo = at
		for step := 1; lo+step < hi; step *= 2 {
			if a.levels[lo+step].clock() > clock {
				hi = lo + step
				break
			}
			lo += step
		}
	}
	for lo+1 < hi {
		if mid := int(uint(lo+hi) / 2); a.levels[mid].clock() <= clock {
			lo = mid
		} else {
			hi = mid
		}
	}
	if a.levels[lo].clock() != clock {
		return -1
	}
	a.hint = lo
	return lo
}

// append adds a type behind all others; if it is unsettled, on is what it hangs on.
func (a *author) append(l level, on bond) {
	a.hint = len(a.levels)
	a.levels = append(a.levels, l)
	if l[2] == unsettled && len(a.loose) == 0 {
		a.first = a.hint
	} else if len(a.loose) == 0 {
		return
	}
	if n := len(a.loose); n == cap(a.loose) && n >= 256 {
		a.loose = slices.Grow(a.loose, n) // append would grow it by a quarter, again and again
	}
	a.loose = append(a.loose, on)
}

// author returns a client's types, or nil.
func (n *nesting) author(id uint64) *author {
	if n.recent < len(n.authors) && n.authors[n.recent].id == id {
		return &n.authors[n.recent]
	}
	if n.index != nil {
		i, ok := n.index[id]
		if !ok {
			return nil
		}
		n.recent = int(i)
		return &n.authors[i]
	}
	for i := range n.authors {
		if n.authors[i].id == id {
			n.recent = i
			return &n.authors[i]
		}
	}
	return nil
}

// writer returns a client's types, to which some are about to be added.
func (n *nesting) writer(id uint64) *author {
	a := n.author(id)
	if a == nil {
		n.recent = len(n.authors)
		n.authors = append(n.authors, author{id: id})
		a = &n.authors[n.recent]
		if n.index == nil && len(n.authors) > indexFrom {
			n.index = make(map[uint64]int32, 2*len(n.authors))
			for i := range n.authors {
				n.index[n.authors[i].id] = int32(i)
			}
		} else if n.index != nil {
			n.index[id] = int32(n.recent)
		}
	}
	if k := len(n.journal.lists); k == 0 || n.journal.lists[k-1].author != n.recent {
		n.journal.lists = append(n.journal.lists, listBefore{n.recent, len(a.levels)})
	}
	return a
}
