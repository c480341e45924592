package yjs

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// ID names one unit of content: the one that a client made at a clock.
type ID struct {
	Client uint64 // at most 2^53-1
	Clock  uint64 // below MaxClock
}

// reader consumes an update from left to right. It stops at the first fault and
// then reads zeros, so that callers need to look at fault only once in a while.
// A reader lives on its caller's stack and never allocates.
type reader struct {
	src   []byte
	pos   int
	at    int   // where the fault is
	fault fault // the first thing wrong
	loose bool  // a number was spelled longer than necessary
	// trusted skips the checks of bytes that were checked when they came in.
	trusted bool
}

// fail records the first fault and makes all further reads fail fast.
func (r *reader) fail(f fault) {
	if r.fault == noFault {
		r.fault, r.at = f, r.pos
	}
	r.pos = len(r.src)
}

func (r *reader) err() error {
	if r.fault == noFault {
		return nil
	}
	return r.fault.err(r.at)
}

// left returns how many bytes haven't been read. Any count that the input
// claims is checked against it: everything counted takes a byte at least.
func (r *reader) left() uint64 { return uint64(len(r.src) - r.pos) }

func (r *reader) uvarint() uint64 {
	if r.pos < len(r.src) && r.src[r.pos] < 0x80 {
		r.pos++
		return uint64(r.src[r.pos-1])
	}
	return r.uvarintLong()
}

// uvarintLong reads numbers of two bytes and more: the ids of clients have five and
// most clocks three, so all eight bytes that a number can have are taken at once.
func (r *reader) uvarintLong() uint64 {
	if len(r.src)-r.pos < 8 {
		return r.uvarintSlow()
	}
	const top = 0x8080808080808080
	n := binary.LittleEndian.Uint64(r.src[r.pos:])
	ends := ^n & top // the last byte of a number has no top bit
	if ends == 0 {
		r.fail(faultNumber)
		return 0
	}
	size := bits.TrailingZeros64(ends) + 1 // in bits
	n &= 1<<size - 1                       // all ones if size is 64
	r.loose = r.loose || n>>(size-8) == 0 && size > 8
	r.pos += size / 8
	// Seven bits of eight, then fourteen of sixteen, then 28 of 32.
	n = n&0x007f007f007f007f | n>>1&0x3f803f803f803f80
	n = n&0x00003fff00003fff | n>>2&0x0fffc0000fffc000
	n = n&0x000000000fffffff | n>>4&0x00fffffff0000000
	if n > lib0.MaxSafeInteger {
		r.fail(faultNumber)
		return 0
	}
	return n
}

// uvarintSlow reads a number at the end of the input.
func (r *reader) uvarintSlow() uint64 {
	var n uint64
	for i, b := range r.src[r.pos:] {
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.loose = r.loose || i > 0 && b == 0
			r.pos += i + 1
			return n
		}
	}
	r.fail(faultTruncated)
	return 0
}

func (r *reader) id() ID {
	client := r.uvarint()
	return ID{client, r.uvarint()}
}

// bytes consumes a length and as many bytes; the result aliases the input.
func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > r.left() {
		r.fail(faultTruncated)
		return nil
	}
	b := r.src[r.pos : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// text is bytes that must be UTF-8: JavaScript's decoder throws on others.
func (r *reader) text() []byte {
	b := r.bytes()
	r.utf8(b)
	return b
}

func (r *reader) utf8(b []byte) {
	if !r.trusted && !utf8.Valid(b) {
		r.fail(faultUTF8)
	}
}

// json is text that JSON.parse must accept.
func (r *reader) json() {
	b := r.text()
	if !r.trusted && r.fault == noFault {
		if f := checkJSON(b); f != noFault {
			r.fail(f)
		}
	}
}

// any consumes a lib0 any.
func (r *reader) any() {
	rest, err := lib0.SkipAny(r.src[r.pos:])
	if err != nil {
		r.fail(anyFault(err))
		return
	}
	r.pos = len(r.src) - len(rest)
}

func anyFault(err error) fault {
	switch {
	case errors.Is(err, lib0.ErrTruncated):
		return faultTruncated
	case errors.Is(err, lib0.ErrTooLarge):
		return faultNumber
	case errors.Is(err, lib0.ErrInvalidUTF8):
		return faultUTF8
	case errors.Is(err, lib0.ErrTooDeep):
		return faultDepth
	case errors.Is(err, lib0.ErrPrototype):
		return faultPrototype
	default:
		return faultAny
	}
}
