package content

// Siblings are the nodes that hang on the same origin, or on the beginning of a
// list. Walking over all that hangs on them makes a document's view take quadratic
// time: two clients that both typed 8 000 times at one place while they were apart
// make 64 million comparisons. So each origin has its siblings, in the order of the
// list, first in a ring and, when there are very many, in an index:
//
//	list   L  a a' a''  b b'  c  R
//	kids   L ─► c        a ─► a'    b ─► b'        the last ones
//	ring   a ─► b ─► c ─► a                        siblings
//
// That tells where a node stands as long as a list is what Yjs makes of honest
// clients: each sibling is followed by all that hangs on it, directly or not, and
// by nothing else. A right origin that hangs on a sibling can break that (undo may,
// rarely); then kids are torn, and what hangs on such a node is walked over, or placed
// by a tree when that takes too long: see tangle.go.

// kidsOf returns where the kids of a node are noted, or of the beginning of a list.
func (b *builder) kidsOf(l, origin int32) *int32 {
	if origin != none {
		return &b.seats[origin].kids
	}
	for len(b.begins) <= int(l) {
		b.begins = append(b.begins, none)
	}
	return &b.begins[l]
}

// root returns where an index begins, and back.
func root(kids int32) int32 { return torn - 1 - kids }

// adopt adds a node to the kids of its origin after a sibling, none meaning before
// all others.
func (b *builder) adopt(n int32, kids *int32, after int32) {
	at := &b.seats[n]
	switch {
	case *kids == torn:
	case *kids < torn:
		if after != none {
			after = b.seats[after].sibling
		}
		at.sibling = b.ranks.grow(b.id(n), n)
		*kids = root(b.ranks.putAfter(root(*kids), after, at.sibling))
	case *kids == none:
		at.sibling = n
		*kids = n
	case after == none:
		at.sibling, b.seats[*kids].sibling = b.seats[*kids].sibling, n
	default:
		at.sibling, b.seats[after].sibling = b.seats[after].sibling, n
		if after == *kids {
			*kids = n
		}
	}
}

// index replaces a ring by an index.
func (b *builder) index(kids *int32) {
	last := *kids
	top, after := none, none
	for x := b.seats[last].sibling; ; {
		b.steps++
		next := b.seats[x].sibling
		h := b.ranks.grow(b.id(x), x)
		top = b.ranks.putAfter(top, after, h)
		b.seats[x].sibling, after = h, h
		if x == last {
			break
		}
		x = next
	}
	*kids = root(top)
}

// place returns after which node a new one stands, and after which sibling: the
// last one of a lower client before the right origin, and all that hangs on it. ok
// is false if it has to be walked.
func (b *builder) place(n, l int32) (left, after int32, ok bool) {
	origin := b.seats[n].origin
	kids := b.kidsOf(l, origin)
	after, next, ok := b.amongRing(n, *kids)
	if !ok {
		b.index(kids)
	}
	if *kids < torn {
		after, next = b.amongIndex(n, l, *kids)
	}
	switch {
	case after == none:
		return origin, none, true
	case next != none:
		return b.nodes[next].left, after, true
	case origin == none:
		return b.lists[l].last, after, true
	}
	left, ok = b.lastOn(after)
	return left, after, ok
}

// amongRing returns the siblings between which a node stands. ok is false if they
// are too many.
func (b *builder) amongRing(n, last int32) (after, next int32, ok bool) {
	if last < 0 {
		return none, none, true
	}
	id, right := b.id(n), b.seats[n].right
	after, next = none, b.seats[last].sibling
	for s, count := next, 0; s != right; count++ {
		if count == b.crowd {
			return none, none, false
		}
		b.steps++
		at := &b.seats[s]
		if b.id(s) < id {
			after, next = s, at.sibling
		} else if at.right == right {
			break
		}
		if s == last {
			break
		}
		s = at.sibling
	}
	if after == last {
		next = none
	}
	return after, next, true
}

// amongIndex is amongRing for an index.
func (b *builder) amongIndex(n, l, kids int32) (after, next int32) {
	origin, right := b.seats[n].origin, b.seats[n].right
	stop := none
	if right != none && b.nodes[right].list == l && b.seats[right].origin == origin {
		stop = b.seats[right].sibling
	}
	h := b.ranks.lastBelow(root(kids), stop, b.id(n))
	if h == none {
		return none, none
	}
	if next = b.ranks.next(h); next != none {
		next = b.ranks.knots[next].node
	}
	return b.ranks.knots[h].node, next
}

// lastOn returns the last node that hangs on n, or n. ok is false if that isn't
// known.
func (b *builder) lastOn(n int32) (last int32, ok bool) {
	for {
		b.steps++
		switch kids := b.seats[n].kids; {
		case kids == none:
			return n, true
		case kids == torn:
			return none, false
		case kids < torn:
			n = b.ranks.knots[b.ranks.last(root(kids))].node
		default:
			n = kids
		}
	}
}
