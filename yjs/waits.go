package yjs

import (
	"cmp"
	"slices"
	"sort"
)

// Types may hang on a struct that is missing, directly or through others: next to it,
// or inside it. How deep they are is counted from it, and what is remembered is only
// how deep the deepest of them is:
//
//	missing (9,4)
//	 └ map  (1,0)  in (9,4)     depth 1 below "inside (9,4)"
//	    └ text (1,1)  in (1,0)    depth 2: the most
//
// An update that brings (9,4) is refused if that is then too deep. If it isn't, and
// (9,4) hangs on something that is missing as well, all of them count from there.
type wait struct {
	client uint64 // with clock and inside a bond, taken apart to take 16 bytes
	clock  uint32
	inside bool
	most   uint16 // the depth of the deepest type, counted from here
}

func (w wait) bond() bond { return bond{w.client, w.clock, w.inside} }

// compare puts waits in order.
func (w wait) compare(on bond) int {
	if w.client != on.client {
		return cmp.Compare(w.client, on.client)
	}
	if w.clock != on.clock || w.inside == on.inside {
		return cmp.Compare(w.clock, on.clock)
	}
	if on.inside {
		return -1
	}
	return 1
}

// waits is what types hang on that is missing, by client and clock.
type waits struct {
	chunks [][]wait
	count  int
}

// chunkWaits is how many waits a chunk has at most: 4 KiB.
const chunkWaits = 256

// seek returns the spot of the first wait at or after a bond.
func (w *waits) seek(on bond) spot {
	i := sort.Search(len(w.chunks), func(i int) bool { return w.chunks[i][len(w.chunks[i])-1].compare(on) >= 0 })
	if i == len(w.chunks) {
		return spot{i, 0}
	}
	j, _ := slices.BinarySearchFunc(w.chunks[i], on, wait.compare)
	return spot{i, j}
}

// at returns the wait at a spot, if there is one.
func (w *waits) at(s spot) (wait, bool) {
	if s.i == len(w.chunks) {
		return wait{}, false
	}
	return w.chunks[s.i][s.j], true
}

// deepen notes that a type hangs on something missing, and how deep it is from there.
func (w *waits) deepen(on bond, depth int32) {
	at := w.seek(on)
	if held, ok := w.at(at); !ok || held.bond() != on {
		w.chunks = insertAt(w.chunks, at, wait{on.client, on.clock, on.inside, uint16(depth)}, chunkWaits)
		w.count++
	} else if depth > int32(held.most) {
		w.chunks[at.i][at.j].most = uint16(depth)
	}
}

// take removes the wait at a spot, and returns the spot of the next one.
func (w *waits) take(at spot) spot {
	w.chunks, at = removeAt(w.chunks, at, chunkWaits)
	w.count--
	return at
}

// within calls f with the spot of each wait for what an update has, which was checked
// and has each client once. f returns the spot of the next one.
func (w *waits) within(update []byte, f func(at spot) spot) {
	if w.count == 0 {
		return
	}
	u := readUpdate(update)
	u.trusted = true
	var b block
	var at spot
	for u.next(&b) {
		if u.section {
			at = w.seek(bond{u.client, uint32(b.clock), false})
		}
		if b.kind() == kindSkip {
			continue
		}
		for {
			held, ok := w.at(at)
			if !ok || held.client != u.client || uint64(held.clock) >= b.limit() {
				break
			}
			if uint64(held.clock) < b.clock { // in a Skip: many may be there
				at = w.seek(bond{u.client, uint32(b.clock), false})
				continue
			}
			at = f(at)
		}
	}
}

// arrive refuses an update that brings what types hang on which are then too deep.
func (n *nesting) arrive(h *heads) {
	n.waits.within(h.update, func(at spot) spot {
		n.arrived = true
		w, _ := n.waits.at(at)
		end := n.walk(w.bond(), h)
		most := int32(w.most) + end.types
		if most > MaxNesting {
			n.refuse(w.bond().id())
		}
		if end.waits {
			n.coming.deepen(end.on, most)
		}
		return afterOf(n.waits.chunks, at)
	})
}

// keepWaits keeps what the types of an update hang on, and forgets what it has brought.
func (n *nesting) keepWaits(update []byte) {
	if n.arrived {
		n.waits.within(update, func(at spot) spot { return n.waits.take(at) })
	}
	if n.waits.count == 0 {
		n.waits = n.coming
		return
	}
	for _, chunk := range n.coming.chunks {
		for _, w := range chunk {
			n.waits.deepen(w.bond(), int32(w.most))
		}
	}
}

// awaits reports whether something hangs on what a client hasn't sent yet.
func (n *nesting) awaits(client uint64) bool {
	if n == nil || n.waits.count == 0 {
		return false
	}
	w, ok := n.waits.at(n.waits.seek(bond{client: client}))
	return ok && w.client == client
}
