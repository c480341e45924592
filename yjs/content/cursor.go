package content

import (
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// cursor reads bytes that were checked to their last one, so it can't fail.
type cursor struct {
	src []byte
	pos int
}

func (c *cursor) byte() byte {
	c.pos++
	return c.src[c.pos-1]
}

func (c *cursor) uvarint() uint64 {
	n := uint64(c.byte())
	if n < 0x80 {
		return n
	}
	n &= 0x7f
	for shift := 7; ; shift += 7 {
		b := c.byte()
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

// bytes consumes a length and as many bytes; the result aliases the input.
func (c *cursor) bytes() []byte {
	n := int(c.uvarint())
	c.pos += n
	return c.src[c.pos-n : c.pos : c.pos]
}

func (c *cursor) skipAny() {
	rest, err := lib0.SkipAny(c.src[c.pos:])
	if err != nil {
		panic("content: a checked value can't be read: " + err.Error())
	}
	c.pos = len(c.src) - len(rest)
}

// skipValues consumes n values of a struct that holds a list of them.
func (c *cursor) skipValues(kind byte, n uint32) {
	for range n {
		if kind == kindAny {
			c.skipAny()
		} else {
			c.bytes()
		}
	}
}
