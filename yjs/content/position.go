package content

import (
	"encoding/json"
	"math"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Position is a place in a sequence that moves with what is around it: a caret
// stays where it is in the text while others type before it. (Yjs calls it a
// relative position.) It is one of three:
//
//	Item  right before that unit; with Assoc < 0, right after it
//	Type  the end of a nested type; with Assoc < 0, its beginning
//	Root  the end of a root type; with Assoc < 0, its beginning
//
// In bytes, as Yjs' encodeRelativePosition writes it:
//
//	position = ( 0 varUint(client) varUint(clock) | 1 varString(root) | 2 varUint(client) varUint(clock) ) varInt(assoc)
type Position struct {
	Item, Type *yjs.ID
	Root       *string
	Assoc      int // below 0 if it belongs to what is before it; within 2^53-1 of 0
}

// Equal reports whether two positions are the same one.
func (p Position) Equal(q Position) bool {
	return same(p.Item, q.Item) && same(p.Type, q.Type) && same(p.Root, q.Root) && p.Assoc == q.Assoc
}

func same[T comparable](p, q *T) bool { return p == q || p != nil && q != nil && *p == *q }

// Position returns the place before the unit at an index, 0 <= index <= Len. With
// assoc < 0 it stays with the unit before it, otherwise with the one behind.
func (h Shared) Position(index, assoc int) (Position, error) {
	v := h.view
	p := Position{Assoc: assoc}
	if v == nil {
		return p, outOfRange("a type in no view")
	}
	at, ok := v.seekAgain(h.seq(), index)
	if index < 0 || !ok {
		return p, outOfRange("index %d of %d", index, h.Len())
	}
	switch {
	case assoc < 0 && index > 0:
		// at is behind the last unit before the place, or behind deleted ones.
		last := at.left
		if at.inside > 0 {
			last = at.right
		}
		id := v.idAt(last, v.nodes[last].length-1)
		if at.inside > 0 {
			id = v.idAt(last, at.inside-1)
		}
		p.Item = &id
	case assoc >= 0 && v.nextCounted(&at):
		id := v.idAt(at.right, at.inside)
		p.Item = &id
	default:
		h.place(&p)
	}
	return p, nil
}

// seekAgain is seek without moving the finger, so that many may call it at once.
func (v *View) seekAgain(l int32, index int) (spot, bool) {
	w := View{nodes: v.nodes, lists: v.lists, finger: finger{list: none}}
	return w.seek(l, max(index, 0))
}

// nextCounted moves a place to before the next unit that counts, if there is one.
func (v *View) nextCounted(at *spot) bool {
	for at.right != none && !v.counts(at.right) {
		*at = spot{at.right, v.nodes[at.right].right, 0}
	}
	return at.right != none
}

// idAt returns the ID of a unit of a node.
func (v *View) idAt(i int32, unit uint32) yjs.ID {
	n := &v.nodes[i]
	return yjs.ID{Client: v.clients[n.client].id, Clock: uint64(n.clock + unit)}
}

// place makes a position one in the type, at its end or its beginning.
func (h Shared) place(p *Position) {
	kin := h.find()
	if kin == none || h.view.kin[kin].node == none {
		name := h.name
		p.Root = &name
		return
	}
	id := h.view.idAt(h.view.kin[kin].node, 0)
	p.Type = &id
}

// Place is where a position is now.
type Place struct {
	// Type is the shared type that it is in. A root has the name Root instead: what
	// it is, its reader knows.
	Type  any
	Root  string
	Index int // in the type's sequence
}

// Resolve returns where a position is now. ok is false if what it refers to isn't
// here, or no longer.
func (v *View) Resolve(p Position) (at Place, ok bool) {
	switch {
	case p.Item != nil:
		return v.resolveItem(*p.Item, p.Assoc)
	case p.Root != nil:
		at.Root = *p.Root
		if p.Assoc >= 0 {
			at.Index = v.root(at.Root).Len()
		}
		return at, true
	case p.Type == nil:
		return at, false
	}
	i, ok := v.lookup(*p.Type)
	if !ok || v.nodes[i].kind != kindType || v.kin[v.nodes[i].size].dead {
		return at, false
	}
	h := Shared{view: v, kin: int32(v.nodes[i].size)}
	at.Type = v.handleOf(h.kin)
	if p.Assoc >= 0 {
		at.Index = h.Len()
	}
	return at, true
}

func (v *View) resolveItem(unit yjs.ID, assoc int) (at Place, ok bool) {
	i, ok := v.lookup(unit)
	if !ok || v.nodes[i].list == none {
		return at, false
	}
	kin := v.lists[v.nodes[i].list].kin
	if v.kin[kin].dead {
		return at, false
	}
	if v.kin[kin].node == none {
		at.Root = v.nameOf(kin)
	} else {
		at.Type = v.handleOf(kin)
	}
	if v.counts(i) {
		at.Index = int(unit.Clock) - int(v.nodes[i].clock)
		if assoc < 0 {
			at.Index++
		}
	}
	for i = v.nodes[i].left; i != none; i = v.nodes[i].left {
		if v.counts(i) {
			at.Index += int(v.nodes[i].length)
		}
	}
	return at, true
}

// lookup returns the node that holds a unit, if the unit is here.
func (v *View) lookup(unit yjs.ID) (int32, bool) {
	author, ok := v.byID[unit.Client]
	if !ok || unit.Clock >= uint64(v.clients[author].end) {
		return none, false
	}
	return v.find(id{author, uint32(unit.Clock)}), true
}

// Append appends the position as bytes. A position that is none of the three
// appends nothing. Numbers must be at most 2^53-1, and a root's name UTF-8.
func (p Position) Append(dst []byte) []byte {
	switch {
	case p.Item != nil:
		dst = appendUnit(append(dst, 0), *p.Item)
	case p.Root != nil:
		dst = lib0.AppendVarString(append(dst, 1), *p.Root)
	case p.Type != nil:
		dst = appendUnit(append(dst, 2), *p.Type)
	default:
		return dst
	}
	return lib0.AppendVarInt(dst, uint64(max(p.Assoc, -p.Assoc)), p.Assoc < 0)
}

func appendUnit(dst []byte, unit yjs.ID) []byte {
	return lib0.AppendVarUint(lib0.AppendVarUint(dst, unit.Client), unit.Clock)
}

// ParsePosition reads a position to its last byte. Older ones end before assoc. The
// error is yjs.ErrMalformed.
func ParsePosition(src []byte) (p Position, err error) {
	r := strict{src: src}
	switch kind := r.uvarint(); kind {
	case 0:
		p.Item = &yjs.ID{Client: r.uvarint(), Clock: r.uvarint()}
	case 1:
		name, rest, err := lib0.VarString(r.src)
		if err != nil {
			r.failf("%v", err)
		} else {
			s := string(name)
			p.Root, r.src = &s, rest
		}
	case 2:
		p.Type = &yjs.ID{Client: r.uvarint(), Clock: r.uvarint()}
	default:
		r.failf("position of kind %d: want 0, 1 or 2", kind)
	}
	if r.err == nil && len(r.src) > 0 {
		magnitude, negative, rest, err := lib0.VarInt(r.src)
		switch {
		case err != nil:
			r.failf("%v", err)
		case len(rest) > 0:
			r.failf("bytes after the end")
		}
		p.Assoc = int(min(magnitude, math.MaxInt)) // all that counts is its sign
		if negative {
			p.Assoc = -p.Assoc
		}
	}
	if r.err != nil {
		return Position{}, r.err
	}
	return p, nil
}

// jsonPosition is what Yjs' relativePositionToJSON makes, as presence carries it.
type jsonPosition struct {
	Type  *jsonUnit `json:"type,omitempty"`
	Root  *string   `json:"tname,omitempty"`
	Item  *jsonUnit `json:"item,omitempty"`
	Assoc int       `json:"assoc"`
}

type jsonUnit struct {
	Client uint64 `json:"client"`
	Clock  uint64 `json:"clock"`
}

// MarshalJSON writes the position as Yjs does.
func (p Position) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonPosition{(*jsonUnit)(p.Type), p.Root, (*jsonUnit)(p.Item), p.Assoc})
}

// UnmarshalJSON reads a position as Yjs writes it. What a JSON position says of the
// type beside the item isn't needed, and left out. The error is yjs.ErrMalformed if
// the text isn't one, or has a number beyond 2^53-1. As encoding/json wants it, null
// changes nothing.
func (p *Position) UnmarshalJSON(src []byte) error {
	if string(src) == "null" {
		return nil
	}
	var j jsonPosition
	if err := json.Unmarshal(src, &j); err != nil {
		return malformed("position: %v", err)
	}
	for _, unit := range []*jsonUnit{j.Item, j.Type} {
		if unit != nil && max(unit.Client, unit.Clock) > lib0.MaxSafeInteger {
			return malformed("position: client %d, clock %d; want at most 2^53-1", unit.Client, unit.Clock)
		}
	}
	if assoc := int64(j.Assoc); max(assoc, -assoc) > lib0.MaxSafeInteger || assoc == math.MinInt64 {
		return malformed("position: assoc is %d; want it within 2^53-1 of 0", assoc)
	}
	if j.Item != nil {
		j.Type, j.Root = nil, nil
	}
	*p = Position{(*yjs.ID)(j.Item), (*yjs.ID)(j.Type), j.Root, j.Assoc}
	return nil
}
