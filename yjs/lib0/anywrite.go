package lib0

import (
	"errors"
	"fmt"
	"math"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// ErrValue means a Go value that an any can't hold.
var ErrValue = errors.New("lib0: value can't be written")

// Property is a key of an Object and its value.
type Property struct {
	Key   string
	Value any
}

// Object is an object whose keys are written in the order given, for who minds:
// maps in Go have none. Any never returns one. A JavaScript peer that writes the
// object again puts keys that are array indices first, and of a key that comes twice
// it keeps the last value.
type Object []Property

// AppendAny appends a value as npm's lib0 writes it, byte for byte. Beside what Any
// returns it takes an Object, and any of Go's number types. A number becomes an
// integer up to 2^31-1 in magnitude (-0 included), else the shorter float that
// holds it. Keys of a map are written in the order in which JavaScript has them if
// they are set one after the other by ascending UTF-16 units: array indices first, by
// number. What isn't UTF-8 in a string becomes U+FFFD, as half a surrogate pair does
// in JavaScript.
//
// The error is ErrValue and says which value: one of another type; a whole number
// beyond ±MaxSafeInteger that isn't a BigInt; the key __proto__, which JavaScript
// loses. It is ErrTooDeep if arrays and objects nest deeper than MaxAnyDepth, as in
// one that contains itself. Then nothing is returned, and dst is as long as it was.
func AppendAny(dst []byte, value any) ([]byte, error) {
	return appendAny(dst, value, 0)
}

// appendAny appends a value that is in as many arrays and objects as depth says.
func appendAny(dst []byte, value any, depth int) ([]byte, error) {
	switch value := value.(type) {
	case nil:
		return append(dst, AnyNull), nil
	case Undefined:
		return append(dst, AnyUndefined), nil
	case bool:
		if value {
			return append(dst, AnyTrue), nil
		}
		return append(dst, AnyFalse), nil
	case string:
		return AppendVarString(append(dst, AnyString), ecma.WellFormed(value)), nil
	case BigInt:
		return AppendBigInt64(append(dst, AnyBigInt), int64(value)), nil
	case []byte:
		return AppendVarBytes(append(dst, AnyBytes), value), nil
	case []any:
		return appendArray(dst, value, depth+1)
	case map[string]any:
		return appendMap(dst, value, depth+1)
	case Object:
		return appendObject(dst, value, depth+1)
	}
	f, is, exact := ecma.Number(value)
	switch {
	case !is:
		return nil, fmt.Errorf("%w: a %T; want nil, bool, a number, string, []byte, []any, map[string]any, Object, Undefined or BigInt", ErrValue, value)
	case !exact:
		return nil, fmt.Errorf("%w: %v isn't exact in a float64; use BigInt", ErrValue, value)
	}
	return AppendAnyNumber(dst, f), nil
}

// AppendAnyNumber is AppendAny for a number, which can't fail.
func AppendAnyNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f): // of which Go and JavaScript have different ones
		return append(dst, AnyFloat64, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0)
	case f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32:
		return AppendVarInt(append(dst, AnyInteger), uint64(math.Abs(f)), math.Signbit(f))
	case float64(float32(f)) == f:
		return AppendFloat32(append(dst, AnyFloat32), float32(f))
	default:
		return AppendFloat64(append(dst, AnyFloat64), f)
	}
}

func appendArray(dst []byte, list []any, depth int) (_ []byte, err error) {
	if depth > MaxAnyDepth {
		return nil, ErrTooDeep
	}
	dst = AppendVarUint(append(dst, AnyArray), uint64(len(list)))
	for _, each := range list {
		if dst, err = appendAny(dst, each, depth); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendMap(dst []byte, object map[string]any, depth int) (_ []byte, err error) {
	if depth > MaxAnyDepth {
		return nil, ErrTooDeep
	}
	dst = AppendVarUint(append(dst, AnyObject), uint64(len(object)))
	for _, key := range ecma.PropertyKeys(object) {
		if dst, err = appendProperty(dst, key, object[key], depth); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendObject(dst []byte, object Object, depth int) (_ []byte, err error) {
	if depth > MaxAnyDepth {
		return nil, ErrTooDeep
	}
	dst = AppendVarUint(append(dst, AnyObject), uint64(len(object)))
	for _, p := range object {
		if dst, err = appendProperty(dst, p.Key, p.Value, depth); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func appendProperty(dst []byte, key string, value any, depth int) ([]byte, error) {
	if key == ecma.Prototype {
		return nil, fmt.Errorf("%w: the key %s is lost in JavaScript", ErrValue, key)
	}
	return appendAny(AppendVarString(dst, ecma.WellFormed(key)), value, depth)
}
