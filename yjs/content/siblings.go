package content

// siblings indexes nodes that hang on the same origin, where there are so many of
// them that walking over them would make a document's view take quadratic time:
// two clients that both typed 8 000 times at one place while they were apart make
// 64 million comparisons.
//
// The index holds as long as a list is what Yjs makes of honest clients: each
// sibling is followed by all that hangs on it, directly or not, and by nothing
// else. A right origin that hangs on a sibling can break that (undo may, rarely);
// then those whose index doesn't hold are tangled, and are walked over.
type siblings struct {
	// order has the siblings of each origin in the order of the list.
	order treap
	roots map[place]int32
	// handles finds a node in it.
	handles map[int32]int32
}

// place is a node, or with none the beginning of a list.
type place struct{ node, list int32 }

func newPlace(origin, l int32) place {
	if origin == none {
		return place{none, l}
	}
	return place{origin, none}
}

// index indexes the siblings that hang on an origin, unless they are tangled. next
// is what follows it.
func (s *siblings) index(b *builder, origin, l, next int32) bool {
	if s.roots == nil {
		s.roots = map[place]int32{}
		s.handles = map[int32]int32{}
	}
	if origin == none {
		b.lists[l].crowded = true
	} else {
		b.nodes[origin].flags |= crowded
	}
	at := newPlace(origin, l)
	s.roots[at] = none
	base, last := b.tick, none
	begun := base // before the last sibling
	for x := next; x != none; x = b.nodes[x].right {
		o := b.origin[x]
		switch {
		case o == origin:
			begun = b.tick
			last = s.add(b, x, at, last)
		case o == none || b.stamps[o] <= base:
			return true
		case b.stamps[o] <= begun:
			b.tangle(l, origin)
			return false
		}
		b.stamp(x)
	}
	return true
}

// note adds a node that was found by walking to stand after left.
func (s *siblings) note(b *builder, n, l, left int32) {
	origin, after := b.origin[n], none
	for ; left != origin && left != none; left = b.origin[left] {
		b.steps++
		if b.origin[left] == origin {
			after = s.handles[left]
			break
		}
	}
	s.add(b, n, newPlace(origin, l), after)
}

// add adds a node after a sibling's handle, none meaning before all others. It
// returns its handle.
func (s *siblings) add(b *builder, n int32, at place, after int32) int32 {
	h := s.order.grow(b.id(n), n)
	s.handles[n] = h
	s.roots[at] = s.order.putAfter(s.roots[at], after, h)
	return h
}

// place returns after which node a new one stands, and adds it: after the last
// sibling of a lower client before the right origin. (That Yjs stops before a
// sibling with the same right origin and no lower client makes no difference: no
// sibling of a lower client can have come to stand between the two.)
func (s *siblings) place(b *builder, n, l int32) int32 {
	origin, right := b.origin[n], b.right[n]
	at := newPlace(origin, l)
	stop := none
	if right != none && b.nodes[right].list == l && b.origin[right] == origin {
		if h, ok := s.handles[right]; ok { // else something else ends the siblings before it
			stop = h
		}
	}
	after := s.order.lastBelow(s.roots[at], stop, b.id(n))
	left := origin
	if after != none {
		if next := s.order.next(after); next != none {
			left = b.nodes[s.order.knots[next].node].left
		} else if origin == none {
			left = b.lists[l].last
		} else {
			left = b.lastOn(s.order.knots[after].node)
		}
	}
	s.add(b, n, at, after)
	return left
}

// lastOn returns the last node that hangs on n, or n.
func (b *builder) lastOn(n int32) int32 {
	base := b.tick
	b.stamp(n)
	for {
		x := b.nodes[n].right
		if x == none || b.origin[x] == none || b.stamps[b.origin[x]] <= base {
			return n
		}
		b.stamp(x)
		n = x
	}
}
