package lib0

import (
	"encoding/binary"
	"math"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// Undefined is JavaScript's undefined.
type Undefined struct{}

// MarshalJSON writes null.
func (Undefined) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

// String returns "undefined".
func (Undefined) String() string { return "undefined" }

// BigInt is JavaScript's bigint, as far as it travels: 64 bits.
type BigInt int64

// Any reads the any at the beginning of src and returns it with what follows. It
// is, in Go:
//
//	undefined   Undefined{}         string       string
//	null        nil                 Uint8Array   []byte
//	boolean     bool                array        []any
//	number      float64             object       map[string]any
//	bigint      BigInt
//
// Nothing aliases src. Of a key that comes twice the last value counts, and what
// stands under the key __proto__ is left out, as in JavaScript. The errors are those
// of SkipAny, which checks everything before anything is made.
//
// Go's values are larger than their bytes: a null takes one byte on the wire and 16
// in a []any, an object with one key 4 and some 350. Whoever reads what strangers
// send bounds its length; SkipAny finds the end of a value and allocates nothing.
func Any(src []byte) (value any, rest []byte, err error) {
	rest, err = SkipAny(src)
	if err != nil {
		return nil, nil, err
	}
	r := anyReader{src: src[:len(src)-len(rest)]}
	return r.value(), rest, nil
}

// anyReader makes values of bytes that SkipAny has checked: they end where they
// should, and recursion ends at MaxAnyDepth.
type anyReader struct {
	src []byte
	pos int
}

func (r *anyReader) value() any {
	r.pos++
	switch tag := r.src[r.pos-1]; tag {
	case AnyNull:
		return nil
	case AnyTrue, AnyFalse:
		return tag == AnyTrue
	case AnyInteger:
		return r.integer()
	case AnyFloat32:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(r.take(4))))
	case AnyFloat64:
		return math.Float64frombits(binary.BigEndian.Uint64(r.take(8)))
	case AnyBigInt:
		return BigInt(binary.BigEndian.Uint64(r.take(8)))
	case AnyString:
		return string(r.bytes())
	case AnyBytes:
		return append([]byte{}, r.bytes()...)
	case AnyArray:
		return r.array()
	case AnyObject:
		return r.object()
	default: // AnyUndefined
		return Undefined{}
	}
}

// array makes room for as many elements as are claimed: they were counted.
func (r *anyReader) array() []any {
	list := make([]any, r.uvarint())
	for i := range list {
		list[i] = r.value()
	}
	return list
}

// object makes room for a few keys at most: many could be the same one.
func (r *anyReader) object() map[string]any {
	const few = 64
	n := r.uvarint()
	object := make(map[string]any, min(n, few))
	for range n {
		key := string(r.bytes())
		if value := r.value(); key != ecma.Prototype {
			object[key] = value
		}
	}
	return object
}

func (r *anyReader) integer() float64 {
	magnitude, negative, rest, _ := VarInt(r.src[r.pos:])
	r.pos = len(r.src) - len(rest)
	if negative {
		return math.Copysign(float64(magnitude), -1)
	}
	return float64(magnitude)
}

func (r *anyReader) uvarint() uint64 {
	n, rest, _ := VarUint(r.src[r.pos:])
	r.pos = len(r.src) - len(rest)
	return n
}

func (r *anyReader) take(n int) []byte {
	r.pos += n
	return r.src[r.pos-n : r.pos]
}

func (r *anyReader) bytes() []byte { return r.take(int(r.uvarint())) }
