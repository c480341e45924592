package yjs

import (
	"bytes"
	"math"
)

// Nearly all updates that a server gets are one key pressed: a letter that
// continues what its author typed last, or one that he deletes.
//
//	typed    1  1  client clock  info origin [right origin]  n letters  0
//	deleted  0  1  client  1  clock length
//
// These are recognised by comparing them with what is held, which is some four times
// as fast as taking them apart. Whatever differs in the least goes the long way, and
// what is taken here must leave what the long way would: TestKeystrokes and
// FuzzKeystroke compare the two.

// keystroke applies an update that is one key pressed. It returns false for all
// others, and then it has changed nothing.
func (d *Document) keystroke(update []byte) bool {
	if len(update) < 6 || update[1] != 1 || update[0] > 1 {
		return false
	}
	id, at := number(update, 2)
	c := d.find(id)
	if c == nil {
		return false
	}
	if update[0] == 1 {
		return !d.nesting.awaits(id) && c.typed(update, at)
	}
	clock, length, ok := deletedOnce(update, at)
	if ok {
		_, d.near = c.deletes.add(clock, clock+length, d.near)
	}
	return ok
}

// typed is keystroke for text that continues the client's last struct. at is where
// its clock stands.
func (c *client) typed(update []byte, at int) bool {
	r := &c.main
	client := update[2:min(at, len(update))]
	clock, at := number(update, at)
	if clock != uint64(r.end) || clock == 0 || c.gaps != nil || at >= len(update) {
		return false
	}
	info := update[at]
	if info&^flagRight != flagOrigin|kindString || !r.typing(info) {
		return false
	}
	at++
	if !bytes.HasPrefix(update[at:], client) {
		return false
	}
	origin, at := number(update, at+len(client))
	if origin != clock-1 {
		return false
	}
	// The right origin that was good for the last struct is good for this one.
	body := int(r.tail) + int(r.body)
	right := r.buf[int(r.tail)+int(r.right) : body]
	letters := at + len(right) + 1
	if letters >= len(update) || string(update[at:letters-1]) != string(right) {
		return false
	}
	n := len(update) - 1 - letters
	text := update[letters : letters+n]
	if n == 0 || n >= 0x80 || int(update[letters-1]) != n || update[letters+n] != 0 || !ascii(text) ||
		clock+uint64(n) > MaxClock || len(r.buf)+len(update) > maxRunBytes {
		return false
	}
	r.grow(body, uint64(n))
	r.buf = append(r.buf, text...)
	r.end += uint32(n)
	return true
}

// deletedOnce reads the only range of a delete set of one client. at is where the
// number of ranges stands.
func deletedOnce(update []byte, at int) (clock, length uint32, ok bool) {
	if at >= len(update) || update[at] != 1 {
		return 0, 0, false
	}
	from, at := number(update, at+1)
	n, at := number(update, at)
	if at != len(update) || n == 0 || from+n > MaxClock {
		return 0, 0, false
	}
	return uint32(from), uint32(n), true
}

// typing reports whether a text with these flags may continue the last struct, as
// far as flags tell, and sees to it that right and body are known.
func (r *run) typing(info byte) bool {
	if len(r.buf) == 0 || (r.buf[r.tail]^info)&^flagOrigin != 0 {
		return false
	}
	return r.body != 0 || r.look()
}

// look finds out where the last struct, a text, has its right origin and its
// content: right and body are the same if it has no right origin.
func (r *run) look() bool {
	var last block
	t := reader{src: r.buf, pos: int(r.tail), trusted: true}
	t.head(&last, 0)
	right, body := last.body-last.start, last.body-last.start
	if last.info&flagRight != 0 {
		t.pos = last.start + 1
		if last.info&flagOrigin != 0 {
			t.id()
		}
		right = t.pos - last.start
	}
	if body > math.MaxUint16 {
		return false // the root's name is that long
	}
	r.right, r.body = uint16(right), uint16(body)
	return true
}

// number reads a varUint and returns where it ends. If there is none it returns an
// end behind src.
func number(src []byte, at int) (n uint64, end int) {
	for shift := 0; shift < 56 && at < len(src); shift += 7 {
		b := src[at]
		at++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, at
		}
	}
	return 0, len(src) + 1
}

func ascii(s []byte) bool {
	var all byte
	for _, b := range s {
		all |= b
	}
	return all < 0x80
}
