package content_test

import (
	"math"
	"math/rand/v2"

	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

// action is a change as testdata/edits.mjs understands it.
type action map[string]any

// editor makes random changes to a view and notes them for the oracle.
type editor struct {
	*rand.Rand
	view *content.View
	edit *content.Edit
	calm bool // no surrogate pairs: where two cut them at once, yjs itself diverges
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func (r *editor) word() string {
	if r.calm {
		return pick(r.Rand, "a", "xy", "hello ", "é", "z\n", `"\`, "\x01漢")
	}
	return pick(r.Rand, "a", "xy", "hello ", "é", "😀", "z😀\n", `"\`, "\x01漢")
}

// value returns a value, and how the oracle is told.
func (r *editor) value(depth int) (v, told any) {
	n := 12
	if depth > 2 {
		n = 9
	}
	switch r.IntN(n) {
	case 0:
		return nil, nil
	case 1:
		return true, true
	case 2:
		i := int(int32(r.Int64N(1<<32) - 1<<31))
		return i, i
	case 3:
		f := pick(r.Rand, 0.5, 1e21, 1.0/3, 16_777_217, 2_147_483_647, -2_147_483_647, 2_147_483_648, -2_147_483_648, 5e-324)
		return f, f
	case 4:
		s := r.word()
		return s, s
	case 5:
		return content.Undefined{}, []any{"undefined"}
	case 6:
		n := r.Int64()
		return content.BigInt(n), []any{"bigint", difftest.Canonical(content.BigInt(n))[:len(difftest.Canonical(content.BigInt(n)))-1]}
	case 7:
		return math.Copysign(0, -1), []any{"number", "-0"}
	case 8:
		if r.IntN(2) == 0 {
			return math.NaN(), []any{"number", "NaN"}
		}
		return math.Inf(1), []any{"number", "Infinity"}
	case 9:
		return []byte{1, 2, 255}, []any{"bytes", []int{1, 2, 255}}
	case 10:
		list, toldList := []any{}, []any{}
		for range r.IntN(4) {
			v, told := r.value(depth + 1)
			list, toldList = append(list, v), append(toldList, told)
		}
		return list, []any{"list", toldList}
	default:
		object, toldObject := map[string]any{}, map[string]any{}
		for range r.IntN(4) {
			key := pick(r.Rand, "", "a", "z", "é", "ÿ", "😀")
			object[key], toldObject[key] = r.value(depth + 1)
		}
		return object, []any{"object", toldObject}
	}
}

// shared returns a new shared type with something in it.
func (r *editor) shared(depth int) (v, told any) {
	switch r.IntN(4) {
	case 0:
		s := pick(r.Rand, "", r.word())
		return content.NewText(s), []any{"text", s}
	case 1:
		list, told := r.elements(depth + 1)
		return content.NewArray(list), []any{"array", told}
	case 2:
		values, told := r.entries(depth + 1)
		return content.NewMap(values), []any{"map", told}
	default:
		return r.node(depth)
	}
}

// node returns a new XML node.
func (r *editor) node(depth int) (v, told any) {
	switch kind := r.IntN(4); {
	case kind == 0:
		s := pick(r.Rand, "", r.word())
		return content.NewXMLText(s), []any{"xmltext", s}
	case kind == 1:
		values, told := r.entries(depth + 1)
		name := pick(r.Rand, "hook", "é")
		return content.NewXMLHook{Name: name, Values: values}, []any{"hook", name, told}
	case kind == 2 || depth > 2:
		name := pick(r.Rand, "p", "DIV")
		values, toldValues := r.entries(depth + 1)
		children, toldChildren := []any{}, []any{}
		for range r.IntN(3) * max(0, 2-depth) {
			child, told := r.node(depth + 1)
			children, toldChildren = append(children, child), append(toldChildren, told)
		}
		return content.NewXMLElement{Name: name, Attributes: values, Children: children}, []any{"element", name, toldValues, toldChildren}
	default:
		child, told := r.node(depth + 1)
		return content.NewXMLFragment{child}, []any{"fragment", []any{told}}
	}
}

// element returns something for an array. Yjs refuses undefined, bigint and (here)
// infinite numbers there.
func (r *editor) element(depth int) (v, told any) {
	switch roll := r.IntN(10); {
	case roll < 3 && depth < 3:
		return r.shared(depth)
	case roll == 3:
		return content.Subdocument{GUID: "sub", Options: map[string]any{"autoLoad": true, "gc": false}},
			[]any{"doc", "sub", map[string]any{"autoLoad": true, "gc": false}}
	}
	for {
		v, told := r.value(0)
		switch v.(type) {
		case content.Undefined, content.BigInt:
			continue
		}
		return v, told
	}
}

func (r *editor) elements(depth int) (list, told []any) {
	list, told = []any{}, []any{}
	for range r.IntN(4) {
		v, t := r.element(depth)
		list, told = append(list, v), append(told, t)
	}
	return list, told
}

func (r *editor) entries(depth int) (values, told map[string]any) {
	values, told = map[string]any{}, map[string]any{}
	for range r.IntN(4) {
		key := pick(r.Rand, "", "a", "b", "ÿ", "😀")
		values[key], told[key] = r.element(depth)
	}
	return values, told
}

// formats returns attributes for text, or nil.
func (r *editor) formats() map[string]any {
	f := map[string]any{}
	for range 1 + r.IntN(2) {
		f[pick(r.Rand, "b", "i", "color", "link", "")] = pick[any](r.Rand, true, nil, nil, "red", "blue", 1.5, map[string]any{"href": "x"}, map[string]any{"deep": map[string]any{"er": 1}}, []any{1.0}, []any{})
	}
	return f
}
