package content

import "math"

// A document can be made so that walking takes quadratic time: where a right origin
// hangs on a sibling, siblings don't tell where a node stands. When that has taken
// longer than people's documents take, all further nodes of a list are placed by a
// tree over it, which does what walk does without walking:
//
//	L  a  b  x  c  y  d  E         a, b, c, d hang on L; x on a, so b isn't clean
//
// E ends the walk: the right origin, or the first node behind L that hangs on what
// is left of L, whichever comes first. The node stands behind the last sibling S of a
// lower client before E. Siblings behind S aren't passed for themselves, but together
// with one behind them that hangs on something between L and them. So the walk passes
// all up to the first that is clean: nothing from it to E hangs on what is between L
// and it. The node stands before that one, or before E.
//
// (That Yjs stops before a sibling with the same right origin and a client that isn't
// lower only saves time. Let that be G: it has passed all up to E that the node could
// pass, and what came after it and hangs on something before it stopped before it.)

// patience returns how many steps are taken before trees are planted. Documents that
// people write take one step for every seven nodes.
func (b *builder) patience() int {
	switch {
	case b.crowd == walkAll:
		return math.MaxInt
	case b.crowd <= plantAll:
		return plantAll - b.crowd - 1
	}
	return 8*len(b.nodes) + 100_000
}

// tangled reports whether the nodes of a list are placed by a tree.
func (b *builder) tangled(l int32) bool {
	if b.forest == nil {
		return false
	}
	_, ok := b.forest.roots[l]
	return ok
}

// plant has all further nodes of a list placed by a tree.
func (b *builder) plant(l int32) {
	if b.forest == nil {
		b.forest = &forest{b: b, branches: make([]branch, len(b.nodes)), roots: map[int32]int32{}}
	}
	b.forest.plant(l)
	*b.kidsOf(l, none) = none
	for x := b.lists[l].first; x != none; x = b.nodes[x].right {
		b.seats[x].kids = none
	}
	for x := b.lists[l].first; x != none; x = b.nodes[x].right {
		kids := b.kidsOf(l, b.seats[x].origin)
		b.adopt(x, kids, *kids)
	}
}

// enter takes up nodes that stand in a list now.
func (f *forest) enter(first, last, l int32) {
	next := f.b.nodes[last].right
	for n := first; n <= last; n++ {
		f.add(n, l, f.b.nodes[n].left, next)
	}
}

// lastBefore returns the last sibling at or below h in their index whose label is
// lower, or none.
func (f *forest) lastBefore(h int32, label uint64) int32 {
	found, of := none, &f.b.ranks
	for h != none {
		f.b.steps++
		side := 0
		if k := &of.knots[h]; f.label(k.node) < label {
			found, side = h, 1
		}
		h = of.knots[h].kids[side]
	}
	return found
}

// end returns what ends the walk of a node in list l: a node, or nothing.
func (f *forest) end(n, l int32) int32 {
	at := &f.b.seats[n]
	end := nothing
	if r := at.right; r != none && f.b.nodes[r].list == l && f.label(r) > f.label(at.origin) {
		end = r
	}
	if at.origin != none {
		if x := f.firstOn(at.origin); x != none {
			end = f.lower(x, end)
		}
	}
	return end
}

// untangle is resolve in a list that has a tree.
func (b *builder) untangle(n, l int32) (left, after int32) {
	f, origin := b.forest, b.seats[n].origin
	kids := b.kidsOf(l, origin)
	if *kids == none {
		return origin, none
	}
	if *kids > none {
		b.index(kids)
	}
	end := f.end(n, l)
	stop := f.lastBefore(root(*kids), f.label(end))
	if stop == none {
		return origin, none
	}
	lower := b.ranks.lastBelow(root(*kids), b.ranks.next(stop), b.id(n))
	if lower == none {
		return origin, none
	}
	passed := b.ranks.knots[lower].node
	switch beyond := f.between(f.roots[l], f.label(passed), f.label(end)); {
	case beyond.low == origin && beyond.clean != nothing:
		left = b.nodes[beyond.clean].left
	case end == nothing:
		left = b.lists[l].last
	default:
		left = b.nodes[end].left
	}
	after = f.lastBefore(root(*kids), f.label(left)+1)
	return left, b.ranks.knots[after].node
}
