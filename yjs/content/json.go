package content

import (
	"encoding/base64"
	"strconv"

	"github.com/fjord-sync/fjord/yjs"
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
// base64, and a subdocument is an object with its guid. An Op is as Quill has it, and a
// []Op a delta.
//
// The error is ErrValue for a value of another type, or one that nests deeper than
// anything in a view, and then nothing is returned.
func AppendJSON(dst []byte, value any) ([]byte, error) { return appendValue(dst, value, 0) }

// maxJSONDepth is more than a document has, whose types and values both nest, and less
// than an object that contains itself.
const maxJSONDepth = 2 * (MaxNesting + yjs.MaxDepth)

func appendValue(dst []byte, value any, depth int) (_ []byte, err error) {
	if depth++; depth > maxJSONDepth {
		return nil, badValue("nested deeper than %d", maxJSONDepth)
	}
	switch value := value.(type) {
	case Undefined:
		return append(dst, "null"...), nil
	case BigInt:
		return strconv.AppendInt(dst, int64(value), 10), nil
	case []byte:
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), value)
		return append(dst, '"'), nil
	case Subdocument:
		return append(ecma.AppendQuoted(append(dst, `{"guid":`...), ecma.WellFormed(value.GUID)), '}'), nil
	case []any:
		return appendElements(dst, value, depth)
	case map[string]any:
		return appendProperties(dst, value, depth)
	case Op:
		return appendOp(dst, &value, depth)
	case []Op:
		return appendElements(dst, value, depth)
	case []Subdocument:
		return appendElements(dst, value, depth)
	case Text, Array, Map, XMLFragment, XMLElement, XMLText, XMLHook:
		return appendValue(dst, toJSON(value), depth)
	default:
		return appendJSON(dst, value, 0)
	}
}

func appendElements[T any](dst []byte, list []T, depth int) (_ []byte, err error) {
	dst = append(dst, '[')
	for i, each := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendValue(dst, each, depth); err != nil {
			return nil, err
		}
	}
	return append(dst, ']'), nil
}

// appendOp writes what an operation has; one that has nothing inserts null.
func appendOp(dst []byte, op *Op, depth int) (_ []byte, err error) {
	begin := len(dst)
	if op.Insert != nil || op.Retain == 0 && op.Delete == 0 {
		if dst, err = appendValue(append(dst, `,"insert":`...), op.Insert, depth); err != nil {
			return nil, err
		}
	}
	if op.Retain != 0 {
		dst = strconv.AppendInt(append(dst, `,"retain":`...), int64(op.Retain), 10)
	}
	if op.Delete != 0 {
		dst = strconv.AppendInt(append(dst, `,"delete":`...), int64(op.Delete), 10)
	}
	if len(op.Attributes) > 0 {
		if dst, err = appendProperties(append(dst, `,"attributes":`...), op.Attributes, depth); err != nil {
			return nil, err
		}
	}
	dst[begin] = '{'
	return append(dst, '}'), nil
}

func appendProperties(dst []byte, object map[string]any, depth int) (_ []byte, err error) {
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
		dst = append(ecma.AppendQuoted(dst, ecma.WellFormed(key)), ':')
		if dst, err = appendValue(dst, object[key], depth); err != nil {
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

// MarshalJSON writes an object with the guid: see AppendJSON.
func (s Subdocument) MarshalJSON() ([]byte, error) { return AppendJSON(nil, s) }

// MarshalJSON writes the operation as Quill has it: see AppendJSON.
func (o Op) MarshalJSON() ([]byte, error) { return AppendJSON(nil, o) }
