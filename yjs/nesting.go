package yjs

import "fmt"

// Types nest in each other, and whoever reads or deletes a type goes through all that
// is in it: yjs overflows its stack where they nest too deep. A document that had got
// so deep could never be read again by anybody, so an update is refused by which a
// type would stand deeper than MaxNesting.
//
//	root a                         place 0
//	 └ array  (1,0)  in a          place 0, depth 1
//	    ├ map   (1,1)  in (1,0)      place 1, depth 2
//	    └ map   (2,0)  after (1,1)   place 1, depth 2: where its neighbour is
//	       └ text  (3,5)  in (2,0)     place 2, depth 3
//
// The place of a struct is how many types are around it; a type's depth is one more.
// A struct says where it belongs only if it has no neighbour, and else belongs where
// its origin belongs, or its right origin. So a place is found without the order of
// the structs, by following one of them after the other:
//
//	(3,5) ──in──► (2,0) ──after──► (1,1) ──in──► (1,0) ──in──► a
//
// Types remember their depth, so that this is a step or two: mostly they are next to
// a type, or in one. In a long walk over other structs every 64th is remembered too.
// All the walks of a document together so read each struct once, and 64 for each type.
//
// What the walk ends at isn't always a root. Where a struct is missing the place is
// relative to that, see knot. And what hangs on a collected struct, or is in
// something that isn't a type, becomes collected in every replica: its place is 0, as
// in a root. The same goes for structs that wait for each other in a circle and so
// will never be shown. Deleted types count: a replica that keeps them has them.
//
// A nil *nesting is that of a document without types. Loading and compacting leave it
// stale: it is made when somebody writes.
type nesting struct {
	stale   bool
	authors []author
	index   map[uint64]int32 // finds an author among many
	recent  int              // the author who was looked up last
	// odd is what the lists of the authors don't say: types that came behind later
	// ones or are relative to what is missing, and every 64th step of long walks.
	odd     map[ID]oddSite
	knots   []knot // the first is all roots
	knotOf  map[bond]int32
	awaited map[uint64]*spans // the clocks that knots wait for, by client
	steps   int               // that walks have taken

	// only while an update is checked:

	journal journal
	stray   []stray
	way     []step // of a walk
	deep    bool   // a type is too deep
	tooDeep ID     // the first
}

// bond is what a struct hangs on: next to it, or inside it. Sixteen bytes, because a
// type that hangs on what is missing has up to three.
type bond struct {
	client uint64
	clock  uint32 // below MaxClock
	inside bool
}

func bondTo(id ID, inside bool) bond { return bond{id.Client, uint32(id.Clock), inside} }

func (o bond) id() ID { return ID{o.client, uint64(o.clock)} }

// site is how many types are around a struct, beside those around a knot.
type site struct{ knot, types int32 }

type oddSite struct {
	site

	isType bool
}

// bond returns what a struct hangs on; false if that is a root.
func (b *block) bond() (bond, bool) {
	switch {
	case b.info&flagOrigin != 0:
		return bondTo(b.origin, false), true
	case b.info&flagRight != 0:
		return bondTo(b.right, false), true
	default:
		return bondTo(b.owner, true), b.parentID
	}
}

// note adds a type of an update that is being checked, or of a document that is being
// gone through. Structs must be given as they come, each once. missing says that what it
// hangs on is neither held nor in the update.
func (n *nesting) note(client uint64, b *block, missing bool) {
	on, hangs := b.bond()
	var p site
	known := true
	switch {
	case hangs && missing:
		p = n.upTo(n.knotFor(on))
	case hangs:
		p, known = n.known(on)
	}
	a, id := n.writer(client), ID{client, b.clock}
	inOrder := len(a.levels) == 0 || a.levels[len(a.levels)-1].clock() < b.clock
	switch {
	case inOrder && known && p.knot == 0:
		a.append(levelAt(b.clock, n.depth(id, p)), bond{})
	case inOrder:
		a.append(levelAt(b.clock, unsettled), on)
	case !known:
		n.stray = append(n.stray, stray{id, on})
	}
	if known && (!inOrder || p.knot != 0) {
		n.put(id, p, true)
	}
}

// stray is an unsettled type that isn't in its author's list.
type stray struct {
	ID

	on bond
}

// known returns the place of what hangs on a bond, if it is remembered.
func (n *nesting) known(on bond) (p site, ok bool) {
	isType := true
	if a := n.author(on.client); a != nil {
		if at := a.find(uint64(on.clock)); at >= 0 && a.levels[at][2] != elsewhere {
			depth := a.levels[at][2]
			p, ok = site{types: int32(depth) - 1}, depth != unsettled
			if !ok {
				return site{}, false
			}
		}
	}
	if !ok {
		var odd oddSite
		if odd, ok = n.odd[on.id()]; !ok {
			return site{}, false
		}
		p, isType = n.upTo(odd.site), odd.isType
	}
	switch {
	case !on.inside:
		return p, true
	case !isType:
		return site{}, true
	}
	p.types++
	return p, true
}

// put remembers the place of a struct.
func (n *nesting) put(id ID, p site, isType bool) {
	if isType {
		depth := n.depth(id, p)
		if a := n.author(id.Client); a != nil {
			if at := a.find(id.Clock); at >= 0 {
				if a.levels[at][2] = elsewhere; p.knot == 0 {
					a.levels[at][2] = depth
					return
				}
			}
		}
	}
	if n.odd == nil {
		n.odd = map[ID]oddSite{}
	}
	if _, ok := n.odd[id]; !ok {
		n.journal.odd = append(n.journal.odd, id)
	}
	n.odd[id] = oddSite{p, isType}
}

// depth returns the depth of a type at a place, with all that is too deep the same,
// and has the knot know.
func (n *nesting) depth(id ID, p site) uint16 {
	depth := p.types + 1
	if depth > MaxNesting {
		n.refuse(id)
		depth = MaxNesting + 1
	}
	if p.knot != 0 {
		n.deepen(p.knot, depth)
	}
	return uint16(depth)
}

func (n *nesting) refuse(id ID) {
	if !n.deep {
		n.deep, n.tooDeep = true, id
	}
}

func (n *nesting) err() error {
	return fmt.Errorf("yjs: %w: types nested deeper than %d, at clock %d of client %d",
		ErrLimit, MaxNesting, n.tooDeep.Clock, n.tooDeep.Client)
}

// settle places the types that couldn't be when they were noted.
func (n *nesting) settle(h *heads) {
	for _, touched := range n.journal.lists {
		a := &n.authors[touched.author]
		for k, on := range a.loose {
			if l := a.levels[a.first+k]; l[2] == unsettled {
				n.put(ID{a.id, l.clock()}, n.walk(on, h), true)
			}
		}
	}
	for _, s := range n.stray {
		if _, ok := n.odd[s.ID]; !ok {
			n.put(s.ID, n.walk(s.on, h), true)
		}
	}
}

// loose returns what an unsettled type hangs on, if that was noted.
func (n *nesting) loose(id ID) (on bond, ok bool) {
	a := n.author(id.Client)
	if a == nil {
		return bond{}, false
	}
	at := a.find(id.Clock)
	if at < a.first || at >= a.first+len(a.loose) || a.levels[at][2] != unsettled {
		return bond{}, false
	}
	return a.loose[at-a.first], true
}
