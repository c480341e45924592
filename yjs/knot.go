package yjs

// A knot is a struct that is missing, as seen by the types that hang on it directly or
// through others: those next to it, or those inside it. Their places are counted from
// it, so that it tells, in the moment when it comes, how deep all of them are:
//
//	missing (9,4)
//	 └ map  (1,0)  in (9,4)     place 0 from the knot "inside (9,4)"
//	    └ text (1,1)  in (1,0)    place 1, depth 2: the most
//
// If what comes hangs on something that is missing as well, its knot is tied to that
// one's, and what is below needn't be looked at. An update that brings what was
// missing is refused if the most is then too deep; a chain that alone is too deep is
// refused before.
type knot struct {
	bond

	tied bool
	to   site  // if tied
	most int32 // the depth of the deepest type, counted from here
}

// knotFor returns the place of what hangs on something missing.
func (n *nesting) knotFor(on bond) site {
	k, ok := n.knotOf[on]
	if !ok {
		if len(n.knots) == 0 {
			n.knotOf = map[bond]int32{}
			n.knots = make([]knot, 1) // all roots
		}
		k = int32(len(n.knots))
		n.knots = append(n.knots, knot{bond: on})
		n.knotOf[on] = k
	}
	return site{knot: k}
}

// upTo returns a place counted from a root, or from what is still missing. The way
// there becomes a single step for who asks next.
func (n *nesting) upTo(p site) site {
	end := p
	for end.knot != 0 && n.knots[end.knot].tied {
		n.steps++
		to := n.knots[end.knot].to
		end = site{to.knot, end.types + to.types}
	}
	types := end.types - p.types
	for at := p.knot; at != end.knot; {
		k := n.knots[at]
		next := k.to
		if next.knot != end.knot {
			k.to = site{end.knot, types}
			n.write(at, k)
		}
		at, types = next.knot, types-next.types
	}
	return end
}

// deepen notes how deep a type is below a knot.
func (n *nesting) deepen(at, depth int32) {
	if k := n.knots[at]; at != 0 && depth > k.most {
		k.most = depth
		n.write(at, k)
	}
}

// tie says where what a knot stands for belongs.
func (n *nesting) tie(at int32, to site) {
	to = n.upTo(to)
	if to.knot == at {
		to = site{} // it waits for itself
	}
	k := n.knots[at]
	k.tied, k.to = true, to
	n.write(at, k)
	if k.most == 0 {
		return
	}
	if k.most += to.types; k.most > MaxNesting {
		n.refuse(k.id())
	}
	n.deepen(to.knot, k.most)
}

// arrive ties the knots of what an update brings. It was checked, and has each client
// once.
func (n *nesting) arrive(h *heads) {
	if len(n.awaited) == 0 {
		return
	}
	u := readUpdate(h.update)
	u.trusted = true
	var b block
	var waits *spans
	for u.next(&b) {
		if u.section {
			waits = n.awaited[u.client]
		}
		if waits == nil || b.kind() == kindSkip {
			continue
		}
		tie := func(start, end uint64) { waits.each(start, end, func(clock uint64) { n.come(ID{u.client, clock}, h) }) }
		// What is held has come before, and may be sent again in a few bytes.
		if c := h.document.find(u.client); c != nil {
			c.lacks(b.clock, b.limit(), tie)
		} else {
			tie(b.clock, b.limit())
		}
	}
}

// come ties the knots of a unit.
func (n *nesting) come(id ID, h *heads) {
	n.steps++
	for _, inside := range [...]bool{false, true} {
		on := bondTo(id, inside)
		if at, ok := n.knotOf[on]; ok && !n.knots[at].tied {
			n.tie(at, n.walk(on, h))
		}
	}
}

// awaits reports whether something hangs on what a client hasn't sent yet.
func (n *nesting) awaits(client uint64) bool {
	return n != nil && len(n.awaited) > 0 && n.awaited[client] != nil
}
