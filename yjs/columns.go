package yjs

import (
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs/internal/units"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// A version 2 update keeps each kind of number in a column of its own, each
// column run-length encoded:
//
//	uintRLE   value, or -value and count-2    for numbers that repeat
//	diffRLE   2×difference to the last value, +1 and count-2 if it repeats
//	byteRLE   value count-1 value count-1 … ; the last value has no count and
//	          never ends
//
// -value is told from value by the sign bit alone, so that 0 can repeat.

// column is the bytes of a column that is being read.
type column struct {
	src   []byte
	fault fault
}

func (c *column) fail(err error) {
	if c.fault == noFault {
		c.fault = anyFault(err)
	}
	c.src = nil
}

func (c *column) uvarint() uint64 {
	n, rest, err := lib0.VarUint(c.src)
	if err != nil {
		c.fail(err)
		return 0
	}
	c.src = rest
	return n
}

func (c *column) varint() (magnitude uint64, negative bool) {
	magnitude, negative, rest, err := lib0.VarInt(c.src)
	if err != nil {
		c.fail(err)
		return 0, false
	}
	c.src = rest
	return magnitude, negative
}

// uintRLE reads a column of numbers that repeat.
type uintRLE struct {
	column
	value, left uint64
}

func (c *uintRLE) next() uint64 {
	if c.left == 0 {
		value, repeats := c.varint()
		c.value, c.left = value, 1
		if repeats {
			c.left = c.uvarint() + 2
		}
	}
	c.left--
	return c.value
}

// diffRLE reads a column of numbers that grow evenly.
type diffRLE struct {
	column
	value, diff int64
	left        uint64
}

func (c *diffRLE) next() uint64 {
	if c.left == 0 {
		magnitude, negative := c.varint()
		twice := int64(magnitude)
		if negative {
			twice = -twice
		}
		c.diff = twice >> 1 // rounds down, as Yjs does
		c.left = 1
		if twice&1 != 0 {
			c.left = c.uvarint() + 2
		}
	}
	c.left--
	c.value += c.diff
	if c.value < 0 || c.value > lib0.MaxSafeInteger {
		c.fail(lib0.ErrTooLarge)
		c.value = 0
	}
	return uint64(c.value)
}

// byteRLE reads a column of bytes.
type byteRLE struct {
	column
	value   byte
	left    uint64
	forever bool
}

func (c *byteRLE) next() byte {
	if c.left == 0 && !c.forever {
		if len(c.src) == 0 {
			c.fail(lib0.ErrTruncated)
			return 0
		}
		c.value, c.src = c.src[0], c.src[1:]
		if c.forever = len(c.src) == 0; !c.forever {
			c.left = c.uvarint() + 1
		}
	}
	c.left--
	return c.value
}

// textColumn reads strings out of one text that holds them all, by their lengths
// in UTF-16 units.
type textColumn struct {
	text    []byte
	inPair  bool // the next unit is the second half of the pair before text
	lengths uintRLE
}

func newTextColumn(src []byte) (c textColumn) {
	text, rest, err := lib0.VarString(src)
	c.lengths.src = rest
	if err != nil {
		c.lengths.fail(err)
	}
	c.text = text
	return c
}

func (c *textColumn) next() stringCut {
	n := c.lengths.next()
	var s stringCut
	if n > 0 && c.inPair {
		s.before = replacement
		c.inPair = false
		n--
	}
	if n > uint64(len(c.text)) {
		c.lengths.fail(lib0.ErrTruncated)
		return stringCut{}
	}
	at, inside := units.Cut(c.text, n)
	s.whole, c.text = c.text[:at], c.text[at:]
	if inside {
		s.after = replacement
		c.inPair = true
		_, size := utf8.DecodeRune(c.text)
		c.text = c.text[size:]
		return s
	}
	if len(c.text) == 0 && uint64(units.Count(s.whole)) != n {
		c.lengths.fail(lib0.ErrTruncated)
	}
	return s
}

// uintRLEWriter writes what uintRLE reads.
type uintRLEWriter struct {
	dst          []byte
	value, count uint64
}

func (w *uintRLEWriter) put(v uint64) {
	if w.count > 0 && w.value == v {
		w.count++
		return
	}
	w.flush()
	w.value, w.count = v, 1
}

func (w *uintRLEWriter) flush() {
	if w.count == 0 {
		return
	}
	w.dst = lib0.AppendVarInt(w.dst, w.value, w.count > 1)
	if w.count > 1 {
		w.dst = lib0.AppendVarUint(w.dst, w.count-2)
	}
	w.count = 0
}

// diffRLEWriter writes what diffRLE reads.
type diffRLEWriter struct {
	dst         []byte
	value, diff int64
	count       uint64
}

func (w *diffRLEWriter) put(n uint64) {
	v := int64(n)
	if w.count > 0 && v-w.value == w.diff {
		w.value = v
		w.count++
		return
	}
	w.flush()
	w.diff, w.value, w.count = v-w.value, v, 1
}

func (w *diffRLEWriter) flush() {
	if w.count == 0 {
		return
	}
	twice := 2 * w.diff
	if w.count > 1 {
		twice++
	}
	negative := twice < 0
	if negative {
		twice = -twice
	}
	w.dst = lib0.AppendVarInt(w.dst, uint64(twice), negative)
	if w.count > 1 {
		w.dst = lib0.AppendVarUint(w.dst, w.count-2)
	}
	w.count = 0
}

// byteRLEWriter writes what byteRLE reads.
type byteRLEWriter struct {
	dst   []byte
	value byte
	count uint64
}

func (w *byteRLEWriter) put(v byte) {
	if w.count > 0 && w.value == v {
		w.count++
		return
	}
	if w.count > 0 {
		w.dst = lib0.AppendVarUint(w.dst, w.count-1)
	}
	w.value, w.count = v, 1
	w.dst = append(w.dst, v)
}

// textWriter writes what textColumn reads.
type textWriter struct {
	text    []byte
	left    int // bytes of the input that are still to come
	lengths uintRLEWriter
}

func (w *textWriter) put(s []byte) { w.add(s, uint64(units.Count(s))) }

// add is put for a string of which the number of units is known.
func (w *textWriter) add(s []byte, n uint64) {
	w.text = append(room(w.text, len(s), w.left), s...)
	w.lengths.put(n)
}
