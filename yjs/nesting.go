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
// a type, or in one. Of a long walk over other structs every 8th is remembered too.
// All the walks of a document together so read each struct once, and 16 for each type.
//
// What the walk ends at isn't always a root. Where a struct is missing the place is
// relative to that, see wait, and is found anew when somebody asks: such types are
// rare, and to remember where each of them hangs would take fifty times its bytes. And
// what hangs on a collected struct, or is in something that isn't a type, becomes
// collected in every replica: its place is 0, as in a root. The same goes for structs
// that wait for each other in a circle and so will never be shown. Deleted types count:
// a replica that keeps them has them.
//
// A nil *nesting is that of a document without types. Loading and compacting leave it
// stale: it is made when somebody writes.
type nesting struct {
	stale   bool
	authors pile[author]
	index   index // finds an author among many
	recent  int   // the author who was looked up last
	types   int   // of all authors
	// shortcuts is the place of some structs that aren't settled types, so that long
	// walks don't go over them again.
	shortcuts map[ID]site
	waits     waits
	steps     int // that walks have taken

	// only while an update is checked:

	journal journal
	way     []step // of a walk
	coming  waits  // what is missing that new types hang on, and those that wait
	arrived bool   // something has come that types hang on
	deep    bool   // a type is too deep
	tooDeep ID     // the first
}

// memory returns about how many bytes it takes, with the room that lists and maps leave.
func (n *nesting) memory() int {
	if n == nil {
		return 0
	}
	return 110*n.authors.count + 8*n.types + 18*n.waits.count + 64*len(n.shortcuts)
}

// bond is what a struct hangs on: next to it, or inside it.
type bond struct {
	client uint64
	clock  uint32 // below MaxClock
	inside bool
}

func bondTo(id ID, inside bool) bond { return bond{id.Client, uint32(id.Clock), inside} }

func (o bond) id() ID { return ID{o.client, uint64(o.clock)} }

// site is how many types are around a struct: all, or those below something missing.
type site struct {
	on    bond // what is missing, if it waits
	types int32
	waits bool
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
// gone through. Structs must be given as they come.
func (n *nesting) note(client uint64, b *block) {
	types, settled := int32(0), true
	if on, hangs := b.bond(); hangs {
		types, settled = n.known(on)
	}
	depth := n.depth(ID{client, b.clock}, types)
	if !settled {
		depth |= unsettled
	}
	a := n.writer(client)
	inOrder := b.clock >= a.end()
	if !a.add(levelAt(b.clock, depth)) {
		return // the same clocks twice: see noteMerged
	}
	n.types++
	if !settled || !inOrder {
		n.journal.remember(client, b)
	}
}

// known returns how many types are around what hangs on a bond, as far as is
// remembered: all of them, if that is settled.
func (n *nesting) known(on bond) (types int32, settled bool) {
	a := n.author(on.client)
	if a == nil {
		return 0, false
	}
	l := a.find(uint64(on.clock))
	switch {
	case l == nil:
		return 0, false
	case on.inside:
		return l.depth(), l.settled()
	default:
		return l.depth() - 1, l.settled()
	}
}

// depth returns the depth of a type with so many around it, with all that is too deep
// the same.
func (n *nesting) depth(id ID, types int32) uint16 {
	if types >= MaxNesting {
		n.refuse(id)
		return MaxNesting + 1
	}
	return uint16(types + 1)
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

// settleAll places the types that couldn't be when they were noted.
func (n *nesting) settleAll(h *heads) {
	for k := range n.journal.noted.count {
		of := n.journal.noted.at(k)
		a := n.authors.at(int(of.author))
		for i := of.from; i < of.to; i++ {
			each := n.journal.freshAt(i)
			id := ID{a.id, uint64(each.clock &^ own)}
			l := a.find(id.Clock)
			if l.settled() {
				continue
			}
			on := each.bond(a.id, h)
			types, settled := n.known(on)
			p := site{types: types}
			if !settled {
				p = n.walk(on, h)
			}
			if depth := n.depth(id, p.types); p.waits {
				n.coming.deepen(p.on, int32(depth))
			} else {
				l[2] = depth
			}
		}
	}
}
