package yjs

import (
	"maps"
	"slices"
)

// Pending is what a document holds but can't yet count as known, because clocks
// before it are missing. It is part of the encoded state, and joins the rest
// when what is missing arrives.
type Pending struct {
	Structs int // structs behind a gap
	Bytes   int // their size
	// Missing has, for each client with a gap, the first clock that is missing,
	// by descending client. It is nil without gaps.
	Missing []ID
}

// Pending says what waits behind gaps, and for what. It takes a look at each client;
// Missing also finds what structs of others wait for.
func (d *Document) Pending() Pending {
	var p Pending
	for _, each := range d.sorted() {
		c := &d.clients[each]
		if c.gaps == nil {
			continue
		}
		p.Missing = append(p.Missing, ID{c.id, uint64(c.main.end)})
		p.Structs += int(c.gaps.count)
		p.Bytes += c.gaps.size()
	}
	return p
}

// Missing returns the first clock that is missing of each client of which something is
// waited for, by descending client: what Pending says, and what structs of others hang
// on, and deletes that came before what they delete. A struct that hangs on what is
// missing is held, and is in the state vector, but no Yjs replica shows it yet, nor what
// its author wrote after it. The result is nil if nothing is missing. It reads the whole
// document.
func (d *Document) Missing() []ID {
	missing := map[uint64]uint64{}
	need := func(id ID, is bool) {
		if !is {
			return
		}
		c := d.find(id.Client)
		switch {
		case c == nil:
			missing[id.Client] = 0
		case !c.holds(id.Clock, id.Clock+1):
			missing[id.Client] = uint64(c.main.end)
		}
	}
	for i := range d.clients {
		c := &d.clients[i]
		each := func(b *block) {
			need(b.origin, b.info&flagOrigin != 0)
			need(b.right, b.info&flagRight != 0)
			need(b.owner, b.parentID)
		}
		w := c.main.blocks()
		for w.next() {
			each(&w.block)
		}
		if c.gaps != nil {
			missing[c.id] = uint64(c.main.end)
			c.gaps.each(each)
		}
		if !c.holdsDeleted() {
			missing[c.id] = uint64(c.main.end)
		}
	}
	var list []ID
	for _, client := range slices.Sorted(maps.Keys(missing)) {
		list = append(list, ID{client, missing[client]})
	}
	slices.Reverse(list)
	return list
}

// holdsDeleted reports whether all that is deleted of a client is held.
func (c *client) holdsDeleted() bool {
	at := c.deletes.seek(c.main.end, spot{})
	for ok := at.i < len(c.deletes.chunks); ok; at, ok = c.deletes.after(at) {
		if s := c.deletes.chunks[at.i][at.j]; !c.holds(uint64(s.start), uint64(s.end)) {
			return false
		}
	}
	return true
}
