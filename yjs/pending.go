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
		if c.gaps == nil {
			continue
		}
		p.Missing = append(p.Missing, ID{c.id, uint64(c.main.end)})
		p.Structs += c.gaps.count
		p.Bytes += len(c.gaps.buf) - c.gaps.dropped
	}
	return p
}
