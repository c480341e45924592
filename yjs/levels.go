package yjs

import "sort"

// level is one type: the clock at which it stands, and how deep. Six bytes, because
// a document can have nearly as many types as paragraphs have letters.
type level [3]uint16 // clock, its lower half first; depth

// unsettled marks the depth of a type that hangs on what hasn't come yet, as far as
// one knows: the depth is what it is at least.
const unsettled = 0x8000

func levelAt(clock uint64, depth uint16) level {
	return level{uint16(clock), uint16(clock >> 16), depth}
}

func (l level) clock() uint64 { return uint64(l[0]) | uint64(l[1])<<16 }
func (l level) depth() int32  { return int32(l[2] &^ unsettled) }
func (l level) settled() bool { return l[2] < unsettled }

// chunkLevels is how many levels a chunk has at most: 3 KiB.
const chunkLevels = 512

// author is the types of one client.
type author struct {
	id     uint64
	levels [][]level // by clock, in chunks
	hint   [2]int32  // spot of the level that was found last
	noted  int32     // where in journal.noted it is, plus one, if it is there
}

// find returns the level of the type at a clock, or nil. What is looked for is mostly
// near what was found before: behind it, or a few before it, as the one around it is.
func (a *author) find(clock uint64) *level {
	if hint := a.near(); hint.i < len(a.levels) {
		chunk := a.levels[hint.i]
		for j := min(hint.j+2, len(chunk)-1); j >= max(hint.j-nearby, 0); j-- {
			if chunk[j].clock() == clock {
				a.hint[1] = int32(j)
				return &chunk[j]
			}
		}
	}
	at := a.seek(clock)
	if at.i == len(a.levels) || a.levels[at.i][at.j].clock() != clock {
		return nil
	}
	a.keep(at)
	return &a.levels[at.i][at.j]
}

// near returns the spot of the level that was found last, and keep keeps it.
func (a *author) near() spot { return spot{int(a.hint[0]), int(a.hint[1])} }

func (a *author) keep(at spot) { a.hint = [2]int32{int32(at.i), int32(at.j)} }

// nearby is how far before a hint one looks before one searches.
const nearby = 4

// seek returns the spot of the first level at or after a clock.
func (a *author) seek(clock uint64) spot {
	i := a.near().i
	if i >= len(a.levels) || !around(a.levels[i], clock) {
		i = sort.Search(len(a.levels), func(i int) bool {
			return a.levels[i][len(a.levels[i])-1].clock() >= clock
		})
	}
	if i == len(a.levels) {
		return spot{i, 0}
	}
	chunk := a.levels[i]
	lo, hi := 0, len(chunk)
	for lo < hi {
		if mid := int(uint(lo+hi) / 2); chunk[mid].clock() < clock {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return spot{i, lo}
}

// around reports whether the first level at or after a clock is surely in a chunk.
func around(chunk []level, clock uint64) bool {
	return chunk[0].clock() <= clock && clock <= chunk[len(chunk)-1].clock()
}

// end returns the clock behind the last type.
func (a *author) end() uint64 {
	if len(a.levels) == 0 {
		return 0
	}
	last := a.levels[len(a.levels)-1]
	return last[len(last)-1].clock() + 1
}

// add adds a type. It returns false if it is there.
func (a *author) add(l level) bool {
	if l.clock() >= a.end() {
		a.levels = push(a.levels, l, chunkLevels)
	} else {
		at := a.seek(l.clock())
		if a.levels[at.i][at.j].clock() == l.clock() {
			return false
		}
		a.levels, _ = insertAt(a.levels, at, l, chunkLevels)
	}
	a.keep(spot{len(a.levels) - 1, len(a.levels[len(a.levels)-1]) - 1}) // what comes next will be beside it
	return true
}

// remove forgets the type at a clock.
func (a *author) remove(clock uint64) {
	a.levels, _ = removeAt(a.levels, a.seek(clock), chunkLevels)
}

// cut forgets all types from a clock on, and returns how many there were.
func (a *author) cut(clock uint64) (n int) {
	at := a.seek(clock)
	for i := at.i; i < len(a.levels); i++ {
		n += len(a.levels[i])
	}
	if n -= at.j; at.j > 0 {
		a.levels[at.i] = cut(a.levels[at.i], at.j)
		at.i++
	}
	a.levels = cut(a.levels, at.i)
	return n
}

// author returns a client's types, or nil.
func (n *nesting) author(id uint64) *author {
	if n.recent < n.authors.count {
		if a := n.authors.at(n.recent); a.id == id {
			return a
		}
	}
	if x := &n.index; x.slots != nil {
		for slot := x.first(id); ; slot = x.next(slot) {
			i := int(x.slots[slot]) - 1
			if i < 0 {
				return nil
			}
			if a := n.authors.at(i); a.id == id {
				n.recent = i
				return a
			}
		}
	}
	for i := range n.authors.count {
		if a := n.authors.at(i); a.id == id {
			n.recent = i
			return a
		}
	}
	return nil
}

// writer returns a client's types, to which some are about to be added.
func (n *nesting) writer(id uint64) *author {
	a := n.author(id)
	if a == nil {
		n.recent = n.authors.count
		n.authors.push(author{id: id})
		a = n.authors.at(n.recent)
		switch {
		case n.authors.count <= indexFrom && n.index.slots == nil:
		case n.index.full():
			n.indexAuthors()
		default:
			n.index.put(id, n.recent)
		}
	}
	j := &n.journal
	if k := j.noted.count; k == 0 || int(j.noted.at(k-1).author) != n.recent {
		first := int32(0)
		if k > 0 {
			first = j.noted.at(k - 1).to
		}
		j.noted.push(noted{int32(n.recent), uint32(a.end()), first, first, first})
		a.noted = int32(j.noted.count)
	}
	return a
}

// dropAuthors forgets all authors but the first few. It doesn't go through those: a peer
// may name somebody new in each of many updates that are refused.
func (n *nesting) dropAuthors(few int) {
	if n.index.slots != nil {
		for i := n.authors.count - 1; i >= few; i-- {
			n.index.remove(n.authors.at(i).id, i)
		}
	}
	n.authors.cut(few)
	if n.index.wide() {
		n.indexAuthors()
	}
}

// indexAuthors makes the index anew, if there are many authors.
func (n *nesting) indexAuthors() {
	if n.index = (index{}); n.authors.count <= indexFrom {
		return
	}
	n.index.room(n.authors.count)
	for i := range n.authors.count {
		n.index.put(n.authors.at(i).id, i)
	}
}
