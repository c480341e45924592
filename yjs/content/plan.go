package content

import (
	"github.com/fjord-sync/fjord/yjs/internal/ecma"
	"github.com/fjord-sync/fjord/yjs/internal/units"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// What is put into a document becomes a shared type if it is one of the following,
// with what is in it, and else a value. A shared type is read and changed later by
// the handle that the view returns for its place.

// NewText makes a text.
type NewText string

// NewArray makes an array.
type NewArray []any

// NewMap makes a map.
type NewMap map[string]any

// NewXMLFragment makes an XML fragment: see XMLFragment.Insert.
type NewXMLFragment []any

// NewXMLElement makes an XML element. Without a name it is UNDEFINED, as in Yjs.
// Children are as for XMLFragment.Insert.
type NewXMLElement struct {
	Name       string
	Attributes map[string]any
	Children   []any
}

// NewXMLText makes an XML text.
type NewXMLText string

// NewXMLHook makes an XML hook.
type NewXMLHook struct {
	Name   string
	Values map[string]any
}

// planned is a struct that is about to be made: everything about it is known to be
// possible.
type planned struct {
	kind   byte
	length uint32
	body   []byte
	// What is in a type: a sequence, then keys. (Maps come first in none.)
	inner []planned
	keys  []string
	named []planned
}

// plan plans a sequence of values. Those that aren't types, bytes or subdocuments
// go together into one struct, as Yjs packs them.
func plan(values []any, depth int) ([]planned, error) {
	var all []planned
	for _, value := range values {
		p, err := planOne(value, depth)
		if err != nil {
			return nil, err
		}
		if last := len(all) - 1; last >= 0 && p.kind == kindAny && all[last].kind == kindAny {
			all[last].length++
			all[last].body = append(all[last].body, p.body...)
			continue
		}
		all = append(all, p)
	}
	return all, nil
}

// planOne plans a value inside types nested so deep.
func planOne(value any, depth int) (p planned, err error) {
	p.length = 1
	switch value := value.(type) {
	case []byte:
		p.kind = kindBinary
		p.body = lib0.AppendVarBytes(nil, value)
	case Subdocument:
		p.kind = kindDoc
		p.body, err = appendAny(lib0.AppendVarString(nil, ecma.WellFormed(value.GUID)), value.object())
	case NewText, NewArray, NewMap, NewXMLFragment, NewXMLElement, NewXMLText, NewXMLHook:
		return planType(value, depth+1)
	default:
		p.kind = kindAny
		p.body, err = appendAny(nil, value)
	}
	return p, err
}

func planType(value any, depth int) (p planned, err error) {
	if depth > MaxNesting {
		return p, badValue("types nest deeper than %d", MaxNesting)
	}
	p = planned{kind: kindType, length: 1}
	var sequence []any
	var keyed map[string]any
	switch value := value.(type) {
	case NewText:
		p.body = []byte{typeText}
		p.inner = planText(string(value))
	case NewXMLText:
		p.body = []byte{typeXMLText}
		p.inner = planText(string(value))
	case NewArray:
		p.body, sequence = []byte{typeArray}, value
	case NewXMLFragment:
		p.body, sequence = []byte{typeXMLFragment}, value
	case NewMap:
		p.body, keyed = []byte{typeMap}, value
	case NewXMLHook:
		p.body, keyed = lib0.AppendVarString([]byte{typeXMLHook}, ecma.WellFormed(value.Name)), value.Values
	case NewXMLElement:
		name := value.Name
		if name == "" {
			name = undefinedName
		}
		p.body = lib0.AppendVarString([]byte{typeXMLElement}, ecma.WellFormed(name))
		sequence, keyed = value.Children, value.Attributes
	}
	if p.body[0] == typeXMLFragment || p.body[0] == typeXMLElement {
		if err := checkNodes(sequence); err != nil {
			return p, err
		}
	}
	if sequence != nil {
		if p.inner, err = plan(sequence, depth); err != nil {
			return p, err
		}
	}
	for _, key := range ecma.SortedKeys(keyed) {
		q, err := planOne(keyed[key], depth)
		if err != nil {
			return p, err
		}
		p.keys, p.named = append(p.keys, ecma.WellFormed(key)), append(p.named, q)
	}
	return p, nil
}

// checkNodes refuses what isn't XML among nodes. Of null there, Yjs can't make text.
func checkNodes(nodes []any) error {
	for _, node := range nodes {
		switch node.(type) {
		case NewXMLElement, NewXMLText, NewXMLFragment, NewXMLHook:
		default:
			return badValue("a %T among XML nodes; want NewXMLElement, NewXMLText, NewXMLFragment or NewXMLHook", node)
		}
	}
	return nil
}

// planText plans a text that isn't empty, or nothing.
func planText(s string) []planned {
	if s == "" {
		return nil
	}
	s = ecma.WellFormed(s)
	return []planned{{kind: kindString, length: uint32(units.Count([]byte(s))), body: []byte(s)}}
}

// keyRoom is the most bytes that the length of a key takes.
const keyRoom = 8

// size returns a bound on the bytes and units that a plan adds to a view.
func size(all []planned) int {
	n := 0
	for i := range all {
		p := &all[i]
		n += int(p.length) + len(p.body) + size(p.inner) + size(p.named)
		for _, key := range p.keys {
			n += len(key) + keyRoom
		}
	}
	return n
}

// carryOut makes planned structs between two neighbours of a list and returns the
// last one's node.
func (e *Edit) carryOut(all []planned, l, left, right int32) int32 {
	for i := range all {
		p := &all[i]
		left = e.make(l, left, right, p.kind, p.length, p.body)
		if p.kind != kindType {
			continue
		}
		kin := int32(e.view.nodes[left].size)
		if len(p.inner) > 0 {
			e.carryOut(p.inner, e.view.sequence(kin), none, none)
		}
		for k, key := range p.keys {
			e.set(kin, key, p.named[k:k+1])
		}
	}
	return left
}

// set makes a planned value the value of a key.
func (e *Edit) set(kin int32, key string, value []planned) {
	v := e.view
	l := v.keys.find(v, kin, []byte(key))
	if l == none {
		l = v.keyed(kin, v.keep(lib0.AppendVarString(nil, key)), []byte(key))
	}
	last := v.lists[l].last
	e.carryOut(value, l, last, none)
	if last != none {
		e.delete(last)
	}
}
