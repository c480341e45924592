package content

import (
	"encoding/binary"
	"unicode/utf8"

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

// units returns how many UTF-16 units the UTF-8 text s has: one for each code
// point, and a second one for those of four bytes.
func units(s []byte) uint32 {
	n := 0
	for len(s) >= 8 && binary.LittleEndian.Uint64(s)&0x8080808080808080 == 0 {
		n += 8
		s = s[8:]
	}
	for _, b := range s {
		if int8(b) >= -0x40 {
			n++
		}
		if b >= 0xf0 {
			n++
		}
	}
	return uint32(n)
}

// cut finds the byte of s at which its first n units end. If they end inside a
// surrogate pair, inside is true and at is where that code point begins.
func cut(s []byte, n uint32) (at int, inside bool) {
	for n > 0 && at < len(s) {
		size := 1
		if s[at] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(s[at:])
		}
		if size == utf8.UTFMax {
			if n == 1 {
				return at, true
			}
			n--
		}
		n--
		at += size
	}
	return at, false
}
