package content

import (
	"slices"

	"github.com/fjord-sync/fjord/yjs/internal/ecma"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// attribute is the value of a format. Yjs compares what two of them have in them no
// deeper than one level: what is below is the same only in the same object. So a
// value remembers which one it is: that of a mark in the document, or the nth that
// an edit was given. (Comparing to the bottom would be better manners, and other
// marks than Yjs makes.)
type attribute struct {
	value any    // nil takes the format away
	text  []byte // as JSON; nil for null
	which int    // the node of a mark + 1; below 0 what an edit was given
}

// attributes are formats in the order in which they were set.
type attributes struct {
	keys   []string
	values []attribute
}

func (a *attributes) get(key string) (attribute, bool) {
	if i := slices.Index(a.keys, key); i >= 0 {
		return a.values[i], true
	}
	return attribute{}, false
}

// or returns the value of a key, or null.
func (a *attributes) or(key string) attribute {
	value, _ := a.get(key)
	return value
}

func (a *attributes) set(key string, value attribute) {
	if i := slices.Index(a.keys, key); i >= 0 {
		a.values[i] = value
		return
	}
	a.keys = append(a.keys, key)
	a.values = append(a.values, value)
}

func (a *attributes) remove(key string) {
	if i := slices.Index(a.keys, key); i >= 0 {
		a.keys = slices.Delete(a.keys, i, i+1)
		a.values = slices.Delete(a.values, i, i+1)
	}
}

func (a *attributes) clone() attributes {
	return attributes{slices.Clone(a.keys), slices.Clone(a.values)}
}

// mark does what a mark says to the formats at a place.
func (a *attributes) mark(key string, value attribute) {
	if value.value == nil {
		a.remove(key)
	} else {
		a.set(key, value)
	}
}

// attributes takes formats that a caller gives, as they will travel.
func (e *Edit) attributes(given map[string]any) (a attributes, room int, err error) {
	for _, key := range ecma.SortedKeys(given) {
		text, err := appendJSON(nil, given[key], 0)
		if err != nil {
			return a, 0, err
		}
		e.view.given++
		a.set(ecma.WellFormed(key), attribute{parseJSON(text), text, -e.view.given})
		room += 2 * (len(text) + len(key) + 2*keyRoom)
	}
	return a, room, nil
}

// markBody returns the content of a mark.
func markBody(key string, value attribute) []byte {
	text := value.text
	if value.value == nil {
		text = []byte("null")
	}
	return lib0.AppendVarBytes(lib0.AppendVarString(nil, key), text)
}

// equal is Yjs' equalAttrs.
func (a attribute) equal(b attribute) bool {
	if a.same(b) {
		return true
	}
	x, ok := members(a.value)
	y, ok2 := members(b.value)
	if !ok || !ok2 || len(x) != len(y) {
		return false
	}
	for key, value := range x {
		other, ok := y[key]
		if !ok || !identical(value, other) {
			return false
		}
	}
	return true
}

// same is JavaScript's ===.
func (a attribute) same(b attribute) bool {
	if _, ok := members(a.value); ok {
		return a.which == b.which && a.which != 0
	}
	return identical(a.value, b.value)
}

// members returns what is in an object or an array.
func members(value any) (map[string]any, bool) {
	switch value.(type) {
	case map[string]any, []any:
		return entries(value), true
	default:
		return nil, false
	}
}

// identical is === for what isn't an object; objects are never.
func identical(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case bool, string, float64:
		return a == b
	default:
		return false
	}
}
