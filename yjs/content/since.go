package content

import (
	"maps"
	"slices"
)

// What has changed since a snapshot needs no second view: each unit was there then
// or not, and is there now or not.
//
//	then   now
//	 -      x    inserted
//	 x      x    retained, with other formats perhaps
//	 x      -    deleted
//
// For what was deleted since, the document should have been kept whole (see
// yjs.Document.Compact): of content that was dropped it isn't known any more whether
// it was characters or marks, and it counts as characters.

// Changed is a shared type that isn't any more what it was.
type Changed struct {
	// Root is the root that it is in, or that it is: then Type is nil, since what a
	// root is its reader knows.
	Root string
	// Path leads from the root to it: keys (string) and indices (int).
	Path []any
	Type any
}

// Changed returns the shared types whose sequence or keys have changed since a
// snapshot, outer ones first. Types that are new, or deleted, aren't among them: it
// is what they were put into that has changed. For what has changed in each see
// Text.Since, Array.Since, XMLFragment.Since and KeysSince.
func (v *View) Changed(s Snapshot) []Changed {
	m := v.moment(s)
	kins := map[int32]bool{}
	for c := range v.clients {
		v.eachOf(&v.clients[c], func(n *node) {
			if n.list == none {
				return
			}
			kin := v.lists[n.list].kin
			if kins[kin] || v.kin[kin].dead || !m.had(v, kin) {
				return
			}
			m.pieces(v, *n, func(piece node, was bool) {
				kins[kin] = kins[kin] || was == piece.deleted()
			})
		})
	}
	changed := []Changed{}
	p := paths{v, map[int32]int{}, map[int32]bool{}}
	for _, kin := range slices.Sorted(maps.Keys(kins)) {
		if !kins[kin] {
			continue
		}
		c := Changed{Path: []any{}}
		if v.kin[kin].node != none {
			c.Type = v.handleOf(kin)
		}
		c.Root, c.Path = p.to(kin)
		changed = append(changed, c)
	}
	return changed
}

// paths finds the ways to types. Counting what stands before each of them alone would
// take quadratic time where many in one list have changed.
type paths struct {
	view    *View
	index   map[int32]int // of nodes that are types
	counted map[int32]bool
}

// to returns the way from a root to a type.
func (p *paths) to(kin int32) (root string, path []any) {
	v := p.view
	path = []any{}
	for n := v.kin[kin].node; n != none; n = v.kin[kin].node {
		l := v.nodes[n].list
		kin = v.lists[l].kin
		if v.lists[l].key != noKey {
			path = append(path, string(v.keyOf(l)))
			continue
		}
		if !p.counted[l] {
			p.count(l)
		}
		path = append(path, p.index[n])
	}
	slices.Reverse(path)
	return v.nameOf(kin), path
}

// count notes where the types of a sequence are.
func (p *paths) count(l int32) {
	v := p.view
	p.counted[l] = true
	index := 0
	for i := v.lists[l].first; i != none; i = v.nodes[i].right {
		if v.nodes[i].kind == kindType {
			p.index[i] = index
		}
		if v.counts(i) {
			index += int(v.nodes[i].length)
		}
	}
}

// Since returns what has changed in the text since a snapshot: a delta that makes
// of the text as it was the text as it is. (But where only half of a surrogate pair
// was there, or is, no delta can say so.)
func (t Text) Since(s Snapshot) []Op {
	v := t.view
	w := changeWriter{deltaWriter: deltaWriter{ops: []Op{}}}
	m := v.moment(s)
	for i := t.first(); i != none; i = v.nodes[i].right {
		m.pieces(v, v.nodes[i], func(n node, was bool) {
			is := !n.deleted()
			switch {
			case !was && !is:
			case n.kind == kindFormat:
				key, value := v.format(&n)
				w.change(key, value, was, is)
			case n.kind != kindDeleted && !n.countable():
			case !is:
				w.skip(Op{Delete: int(n.length)})
			case was:
				w.skip(Op{Retain: int(n.length), Attributes: w.changed()})
			case n.kind == kindString:
				w.text = v.appendText(w.text, &n)
			case n.kind == kindType || n.kind == kindEmbed:
				w.flush()
				w.ops = append(w.ops, Op{Insert: v.single(&n), Attributes: w.attributes()})
			}
		})
	}
	return w.end()
}

// Since returns what has changed in the array since a snapshot: a delta in which
// Insert is a []any.
func (a Array) Since(s Snapshot) []Op { return a.elementsSince(s) }

// Since returns what has changed among the children since a snapshot: see
// Array.Since.
func (x XMLFragment) Since(s Snapshot) []Op { return x.elementsSince(s) }

func (h Shared) elementsSince(s Snapshot) []Op {
	v := h.view
	w := changeWriter{deltaWriter: deltaWriter{ops: []Op{}}}
	m := v.moment(s)
	for i := h.first(); i != none; i = v.nodes[i].right {
		m.pieces(v, v.nodes[i], func(n node, was bool) {
			switch is := !n.deleted(); {
			case !was && !is, n.kind != kindDeleted && !n.countable():
			case !is:
				w.skip(Op{Delete: int(n.length)})
			case was:
				w.skip(Op{Retain: int(n.length)})
			default:
				w.insert(v.values(nil, &n))
			}
		})
	}
	return w.end()
}

// KeyAction is what has happened to a key.
type KeyAction string

// What can happen to a key.
const (
	KeyAdded   KeyAction = "add"
	KeyUpdated KeyAction = "update"
	KeyDeleted KeyAction = "delete"
)

// KeyChange is what has happened to a key, and its value before: Undefined if it had
// none, or if that was dropped since.
type KeyChange struct {
	Action KeyAction
	Old    any
}

// KeysSince returns the keys that have another value than at a snapshot: of a map,
// the attributes of an element or a text.
func (h Shared) KeysSince(s Snapshot) map[string]KeyChange {
	changes := map[string]KeyChange{}
	k := h.find()
	if k == none {
		return changes
	}
	v, m := h.view, h.view.moment(s)
	for l := v.kin[k].keys; l != none; l = v.lists[l].next {
		before := none
		for i := v.lists[l].last; i != none && before == none; i = v.nodes[i].left {
			if n := &v.nodes[i]; m.at(n.client, n.end()-1) {
				before = i
			}
		}
		now := v.lists[l].last
		change := KeyChange{Old: Undefined{}}
		if before != none && v.nodes[before].countable() {
			change.Old = v.valueAt(&v.nodes[before], v.nodes[before].length-1)
		}
		switch gone := v.nodes[now].deleted(); {
		case before == none && gone, before == now && !gone:
			continue
		case before == none:
			change.Action = KeyAdded
		case gone:
			change.Action = KeyDeleted
		default:
			change.Action = KeyUpdated
		}
		changes[string(v.keyOf(l))] = change
	}
	return changes
}
