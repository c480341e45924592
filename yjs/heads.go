package yjs

import (
	"cmp"
	"slices"
	"sort"
)

// heads finds what structs hang on: those of a document, and those of an update that
// may come to it. It reads heads and not contents, so that a struct is found at the
// same cost however long it is.
type heads struct {
	document *Document
	update   []byte // has each client once; nil without an update
	passages []passage
	marks    []mark // of the longer passages, one after the other
	marked   bool   // passages are of update
}

// passage is the structs of one client in an update. It is small, because a section may
// be five bytes.
type passage struct {
	client     uint64
	begin, end uint32 // clocks
	offset     uint32 // of the first struct
	from, to   uint32 // its marks, behind the first struct, in heads
}

// find returns the head of the struct that holds a unit, with everything but its
// length; false if the unit is missing. If the document has the beginning of a struct
// of the update, then what is new of it hangs on that.
func (h *heads) find(id ID, b *block) bool {
	c := h.document.find(id.Client)
	if c != nil && c.head(id.Clock, b) {
		return true
	}
	p := h.passage(id.Client)
	if p == nil || id.Clock < uint64(p.begin) || id.Clock >= uint64(p.end) {
		return false
	}
	from := near(h.marks[p.from:p.to], id.Clock, mark{p.begin, p.offset, 0})
	if headFrom(h.update, from, id.Clock, b); b.kind() == kindSkip {
		return false
	}
	if c == nil {
		return true
	}
	if held := c.heldBefore(id.Clock); held > b.clock {
		b.clock = held
		b.info |= flagOrigin
		b.origin = ID{id.Client, held - 1}
	}
	return true
}

// bondAt returns what a type hangs on that is new: where its bytes are in the update
// or, if there is none, in the client's, is known.
func (h *heads) bondAt(id ID, offset uint32) bond {
	src := h.update
	if src == nil {
		c := h.document.find(id.Client)
		if src = c.main.buf; id.Clock >= uint64(c.main.end) {
			src = c.gaps.buf
		}
	}
	r := reader{src: src, pos: int(offset), trusted: true}
	var b block
	r.head(&b, id.Clock)
	on, _ := b.bond()
	return on
}

// passage returns what the update has of a client, or nil.
func (h *heads) passage(client uint64) *passage {
	if !h.marked {
		h.mark()
	}
	i := sort.Search(len(h.passages), func(i int) bool { return h.passages[i].client >= client })
	if i == len(h.passages) || h.passages[i].client != client {
		return nil
	}
	return &h.passages[i]
}

// minSection is how many bytes a section has mostly at least.
const minSection = 8

// mark reads the update once, so that structs are found in it as in a run.
func (h *heads) mark() {
	h.marked = true
	if h.update == nil {
		return
	}
	u := readUpdate(h.update)
	u.trusted = true
	h.passages = make([]passage, 0, min(u.sections, uint64(len(h.update)/minSection)))
	var b block
	var p *passage
	last := uint32(0) // mark
	for u.next(&b) {
		at := uint32(b.start)
		if u.section {
			n := uint32(len(h.marks))
			h.passages = append(h.passages, passage{u.client, uint32(b.clock), 0, at, n, n})
			p, last = &h.passages[len(h.passages)-1], at
		}
		if at-last >= markBytes {
			h.marks = append(h.marks, mark{uint32(b.clock), at, 0})
			p.to++
			last = at
		}
		p.end = uint32(b.limit())
	}
	slices.SortFunc(h.passages, func(a, b passage) int { return cmp.Compare(a.client, b.client) })
}

// head reads the head of the struct that holds a clock, if there is one.
func (c *client) head(clock uint64, b *block) bool {
	if clock < uint64(c.main.end) {
		c.main.head(clock, b)
		return true
	}
	if c.gaps == nil {
		return false
	}
	p, ok := c.gaps.at(c.gaps.seek(clock))
	if !ok || uint64(p.start) > clock {
		return false
	}
	r := reader{src: c.gaps.buf, pos: int(p.offset), trusted: true}
	r.head(b, uint64(p.start))
	return true
}

// heldBefore returns the clock up to which a client is held before a unit that isn't:
// where the last piece before it ends.
func (c *client) heldBefore(clock uint64) uint64 {
	if c.gaps == nil {
		return uint64(c.main.end)
	}
	s := c.gaps.seek(clock)
	switch {
	case s.j > 0:
		return uint64(c.gaps.chunks[s.i][s.j-1].end)
	case s.i > 0:
		before := c.gaps.chunks[s.i-1]
		return uint64(before[len(before)-1].end)
	}
	return uint64(c.main.end)
}

// head reads the head of the struct that holds a clock of the run, clock < end.
func (r *run) head(clock uint64, b *block) {
	headFrom(r.buf, near(r.marks, clock, mark{}), clock, b)
}

// near returns the last mark at or before a clock, or first.
func near(marks []mark, clock uint64, first mark) mark {
	if i := sort.Search(len(marks), func(i int) bool { return uint64(marks[i].clock) > clock }); i > 0 {
		return marks[i-1]
	}
	return first
}

// headFrom reads the head of the struct that holds a clock, which is behind a mark and
// not behind the next. What is longer than markBytes is the last before the next mark,
// so its end isn't needed.
func headFrom(buf []byte, from mark, clock uint64, b *block) {
	stop := min(int(from.offset)+markBytes, len(buf))
	at := uint64(from.clock)
	t := reader{src: buf, pos: int(from.offset), trusted: true}
	for {
		t.head(b, at)
		if t.pos >= stop {
			return
		}
		rest := reader{src: buf[:stop], pos: t.pos, trusted: true}
		length := rest.content(b.kind())
		if rest.fault != noFault || rest.pos >= stop || at+length > clock {
			return
		}
		at += length
		t.pos = rest.pos
	}
}
