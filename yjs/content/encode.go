package content

import (
	"cmp"
	"slices"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// encode returns what an edit has made and deleted as a version 1 update. As Yjs
// does at the end of a transaction, it drops the content of what was deleted, turns
// what was in deleted types into GC, and joins neighbours.
func (e *Edit) encode() []byte {
	var structs []structOut
	for _, it := range e.items {
		for k, i := range e.nodesOf(it) {
			s := e.structOf(it, i, k > 0)
			if n := len(structs); n > 0 && e.joins(&structs[n-1], &s) {
				structs[n-1].nodes = append(structs[n-1].nodes, i)
				structs[n-1].length += s.length
				continue
			}
			structs = append(structs, s)
		}
	}
	var dst []byte
	if len(structs) == 0 {
		dst = append(dst, 0)
	} else {
		dst = lib0.AppendVarUint(append(dst, 1), uint64(len(structs)))
		dst = lib0.AppendVarUint(dst, e.view.clients[e.author].id)
		dst = lib0.AppendVarUint(dst, uint64(e.first))
	}
	for i := range structs {
		dst = e.appendStruct(dst, &structs[i])
	}
	return e.appendDeletes(dst)
}

// structOut is a struct as it goes out: nodes that were joined.
type structOut struct {
	kind          byte
	origin, right id
	length        uint32
	nodes         []int32
}

func (e *Edit) structOf(it item, i int32, cut bool) structOut {
	n := &e.view.nodes[i]
	s := structOut{n.kind, it.origin, it.right, n.length, []int32{i}}
	if cut {
		s.origin = id{n.client, n.clock - 1}
	}
	switch {
	case e.view.kin[e.view.lists[n.list].kin].dead:
		s.kind = kindGC
	case n.deleted():
		s.kind = kindDeleted
	}
	return s
}

// joins reports whether a struct goes on where the one before it ends.
func (e *Edit) joins(left, right *structOut) bool {
	if left.kind != right.kind {
		return false
	}
	switch left.kind {
	case kindGC:
		return true
	case kindString, kindAny, kindDeleted:
		l, r := left.nodes[len(left.nodes)-1], right.nodes[0]
		return e.view.nodes[l].right == r && right.origin == e.view.lastID(l) && right.right == left.right
	default:
		return false
	}
}

func (e *Edit) appendStruct(dst []byte, s *structOut) []byte {
	v := e.view
	if s.kind == kindGC {
		return lib0.AppendVarUint(append(dst, kindGC), uint64(s.length))
	}
	l := &v.lists[v.nodes[s.nodes[0]].list]
	info := s.kind
	if s.origin.author != none {
		info |= infoOrigin
	}
	if s.right.author != none {
		info |= infoRight
	}
	if l.key != noKey {
		info |= infoKey
	}
	dst = append(dst, info)
	if info&infoOrigin != 0 {
		dst = v.appendID(dst, s.origin)
	}
	if info&infoRight != 0 {
		dst = v.appendID(dst, s.right)
	}
	if info&(infoOrigin|infoRight) == 0 {
		dst = v.appendParent(dst, l)
	}
	return v.appendContent(dst, s)
}

func (v *View) appendID(dst []byte, u id) []byte {
	dst = lib0.AppendVarUint(dst, v.clients[u.author].id)
	return lib0.AppendVarUint(dst, uint64(u.clock))
}

func (v *View) appendParent(dst []byte, l *list) []byte {
	if holder := v.kin[l.kin].node; holder == none {
		dst = lib0.AppendVarString(append(dst, 1), v.nameOf(l.kin))
	} else {
		dst = v.appendID(append(dst, 0), v.firstID(holder))
	}
	if l.key != noKey {
		c := cursor{src: v.bytesAt(l.key)}
		dst = lib0.AppendVarBytes(dst, c.bytes())
	}
	return dst
}

// appendContent appends the content of a struct. Bytes of the view are as they
// travel, but for the lengths of texts and the counts of values.
func (v *View) appendContent(dst []byte, s *structOut) []byte {
	switch s.kind {
	case kindDeleted:
		return lib0.AppendVarUint(dst, uint64(s.length))
	case kindString:
		var text []byte
		for _, i := range s.nodes {
			text = v.appendText(text, &v.nodes[i])
		}
		return lib0.AppendVarBytes(dst, text)
	case kindAny:
		dst = lib0.AppendVarUint(dst, uint64(s.length))
		for _, i := range s.nodes {
			dst = append(dst, v.contentOf(&v.nodes[i])...)
		}
		return dst
	default:
		return append(dst, v.contentOf(&v.nodes[s.nodes[0]])...)
	}
}

// contentOf returns the bytes of a node's content.
func (v *View) contentOf(n *node) []byte {
	c := cursor{src: v.bytesAt(n.body)}
	switch n.kind {
	case kindAny:
		c.skipValues(kindAny, n.length)
	case kindType:
		if t := c.uvarint(); t == typeXMLElement || t == typeXMLHook {
			c.bytes()
		}
	case kindFormat:
		c.bytes()
		c.bytes()
	case kindDoc:
		c.bytes()
		c.skipAny()
	default: // kindBinary, kindEmbed
		c.bytes()
	}
	return c.src[:c.pos]
}

// appendDeletes appends the delete set: clients in descending order, ranges in
// ascending order, joined where they touch.
func (e *Edit) appendDeletes(dst []byte) []byte {
	client := func(d span) uint64 { return e.view.clients[d.client].id }
	slices.SortFunc(e.deletes, func(x, y span) int {
		return cmp.Or(cmp.Compare(client(y), client(x)), cmp.Compare(x.start, y.start))
	})
	groups := [][]span{}
	for _, d := range e.deletes {
		if n := len(groups); n == 0 || groups[n-1][0].client != d.client {
			groups = append(groups, []span{d})
			continue
		}
		group := &groups[len(groups)-1]
		if last := &(*group)[len(*group)-1]; last.end == d.start {
			last.end = d.end
		} else {
			*group = append(*group, d)
		}
	}
	dst = lib0.AppendVarUint(dst, uint64(len(groups)))
	for _, group := range groups {
		dst = lib0.AppendVarUint(dst, client(group[0]))
		dst = lib0.AppendVarUint(dst, uint64(len(group)))
		for _, d := range group {
			dst = lib0.AppendVarUint(dst, uint64(d.start))
			dst = lib0.AppendVarUint(dst, uint64(d.end-d.start))
		}
	}
	return dst
}

// nameOf returns the name of a root.
func (v *View) nameOf(kin int32) string {
	for name, k := range v.roots {
		if k == kin {
			return name
		}
	}
	return ""
}
