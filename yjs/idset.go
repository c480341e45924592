package yjs

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
	d := NewDocument()
	if err := d.Load(update); err != nil {
		return nil, nil, err
	}
	u := readUpdate(update)
	u.trusted = true
	var b block
	for u.next(&b) {
		continue
	}
	all := NewDocument() // the delete set alone: d also has what is deleted by its form
	all.mergeDeletes(u)
	return d.Inserts(), all.Deletes(), nil
}
