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

// seat is what it is decided by where a node stands, and who stands beside it.
type seat struct {
	origin, right int32
	// kids is the last node that hangs on this one, or none; or torn; or, below
	// that, where the index of them begins: see siblings.go.
	kids int32
	// sibling is the next node that hangs on the same origin, and after the last one
	// the first; or this node in the index of them.
	sibling int32
}

// torn are kids that aren't known, as they don't stand in the order of a tree: one
// that hangs on the origin stands among those that hang on another one.
const torn int32 = -2

// defaultCrowd is how many nodes are walked over before it is asked whether their
// siblings are enough, and how many of those before they are indexed.
const defaultCrowd = 512

// As a crowd, for tests: walkAll carries the algorithm out as it is written down, and
// plantAll places all nodes by trees, plantAll-n all after n steps.
const (
	walkAll  = -1
	plantAll = -2
)

// resolve returns the node after which node n stands in list l, or none, and the
// sibling after which it stands. next is what follows the origin now.
func (b *builder) resolve(n, l, next int32) (left, after int32) {
	if b.steps > b.patience() && !b.tangled(l) {
		b.plant(l)
	}
	if b.tangled(l) {
		return b.untangle(n, l)
	}
	if at := &b.seats[n]; b.crowd != walkAll && *b.kidsOf(l, at.origin) != torn {
		among := at.right == none || b.nodes[at.right].list != l || b.seats[at.right].origin == at.origin
		var ok bool
		if !among {
			if left, after, ok = b.walk(n, l, next, b.crowd); ok {
				return left, after
			}
		}
		if among || b.insulated(n, l) {
			if left, after, ok = b.place(n, l); ok {
				return left, after
			}
		}
	}
	left, after, _ = b.walk(n, l, next, len(b.nodes))
	return left, after
}

// walk is the algorithm as it is written down, over at most limit nodes.
func (b *builder) walk(n, l, x int32, limit int) (left, after int32, ok bool) {
	b.needStamps()
	origin, right, id := b.seats[n].origin, b.seats[n].right, b.id(n)
	left, after = origin, none
	// Nodes walked over have a stamp above base, those after left one above cleared.
	base := b.tick
	cleared := base
	for ; x != none && x != right; x = b.nodes[x].right {
		if limit == 0 {
			return none, none, false
		}
		limit--
		b.stamp(x)
		switch o := b.seats[x].origin; {
		case o == origin:
			if b.id(x) < id {
				left, after, cleared = x, x, b.tick
			} else if b.seats[x].right == right {
				return left, after, true
			}
		case o == none || b.stamps[o] <= base:
			return left, after, true
		case b.stamps[o] <= cleared:
			left, cleared = x, b.tick
		}
	}
	if x != none && left == b.nodes[x].left {
		if o := b.seats[x].origin; o != origin && o != none && b.stamps[o] > base {
			b.tear(l, origin, o)
		}
	}
	return left, after, true
}

// tear notes that a node with an origin has come to stand right before one that
// hangs, over parent and others, on a sibling of it. So what hangs on that sibling,
// and on all between, isn't in one piece any more.
func (b *builder) tear(l, origin, parent int32) {
	*b.kidsOf(l, origin) = torn
	for ; parent != origin && parent != none; parent = b.seats[parent].origin {
		b.steps++
		b.seats[parent].kids = torn
	}
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

// insulated reports whether the right origin of a node is known to be a sibling of
// it or not to hang on one, so that no sibling's followers are torn apart.
func (b *builder) insulated(n, l int32) bool {
	const far = 1024
	origin, right := b.seats[n].origin, b.seats[n].right
	if right == none || b.nodes[right].list != l || b.seats[right].origin == origin {
		return true
	}
	if origin == none {
		return false
	}
	// Looking for the parent of right above origin, and for origin above right.
	parent := b.seats[right].origin
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
			up = b.seats[up].origin
		}
		across = b.seats[across].origin
	}
	return false
}
