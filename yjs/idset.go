package yjs

import (
	"cmp"
	"iter"
	"slices"
)

// Range is Len clocks from Clock on.
type Range struct{ Clock, Len uint64 }

// IDSet is units of several clients: of each the ranges of its clocks, ascending,
// neither overlapping nor touching. Clients without any aren't in it.
type IDSet map[uint64][]Range

// Has reports whether a unit is in the set.
func (s IDSet) Has(id ID) bool {
	ranges := s[id.Client]
	lo, hi := 0, len(ranges)
	for lo < hi {
		if mid := (lo + hi) / 2; ranges[mid].Clock+ranges[mid].Len > id.Clock {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo < len(ranges) && ranges[lo].Clock <= id.Clock
}

// extend adds clocks that come after all others of the client.
func (s IDSet) extend(client, clock, length uint64) {
	ranges := s[client]
	if n := len(ranges); n > 0 && ranges[n-1].Clock+ranges[n-1].Len == clock {
		ranges[n-1].Len += length
		return
	}
	s[client] = append(ranges, Range{clock, length})
}

// Inserts returns the units that the document holds, those that wait behind gaps
// included. The set is a copy: a range per client and gap.
func (d *Document) Inserts() IDSet {
	set := make(IDSet, len(d.clients))
	for i := range d.clients {
		c := &d.clients[i]
		if c.main.end > 0 {
			set.extend(c.id, 0, uint64(c.main.end))
		}
		if c.gaps == nil {
			continue
		}
		for _, chunk := range c.gaps.chunks {
			for _, p := range chunk {
				set.extend(c.id, uint64(p.start), uint64(p.end-p.start))
			}
		}
	}
	return set
}

// Deletes returns the units that are deleted as far as the document was told,
// those that it doesn't hold yet included. What Yjs derives (overwritten values of
// keys, what is in a deleted type) is in it only if an update said so, or after
// content.Compact. The set is a copy: 16 bytes a range.
func (d *Document) Deletes() IDSet {
	set := make(IDSet, len(d.clients))
	for i := range d.clients {
		c := &d.clients[i]
		if c.deletes.count == 0 {
			continue
		}
		ranges := make([]Range, 0, c.deletes.count)
		for _, chunk := range c.deletes.chunks {
			for _, s := range chunk {
				ranges = append(ranges, Range{uint64(s.start), uint64(s.end - s.start)})
			}
		}
		set[c.id] = ranges
	}
	return set
}

// Has reports whether the document holds a unit, behind a gap or not.
func (d *Document) Has(id ID) bool {
	c := d.find(id.Client)
	return c != nil && id.Clock < MaxClock && c.holds(id.Clock, id.Clock+1)
}

// Deleted reports whether a unit is in the delete set, held or not.
func (d *Document) Deleted(id ID) bool {
	c := d.find(id.Client)
	if c == nil || id.Clock >= MaxClock {
		return false
	}
	deleted, _ := c.deletes.covers(uint32(id.Clock), uint32(id.Clock)+1, spot{})
	return deleted
}

// IDsOfUpdate returns what a version 1 update brings: the units that it has, and
// those that it deletes. To ask whether a document has all of that, Contains is
// cheaper. The errors are those of ValidateUpdate, but without the cap on new units.
func IDsOfUpdate(update []byte) (inserts, deletes IDSet, err error) {
	if err := validate(update, MaxClock); err != nil {
		return nil, nil, err
	}
	u := readUpdate(update)
	inserts = idSetOf(u.inserted)
	return inserts, idSetOf(u.deleted), nil
}

// inserted yields the units of each struct, and then u stands before the delete set.
func (u *updateReader) inserted(yield func(client uint64, r Range) bool) {
	*u = readUpdate(u.src)
	u.trusted = true
	var b block
	for u.next(&b) {
		if b.kind() != kindSkip && !yield(u.client, Range{b.clock, b.length}) {
			return
		}
	}
}

// deleted yields the ranges of the delete set, before which u stands.
func (u *updateReader) deleted(yield func(client uint64, r Range) bool) {
	rest := *u
	for {
		clock, length, ok := rest.nextDelete()
		if !ok || !yield(rest.client, Range{clock, length}) {
			return
		}
	}
}

// idSetOf makes a set of ranges, which it goes through twice, to make no more room than
// they take: once more if they overlap, or their clients don't descend, which nobody
// writes.
func idSetOf(all iter.Seq2[uint64, Range]) IDSet {
	clients, count, ordered := measure(all)
	if !ordered {
		list := make([]clientRange, 0, count)
		for client, r := range all {
			start, end := uint32(r.Clock), uint32(r.Clock+r.Len)
			if n := len(list); n > 0 && list[n-1].client == client && list[n-1].end == start {
				list[n-1].end = end
				continue
			}
			list = append(list, clientRange{client, start, end})
		}
		all = inOrder(list)
		clients, count, _ = measure(all)
	}
	set := make(IDSet, clients)
	room := make([]Range, 0, count)
	var of uint64
	from := 0
	keep := func() {
		if from < len(room) {
			set[of] = room[from:len(room):len(room)]
			from = len(room)
		}
	}
	for client, r := range all {
		if client != of {
			keep()
			of = client
		}
		if n := len(room); n > from && room[n-1].Clock+room[n-1].Len == r.Clock {
			room[n-1].Len += r.Len
			continue
		}
		room = append(room, r)
	}
	keep()
	return set
}

// measure returns of how many clients ranges are, how many there are once those that
// touch are joined, and whether they are ascending and disjoint, with clients descending.
func measure(all iter.Seq2[uint64, Range]) (clients, count int, ordered bool) {
	ordered = true
	var of, end uint64
	for client, r := range all {
		switch {
		case count == 0 || client != of:
			ordered = ordered && (count == 0 || client < of)
			clients++
			count++
		case r.Clock != end:
			ordered = ordered && r.Clock > end
			count++
		}
		of, end = client, r.Clock+r.Len
	}
	return clients, count, ordered
}

// clientRange is clocks of a client from start up to end.
type clientRange struct {
	client     uint64
	start, end uint32
}

// inOrder yields ranges without overlaps, clients descending. It sorts the list.
func inOrder(list []clientRange) iter.Seq2[uint64, Range] {
	slices.SortFunc(list, func(x, y clientRange) int {
		return cmp.Or(cmp.Compare(y.client, x.client), cmp.Compare(x.start, y.start))
	})
	return func(yield func(uint64, Range) bool) {
		for i := 0; i < len(list); {
			r := list[i]
			for i++; i < len(list) && list[i].client == r.client && list[i].start <= r.end; i++ {
				r.end = max(r.end, list[i].end)
			}
			if !yield(r.client, Range{uint64(r.start), uint64(r.end - r.start)}) {
				return
			}
		}
	}
}
