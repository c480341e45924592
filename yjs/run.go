package yjs

import "github.com/fjord-sync/fjord/yjs/lib0"

// run is structs of one client without a gap between them, from clock 0 on, as
// version 1 bytes back to back. The bytes are always complete: sending them is copying them.
//
//	buf    | struct | struct | … | tail |
//	marks  ^0                ^every markBytes or so
type run struct {
	buf   []byte
	marks []mark
	end   uint32 // clock after the last unit
	count uint32 // structs
	tail  uint32 // offset of the last struct; buf isn't empty then
	// right and body are where the last struct has its right origin, if any, and its
	// content, from its beginning. Nobody has looked yet if body is 0.
	right, body uint16
}

// mark says where in a run a struct stands, so that a clock is found without
// reading the run from its beginning.
type mark struct {
	clock  uint32
	offset uint32
	nth    uint32 // how many structs stand before it
}

// markBytes is about how many bytes lie between two marks: 12 bytes in 256 keep
// the index small and the walk from a mark short.
const markBytes = 256

// place is where a struct begins in a run.
type place mark

// add appends the part of a struct between the clocks from and to, of which from
// must be the run's end, from < to. src is what b was read from. which says what
// may be joined: continuing or listing.
func (r *run) add(client uint64, src []byte, b *block, from, to uint64, which uint32) {
	if r.extend(client, src, b, from, to, which) {
		r.end = uint32(to)
		return
	}
	r.note(len(r.buf), to)
	r.buf = appendBlock(r.buf, client, src, b, from, to)
}

// note keeps account of a struct that begins at an offset and ends at a clock, and
// marks it if it is far enough from the last mark.
func (r *run) note(offset int, end uint64) {
	at, last := uint32(offset), uint32(0)
	if n := len(r.marks); n > 0 {
		last = r.marks[n-1].offset
	}
	if at-last >= markBytes {
		r.marks = append(r.marks, mark{r.end, at, r.count})
	}
	r.tail, r.body = at, 0
	r.end = uint32(end)
	r.count++
}

// extend appends to the last struct instead, if the new one continues it: same
// kind, origin the last unit, same right origin. Yjs also wants the two to be
// neighbours in the list. Bytes don't need that: when a peer integrates the
// joined struct, its second half goes where it would have gone by itself.
func (r *run) extend(client uint64, src []byte, b *block, from, to uint64, which uint32) bool {
	var last block
	if !r.readTail(&last, b, which) || !b.continues(&last, ID{client, from}) {
		return false
	}
	switch b.kind() {
	case kindGC, kindDeleted:
		r.grow(last.body, to-from)
		return true
	case kindAny, kindJSON:
		begin, end := listPart(src, b, from, to)
		r.grow(last.body, to-from)
		r.buf = append(r.buf, src[begin:end]...)
		return true
	}
	at, atClock := b.at, b.atClock
	text := stringPart(src, b, from, to)
	if text.before != "" || text.after != "" {
		b.at, b.atClock = at, atClock
		return false // a cut pair: rare, and not worth joining
	}
	r.grow(last.body, uint64(len(text.whole)))
	r.buf = append(r.buf, text.whole...)
	return true
}

// readTail reads the head of the last struct, if that has the same kind as b.
func (r *run) readTail(last, b *block, which uint32) bool {
	if len(r.buf) == 0 || r.buf[r.tail]&kindBits != b.kind() || which>>b.kind()&1 == 0 {
		return false
	}
	t := reader{src: r.buf, pos: int(r.tail), trusted: true}
	t.head(last, 0)
	return true
}

// The kinds of which several structs can become one, a bit each. Values are joined
// only by who knows that they aren't values of a key: those are deleted one by one
// when another comes, see keyed, and a struct with neighbours needn't say that it
// has a key. (Yjs's own mergeUpdates leaves the flag out.)
const (
	continuing = 1<<kindGC | 1<<kindDeleted | 1<<kindString
	listing    = continuing | 1<<kindAny | 1<<kindJSON
)

// joins reports whether a struct that begins where the run ends can be joined to
// the last one.
func (r *run) joins(client uint64, b *block) bool {
	var last block
	return r.readTail(&last, b, continuing) && b.continues(&last, ID{client, b.clock})
}

// continues reports whether the part of b that begins at id may be joined to the
// struct before it.
func (b *block) continues(last *block, id ID) bool {
	if b.kind() != last.kind() {
		return false
	}
	switch b.kind() {
	case kindGC:
		return true
	case kindDeleted:
	case kindString, kindAny, kindJSON:
		if (b.info|last.info)&flagKey != 0 {
			return false // see keyed
		}
	default:
		return false
	}
	if (b.info^last.info)&flagRight != 0 || b.info&flagRight != 0 && b.right != last.right {
		return false
	}
	return id.Clock > b.clock || b.info&flagOrigin != 0 && b.origin == ID{id.Client, id.Clock - 1}
}

// grow adds n to the varUint at an offset of the last struct. What follows moves
// if the number gets longer, which happens at 128, 16 384, ... and so costs
// nothing over time.
func (r *run) grow(at int, n uint64) {
	if b := r.buf[at]; uint64(b)+n < 0x80 {
		r.buf[at] = b + byte(n)
		return
	}
	old := reader{src: r.buf, pos: at}
	sum := old.uvarint() + n
	width, have := lib0.VarUintLen(sum), old.pos-at
	for range width - have {
		r.buf = append(r.buf, 0)
	}
	copy(r.buf[at+width:], r.buf[old.pos:len(r.buf)-(width-have)])
	lib0.AppendVarUint(r.buf[at:at], sum)
}

// find returns the struct that holds a clock of the run, clock < end.
// b gets the struct, read from r.buf.
func (r *run) find(clock uint64, b *block) place { return r.walk(r.near(clock), clock, b) }

// near returns the last mark at or before a clock.
func (r *run) near(clock uint64) place { return place(near(r.marks, clock, mark{})) }

// recent is near for who asks for what came last, as most do who come back: the last
// struct is tried first.
func (r *run) recent(clock uint64) place {
	t := reader{src: r.buf, pos: int(r.tail), trusted: true}
	var last block
	t.block(&last, 0)
	if begin := uint64(r.end) - last.length; begin <= clock {
		return place{uint32(begin), r.tail, r.count - 1}
	}
	return r.near(clock)
}

// walk is find from a place on that is at or before the clock.
func (r *run) walk(at place, clock uint64, b *block) place {
	t := reader{src: r.buf, pos: int(at.offset), trusted: true}
	for {
		t.block(b, uint64(at.clock))
		if b.limit() > clock {
			return at
		}
		at = place{uint32(b.limit()), uint32(t.pos), at.nth + 1}
	}
}

// blocks walks over the structs of a run.
func (r *run) blocks() blockWalk {
	return blockWalk{reader: reader{src: r.buf, trusted: true}}
}

// blockWalk reads the structs of a run one after the other.
type blockWalk struct {
	reader
	block
	end uint64
}

func (w *blockWalk) next() bool {
	if w.left() == 0 {
		return false
	}
	w.reader.block(&w.block, w.end)
	w.end = w.limit()
	return true
}
