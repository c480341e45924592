package yjs

import (
	"github.com/fjord-sync/fjord/yjs/internal/units"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// appendBlock appends the part of a struct between two clocks, b.clock <= from <
// to <= b.limit(), as a struct of its own. A part that doesn't begin where the
// struct does hangs on the unit before it, so it has no parent of its own.
func appendBlock(dst []byte, client uint64, src []byte, b *block, from, to uint64) []byte {
	if from == b.clock && to == b.limit() && !b.loose {
		return append(dst, src[b.start:b.end]...)
	}
	dst = appendHead(dst, client, src, b, from)
	return appendContent(dst, src, b, from, to)
}

func appendHead(dst []byte, client uint64, src []byte, b *block, from uint64) []byte {
	kind := b.kind()
	if kind == kindGC || kind == kindSkip {
		return append(dst, b.info)
	}
	info, origin := b.info, b.origin
	if from > b.clock {
		info, origin = info|flagOrigin, ID{client, from - 1}
	}
	dst = append(dst, info)
	if info&flagOrigin != 0 {
		dst = appendID(dst, origin)
	}
	if info&flagRight != 0 {
		dst = appendID(dst, b.right)
	}
	if info&(flagOrigin|flagRight) == 0 {
		dst = appendParent(dst, src, b)
	}
	return dst
}

func appendID(dst []byte, id ID) []byte {
	dst = lib0.AppendVarUint(dst, id.Client)
	return lib0.AppendVarUint(dst, id.Clock)
}

func appendParent(dst, src []byte, b *block) []byte {
	r := reader{src: src, pos: b.parent, trusted: true}
	if b.parentID {
		dst = append(dst, 0)
		r.uvarint()
		dst = appendID(dst, r.id())
	} else {
		dst = append(dst, 1)
		r.uvarint()
		dst = lib0.AppendVarBytes(dst, r.text())
	}
	if b.info&flagKey != 0 {
		dst = lib0.AppendVarBytes(dst, r.text())
	}
	return dst
}

// appendContent appends the units of a struct's content between two clocks.
func appendContent(dst, src []byte, b *block, from, to uint64) []byte {
	r := reader{src: src, pos: b.body, trusted: true}
	switch b.kind() {
	case kindGC, kindDeleted, kindSkip:
		return lib0.AppendVarUint(dst, to-from)
	case kindString:
		return stringPart(src, b, from, to).append(dst)
	case kindJSON, kindAny:
		begin, end := listPart(src, b, from, to)
		dst = lib0.AppendVarUint(dst, to-from)
		return append(dst, src[begin:end]...)
	case kindBinary:
		return lib0.AppendVarBytes(dst, r.bytes())
	case kindEmbed:
		return lib0.AppendVarBytes(dst, r.text())
	case kindFormat:
		dst = lib0.AppendVarBytes(dst, r.text())
		return lib0.AppendVarBytes(dst, r.text())
	case kindType:
		t := r.uvarint()
		dst = lib0.AppendVarUint(dst, t)
		if t == typeXMLElement || t == typeXMLHook {
			dst = lib0.AppendVarBytes(dst, r.text())
		}
		return dst
	default: // kindDoc
		dst = lib0.AppendVarBytes(dst, r.text())
		return append(dst, src[r.pos:b.end]...)
	}
}

// listPart returns where in src the values of a list between two clocks are.
func listPart(src []byte, b *block, from, to uint64) (begin, end int) {
	r := reader{src: src, pos: b.body, trusted: true}
	clock := b.clock
	if r.uvarint(); b.at > 0 && b.atClock <= from {
		r.pos, clock = b.at, b.atClock
	}
	begin = r.skipValues(b.kind(), from-clock)
	end = r.skipValues(b.kind(), to-from)
	b.at, b.atClock = end, to
	return begin, end
}

// skipValues consumes n values of a list and returns where it was before if n is
// 0, else where it is now.
func (r *reader) skipValues(kind byte, n uint64) int {
	for range n {
		if kind == kindAny {
			r.any()
		} else {
			r.bytes()
		}
	}
	return r.pos
}

// stringCut is a part of a string: what was between two units, and U+FFFD for
// half of a surrogate pair at either end.
type stringCut struct {
	before string
	whole  []byte
	after  string
}

func stringPart(src []byte, b *block, from, to uint64) stringCut {
	r := reader{src: src, pos: b.body, trusted: true}
	text := r.bytes()
	if from == b.clock && to == b.limit() {
		return stringCut{whole: text}
	}
	end := r.pos
	begin, clock := end-len(text), b.clock
	if b.at > 0 && b.atClock <= from {
		begin, clock = b.at, b.atClock
	}
	var part stringCut
	n, inside := units.Cut(src[begin:end], from-clock)
	if begin += n; inside {
		part.before = replacement
		begin += 4
		from++
	}
	n, inside = units.Cut(src[begin:end], to-from)
	part.whole = src[begin : begin+n]
	b.at, b.atClock = begin+n, to
	if inside {
		part.after = replacement
		b.atClock--
	}
	return part
}

func (s stringCut) append(dst []byte) []byte {
	dst = lib0.AppendVarUint(dst, uint64(len(s.before)+len(s.whole)+len(s.after)))
	dst = append(dst, s.before...)
	dst = append(dst, s.whole...)
	return append(dst, s.after...)
}
