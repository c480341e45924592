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
//
// A wait takes 14 bytes, because four can make a type wait: the client, the clock and
// whether it is inside, lower halves first, and the depth of the deepest type, counted
// from here.
type wait [7]uint16

func waitFor(on bond, most int32) (w wait) {
	for i := range 4 {
		w[i] = uint16(on.client >> (16 * i))
	}
	clock := on.clock
	if on.inside {
		clock |= own
	}
	w[4], w[5], w[6] = uint16(clock), uint16(clock>>16), uint16(most)
	return w
}

func (w wait) client() uint64 {
	return uint64(w[0]) | uint64(w[1])<<16 | uint64(w[2])<<32 | uint64(w[3])<<48
}

func (w wait) clock() uint64 { return uint64(w[4]) | uint64(w[5])<<16&^own }

func (w wait) most() int32 { return int32(w[6]) }

func (w wait) bond() bond { return bond{w.client(), uint32(w.clock()), w[5]>>15 == 1} }

// compare puts waits in order.
func (w wait) compare(on bond) int {
	held := w.bond()
	switch {
	case held.client != on.client:
		return cmp.Compare(held.client, on.client)
	case held.clock != on.clock:
		return cmp.Compare(held.clock, on.clock)
	case held.inside == on.inside:
		return 0
	case on.inside:
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
const chunkWaits = 292

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
		w.chunks, _ = insertAt(w.chunks, at, waitFor(on, depth), chunkWaits)
		w.count++
	} else if depth > held.most() {
		w.chunks[at.i][at.j][6] = uint16(depth)
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
			if !ok || held.client() != u.client || held.clock() >= b.limit() {
				break
			}
			if held.clock() < b.clock { // in a Skip: many may be there
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
		most := w.most() + end.types
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
			n.waits.deepen(w.bond(), w.most())
		}
	}
}

// awaits reports whether something hangs on what a client hasn't sent yet.
func (n *nesting) awaits(client uint64) bool {
	if n == nil || n.waits.count == 0 {
		return false
	}
	w, ok := n.waits.at(n.waits.seek(bond{client: client}))
	return ok && w.client() == client
}
