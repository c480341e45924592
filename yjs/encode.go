package yjs

import (
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// EncodeStateAsUpdate returns the part of the document that a peer with a state
// vector lacks, as a version 1 update: structs at or above its clocks, those
// that wait behind a gap included, and all deletes. A nil or empty vector means
// everything, like the empty vector 00. A vector that can't be read is
// ErrMalformed.
//
// For the same calls in the same order the bytes are the same, and a document
// made from them encodes to them again.
func (d *Document) EncodeStateAsUpdate(stateVector []byte) ([]byte, error) {
	have, err := readVector(stateVector)
	if err != nil {
		return nil, err
	}
	sections, size := uint64(0), 0
	var few [8]place
	starts := few[:0] // where the clocks in the middle of a run are, for the second time
	for _, each := range d.sorted() {
		c := &d.clients[each]
		if from := have.clock(c.id); from < c.end() {
			sections++
			if c.main.splits(from) {
				starts = append(starts, c.main.recent(from))
				size += c.from(from, &starts[len(starts)-1]).size
			} else {
				size += c.from(from, nil).size
			}
		}
	}
	size += lib0.VarUintLen(sections) + d.deletesLen()
	dst := make([]byte, 0, size)
	dst = lib0.AppendVarUint(dst, sections)
	have.rewind()
	for _, each := range d.order {
		c := &d.clients[each]
		if from := have.clock(c.id); from < c.end() {
			var start *place
			if c.main.splits(from) {
				start, starts = &starts[0], starts[1:]
			}
			s := c.from(from, start)
			dst = c.appendSection(dst, &s)
		}
	}
	return d.appendDeletes(dst), nil
}

// part is the structs of a run from some clock on.
type part struct {
	first block // the struct that holds the clock
	rest  int   // offset of what follows first, or of first if it is whole
	count uint64
}

// splits reports whether a clock is in the middle of a run, so that it must be found.
func (r *run) splits(clock uint64) bool { return clock > 0 && clock < uint64(r.end) }

// from splits a run at a clock, clock < end. If the clock is in the middle, start is
// a place at or before it, and becomes its own.
func (r *run) from(clock uint64, start *place) (p part) {
	if clock == 0 {
		return part{count: uint64(r.count)}
	}
	at := r.walk(*start, clock, &p.first)
	*start = at
	p.count = uint64(r.count - at.nth)
	p.rest = p.first.end
	if p.first.clock == clock {
		p.rest = p.first.start
	}
	return p
}

// sliceRoom bounds how much longer a slice of a struct can be than the struct: an
// origin that it didn't have, and U+FFFD for half a pair.
const sliceRoom = 24

// section is what of a client goes out from a clock on.
type section struct {
	begin   uint64 // clock of the first struct
	main    part   // of the main run, if main.count > 0
	gaps    spot   // of the first piece, if there are any
	structs uint64 // Skips included
	size    int    // bound on the bytes; exact from clock 0 without gaps
}

// from says what of a client goes out from a clock below its end on; start is as for
// the main run.
func (c *client) from(clock uint64, start *place) (s section) {
	s.begin = clock
	if end := uint64(c.main.end); clock < end {
		s.main = c.main.from(clock, start)
		s.structs = s.main.count
		s.size = len(c.main.buf) - s.main.rest
		if clock > 0 {
			s.size += s.main.first.end - s.main.first.start + sliceRoom
		}
		clock = end
	}
	if c.gaps != nil {
		c.gaps.settle(c.id)
		s.addGaps(c.gaps, clock)
	}
	s.size += lib0.VarUintLen(s.structs) + lib0.VarUintLen(c.id) + lib0.VarUintLen(s.begin)
	return s
}

// addGaps adds the pieces from a clock on.
func (s *section) addGaps(g *gaps, clock uint64) {
	s.gaps = g.seek(clock)
	all := s.gaps == spot{}
	if all {
		s.size += g.size()
	}
	if p, ok := g.at(s.gaps); ok && s.structs == 0 {
		s.begin = max(clock, uint64(p.start)) // a Skip never comes first
	}
	at := max(clock, s.begin)
	for spot := s.gaps; ; spot = g.after(spot) {
		p, ok := g.at(spot)
		if !ok {
			return
		}
		if at < uint64(p.start) {
			s.structs++
			s.size += 1 + lib0.VarUintLen(uint64(p.start)-at)
		} else if at > uint64(p.start) {
			s.size += sliceRoom
		}
		s.structs++
		if !all {
			s.size += g.sizeOf(p)
		}
		at = uint64(p.end)
	}
}

// appendSection appends a section of a client.
func (c *client) appendSection(dst []byte, s *section) []byte {
	dst = lib0.AppendVarUint(dst, s.structs)
	dst = lib0.AppendVarUint(dst, c.id)
	dst = lib0.AppendVarUint(dst, s.begin)
	at := s.begin
	if s.main.count > 0 {
		if first := &s.main.first; first.clock < at {
			dst = appendBlock(dst, c.id, c.main.buf, first, at, first.limit())
		}
		dst = append(dst, c.main.buf[s.main.rest:]...)
		at = uint64(c.main.end)
	}
	if c.gaps == nil {
		return dst
	}
	var b block
	for spot := s.gaps; ; spot = c.gaps.after(spot) {
		p, ok := c.gaps.at(spot)
		if !ok {
			return dst
		}
		if at < uint64(p.start) {
			dst = append(dst, kindSkip)
			dst = lib0.AppendVarUint(dst, uint64(p.start)-at)
			at = uint64(p.start)
		}
		c.gaps.read(p, &b)
		dst = appendBlock(dst, c.id, c.gaps.buf, &b, at, b.limit())
		at = b.limit()
	}
}

// deletesLen returns the number of bytes that appendDeletes appends.
func (d *Document) deletesLen() int {
	clients, size := uint64(0), 0
	for i := range d.clients {
		if c := &d.clients[i]; c.deletes.count > 0 {
			clients++
			size += lib0.VarUintLen(c.id) + c.deletes.encodedLen()
		}
	}
	return size + lib0.VarUintLen(clients)
}

// appendDeletes appends the delete set. It always goes out whole: the deletes of
// a peer can't be told from its state vector.
func (d *Document) appendDeletes(dst []byte) []byte {
	clients := uint64(0)
	for i := range d.clients {
		if d.clients[i].deletes.count > 0 {
			clients++
		}
	}
	dst = lib0.AppendVarUint(dst, clients)
	for _, each := range d.sorted() {
		if c := &d.clients[each]; c.deletes.count > 0 {
			dst = lib0.AppendVarUint(dst, c.id)
			dst = c.deletes.append(dst)
		}
	}
	return dst
}

// Size returns the number of bytes that EncodeStateAsUpdate returns for an empty
// vector, without encoding anything; it looks at each client once. With gaps it
// may be a few bytes per gap too high.
func (d *Document) Size() int {
	sections, size := uint64(0), 0
	for i := range d.clients {
		c := &d.clients[i]
		if c.end() == 0 {
			continue
		}
		sections++
		structs, begin := uint64(c.main.count), uint64(0)
		if c.gaps != nil {
			structs += 2 * uint64(c.gaps.count)
			begin = c.gaps.end()
			size += c.gaps.size() + (1+5)*int(c.gaps.count)
		}
		size += len(c.main.buf) + lib0.VarUintLen(structs) + lib0.VarUintLen(c.id) + lib0.VarUintLen(begin)
	}
	return size + lib0.VarUintLen(sections) + d.deletesLen()
}
