package content

import (
	"cmp"
	"iter"
	"slices"
)

// All ranges over the elements with their indices, nested types as handles. An element
// is read when its turn comes, so who ends the loop early pays for no more. The view
// mustn't be edited meanwhile; range over Values to do that.
func (a Array) All() iter.Seq2[int, any] { return a.all() }

// All ranges over the children with their indices: see Array.All.
func (x XMLFragment) All() iter.Seq2[int, any] { return x.all() }

// All ranges over the keys that have a value, in ascending order, with their values,
// nested types as handles. A value is read when its turn comes. The view mustn't be
// edited meanwhile; range over Values to do that.
func (m Map) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, k := range m.keysNow() {
			if value, ok := m.view.current(k.list); ok && !yield(k.key, value) {
				return
			}
		}
	}
}

func (h Shared) all() iter.Seq2[int, any] {
	return func(yield func(int, any) bool) {
		index := 0
		for i := h.first(); i != none; i = h.view.nodes[i].right {
			n := h.view.nodes[i]
			if n.deleted() || !n.countable() {
				continue
			}
			more := h.view.each(&n, func(value any) bool {
				index++
				return yield(index-1, value)
			})
			if !more {
				return
			}
		}
	}
}

// each calls yield with what a countable node holds, until it says false.
func (v *View) each(n *node, yield func(value any) bool) bool {
	if n.kind != kindAny && n.kind != kindJSON {
		return !slices.ContainsFunc(v.values(nil, n), func(value any) bool { return !yield(value) })
	}
	c := cursor{src: v.bytesAt(n.body)}
	for range n.length {
		var value any
		if n.kind == kindAny {
			value = c.readAny()
		} else {
			value = c.readJSON()
		}
		if !yield(value) {
			return false
		}
	}
	return true
}

// keyNow is a key that has a value, and the list of the values that it has had.
type keyNow struct {
	key  string
	list int32
}

// listsNow ranges over the lists of the keys that have a value.
func (h Shared) listsNow() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		k, v := h.find(), h.view
		if k == none {
			return
		}
		for l := v.kin[k].keys; l != none; l = v.lists[l].next {
			if !v.nodes[v.lists[l].last].deleted() && !yield(l) {
				return
			}
		}
	}
}

// keysNow returns the keys that have a value, in ascending order.
func (h Shared) keysNow() []keyNow {
	var keys []keyNow
	for l := range h.listsNow() {
		keys = append(keys, keyNow{string(h.view.keyOf(l)), l})
	}
	slices.SortFunc(keys, func(a, b keyNow) int { return cmp.Compare(a.key, b.key) })
	return keys
}
