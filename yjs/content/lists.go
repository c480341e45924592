package content

import "github.com/fjord-sync/fjord/yjs/internal/ecma"

// finger is a place in a sequence from which near indices are found without going
// through all nodes before: count units that count stand before node.
type finger struct{ list, node, count int32 }

// drop lets go of a place that isn't before an index.
func (f *finger) drop(l int32, index int) {
	if f.list == l && int(f.count) >= index {
		f.list = none
	}
}

// spot is a place in a list: between two nodes, either of which may be none, or
// inside the right one if units of that come before it.
type spot struct {
	left, right int32
	inside      uint32
}

// seek returns the place in list l, none meaning an empty one, that index units
// precede. It is behind the last of them: deleted nodes there are on the right, as
// when Yjs counts from the beginning. ok is false if the list is shorter.
func (v *View) seek(l int32, index int) (at spot, ok bool) {
	if l == none {
		return spot{none, none, 0}, index == 0
	}
	at = spot{none, v.lists[l].first, 0}
	before := 0
	if f := v.finger; f.list == l && int(f.count) <= index {
		at = spot{v.nodes[f.node].left, f.node, 0}
		before = int(f.count)
		for index == before && at.left != none && !v.counts(at.left) {
			at = spot{v.nodes[at.left].left, at.left, 0}
		}
	}
	// What comes next changes something at the index or behind it, and would move a
	// finger that isn't before it.
	v.finger.drop(l, index)
	if index > 0 && index == before && at.left != none {
		v.finger = finger{l, at.left, int32(index) - int32(v.nodes[at.left].length)}
	}
	for before < index && at.right != none {
		n := &v.nodes[at.right]
		if v.counts(at.right) {
			v.finger = finger{l, at.right, int32(before)}
			if int(n.length) > index-before {
				at.inside = uint32(index - before)
				return at, true
			}
			before += int(n.length)
		}
		at = spot{at.right, n.right, 0}
	}
	return at, before == index
}

// counts reports whether a node counts in the length of its type now.
func (v *View) counts(i int32) bool {
	n := &v.nodes[i]
	return !n.deleted() && n.countable()
}

// holds reports whether so many units follow a place.
func (v *View) holds(at spot, length int) bool {
	inside := int(at.inside)
	for i := at.right; i != none && length > 0; i = v.nodes[i].right {
		if v.counts(i) {
			length -= int(v.nodes[i].length) - inside
			inside = 0
		}
	}
	return length <= 0
}

// part cuts the node that a place is in and returns the nodes on both sides.
func (v *View) part(at spot) (left, right int32) {
	if at.inside == 0 {
		return at.left, at.right
	}
	return at.right, v.cutAt(at.right, at.inside)
}

// seq returns the list of a handle's sequence, or none if it has none.
func (h Shared) seq() int32 {
	if kin := h.find(); kin != none {
		return h.view.kin[kin].seq
	}
	return none
}

// nesting returns how deep a handle's type is nested.
func (h Shared) nesting() int {
	depth, kin := 0, h.find()
	if kin == none {
		return 0
	}
	v := h.view
	for n := v.kin[kin].node; n != none; n = v.kin[kin].node {
		kin = v.lists[v.nodes[n].list].kin
		depth++
	}
	return depth
}

// at finds a place that so many units follow, and checks that the type may be
// edited.
func (h Shared) at(e *Edit, index, length int) (at spot, err error) {
	if err := e.check(h); err != nil {
		return at, err
	}
	at, ok := h.view.seek(h.seq(), max(index, 0))
	if !ok || index < 0 || length < 0 || !h.view.holds(at, length) {
		return at, outOfRange("from %d on, %d long, of %d", index, length, h.Len())
	}
	return at, nil
}

// insertValues inserts values into the sequence of a type.
func (h Shared) insertValues(e *Edit, index int, values []any) error {
	at, err := h.at(e, index, 0)
	if err != nil {
		return err
	}
	all, err := h.plan(e, values)
	if err != nil {
		return err
	}
	l := e.sequence(h)
	left, right := h.view.part(at)
	e.carryOut(all, l, left, right)
	return nil
}

// plan plans values in a type and checks that there is room for them.
func (h Shared) plan(e *Edit, values []any) ([]planned, error) {
	all, err := plan(values, h.nesting())
	if err != nil {
		return nil, err
	}
	return all, e.room(size(all))
}

// deleteRange deletes elements of the sequence.
func (h Shared) deleteRange(e *Edit, index, length int) error {
	at, err := h.at(e, index, length)
	if err != nil {
		return err
	}
	v := h.view
	_, i := v.part(at)
	for ; length > 0; i = v.nodes[i].right {
		if v.nodes[i].deleted() {
			continue
		}
		if length < int(v.nodes[i].length) {
			v.cutAt(i, uint32(length))
		}
		length -= int(v.nodes[i].length)
		e.delete(i)
	}
	return nil
}

// setValue sets a key of a type.
func (h Shared) setValue(e *Edit, key string, value any) error {
	if err := e.check(h); err != nil {
		return err
	}
	all, err := h.plan(e, []any{value})
	if err != nil {
		return err
	}
	key = ecma.WellFormed(key)
	if err := e.room(size(all) + len(key) + keyRoom); err != nil {
		return err
	}
	e.set(e.kinOf(h), key, all)
	return nil
}

// deleteKey deletes the value of a key, if it has one.
func (h Shared) deleteKey(e *Edit, key string) error {
	if err := e.check(h); err != nil {
		return err
	}
	if kin := h.find(); kin != none {
		if l := h.view.keys.find(h.view, kin, []byte(ecma.WellFormed(key))); l != none {
			e.delete(h.view.lists[l].last)
		}
	}
	return nil
}

// Insert puts values before the element at an index, 0 <= index <= Len: null,
// undefined, booleans, numbers, strings, []any and map[string]any of them, []byte,
// Subdocument, or a new shared type (NewText ...).
func (a Array) Insert(e *Edit, index int, values ...any) error {
	return a.insertValues(e, index, values)
}

// Push puts values behind all others, also behind those that are deleted.
func (a Array) Push(e *Edit, values ...any) error {
	if err := e.check(a.Shared); err != nil {
		return err
	}
	all, err := a.plan(e, values)
	if err != nil {
		return err
	}
	l := e.sequence(a.Shared)
	e.carryOut(all, l, a.view.lists[l].last, none)
	return nil
}

// Delete deletes elements from an index on, 0 <= index, index+length <= Len.
func (a Array) Delete(e *Edit, index, length int) error { return a.deleteRange(e, index, length) }

// Set gives a key a value: see Array.Insert for which. Any string is a key; what isn't
// UTF-8 in it becomes U+FFFD.
func (m Map) Set(e *Edit, key string, value any) error { return m.setValue(e, key, value) }

// Delete takes a key's value away, if it has one.
func (m Map) Delete(e *Edit, key string) error { return m.deleteKey(e, key) }

// Insert puts nodes before the child at an index, 0 <= index <= Len: NewXMLElement,
// NewXMLText, NewXMLFragment or NewXMLHook.
func (x XMLFragment) Insert(e *Edit, index int, nodes ...any) error {
	if err := checkNodes(nodes); err != nil {
		return err
	}
	return x.insertValues(e, index, nodes)
}

// Delete deletes children from an index on, 0 <= index, index+length <= Len.
func (x XMLFragment) Delete(e *Edit, index, length int) error {
	return x.deleteRange(e, index, length)
}

// SetAttribute gives an attribute a value, a string as a rule: see Array.Insert for what
// else can be stored.
func (x XMLElement) SetAttribute(e *Edit, name string, value any) error {
	return x.setValue(e, name, value)
}

// RemoveAttribute takes an attribute away, if it is there.
func (x XMLElement) RemoveAttribute(e *Edit, name string) error { return x.deleteKey(e, name) }
