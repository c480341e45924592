package content

import (
	"fmt"
	"slices"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/ecma"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// object returns the options in the order in which Yjs writes its own.
func (s Subdocument) object() lib0.Object {
	own := []string{"gc", "autoLoad", "meta"}
	object := make(lib0.Object, 0, len(s.Options))
	for _, key := range own {
		if value, ok := s.Options[key]; ok {
			object = append(object, lib0.Property{Key: key, Value: value})
		}
	}
	for _, key := range ecma.PropertyKeys(s.Options) {
		if !slices.Contains(own, key) {
			object = append(object, lib0.Property{Key: key, Value: s.Options[key]})
		}
	}
	return object
}

// appendAny appends a value that a caller gives as a lib0 any. Beside what a view
// returns it may be of any of Go's number types; a number that a float64 can't hold
// exactly is refused.
func appendAny(dst []byte, value any) ([]byte, error) {
	dst, err := lib0.AppendAny(dst, value)
	if err != nil {
		return nil, fmt.Errorf("content: %w: %w", ErrValue, err)
	}
	return dst, nil
}

// appendJSON appends a value as JSON.stringify writes it.
func appendJSON(dst []byte, value any, depth int) (_ []byte, err error) {
	f, is, exact := ecma.Number(value)
	switch {
	case is && !exact:
		return nil, badValue("%v isn't exact in a float64; use a string", value)
	case is:
		return ecma.AppendJSONNumber(dst, f), nil
	}
	switch value := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return append(dst, toText(value)...), nil
	case string:
		return ecma.AppendQuoted(dst, ecma.WellFormed(value)), nil
	case []any:
		return appendJSONList(dst, value, depth)
	case map[string]any:
		return appendJSONObject(dst, value, depth)
	default:
		return nil, badValue("a %T; want what JSON has: nil, bool, a number, string, []any or map[string]any", value)
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
	for i, key := range ecma.PropertyKeys(object) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(ecma.AppendQuoted(dst, ecma.WellFormed(key)), ':')
		if dst, err = appendJSON(dst, object[key], depth); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}
