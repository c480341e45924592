package yjs

import (
	"bytes"
	"fmt"
)

// compare checks a struct against what is held for the same clocks. It returns
// ErrConflict if two authors must have used the client id.
//
// Replicas that agree may hold different bytes for one clock: cut elsewhere,
// content dropped after it was deleted, or U+FFFD for half of a pair. Values are
// not compared, because peers spell the same value differently (order of keys,
// form of numbers).
func (c *client) compare(src []byte, b *block) error {
	if b.kind() == kindGC || b.length == 0 {
		return nil
	}
	if b.clock < uint64(c.main.end) {
		if err := c.compareRun(&c.main, src, b); err != nil {
			return err
		}
	}
	for i := c.after(b.clock); i < len(c.gaps) && uint64(c.gaps[i].start) < b.limit(); i++ {
		if err := c.compareRun(c.gaps[i], src, b); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) compareRun(r *run, src []byte, b *block) error {
	from, to := max(b.clock, uint64(r.start)), min(b.limit(), uint64(r.end))
	var held block
	r.find(from, &held)
	for {
		stop := min(to, held.limit())
		if !c.same(r.buf, &held, src, b, from, stop) {
			return fmt.Errorf("yjs: %w: client %d, clock %d: held %s, got %s",
				ErrConflict, c.id, from, kindName[held.kind()], kindName[b.kind()])
		}
		if stop == to {
			return nil
		}
		next := reader{src: r.buf, pos: held.end, trusted: true}
		next.block(&held, held.limit())
		from = stop
	}
}

// same compares two structs between two clocks that both have.
func (c *client) same(xs []byte, x *block, ys []byte, y *block, from, to uint64) bool {
	if x.kind() == kindGC || y.kind() == kindGC {
		return true
	}
	if !c.sameLinks(xs, x, ys, y, from) {
		return false
	}
	if x.kind() == kindDeleted || y.kind() == kindDeleted {
		return true
	}
	if x.kind() != y.kind() {
		return false
	}
	switch x.kind() {
	case kindString:
		return sameText(stringPart(xs, x, from, to), stringPart(ys, y, from, to))
	case kindBinary, kindType:
		return bytes.Equal(xs[x.body:x.end], ys[y.body:y.end])
	default:
		return true
	}
}

// sameLinks compares origin, right origin and parent of the unit at a clock.
func (c *client) sameLinks(xs []byte, x *block, ys []byte, y *block, at uint64) bool {
	if (x.info^y.info)&flagRight != 0 || x.info&flagRight != 0 && x.right != y.right {
		return false
	}
	xo, xok := x.originAt(c.id, at)
	yo, yok := y.originAt(c.id, at)
	if xok != yok || xok && xo != yo {
		return false
	}
	if xok || x.info&flagRight != 0 {
		return true
	}
	if (x.info^y.info)&flagKey != 0 || x.parentID != y.parentID {
		return false
	}
	return bytes.Equal(appendParent(nil, xs, x), appendParent(nil, ys, y))
}

// originAt returns the origin of the unit at a clock of the block.
func (b *block) originAt(client, at uint64) (ID, bool) {
	if at > b.clock {
		return ID{client, at - 1}, true
	}
	return b.origin, b.info&flagOrigin != 0
}

// sameText compares two strings of the same length in units. U+FFFD stands for
// any half of a pair.
func sameText(x, y stringCut) bool {
	if x.before == "" && y.before == "" && x.after == "" && y.after == "" && bytes.Equal(x.whole, y.whole) {
		return true
	}
	xu, yu := x.utf16(), y.utf16()
	if len(xu) != len(yu) {
		return false
	}
	for i := range xu {
		if xu[i] != yu[i] && !(half(xu[i]) && half(yu[i])) {
			return false
		}
	}
	return true
}

// half reports whether a unit is half of a pair, or what replaces it.
func half(u uint16) bool { return u == 0xfffd || u >= 0xd800 && u < 0xe000 }

var kindName = [...]string{
	kindGC: "gc", kindDeleted: "deleted", kindJSON: "json", kindBinary: "binary",
	kindString: "string", kindEmbed: "embed", kindFormat: "format", kindType: "type",
	kindAny: "any", kindDoc: "doc", kindSkip: "skip",
}
