package yjs

// stride is how many structs a walk goes over before it remembers one. Types always
// are remembered.
const stride = 64

// step is a struct on the way of a walk that is to be remembered.
type step struct {
	ID

	types  int32 // around the beginning of the walk, up to around this
	isType bool
}

// walk returns the place of what hangs on a bond. It goes outwards until it comes to
// what is known, a root, or what is missing, and then all on the way is known as well.
// It is a loop, since a chain may be as long as the document.
func (n *nesting) walk(on bond, h *heads) site {
	n.way = n.way[:0]
	var circle lap
	types, since := int32(0), 0
	end, known := n.known(on)
	for !known {
		n.steps++
		at, ok := n.standing(on.id(), h)
		if !ok {
			end = n.knotFor(on)
			break
		}
		if at.gone || on.inside && !at.isType {
			break // it becomes GC
		}
		if circle.closes(at.ID) {
			return n.stuck()
		}
		if on.inside {
			types++
		} else if odd, ok := n.odd[at.ID]; ok {
			end = n.upTo(odd.site)
			break
		}
		if since++; at.isType || since == stride {
			n.way = append(n.way, step{at.ID, types, at.isType})
			since = 0
		}
		if !at.hangs {
			break
		}
		on = at.on
		end, known = n.known(on)
	}
	end.types += types
	for _, s := range n.way {
		n.put(s.ID, site{end.knot, end.types - s.types}, s.isType)
	}
	return end
}

// standing is a struct that a walk has come to.
type standing struct {
	ID // its first unit

	isType, gone bool
	hangs        bool // on something, and not in a root
	on           bond
}

// standing finds the struct that holds a unit; false if that is missing.
func (n *nesting) standing(id ID, h *heads) (standing, bool) {
	if on, ok := n.loose(id); ok {
		return standing{ID: id, isType: true, hangs: true, on: on}, true
	}
	var b block
	if !h.find(id, &b) {
		return standing{}, false
	}
	on, hangs := b.bond()
	return standing{ID{id.Client, b.clock}, b.kind() == kindType, b.kind() == kindGC, hangs, on}, true
}

// stuck places what hangs on itself, which no replica will ever show.
func (n *nesting) stuck() site {
	for _, s := range n.way {
		n.put(s.ID, site{}, s.isType)
	}
	return site{}
}

// lap finds out that a walk goes in a circle: it compares where the walk is with
// where it was at a step that is a power of two.
type lap struct {
	at          ID
	steps, next int
}

func (l *lap) closes(at ID) bool {
	if l.steps > 0 && at == l.at {
		return true
	}
	if l.steps++; l.steps > l.next {
		l.at, l.next = at, 2*l.steps
	}
	return false
}
