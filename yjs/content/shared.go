package content

import "github.com/fjord-sync/fjord/yjs/internal/ecma"

// Shared is a shared type in a view, as all of them have it: Text, Array, Map and
// the XML types are ways to read one. It stays good when the view is edited, also if
// the type is deleted: then it reads as empty. So does the zero value, which is in no
// view and can't be edited. Two handles are equal (==) if they are the same type in the
// same view; but a root that wasn't there when one of them was asked for isn't equal to
// itself as it is now.
type Shared struct {
	view *View
	kin  int32  // place in View.kin, or none: a root that isn't there
	name string // of a root
}

// root returns the root type of a name, which may not be there.
func (v *View) root(name string) Shared {
	name = ecma.WellFormed(name)
	kin, ok := v.roots[name]
	if !ok {
		kin = none
	}
	return Shared{v, kin, name}
}

// Text returns a root as a text. As in Yjs, a root is what its reader says it is;
// one that isn't there is empty.
func (v *View) Text(name string) Text { return Text{v.root(name)} }

// Array returns a root as an array.
func (v *View) Array(name string) Array { return Array{v.root(name)} }

// Map returns a root as a map.
func (v *View) Map(name string) Map { return Map{v.root(name)} }

// XMLFragment returns a root as an XML fragment.
func (v *View) XMLFragment(name string) XMLFragment { return XMLFragment{v.root(name)} }

// XMLElement returns a root as an XML element. Its name is UNDEFINED.
func (v *View) XMLElement(name string) XMLElement {
	return XMLElement{XMLFragment{v.root(name)}}
}

// XMLText returns a root as an XML text.
func (v *View) XMLText(name string) XMLText { return XMLText{Text{v.root(name)}} }

// XMLHook returns a root as an XML hook. It has no name.
func (v *View) XMLHook(name string) XMLHook { return XMLHook{Map{v.root(name)}} }

// handleOf returns a nested type as what it is.
func (v *View) handleOf(kin int32) any {
	h := Shared{view: v, kin: kin}
	switch v.kin[kin].kind {
	case typeArray:
		return Array{h}
	case typeMap:
		return Map{h}
	case typeText:
		return Text{h}
	case typeXMLElement:
		return XMLElement{XMLFragment{h}}
	case typeXMLFragment:
		return XMLFragment{h}
	case typeXMLHook:
		return XMLHook{Map{h}}
	default: // typeXMLText
		return XMLText{Text{h}}
	}
}

// find returns the place of the type in View.kin, or none.
func (h Shared) find() int32 {
	switch {
	case h.view == nil:
		return none
	case h.kin == none:
		return h.view.root(h.name).kin
	default:
		return h.kin
	}
}

// first returns the first node of the sequence, or none.
func (h Shared) first() int32 {
	k := h.find()
	if k == none || h.view.kin[k].seq == none {
		return none
	}
	return h.view.lists[h.view.kin[k].seq].first
}

// Len returns the length of the sequence: of a text in UTF-16 units, each embed
// counting as one; of the others in elements. It takes time linear in the nodes.
func (h Shared) Len() int {
	length := 0
	for i := h.first(); i != none; {
		n := &h.view.nodes[i]
		if !n.deleted() && n.countable() {
			length += int(n.length)
		}
		i = n.right
	}
	return length
}

// elements returns the values of the sequence.
func (h Shared) elements() []any {
	all := []any{}
	for i := h.first(); i != none; {
		n := &h.view.nodes[i]
		if !n.deleted() && n.countable() {
			all = h.view.values(all, n)
		}
		i = n.right
	}
	return all
}

// element returns the value at an index, if there is one.
func (h Shared) element(index int) (any, bool) {
	if index < 0 {
		return nil, false
	}
	for i := h.first(); i != none; {
		n := &h.view.nodes[i]
		if !n.deleted() && n.countable() {
			if index < int(n.length) {
				return h.view.valueAt(n, uint32(index)), true
			}
			index -= int(n.length)
		}
		i = n.right
	}
	return nil, false
}

// entry returns the value of a key, if it has one.
func (h Shared) entry(key string) (any, bool) {
	k := h.find()
	if k == none {
		return nil, false
	}
	l := h.view.keys.find(h.view, k, []byte(ecma.WellFormed(key)))
	if l == none {
		return nil, false
	}
	return h.view.current(l)
}

// current returns the value that a key has now.
func (v *View) current(l int32) (any, bool) {
	n := &v.nodes[v.lists[l].last]
	switch {
	case n.deleted():
		return nil, false
	case !n.countable():
		return Undefined{}, true
	}
	return v.valueAt(n, n.length-1), true
}

// entries returns the keys that have a value, and those.
func (h Shared) entries() map[string]any {
	all := map[string]any{}
	k := h.find()
	if k == none {
		return all
	}
	for l := h.view.kin[k].keys; l != none; l = h.view.lists[l].next {
		if value, ok := h.view.current(l); ok {
			all[string(h.view.keyOf(l))] = value
		}
	}
	return all
}

// toJSON is what a value is in JSON: shared types by their toJSON.
func toJSON(value any) any {
	switch value := value.(type) {
	case Text:
		return value.String()
	case XMLText:
		return value.String()
	case XMLElement:
		return value.String()
	case XMLFragment:
		return value.String()
	case Array:
		return value.JSON()
	case Map:
		return value.JSON()
	case XMLHook:
		return value.JSON()
	default:
		return value
	}
}
