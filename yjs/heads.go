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
	marked   bool // passages are of update
}

// passage is the structs of one client in an update, from a clock on. The offsets of
// its marks are in the update.
type passage struct {
	client, begin uint64
	run           run
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
	if p == nil || id.Clock < p.begin || id.Clock >= uint64(p.run.end) {
		return false
	}
	if p.run.head(id.Clock, b); b.kind() == kindSkip {
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
	var r *run
	for u.next(&b) {
		if u.section {
			h.passages = append(h.passages, passage{client: u.client, begin: b.clock, run: run{buf: h.update}})
			r = &h.passages[len(h.passages)-1].run
		}
		if k := len(r.marks); k == 0 || uint32(b.start)-r.marks[k-1].offset >= markBytes {
			r.marks = append(r.marks, mark{uint32(b.clock), uint32(b.start), 0})
		}
		r.end = uint32(b.limit())
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

// head reads the head of the struct that holds a clock of the run, clock < end. What
// is longer than markBytes is the last before the next mark, so its end isn't needed.
func (r *run) head(clock uint64, b *block) {
	var from mark
	if i := sort.Search(len(r.marks), func(i int) bool { return uint64(r.marks[i].clock) > clock }); i > 0 {
		from = r.marks[i-1]
	}
	stop := min(int(from.offset)+markBytes, len(r.buf))
	at := uint64(from.clock)
	t := reader{src: r.buf, pos: int(from.offset), trusted: true}
	for {
		t.head(b, at)
		if t.pos >= stop {
			return
		}
		rest := reader{src: r.buf[:stop], pos: t.pos, trusted: true}
		length := rest.content(b.kind())
		if rest.fault != noFault || rest.pos >= stop || at+length > clock {
			return
		}
		at += length
		t.pos = rest.pos
	}
}
