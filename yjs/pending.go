package yjs

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

// Pending says what waits behind gaps, and for what.
func (d *Document) Pending() Pending {
	var p Pending
	for _, each := range d.sorted() {
		c := &d.clients[each]
		if len(c.gaps) == 0 {
			continue
		}
		p.Missing = append(p.Missing, ID{c.id, uint64(c.main.end)})
		for _, g := range c.gaps {
			p.Structs += int(g.count)
			p.Bytes += len(g.buf)
		}
	}
	return p
}
