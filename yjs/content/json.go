package content

import (
	"encoding/base64"
	"strconv"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// AppendJSON appends a value that a view has returned as JSON text, a shared type with
// what is in it. It is for documents of strangers: encoding/json fails on a NaN that
// anybody may put there.
//
// It writes what JSON.stringify makes of Yjs' toJSON: numbers as JavaScript has them,
// NaN and infinite ones as null, undefined as null in an array and as no property in an
// object; texts and XML are strings. Keys are in the order in which JavaScript has them
// if they were set sorted: a view doesn't know in which order they were. Where JavaScript
// throws or writes something of no use, a bigint is a number, bytes are a string in
// base64, and a subdocument is an object with its guid.
//
// The error is ErrValue for a value of another type, and then nothing is returned.
func AppendJSON(dst []byte, value any) (_ []byte, err error) {
	switch value := value.(type) {
	case Undefined:
		return append(dst, "null"...), nil
	case BigInt:
		return strconv.AppendInt(dst, int64(value), 10), nil
	case []byte:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), value)
		return append(dst, '"'), nil
	case Subdocument:
		return append(ecma.AppendQuoted(append(dst, `{"guid":`...), value.GUID), '}'), nil
	case []any:
		dst = append(dst, '[')
		for i, each := range value {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = AppendJSON(dst, each); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		return appendProperties(dst, value)
	case Text, Array, Map, XMLFragment, XMLElement, XMLText, XMLHook:
		return AppendJSON(dst, toJSON(value))
	default:
		return appendJSON(dst, value, 0)
	}
}

func appendProperties(dst []byte, object map[string]any) (_ []byte, err error) {
	dst = append(dst, '{')
	comma := false
	for _, key := range ecma.PropertyKeys(object) {
		if _, undefined := object[key].(Undefined); undefined {
			continue
		}
		if comma {
			dst = append(dst, ',')
		}
		comma = true
		dst = append(ecma.AppendQuoted(dst, key), ':')
		if dst, err = AppendJSON(dst, object[key]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// MarshalJSON writes the characters as a string: see AppendJSON.
func (t Text) MarshalJSON() ([]byte, error) { return AppendJSON(nil, t) }

// MarshalJSON writes the elements: see AppendJSON.
func (a Array) MarshalJSON() ([]byte, error) { return AppendJSON(nil, a) }

// MarshalJSON writes the keys with their values: see AppendJSON.
func (m Map) MarshalJSON() ([]byte, error) { return AppendJSON(nil, m) }

// MarshalJSON writes the XML as a string: see AppendJSON.
func (x XMLFragment) MarshalJSON() ([]byte, error) { return AppendJSON(nil, x) }

// MarshalJSON writes the XML as a string: see AppendJSON.
func (x XMLElement) MarshalJSON() ([]byte, error) { return AppendJSON(nil, x) }

// MarshalJSON writes the XML as a string: see AppendJSON.
func (x XMLText) MarshalJSON() ([]byte, error) { return AppendJSON(nil, x) }

// MarshalJSON writes the keys with their values: see AppendJSON.
func (x XMLHook) MarshalJSON() ([]byte, error) { return AppendJSON(nil, x) }
