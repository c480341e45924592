package yjs

import "maps"

// keepRoom is for how many things room is kept from one update to the next: more were
// for a large update, and aren't needed again.
const keepRoom = 64

// journal is what an update that is being checked has changed in what is known about
// nesting, so that nothing of it stays if the update is refused.
type journal struct {
	authors   int // how many there were before
	noted     pile[noted]
	fresh     [][]fresh // in chunks, of which only the last isn't full
	settled   pile[levelBefore]
	shortcuts pile[shortcutBefore]
}

// noted is an author of whom types were noted: where his list ended before, which of
// those that are in fresh are his, and which of them was found last.
type noted struct {
	author         int32
	end            uint32
	from, to, hint int32
}

// fresh is a new type that is unsettled or came behind later ones.
type fresh struct {
	clock uint32 // and own
	// where is what the type hangs on, if that is of its own client: the clock twice,
	// and 1 more if inside. Else it is where the type's bytes are: in the update or, if
	// there is none, in the client's. There is one for each type, so these are 8 bytes.
	where uint32
}

// own is what a clock leaves room for.
const own = 1 << 31

// chunkFresh is how many a chunk has: 4 KiB.
const chunkFresh = 512

// remember adds a type of the author who was noted last.
func (j *journal) remember(client uint64, b *block) {
	f := fresh{uint32(b.clock), uint32(b.start)}
	if on, hangs := b.bond(); hangs && on.client == client {
		f = fresh{f.clock | own, on.clock << 1}
		if on.inside {
			f.where++
		}
	}
	j.fresh = push(j.fresh, f, chunkFresh)
	j.noted.at(j.noted.count-1).to++
}

// bond returns what a type of a client hangs on.
func (f fresh) bond(client uint64, h *heads) bond {
	if f.clock&own != 0 {
		return bond{client, f.where >> 1, f.where&1 == 1}
	}
	return h.bondAt(ID{client, uint64(f.clock)}, f.where)
}

func (j *journal) freshAt(i int32) fresh { return j.fresh[uint32(i)/chunkFresh][uint32(i)%chunkFresh] }

// levelBefore is a type of before that was settled.
type levelBefore struct {
	author int32
	level
}

// shortcutBefore is a shortcut as it was, if it was there.
type shortcutBefore struct {
	ID

	site site
	was  bool
}

// notedOf returns where in the journal an author is, or -1.
func (n *nesting) notedOf(a *author) int {
	k := int(a.noted) - 1
	if k < 0 || k >= n.journal.noted.count || n.authors.at(int(n.journal.noted.at(k).author)).id != a.id {
		return -1
	}
	return k
}

// fresh returns a type that is in the journal.
func (n *nesting) fresh(id ID) (f fresh, ok bool) {
	if len(n.journal.fresh) == 0 {
		return fresh{}, false
	}
	a := n.author(id.Client)
	if a == nil {
		return fresh{}, false
	}
	k := n.notedOf(a)
	if k < 0 {
		return fresh{}, false
	}
	return n.journal.find(n.journal.noted.at(k), uint32(id.Clock))
}

// find returns the type at a clock, if it is fresh.
func (j *journal) find(of *noted, clock uint32) (f fresh, ok bool) {
	for i := min(of.hint, of.to-1); i >= max(of.hint-nearby, of.from); i-- {
		if f = j.freshAt(i); f.clock&^own == clock {
			of.hint = i
			return f, true
		}
	}
	// Mostly it is in the chunk of the one before.
	lo, hi := of.from, of.to
	if first := of.hint &^ (chunkFresh - 1); first > lo && j.freshAt(first).clock&^own <= clock {
		lo = first
	}
	if next := of.hint&^(chunkFresh-1) + chunkFresh; next < hi && j.freshAt(next).clock&^own > clock {
		hi = next
	}
	for lo < hi {
		if mid := int32(uint32(lo+hi) / 2); j.freshAt(mid).clock&^own < clock {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == of.to || j.freshAt(lo).clock&^own != clock {
		return fresh{}, false
	}
	of.hint = lo
	return j.freshAt(lo), true
}

// settle settles a type that was unsettled.
func (n *nesting) settle(a *author, l *level, depth uint16) {
	if k := n.notedOf(a); k < 0 || l.clock() < uint64(n.journal.noted.at(k).end) {
		n.journal.settled.push(levelBefore{int32(n.recent), *l})
	}
	l[2] = depth
}

// shorten remembers the place of a struct that isn't a settled type.
func (n *nesting) shorten(id ID, p site) {
	was, ok := n.shortcuts[id]
	if ok && was == p {
		return
	}
	if n.shortcuts == nil {
		n.shortcuts = map[ID]site{}
	}
	n.journal.shortcuts.push(shortcutBefore{id, was, ok})
	n.shortcuts[id] = p
}

// commit keeps what an update has changed.
func (n *nesting) commit(update []byte) {
	n.keepWaits(update)
	n.begin()
}

// rollback forgets what the update has changed.
func (n *nesting) rollback() {
	j := &n.journal
	for i := range j.settled.count {
		l := j.settled.at(i)
		*n.authors.at(int(l.author)).find(l.clock()) = l.level
	}
	for k := j.noted.count - 1; k >= 0; k-- {
		of := j.noted.at(k)
		a := n.authors.at(int(of.author))
		n.types -= a.cut(uint64(of.end))
		for i := of.from; i < of.to; i++ {
			if clock := j.freshAt(i).clock &^ own; clock < of.end {
				a.remove(uint64(clock))
				n.types--
			}
		}
	}
	n.dropAuthors(j.authors)
	added := 0
	for i := j.shortcuts.count - 1; i >= 0; i-- {
		if s := j.shortcuts.at(i); s.was {
			n.shortcuts[s.ID] = s.site
		} else {
			delete(n.shortcuts, s.ID)
			added++
		}
	}
	n.shortcuts = shrunk(n.shortcuts, added)
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

// begin makes ready for the next update.
func (n *nesting) begin() {
	j := &n.journal
	if cap(n.way) > keepRoom {
		n.way = nil
	}
	j.authors, j.fresh = n.authors.count, nil
	j.noted.reset()
	j.settled.reset()
	j.shortcuts.reset()
	n.deep, n.arrived, n.coming = false, false, waits{}
}
