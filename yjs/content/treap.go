package content

import (
	"math"
	"math/rand/v2"
)

// treap is sequences that grow anywhere and in which the last element of a low
// client before another element is found, all in logarithmic time. Elements are
// numbered by handles; a sequence is known by the handle of its root.
type treap struct{ knots []knot }

type knot struct {
	id   uint64 // client
	low  uint64 // the lowest client of this element and all below it
	node int32
	up   int32
	kids [2]int32
	rank uint32 // random; no knot is below one of a lower rank
}

// grow makes an element that is in no sequence yet.
func (t *treap) grow(id uint64, node int32) int32 {
	t.knots = append(t.knots, knot{id, id, node, none, [2]int32{none, none}, rand.Uint32()})
	return int32(len(t.knots) - 1)
}

// putAfter puts h after an element, none meaning at the beginning. It returns the
// new root.
func (t *treap) putAfter(root, after, h int32) int32 {
	if after == none {
		return t.put(root, t.first(root), 0, h)
	}
	if k := t.knots[after].kids[1]; k != none {
		return t.put(root, t.first(k), 0, h)
	}
	return t.put(root, after, 1, h)
}

// first returns the first element at or below h, or none.
func (t *treap) first(h int32) int32 {
	for h != none && t.knots[h].kids[0] != none {
		h = t.knots[h].kids[0]
	}
	return h
}

// last returns the last element at or below h.
func (t *treap) last(h int32) int32 {
	for t.knots[h].kids[1] != none {
		h = t.knots[h].kids[1]
	}
	return h
}

// put hangs h below an element that has nothing on that side, and turns it up to
// where its rank belongs.
func (t *treap) put(root, up int32, side int, h int32) int32 {
	if up == none {
		return h
	}
	t.knots[up].kids[side] = h
	t.knots[h].up = up
	for p := up; p != none && t.knots[p].low > t.knots[h].id; p = t.knots[p].up {
		t.knots[p].low = t.knots[h].id
	}
	for p := up; p != none && t.knots[p].rank < t.knots[h].rank; p = t.knots[h].up {
		t.turn(p, h)
	}
	if t.knots[h].up == none {
		return h
	}
	return root
}

// turn makes h, which is right below p, stand above it.
func (t *treap) turn(p, h int32) {
	side := 0
	if t.knots[p].kids[1] == h {
		side = 1
	}
	inner, top := t.knots[h].kids[1-side], t.knots[p].up
	t.knots[p].kids[side] = inner
	if inner != none {
		t.knots[inner].up = p
	}
	t.knots[h].kids[1-side] = p
	t.knots[p].up, t.knots[h].up = h, top
	if top != none {
		kids := &t.knots[top].kids
		if kids[0] == p {
			kids[0] = h
		} else {
			kids[1] = h
		}
	}
	t.knots[h].low = t.knots[p].low
	t.knots[p].low = min(t.knots[p].id, t.low(t.knots[p].kids[0]), t.low(t.knots[p].kids[1]))
}

func (t *treap) low(h int32) uint64 {
	if h == none {
		return math.MaxUint64
	}
	return t.knots[h].low
}

// next returns the element after h, or none.
func (t *treap) next(h int32) int32 {
	if k := t.knots[h].kids[1]; k != none {
		return t.first(k)
	}
	for {
		p := t.knots[h].up
		if p == none || t.knots[p].kids[0] == h {
			return p
		}
		h = p
	}
}

// lastBelow returns the last element before stop, none meaning the end, whose
// client is below id, or none.
func (t *treap) lastBelow(root, stop int32, id uint64) int32 {
	if stop == none {
		return t.lastUnder(root, id)
	}
	if k := t.knots[stop].kids[0]; t.low(k) < id {
		return t.lastUnder(k, id)
	}
	for h, p := stop, t.knots[stop].up; p != none; h, p = p, t.knots[p].up {
		if t.knots[p].kids[1] != h {
			continue
		}
		if t.knots[p].id < id {
			return p
		}
		if k := t.knots[p].kids[0]; t.low(k) < id {
			return t.lastUnder(k, id)
		}
	}
	return none
}

// lastUnder is lastBelow for all elements at or below h.
func (t *treap) lastUnder(h int32, id uint64) int32 {
	for t.low(h) < id {
		k := &t.knots[h]
		switch {
		case t.low(k.kids[1]) < id:
			h = k.kids[1]
		case k.id < id:
			return h
		default:
			h = k.kids[0]
		}
	}
	return none
}
