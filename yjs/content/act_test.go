package content_test

import (
	"maps"
	"strings"
	"unicode/utf16"

	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/ecma"
)

// target is a type that can be edited, and the way to it.
type target struct {
	root root
	path []any
	kind any
}

// targets lists a root and what is nested in it.
func (r *editor) target() target {
	t := target{root: pick(r.Rand, natural...), path: []any{}}
	switch t.root[1] {
	case "text":
		t.kind = r.view.Text(t.root[0])
	case "array":
		t.kind = r.view.Array(t.root[0])
	case "map":
		t.kind = r.view.Map(t.root[0])
	default:
		t.kind = r.view.XMLFragment(t.root[0])
	}
	for range 3 {
		if r.IntN(3) == 0 {
			break
		}
		step, kind := r.child(t.kind)
		if kind == nil {
			break
		}
		t.path, t.kind = append(t.path, step), kind
	}
	return t
}

// child returns a shared type right in another one, and what leads there.
func (r *editor) child(of any) (step, child any) {
	children := map[any]any{}
	list := func(values []any) {
		for i, v := range values {
			children[i] = v
		}
	}
	keyed := func(values map[string]any) {
		for _, k := range ecma.SortedKeys(values) {
			children[k] = values[k]
		}
	}
	switch t := of.(type) {
	case content.Array:
		list(t.Values())
	case content.XMLElement:
		list(t.Children())
	case content.XMLFragment:
		list(t.Children())
	case content.Map:
		keyed(t.Values())
	case content.XMLHook:
		keyed(t.Values())
	}
	steps := []any{}
	for _, step := range sortedSteps(children) {
		switch children[step].(type) {
		case content.Text, content.Array, content.Map, content.XMLFragment, content.XMLElement, content.XMLText, content.XMLHook:
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		return nil, nil
	}
	step = pick(r.Rand, steps...)
	return step, children[step]
}

func sortedSteps(children map[any]any) []any {
	steps := make([]any, 0, len(children))
	for i := range len(children) {
		if _, ok := children[i]; ok {
			steps = append(steps, i)
		}
	}
	names := map[string]any{}
	for step := range maps.Keys(children) {
		if s, ok := step.(string); ok {
			names[s] = nil
		}
	}
	for _, k := range ecma.SortedKeys(names) {
		steps = append(steps, k)
	}
	return steps
}

// act changes something and returns what, or nil if there is nothing to change.
func (r *editor) act() (action, error) {
	t := r.target()
	a := action{"root": t.root, "path": t.path}
	var err error
	switch kind := t.kind.(type) {
	case content.Text:
		err = r.text(kind, a)
	case content.XMLText:
		err = r.text(kind.Text, a)
	case content.Array:
		err = r.array(kind, a)
	case content.Map:
		err = r.keyed(kind, a)
	case content.XMLHook:
		err = r.keyed(kind.Map, a)
	case content.XMLElement:
		if r.IntN(2) == 0 {
			err = r.attribute(kind, a)
		} else {
			err = r.fragment(kind.XMLFragment, a)
		}
	case content.XMLFragment:
		err = r.fragment(kind, a)
	}
	if a["do"] == nil {
		return nil, err
	}
	return a, err
}

func (r *editor) text(t content.Text, a action) error {
	index := r.IntN(t.Len() + 1)
	left := t.Len() - index
	switch roll := r.IntN(10); {
	case roll < 3:
		text := r.word()
		a["do"], a["index"], a["text"] = "insert", index, text
		var formats map[string]any
		if r.IntN(2) == 0 {
			formats = r.formats()
			a["formats"] = formats
		}
		return t.Insert(r.edit, index, text, formats)
	case roll < 4:
		v, told := r.embed()
		formats := r.formats()
		a["do"], a["index"], a["value"], a["formats"] = "embed", index, told, formats
		return t.InsertEmbed(r.edit, index, v, formats)
	case roll < 6 && left > 0:
		index = outside(t, index)
		length := outside(t, index+1+r.IntN(left)) - index
		if length == left {
			length += r.IntN(3) // beyond the end
		}
		formats := r.formats()
		a["do"], a["index"], a["length"], a["formats"] = "format", index, length, formats
		return t.Format(r.edit, index, length, formats)
	case roll < 8 && left > 0:
		length := 1 + r.IntN(left)
		a["do"], a["index"], a["length"] = "remove", index, length
		return t.Delete(r.edit, index, length)
	case roll < 9:
		return r.delta(t, a)
	case r.IntN(2) == 0:
		a["do"], a["key"], a["value"] = "attribute", "k", "v"
		return t.SetAttribute(r.edit, "k", "v")
	default:
		a["do"] = "tidy"
		_, err := t.Tidy(r.edit)
		return err
	}
}

// outside returns an index that isn't inside a surrogate pair, or one less. Where
// nothing becomes of a cut, other replicas don't learn of it.
func outside(t content.Text, index int) int {
	at := 0
	for _, op := range t.Delta() {
		s, ok := op.Insert.(string)
		if !ok {
			at++
			continue
		}
		for _, r := range s {
			at += utf16.RuneLen(r)
			if at == index+1 && r > 0xffff {
				return index - 1
			}
		}
	}
	return index
}

func (r *editor) embed() (v, told any) {
	if r.IntN(3) == 0 {
		return r.shared(1)
	}
	object := map[string]any{"image": r.word(), "list": []any{1.5, nil, true}}
	return object, object
}

func (r *editor) delta(t content.Text, a action) error {
	var delta []content.Op
	told := []any{}
	left := t.Len()
	cut := strings.ContainsAny(t.String(), "😀𝒳👩👧") // retain might cut one
	for range 1 + r.IntN(4) {
		switch roll := r.IntN(4); {
		case roll == 0 && left > 0:
			n := 1 + r.IntN(left)
			left -= n
			delta = append(delta, content.Op{Delete: n})
			told = append(told, map[string]any{"delete": n})
		case roll == 1 && left > 0:
			n := 1 + r.IntN(left)
			if cut {
				continue
			}
			left -= n
			op := content.Op{Retain: n}
			if r.IntN(2) == 0 {
				op.Attributes = r.formats()
			}
			delta = append(delta, op)
			told = append(told, op)
		default:
			op := content.Op{Insert: r.word(), Attributes: r.formats()}
			toldOp := map[string]any{"insert": op.Insert, "attributes": op.Attributes}
			if r.IntN(4) == 0 {
				op.Insert, toldOp["insert"] = r.embed()
			}
			delta = append(delta, op)
			told = append(told, toldOp)
		}
	}
	a["do"], a["delta"] = "delta", told
	return t.ApplyDelta(r.edit, delta)
}

func (r *editor) array(t content.Array, a action) error {
	n := t.Len()
	switch roll := r.IntN(5); {
	case roll < 2:
		values, told := r.elements(0)
		a["do"], a["index"], a["values"] = "put", r.IntN(n+1), told
		return t.Insert(r.edit, a["index"].(int), values...)
	case roll < 3:
		values, told := r.elements(0)
		a["do"], a["values"] = "push", told
		return t.Push(r.edit, values...)
	case n > 0:
		index := r.IntN(n)
		length := 1 + r.IntN(n-index)
		a["do"], a["index"], a["length"] = "remove", index, length
		return t.Delete(r.edit, index, length)
	}
	return nil
}

func (r *editor) keyed(t content.Map, a action) error {
	key := pick(r.Rand, "", "a", "b", "c", "ключ", "new")
	a["key"] = key
	if r.IntN(4) == 0 {
		a["do"] = "unset"
		return t.Delete(r.edit, key)
	}
	v, told := r.element(0)
	if r.IntN(4) == 0 {
		v, told = pick[any](r.Rand, content.Undefined{}, content.BigInt(-5)), []any{"undefined"}
		if v == content.BigInt(-5) {
			told = []any{"bigint", "-5"}
		}
	}
	a["do"], a["value"] = "set", told
	return t.Set(r.edit, key, v)
}

func (r *editor) attribute(t content.XMLElement, a action) error {
	key := pick(r.Rand, "id", "class", "")
	a["key"] = key
	if r.IntN(3) == 0 {
		a["do"] = "unattribute"
		return t.RemoveAttribute(r.edit, key)
	}
	a["do"], a["value"] = "attribute", r.word()
	return t.SetAttribute(r.edit, key, a["value"])
}

func (r *editor) fragment(t content.XMLFragment, a action) error {
	n := t.Len()
	if r.IntN(3) > 0 || n == 0 {
		node, told := r.node(0)
		a["do"], a["index"], a["values"] = "put", r.IntN(n+1), []any{told}
		return t.Insert(r.edit, a["index"].(int), node)
	}
	index := r.IntN(n)
	length := 1 + r.IntN(n-index)
	a["do"], a["index"], a["length"] = "remove", index, length
	return t.Delete(r.edit, index, length)
}
