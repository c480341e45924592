package content

// integrate puts all nodes into lists, in the order that was found.
func (b *builder) integrate() {
	for c := range b.clients {
		b.next[c] = b.clients[c].lo
	}
	for _, r := range b.runs {
		first, end := b.next[r.client], b.clients[r.client].hi
		touched := first
		for range r.count {
			if first >= touched {
				touched = b.touch(first, end)
			}
			last := first
			for last+1 < end && b.nodes[last+1].flags&further != 0 {
				last++
			}
			b.struct_(first, last)
			first = last + 1
		}
		b.next[r.client] = first
	}
}

// touch looks at what the next nodes hang on. In a large document that isn't in the
// cache, and looked at together it is fetched at once, not one after the other.
// It returns the node to go on with.
func (b *builder) touch(first, end int32) int32 {
	const ahead = 32 // with 128 what was fetched first is gone again
	end = min(end, first+ahead)
	sum := int32(0)
	for i := first; i < end; i++ {
		o, r := max(b.seats[i].origin, 0), max(b.seats[i].right, 0)
		sum += b.nodes[o].list + b.nodes[r].list + b.seats[o].kids
	}
	b.touched = sum
	return end
}

// struct_ integrates the pieces of one struct, which are neighbours.
func (b *builder) struct_(first, last int32) {
	n := &b.nodes[first]
	l := none
	if n.kind != kindGC {
		l = b.listOf(first)
	}
	if l == none {
		b.bury(first, last)
		return
	}
	at := &b.seats[first]
	next, kids := b.lists[l].first, b.kidsOf(l, at.origin)
	if at.origin != none {
		next = b.nodes[at.origin].right
	}
	left, after := at.origin, none
	if next != at.right {
		left, after = b.resolve(first, l, next)
	}
	b.chain(first, last, l, left)
	b.adopt(first, kids, after)
	if b.tangled(l) {
		b.forest.enter(first, last, l)
	}
	if n.kind == kindType {
		b.addType(first)
	}
	if n.kind == kindFormat {
		b.lists[l].marked = true
	}
}

// bury turns a struct into GC: what it hung on or belonged to is gone.
func (b *builder) bury(first, last int32) {
	for i := first; i <= last; i++ {
		n := &b.nodes[i]
		n.kind, n.flags, n.list = kindGC, deleted, none
	}
}

// listOf returns the list that a node belongs to, or none if it must become GC.
func (b *builder) listOf(i int32) int32 {
	o, r := b.seats[i].origin, b.seats[i].right
	n := &b.nodes[i]
	if n.flags&(infoOrigin|infoRight) == 0 {
		b.seats[i].origin = none
		return b.listOfParent(n, o)
	}
	l := none
	if r != none {
		if l = b.nodes[r].list; l == none {
			return none
		}
	}
	if o != none {
		l = b.nodes[o].list
	}
	return l
}

func (b *builder) listOfParent(n *node, parent int32) int32 {
	c := cursor{src: b.src, pos: int(uint32(n.list))}
	var kin int32
	if parent == named {
		kin = b.addRoot(c.bytes())
	} else {
		p := &b.nodes[parent]
		if p.kind != kindType {
			return none
		}
		kin = int32(p.size)
	}
	if n.flags&infoKey == 0 {
		return b.sequence(kin)
	}
	at := uint32(c.pos)
	return b.keyed(kin, at, c.bytes())
}

// chain links the pieces of a struct to each other and into a list after left.
func (b *builder) chain(first, last, l, left int32) {
	for i := first; i <= last; i++ {
		n := &b.nodes[i]
		n.list = l
		n.flags &= deleted | headHalf | tailHalf
		n.left, n.right = i-1, i+1
	}
	b.insert(first, last, l, left)
}

// insert links nodes first to last, which are linked to each other, into a list
// after left, or at its beginning if that is none.
func (v *View) insert(first, last, l, left int32) {
	in := &v.lists[l]
	var right int32
	if left == none {
		right, in.first = in.first, first
	} else {
		right, v.nodes[left].right = v.nodes[left].right, first
	}
	v.nodes[first].left = left
	v.nodes[last].right = right
	if right == none {
		in.last = last
	} else {
		v.nodes[right].left = last
	}
}

// addType makes the shared type that a node holds.
func (v *View) addType(i int32) {
	n := &v.nodes[i]
	c := cursor{src: v.bytesAt(n.body)}
	n.size = uint32(len(v.kin))
	v.kin = append(v.kin, sharedType{node: i, seq: none, keys: none, kind: byte(c.uvarint())})
}

// addRoot returns the root type of a name.
func (v *View) addRoot(name []byte) int32 {
	if t, ok := v.roots[string(name)]; ok {
		return t
	}
	t := int32(len(v.kin))
	v.roots[string(name)] = t
	v.kin = append(v.kin, sharedType{node: none, seq: none, keys: none, kind: typeRoot})
	return t
}

// sequence returns the list of a type's sequence.
func (v *View) sequence(kin int32) int32 {
	t := &v.kin[kin]
	if t.seq == none {
		t.seq = v.addList(kin, noKey)
	}
	return t.seq
}

func (v *View) addList(kin int32, key uint32) int32 {
	v.lists = append(v.lists, list{kin: kin, key: key, first: none, last: none, next: none})
	return int32(len(v.lists) - 1)
}

// keyed returns the list of a key of a type; at is where the key's varString is.
func (v *View) keyed(kin int32, at uint32, key []byte) int32 {
	if l := v.keys.find(v, kin, key); l != none {
		return l
	}
	l := v.addList(kin, at)
	v.lists[l].next = v.kin[kin].keys
	v.kin[kin].keys = l
	v.keys.add(v, l)
	return l
}

// settle derives what is deleted because of something else: values of a key that
// were overwritten, and all that is in a deleted type. Types come after the types
// that they are in.
func (b *builder) settle() error {
	for i := range b.lists {
		if l := &b.lists[i]; l.key != noKey {
			for n := b.nodes[l.last].left; n != none; n = b.nodes[n].left {
				b.nodes[n].flags |= deleted
			}
		}
	}
	if err := b.settleTypes(); err != nil {
		return err
	}
	for i := range b.nodes {
		if n := &b.nodes[i]; n.list != none && b.kin[b.lists[n.list].kin].dead {
			n.flags |= deleted
		}
	}
	return nil
}

func (b *builder) settleTypes() error {
	depth := make([]uint32, len(b.kin))
	for i := range b.kin {
		t := &b.kin[i]
		if t.node == none {
			continue
		}
		n := &b.nodes[t.node]
		outer := b.lists[n.list].kin
		t.dead = n.deleted() || b.kin[outer].dead
		depth[i] = depth[outer] + 1
		if !t.dead && depth[i] > MaxNesting {
			return overLimit("types nest deeper than %d", MaxNesting)
		}
	}
	return nil
}
