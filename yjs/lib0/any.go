package lib0

import (
	"errors"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// MaxAnyDepth bounds how deep arrays and objects of an any may nest. JavaScript's
// own reader and writer recurse and overflow their stack at a few thousand.
const MaxAnyDepth = 100

var (
	// ErrUnknownAny means a tag byte that lib0 doesn't define: the length of
	// what follows cannot be known.
	ErrUnknownAny = errors.New("lib0: unknown kind of any")
	// ErrTooDeep means an any nested deeper than MaxAnyDepth.
	ErrTooDeep = errors.New("lib0: any nested too deep")
	// ErrPrototype means an object with bytes under the key __proto__. JavaScript's
	// reader makes the bytes its prototype, and the writer then takes the object for
	// bytes and throws: who has read it can't encode its document any more.
	ErrPrototype = errors.New("lib0: object with bytes under the key __proto__")
)

// The tag bytes of an any. Numbers wider than 31 bits travel as floats; floats
// and bigints are big-endian, unlike everything else in lib0.
const (
	AnyBytes     = 116
	AnyArray     = 117
	AnyObject    = 118
	AnyString    = 119
	AnyTrue      = 120
	AnyFalse     = 121
	AnyBigInt    = 122
	AnyFloat64   = 123
	AnyFloat32   = 124
	AnyInteger   = 125
	AnyNull      = 126
	AnyUndefined = 127
)

// anyFrame is an array or object that is being read.
type anyFrame struct {
	left   uint64 // elements not yet read
	object bool   // each element has a key before it
}

// SkipAny checks the any at the beginning of src to its last byte and returns
// what follows. It allocates nothing and doesn't recurse.
func SkipAny(src []byte) (rest []byte, err error) {
	f, rest, err := skipAnyHead(src)
	switch {
	case err != nil:
		return nil, err
	case f.left == 0:
		return rest, nil
	default:
		return skipNested(f, rest)
	}
}

// skipNested consumes the elements of f and all that nests in them.
func skipNested(f anyFrame, src []byte) (rest []byte, err error) {
	var room [MaxAnyDepth]anyFrame // on the stack
	frames := append(room[:0], f)
	for len(frames) > 0 {
		top := &frames[len(frames)-1]
		if top.left == 0 {
			frames = frames[:len(frames)-1]
			continue
		}
		top.left--
		if top.object {
			var key []byte
			if key, src, err = VarString(src); err != nil {
				return nil, err
			}
			if string(key) == ecma.Prototype && len(src) > 0 && src[0] == AnyBytes {
				return nil, ErrPrototype
			}
		}
		if f, src, err = skipAnyHead(src); err != nil {
			return nil, err
		}
		if f.left == 0 {
			continue
		}
		if len(frames) == MaxAnyDepth {
			return nil, ErrTooDeep
		}
		frames = append(frames, f)
	}
	return src, nil
}

// skipAnyHead consumes a tag and, unless it opens an array or object, its value.
func skipAnyHead(src []byte) (f anyFrame, rest []byte, err error) {
	if len(src) == 0 {
		return f, nil, ErrTruncated
	}
	tag := src[0]
	src = src[1:]
	switch tag {
	case AnyUndefined, AnyNull, AnyFalse, AnyTrue:
		return f, src, nil
	case AnyInteger:
		_, _, rest, err = VarInt(src)
	case AnyFloat32:
		rest, err = skip(src, 4)
	case AnyFloat64, AnyBigInt:
		rest, err = skip(src, 8)
	case AnyString:
		_, rest, err = VarString(src)
	case AnyBytes:
		_, rest, err = VarBytes(src)
	case AnyArray, AnyObject:
		f.object = tag == AnyObject
		f.left, rest, err = VarUint(src)
		if err == nil && f.left > uint64(len(rest)) {
			err = ErrTruncated
		}
	default:
		err = ErrUnknownAny
	}
	return f, rest, err
}

func skip(src []byte, n int) ([]byte, error) {
	if len(src) < n {
		return nil, ErrTruncated
	}
	return src[n:], nil
}
