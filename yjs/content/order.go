package content

import (
	"cmp"
	"slices"
)

// order finds which structs can be integrated, and an order in which everything
// that a struct hangs on comes before it. Like Yjs it begins with the highest
// client, and when a struct needs another client's, it goes there and comes back
// after each struct: running ahead there would deadlock where clients wait for
// each other in turns. (The order decides nothing but how fast conflicts are
// resolved, and what Yjs makes of structs that no Yjs would have written.)
//
// A client whose next struct needs what isn't there is stuck, with all who wait.
func (b *builder) order() {
	n := len(b.clients)
	b.next = make([]int32, n)
	b.done = make([]uint32, n)
	b.stuck = make([]bool, n)
	b.waits = make([]bool, n)
	byID := make([]int32, n)
	for i := range b.clients {
		byID[i] = int32(i)
	}
	slices.SortFunc(byID, func(x, y int32) int {
		return cmp.Compare(b.clients[y].id, b.clients[x].id)
	})
	var waiting []int32
	for _, c := range byID {
		waiting = b.drain(c, waiting[:0])
	}
	for i := range b.clients {
		a := &b.clients[i]
		a.pending = a.pending || b.left(int32(i))
		a.end = b.done[i]
		b.structs[i] = b.structs[i][:b.next[i]]
	}
}

// drain takes all structs of a client that can be taken. waiting is empty; it is
// returned for its memory.
func (b *builder) drain(client int32, waiting []int32) []int32 {
	waiting = append(waiting, client)
	b.waits[client] = true
	for len(waiting) > 0 {
		c := waiting[len(waiting)-1]
		if !b.left(c) || b.stuck[c] {
			b.waits[c] = false
			waiting = waiting[:len(waiting)-1]
			continue
		}
		switch need := b.missing(c); {
		case need == none:
			b.take(c)
			if len(waiting) > 1 {
				b.waits[c] = false
				waiting = waiting[:len(waiting)-1]
			}
		case b.waits[need] || b.stuck[need] || !b.left(need):
			for _, w := range waiting {
				b.waits[w], b.stuck[w] = false, true
			}
			waiting = waiting[:0]
		default:
			b.waits[need] = true
			waiting = append(waiting, need)
		}
	}
	return waiting
}

// left reports whether a client has structs that weren't taken.
func (b *builder) left(client int32) bool {
	return int(b.next[client]) < len(b.structs[client])
}

func (b *builder) take(client int32) {
	b.done[client] = b.structs[client][b.next[client]].end()
	b.next[client]++
	if n := len(b.runs); n > 0 && b.runs[n-1].client == client {
		b.runs[n-1].count++
		return
	}
	b.runs = append(b.runs, run{client, 1})
}

// missing returns a client of which the next struct of another one needs more than
// was taken, or none.
func (b *builder) missing(client int32) int32 {
	s := &b.structs[client][b.next[client]]
	if s.kind == kindGC {
		return none
	}
	l := &s.link
	if c := l.left; c >= 0 && c != client && l.leftClock >= b.done[c] {
		return c
	}
	if c := l.right; c >= 0 && c != client && l.rightClock >= b.done[c] {
		return c
	}
	return none
}
