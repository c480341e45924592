package yjs

// stride is how many structs a walk goes over at most before it comes to one whose
// place is remembered. Settled types always are.
const stride = 16

// longWay is of how many structs, beside those, a walk remembers that they are on its
// way: the types among them are settled with it.
const longWay = 1024

// step is a struct on the way of a walk.
type step struct {
	ID

	types  int32 // around the beginning of the walk, up to around this
	isType bool
	keep   bool // it is to be remembered, settled type or not
}

// walk returns the place of what hangs on a bond. It goes outwards until it comes to
// what is known, a root, or what is missing, and then what is on the way is known as
// well. It is a loop, since a chain may be as long as the document.
func (n *nesting) walk(on bond, h *heads) site {
	n.way = n.way[:0]
	var circle lap
	var end site
	w := trail{last: -1}
	for {
		if types, settled := n.known(on); settled {
			w.types += types
			break
		}
		n.steps++
		at, ok := n.standing(on.id(), h)
		if !ok {
			end.on, end.waits = on, true
			break
		}
		if at.gone || on.inside && !at.isType {
			break // it becomes GC
		}
		if circle.closes(at.ID) {
			return n.stuck()
		}
		if on.inside {
			w.types++
		}
		var hangs bool
		if short, ok := n.shortcuts[at.ID]; ok {
			n.way = append(n.way, step{at.ID, w.types, at.isType, true})
			w = trail{w.types + short.types, 0, -1}
			on, hangs = short.on, short.waits
		} else {
			n.pass(&w, at.ID, at.isType)
			on, hangs = at.on, at.hangs
		}
		if !hangs {
			break
		}
	}
	end.types = w.types
	for _, s := range n.way {
		n.put(s, site{end.on, end.types - s.types, end.waits})
	}
	return end
}

// trail is how far a walk has come: how many types it has gone out of, how many structs
// it has gone over since it thought of remembering one, and which that is in n.way, or
// -1.
type trail struct {
	types int32
	since int
	last  int
}

// pass has a walk go over a struct, which is remembered if it is the last of half a
// stride and another half follows: so as many hang on each that is remembered, and on no
// other.
func (n *nesting) pass(w *trail, at ID, isType bool) {
	w.since++
	switch {
	case w.since == stride/2:
		if w.last >= 0 {
			n.way[w.last].keep = true
		}
		w.since, w.last = 0, len(n.way)
	case !isType || len(n.way) >= longWay:
		return
	}
	n.way = append(n.way, step{at, w.types, isType, false})
}

// put remembers the place of a struct that a walk has gone over.
func (n *nesting) put(s step, p site) {
	if s.isType && !p.waits {
		if a := n.author(s.Client); a != nil {
			if l := a.find(s.Clock); l != nil {
				if !l.settled() {
					n.settle(a, l, n.depth(s.ID, p.types))
				}
				return
			}
		}
	}
	if s.keep {
		n.shorten(s.ID, p)
	}
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
	if f, ok := n.fresh(id); ok {
		return standing{ID: id, isType: true, hangs: true, on: f.bond(id.Client, h)}, true
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
		n.put(s, site{})
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
