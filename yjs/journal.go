package yjs

import "maps"

// keepRoom is for how many things room is kept from one update to the next: more were
// for a large update, and aren't needed again.
const keepRoom = 64

// journal is what an update that is being checked has changed in what is known about
// nesting, so that nothing of it stays if the update is refused.
type journal struct {
	authors, made int // how many authors and knots there were before
	lists         []listBefore
	odd           []ID // that weren't there
	knots         []knotBefore
}

// listBefore is how many types an author had.
type listBefore struct{ author, levels int }

// knotBefore is a knot as it was.
type knotBefore struct {
	at   int32
	knot knot
}

// write changes a knot.
func (n *nesting) write(at int32, k knot) {
	if int(at) < n.journal.made {
		n.journal.knots = append(n.journal.knots, knotBefore{at, n.knots[at]})
	}
	n.knots[at] = k
}

// commit keeps what the update has changed.
func (n *nesting) commit() {
	n.tighten()
	for _, k := range n.knots[min(max(n.journal.made, 1), len(n.knots)):] {
		if n.awaited == nil {
			n.awaited = map[uint64]*spans{}
		}
		if n.awaited[k.client] == nil {
			n.awaited[k.client] = new(spans)
		}
		n.awaited[k.client].add(k.clock, k.clock+1, spot{})
	}
	n.begin()
}

// rollback forgets what the update has changed.
func (n *nesting) rollback() {
	j := &n.journal
	n.tighten()
	for i := len(j.lists) - 1; i >= 0; i-- {
		a := &n.authors[j.lists[i].author]
		a.levels = cut(a.levels, j.lists[i].levels)
	}
	for _, a := range n.authors[j.authors:] {
		delete(n.index, a.id)
	}
	n.index = shrunk(n.index, len(n.authors)-j.authors)
	n.authors = cut(n.authors, j.authors)
	for _, id := range j.odd {
		delete(n.odd, id)
	}
	n.odd = shrunk(n.odd, len(j.odd))
	for i := len(j.knots) - 1; i >= 0; i-- {
		n.knots[j.knots[i].at] = j.knots[i].knot
	}
	for _, k := range n.knots[j.made:] {
		delete(n.knotOf, k.bond)
	}
	n.knotOf = shrunk(n.knotOf, len(n.knots)-j.made)
	n.knots = cut(n.knots, j.made)
	n.begin()
}

// cut returns the first n of a list. What was made room for beside isn't kept, or
// refused updates could fill the memory.
func cut[T any](list []T, n int) []T {
	clear(list[n:])
	if cap(list) <= 2*n+keepRoom {
		return list[:n]
	}
	return append(make([]T, 0, n), list[:n]...)
}

// shrunk is cut for a map from which so many entries were deleted: it never gives back
// room, and so is made anew.
func shrunk[K comparable, V any](m map[K]V, deleted int) map[K]V {
	if deleted <= len(m)+keepRoom {
		return m
	}
	next := make(map[K]V, len(m))
	maps.Copy(next, m)
	return next
}

// tighten forgets what was needed until all types were settled.
func (n *nesting) tighten() {
	for _, touched := range n.journal.lists {
		n.authors[touched.author].loose = nil
	}
}

// begin makes ready for the next update.
func (n *nesting) begin() {
	if cap(n.stray)+cap(n.way)+cap(n.journal.odd)+cap(n.journal.knots)+cap(n.journal.lists) > keepRoom {
		n.stray, n.way, n.journal = nil, nil, journal{}
	}
	n.stray = n.stray[:0]
	n.deep = false
	n.journal = journal{
		len(n.authors), len(n.knots),
		n.journal.lists[:0], n.journal.odd[:0], n.journal.knots[:0],
	}
}
