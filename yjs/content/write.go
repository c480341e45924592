package content

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Values that a caller gives may, beside those that a view returns, be of any of
// Go's number types; a number that a float64 can't hold exactly is refused.

// number returns a value as a JavaScript number, if it is one.
func number(value any) (f float64, ok bool, err error) {
	switch n := value.(type) {
	case float64:
		return n, true, nil
	case float32:
		return float64(n), true, nil
	case int:
		return whole(int64(n))
	case int8:
		return whole(int64(n))
	case int16:
		return whole(int64(n))
	case int32:
		return whole(int64(n))
	case int64:
		return whole(n)
	case uint:
		return whole(int64(min(n, math.MaxInt64)))
	case uint8:
		return whole(int64(n))
	case uint16:
		return whole(int64(n))
	case uint32:
		return whole(int64(n))
	case uint64:
		return whole(int64(min(n, math.MaxInt64)))
	default:
		return 0, false, nil
	}
}

func whole(n int64) (f float64, ok bool, err error) {
	if n > lib0.MaxSafeInteger || n < -lib0.MaxSafeInteger {
		return 0, true, badValue("%d isn't exact in a float64; use BigInt", n)
	}
	return float64(n), true, nil
}

// appendAny appends a value as a lib0 any. depth is how deep it is nested.
func appendAny(dst []byte, value any, depth int) ([]byte, error) {
	f, ok, err := number(value)
	if err != nil {
		return nil, err
	}
	if ok {
		return appendNumber(dst, f), nil
	}
	switch value := value.(type) {
	case nil:
		return append(dst, lib0.AnyNull), nil
	case Undefined:
		return append(dst, lib0.AnyUndefined), nil
	case bool:
		if value {
			return append(dst, lib0.AnyTrue), nil
		}
		return append(dst, lib0.AnyFalse), nil
	case string:
		return lib0.AppendVarString(append(dst, lib0.AnyString), valid(value)), nil
	case BigInt:
		return binary.BigEndian.AppendUint64(append(dst, lib0.AnyBigInt), uint64(value)), nil
	case []byte:
		return lib0.AppendVarBytes(append(dst, lib0.AnyBytes), value), nil
	case []any:
		return appendList(dst, value, depth)
	case map[string]any:
		return appendObject(dst, value, nil, depth)
	default:
		return nil, badValue("a %T; want a value as a view returns it", value)
	}
}

// appendNumber appends a number as JavaScript's lib0 does: as an integer below
// 2^31, else as the shorter float that holds it.
func appendNumber(dst []byte, f float64) []byte {
	switch {
	case math.IsNaN(f): // of which Go and JavaScript have different ones
		return append(dst, lib0.AnyFloat64, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0)
	case f == math.Trunc(f) && math.Abs(f) <= math.MaxInt32:
		return lib0.AppendVarInt(append(dst, lib0.AnyInteger), uint64(math.Abs(f)), math.Signbit(f))
	case float64(float32(f)) == f:
		return binary.BigEndian.AppendUint32(append(dst, lib0.AnyFloat32), math.Float32bits(float32(f)))
	default:
		return binary.BigEndian.AppendUint64(append(dst, lib0.AnyFloat64), math.Float64bits(f))
	}
}

func appendList(dst []byte, list []any, depth int) (_ []byte, err error) {
	if depth++; depth > yjs.MaxDepth {
		return nil, badValue("nested deeper than %d", yjs.MaxDepth)
	}
	dst = lib0.AppendVarUint(append(dst, lib0.AnyArray), uint64(len(list)))
	for _, each := range list {
		if dst, err = appendAny(dst, each, depth); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// appendObject appends an object: the keys that are named in this order, then the
// others in theirs.
func appendObject(dst []byte, object map[string]any, named []string, depth int) (_ []byte, err error) {
	if depth++; depth > yjs.MaxDepth {
		return nil, badValue("nested deeper than %d", yjs.MaxDepth)
	}
	dst = lib0.AppendVarUint(append(dst, lib0.AnyObject), uint64(len(object)))
	for _, key := range keysInOrder(object, named) {
		if key == proto {
			return nil, badValue("the key %s is lost in JavaScript", key)
		}
		dst = lib0.AppendVarString(dst, valid(key))
		if dst, err = appendAny(dst, object[key], depth); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func keysInOrder(object map[string]any, named []string) []string {
	var keys []string
	for _, key := range named {
		if _, ok := object[key]; ok {
			keys = append(keys, key)
		}
	}
	for _, key := range sortedKeys(object) {
		if !slices.Contains(named, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// valid replaces what isn't UTF-8: JavaScript's decoder throws on it.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// appendJSON appends a value as JSON.stringify writes it.
func appendJSON(dst []byte, value any, depth int) (_ []byte, err error) {
	f, ok, err := number(value)
	if err != nil {
		return nil, err
	}
	if ok {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return append(dst, "null"...), nil
		}
		return append(dst, formatNumber(f)...), nil
	}
	switch value := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return append(dst, toText(value)...), nil
	case string:
		return appendQuoted(dst, valid(value)), nil
	case []any:
		return appendJSONList(dst, value, depth)
	case map[string]any:
		return appendJSONObject(dst, value, depth)
	default:
		return nil, badValue("a %T among formats and embeds; want what JSON has", value)
	}
}

func appendJSONList(dst []byte, list []any, depth int) (_ []byte, err error) {
	if depth++; depth > yjs.MaxDepth {
		return nil, badValue("nested deeper than %d", yjs.MaxDepth)
	}
	dst = append(dst, '[')
	for i, each := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendJSON(dst, each, depth); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

func appendJSONObject(dst []byte, object map[string]any, depth int) (_ []byte, err error) {
	if depth++; depth > yjs.MaxDepth {
		return nil, badValue("nested deeper than %d", yjs.MaxDepth)
	}
	dst = append(dst, '{')
	for i, key := range sortedKeys(object) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendQuoted(dst, valid(key)), ':')
		if dst, err = appendJSON(dst, object[key], depth); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// appendQuoted appends a string in quotes (ECMA-262, 25.5.2.3).
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	const named = "btn\x00fr"
	dst = append(dst, '"')
	for _, c := range []byte(s) {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= '\b' && c <= '\r' && c != '\v':
			dst = append(dst, '\\', named[c-'\b'])
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
