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
	for _, each := range d.sorted() {
		c := &d.clients[each]
		c.settle()
		if from := have.clock(c.id); from < c.end() {
			sections++
			size += c.sizeFrom(from)
		}
	}
	size += lib0.VarUintLen(sections) + d.deletesLen()
	dst := make([]byte, 0, size)
	dst = lib0.AppendVarUint(dst, sections)
	have.rewind()
	for _, each := range d.order {
		c := &d.clients[each]
		if from := have.clock(c.id); from < c.end() {
			dst = c.appendFrom(dst, from)
		}
	}
	return d.appendDeletes(dst), nil
}

// part is the structs of a run from some clock on.
type part struct {
	first block  // the struct that holds the clock
	rest  uint32 // offset after it
	count uint64 // structs, with the first
}

// from splits a run at a clock, start <= clock < end.
func (r *run) from(clock uint64) (p part) {
	if clock <= uint64(r.start) {
		return part{count: uint64(r.count)}
	}
	at := r.find(clock, &p.first)
	p.count = uint64(r.count - at.nth)
	p.rest = uint32(p.first.end)
	if p.first.clock == clock {
		p.rest = uint32(p.first.start)
	}
	return p
}

// sliceRoom bounds how much longer a slice of a struct can be than the struct: an
// origin that it didn't have, and U+FFFD for half a pair.
const sliceRoom = 24

// sizeFrom returns a number of bytes that appendFrom doesn't exceed; it is exact
// for from == 0 without gaps.
func (c *client) sizeFrom(from uint64) int {
	structs, size := uint64(0), 0
	begin := from
	if from < uint64(c.main.end) {
		p := c.main.from(from)
		structs += p.count
		size += len(c.main.buf) - int(p.rest)
		if from > 0 && p.first.clock != from {
			size += p.first.end - p.first.start + sliceRoom
		}
	} else {
		begin = max(from, uint64(c.gaps[c.after(from)].start))
	}
	if i := c.after(max(from, uint64(c.main.end))); i < len(c.gaps) {
		size += sliceRoom
		for _, g := range c.gaps[i:] {
			structs += 1 + uint64(g.count)
			size += 1 + 5 + len(g.buf)
		}
	}
	return size + lib0.VarUintLen(structs) + lib0.VarUintLen(c.id) + lib0.VarUintLen(begin)
}

// appendFrom appends the section of a client from a clock below its end.
func (c *client) appendFrom(dst []byte, from uint64) []byte {
	gaps := c.gaps
	var main part
	begin, structs := from, uint64(0)
	if from < uint64(c.main.end) {
		main = c.main.from(from)
		structs = main.count
	} else {
		gaps = gaps[c.after(from):]
		begin = max(from, uint64(gaps[0].start))
	}
	structs += c.countGaps(gaps, begin)
	dst = lib0.AppendVarUint(dst, structs)
	dst = lib0.AppendVarUint(dst, c.id)
	dst = lib0.AppendVarUint(dst, begin)
	at := begin
	if main.count > 0 {
		dst = c.main.appendFrom(dst, c.id, main, begin)
		at = uint64(c.main.end)
	}
	for _, g := range gaps {
		if at < uint64(g.start) {
			dst = append(dst, kindSkip)
			dst = lib0.AppendVarUint(dst, uint64(g.start)-at)
			at = uint64(g.start)
		}
		dst = g.appendFrom(dst, c.id, g.from(at), at)
		at = uint64(g.end)
	}
	return dst
}

// countGaps returns how many structs, Skips included, the gap runs take when
// they are written after the clock at.
func (c *client) countGaps(gaps []*run, at uint64) uint64 {
	if len(gaps) == 0 {
		return 0
	}
	if at < uint64(c.main.end) {
		at = uint64(c.main.end)
	}
	structs := uint64(0)
	for _, g := range gaps {
		if at < uint64(g.start) {
			structs++
		}
		structs += g.from(at).count
		at = uint64(g.end)
	}
	return structs
}

// appendFrom appends a part of a run that begins at a clock.
func (r *run) appendFrom(dst []byte, client uint64, p part, clock uint64) []byte {
	if clock > uint64(r.start) && p.first.clock < clock {
		dst = appendBlock(dst, client, r.buf, &p.first, clock, p.first.limit())
	}
	return append(dst, r.buf[p.rest:]...)
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
// vector, without encoding anything. With gaps it may be a few bytes too high.
func (d *Document) Size() int {
	sections, size := uint64(0), 0
	for i := range d.clients {
		if c := &d.clients[i]; c.end() > 0 {
			c.settle()
			sections++
			size += c.sizeFrom(0)
		}
	}
	return size + lib0.VarUintLen(sections) + d.deletesLen()
}
