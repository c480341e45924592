package content

// A node wants to stand between its origin L and its right origin R. If others
// have come between them since, it is worked out who stands where so that all
// replicas agree (Yjs calls this integrate, the paper YATA):
//
//	L  a a' a''  b b'  c  R        a, b, c have the origin L: siblings of the node
//	                               a', a'' hang on a or on each other
//
// Going from L to R: the node stands after each sibling of a lower client, and
// after all that hangs on it. It stops before a sibling with the same R and a
// client that isn't lower, and where something hangs on what is left of L.

// defaultCrowd is how many nodes are walked over before siblings are indexed.
const defaultCrowd = 512

// resolve returns the node after which node n stands in list l, or none. next is
// what follows the origin now.
func (b *builder) resolve(n, l, next int32) int32 {
	origin, indexed := b.origin[n], b.indexed(l, b.origin[n])
	if indexed && b.insulated(n, l) {
		return b.siblings.place(b, n, l)
	}
	limit := b.crowd
	if indexed || b.tangled(l, origin) {
		limit = len(b.nodes)
	}
	left, ok := b.walk(n, l, next, limit)
	if !ok && b.insulated(n, l) && b.siblings.index(b, origin, l, next) {
		return b.siblings.place(b, n, l)
	}
	if !ok {
		left, _ = b.walk(n, l, next, len(b.nodes))
	}
	if b.indexed(l, origin) {
		b.siblings.note(b, n, l, left)
	}
	return left
}

// walk is the algorithm as it is written down, over at most limit nodes.
func (b *builder) walk(n, l, x int32, limit int) (left int32, ok bool) {
	b.needStamps()
	origin, right, id := b.origin[n], b.right[n], b.id(n)
	left = origin
	// Nodes walked over have a stamp above base, those after left one above cleared.
	base := b.tick
	cleared := base
	for ; x != none && x != right; x = b.nodes[x].right {
		if limit == 0 {
			return none, false
		}
		limit--
		b.stamp(x)
		switch o := b.origin[x]; {
		case o == origin:
			if b.id(x) < id {
				left, cleared = x, b.tick
			} else if b.right[x] == right {
				return left, true
			}
		case o == none || b.stamps[o] <= base:
			return left, true
		case b.stamps[o] <= cleared:
			left, cleared = x, b.tick
		}
	}
	if x != none && left == b.nodes[x].left {
		if o := b.origin[x]; o != origin && o != none && b.stamps[o] > base {
			b.tear(l, origin, o)
		}
	}
	return left, true
}

// tear notes that a node with an origin has come to stand right before one that
// hangs, over parent and others, on a sibling of it. So what hangs on that sibling,
// and on all between, isn't in one piece any more: an index of them doesn't hold.
func (b *builder) tear(l, origin, parent int32) {
	b.tangle(l, origin)
	for ; parent != origin && parent != none; parent = b.origin[parent] {
		b.steps++
		if b.nodes[parent].flags&crowded != 0 {
			b.tangle(l, parent)
		}
	}
}

// tangle has the siblings that hang on a node, or on the beginning of a list, be
// walked over for good.
func (b *builder) tangle(l, origin int32) {
	if origin == none {
		b.lists[l].tangled, b.lists[l].crowded = true, false
		return
	}
	n := &b.nodes[origin]
	n.flags = n.flags&^crowded | tangled
}

func (b *builder) tangled(l, origin int32) bool {
	if origin == none {
		return b.lists[l].tangled
	}
	return b.nodes[origin].flags&tangled != 0
}

func (b *builder) needStamps() {
	if b.stamps == nil {
		b.stamps = make([]uint32, len(b.nodes))
	}
}

func (b *builder) stamp(x int32) {
	b.tick++
	b.steps++
	b.stamps[x] = b.tick
}

// id returns the client of a node.
func (b *builder) id(n int32) uint64 { return b.clients[b.nodes[n].client].id }

// indexed reports whether the siblings that hang on a node, or on the beginning of
// a list, are indexed.
func (b *builder) indexed(l, origin int32) bool {
	if origin == none {
		return b.lists[l].crowded
	}
	return b.nodes[origin].flags&crowded != 0
}

// insulated reports whether the right origin of a node is known to be a sibling of
// it or not to hang on one, so that no sibling's followers are torn apart.
func (b *builder) insulated(n, l int32) bool {
	const far = 1024
	origin, right := b.origin[n], b.right[n]
	if right == none || b.nodes[right].list != l || b.origin[right] == origin {
		return true
	}
	if origin == none {
		return false
	}
	// Looking for the parent of right above origin, and for origin above right.
	parent := b.origin[right]
	up, across := origin, parent
	for range far {
		b.steps++
		if up == parent || across == none {
			return true
		}
		if across == origin {
			return false
		}
		if up != none {
			up = b.origin[up]
		}
		across = b.origin[across]
	}
	return false
}
