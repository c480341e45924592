package yjstest

import (
	"slices"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// The info bytes of string structs with the links that they have.
const (
	infoDeleted = 1
	infoString  = 4
	infoRight   = 0x40
	infoOrigin  = 0x80
)

// Updates returns what a client that makes the edits on the root text of a name
// sends: one version 1 update per edit.
func Updates(client uint64, name string, edits []Edit) [][]byte {
	t := typist{client: client, name: name}
	updates := make([][]byte, len(edits))
	for i, e := range edits {
		updates[i] = t.edit(e)
	}
	return updates
}

// typist is one author of one text.
type typist struct {
	client uint64
	name   string
	clock  uint32
	text   sequence
}

func (t *typist) edit(e Edit) []byte {
	var removed []uint32
	t.text.remove(e.Position, e.Deleted, func(id uint32) { removed = append(removed, id) })
	var dst []byte
	if e.Inserted == "" {
		dst = append(dst, 0)
	} else {
		dst = t.appendInsert(dst, e)
	}
	return t.appendDeletes(dst, removed)
}

func (t *typist) appendInsert(dst []byte, e Edit) []byte {
	left, right := t.text.neighbours(e.Position)
	dst = append(dst, 1, 1)
	dst = lib0.AppendVarUint(dst, t.client)
	dst = lib0.AppendVarUint(dst, uint64(t.clock))
	info := byte(infoString)
	if left != nil {
		info |= infoOrigin
	}
	if right != nil {
		info |= infoRight
	}
	dst = append(dst, info)
	for _, c := range []*char{left, right} {
		if c != nil {
			dst = lib0.AppendVarUint(dst, t.client)
			dst = lib0.AppendVarUint(dst, uint64(c.id))
		}
	}
	if left == nil && right == nil {
		dst = append(dst, 1)
		dst = lib0.AppendVarString(dst, t.name)
	}
	for i := range e.Inserted {
		t.text.insert(e.Position+i, char{id: t.clock, letter: e.Inserted[i]})
		t.clock++
	}
	return lib0.AppendVarString(dst, e.Inserted)
}

func (t *typist) appendDeletes(dst []byte, removed []uint32) []byte {
	if len(removed) == 0 {
		return append(dst, 0)
	}
	slices.Sort(removed)
	var ranges [][2]uint32
	for _, id := range removed {
		if n := len(ranges); n > 0 && ranges[n-1][0]+ranges[n-1][1] == id {
			ranges[n-1][1]++
		} else {
			ranges = append(ranges, [2]uint32{id, 1})
		}
	}
	dst = append(dst, 1)
	dst = lib0.AppendVarUint(dst, t.client)
	dst = lib0.AppendVarUint(dst, uint64(len(ranges)))
	for _, r := range ranges {
		dst = lib0.AppendVarUint(dst, uint64(r[0]))
		dst = lib0.AppendVarUint(dst, uint64(r[1]))
	}
	return dst
}
