package yjs

import (
	"slices"
	"sort"
)

// client is what a document holds of one client.
//
//	clock  0 ──────── main.end   …   gaps[0]   …   gaps[1]
//	       structs of main       ?   structs   ?   structs
type client struct {
	id      uint64
	main    run    // from clock 0; the state vector says main.end
	gaps    []*run // beyond main.end: ascending, not overlapping
	deletes spans
	// touching says that a gap run may begin where another ends. Joining them at
	// once would copy all that is held for each struct that comes in reverse.
	touching bool
}

// put adds what isn't known yet of a struct. src is what b was read from.
func (c *client) put(src []byte, b *block) {
	if b.kind() == kindSkip {
		return
	}
	from, to := max(b.clock, uint64(c.main.end)), b.limit()
	if from >= to {
		return
	}
	if len(c.gaps) == 0 && from == uint64(c.main.end) {
		c.append(src, b, from, to)
		return
	}
	c.putAcross(src, b, from, to)
}

// append adds a part of a struct at the end of the main run.
func (c *client) append(src []byte, b *block, from, to uint64) {
	c.main.add(c.id, src, b, from, to)
	c.bear(b, from, to)
}

// bear notes what a struct of the main run says about being deleted. The delete
// set must say it too: a peer that has the content alive learns of it only there.
func (c *client) bear(b *block, from, to uint64) {
	if b.dead() {
		c.deletes.add(uint32(from), uint32(to), spot{})
	}
}

// putAcross adds the parts of a struct that fall between what is known.
func (c *client) putAcross(src []byte, b *block, from, to uint64) {
	if c.holds(from, to) {
		return
	}
	if b.kind() == kindString {
		c.dropStrings(from, to)
	}
	for from < to {
		i := c.after(from)
		stop := to
		if i < len(c.gaps) {
			stop = min(to, uint64(c.gaps[i].start))
		}
		if from < stop {
			c.place(src, b, from, stop, i)
			from = stop
		} else {
			from = uint64(c.gaps[i].end)
		}
	}
	c.close()
}

// after returns the index of the first gap run that ends after a clock.
func (c *client) after(clock uint64) int {
	return sort.Search(len(c.gaps), func(i int) bool { return uint64(c.gaps[i].end) > clock })
}

// place adds a part of a struct that lies before the i-th gap run and after all
// that precedes that.
func (c *client) place(src []byte, b *block, from, to uint64, i int) {
	switch {
	case from == uint64(c.main.end):
		c.append(src, b, from, to)
	case i > 0 && uint64(c.gaps[i-1].end) == from:
		c.gaps[i-1].add(c.id, src, b, from, to)
		c.touching = c.touching || i < len(c.gaps) && uint64(c.gaps[i].start) == to
	default:
		r := &run{start: uint32(from), end: uint32(from)}
		r.add(c.id, src, b, from, to)
		c.touching = c.touching || i < len(c.gaps) && uint64(c.gaps[i].start) == to
		c.gaps = slices.Insert(c.gaps, i, r)
	}
}

// settle joins gap runs that touch, so that the same structs encode to the same
// bytes in whatever order they came.
func (c *client) settle() {
	if !c.touching {
		return
	}
	c.touching = false
	joined := c.gaps[:1]
	for _, g := range c.gaps[1:] {
		if last := joined[len(joined)-1]; last.end == g.start {
			last.join(c.id, g)
		} else {
			joined = append(joined, g)
		}
	}
	clear(c.gaps[len(joined):])
	c.gaps = joined
}

// dropStrings forgets gap runs that hold only text and lie inside a text that
// has just come whole. A slice may begin with half a surrogate pair, that is
// with U+FFFD; the whole has the pair.
func (c *client) dropStrings(from, to uint64) {
	c.gaps = slices.DeleteFunc(c.gaps, func(r *run) bool {
		return uint64(r.start) >= from && uint64(r.end) <= to && r.onlyStrings()
	})
}

func (r *run) onlyStrings() bool {
	for w := r.blocks(); w.next(); {
		if w.kind() != kindString {
			return false
		}
	}
	return true
}

// close moves gap runs that the main run has reached into it.
func (c *client) close() {
	n := 0
	for n < len(c.gaps) && c.gaps[n].start == c.main.end {
		for w := c.gaps[n].blocks(); w.next(); {
			c.append(c.gaps[n].buf, &w.block, w.clock, w.limit())
		}
		n++
	}
	c.gaps = slices.Delete(c.gaps, 0, n)
	if len(c.gaps) == 0 {
		c.gaps, c.touching = nil, false
	}
}

// end returns the clock after the last unit that is held, gaps or not.
func (c *client) end() uint64 {
	if n := len(c.gaps); n > 0 {
		return uint64(c.gaps[n-1].end)
	}
	return uint64(c.main.end)
}

// holds reports whether all clocks from start up to end are held.
func (c *client) holds(start, end uint64) bool {
	start = max(start, uint64(c.main.end))
	for i := c.after(start); start < end; i++ {
		if i == len(c.gaps) || uint64(c.gaps[i].start) > start {
			return false
		}
		start = uint64(c.gaps[i].end)
	}
	return true
}
