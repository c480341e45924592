package yjs

// Compact drops the content of what is deleted, as Yjs's garbage collection does,
// joins what can be joined then, and gives back spare memory. Nothing that a peer
// can see changes: not the state vector, nor the delete set, nor what anybody's
// next update means. It returns how many bytes the encoded state has shrunk by,
// which is negative if cutting out single letters has cost more than they took.
//
// It reads the whole document and makes a new copy of it, so it is for quiet
// moments: before a snapshot is stored, or when a room falls idle. Who writes next
// has to wait for Prepare.
func (d *Document) Compact() int {
	before := d.Size()
	for i := range d.clients {
		d.clients[i].dropDeleted()
		d.clients[i].fit()
	}
	d.staleNesting()
	return before - d.Size()
}

// Findings is what only the order of the structs tells about a document.
type Findings struct {
	Deleted   IDSet // what Yjs derives to be deleted, or all that is
	Gone      IDSet // what is inside deleted types: nothing of it stays but its length
	Sequences IDSet // values that are in a sequence and not under a key
}

// Collect is Compact for who knows more than the delete set says, because he has
// put the structs in their places, as package content does. Units of findings that
// aren't held, or wait behind a gap, are left out. Whoever says so must be right:
// what is gone is gone.
func (d *Document) Collect(f Findings) int {
	before := d.Size()
	for id, ranges := range f.Deleted {
		if c := d.find(id); c != nil {
			c.remove(ranges)
		}
	}
	for id, ranges := range f.Gone {
		if c := d.find(id); c != nil {
			c.cut(&partition{spans: c.remove(ranges), kind: kindGC})
		}
	}
	for i := range d.clients {
		d.clients[i].dropDeleted()
	}
	for id, ranges := range f.Sequences {
		if c := d.find(id); c != nil {
			c.main.list(id, spansOf(ranges))
		}
	}
	for i := range d.clients {
		d.clients[i].fit()
	}
	d.staleNesting()
	return before - d.Size()
}

func spansOf(ranges []Range) *spans {
	var all spans
	for _, r := range ranges {
		if end := min(r.Clock+min(r.Len, MaxClock), MaxClock); r.Clock < end {
			all.add(uint32(r.Clock), uint32(end), spot{})
		}
	}
	return &all
}

// remove adds ranges to the deletes as far as the main run goes, and returns what
// was added as a set.
func (c *client) remove(ranges []Range) *spans {
	var all spans
	var near spot
	for _, r := range ranges {
		end := min(r.Clock+min(r.Len, MaxClock), uint64(c.main.end))
		if r.Clock < end {
			_, near = c.deletes.add(uint32(r.Clock), uint32(end), near)
			all.add(uint32(r.Clock), uint32(end), spot{})
		}
	}
	return &all
}

func (c *client) dropDeleted() {
	c.cut(&partition{spans: &c.deletes, kind: kindDeleted})
}

// fit gives back spare memory.
func (c *client) fit() {
	c.main.buf = append(make([]byte, 0, len(c.main.buf)), c.main.buf...)
	c.deletes.trim()
	c.main.marks = append([]mark(nil), c.main.marks...)
}

// cut cuts all structs of the client, those that wait behind a gap included: when
// what is missing comes, they will be integrated and deleted at once.
func (c *client) cut(parts *partition) {
	c.main = c.main.cut(c.id, parts)
	if c.gaps != nil {
		next := c.gaps.cut(c.id, parts)
		c.gaps = &next
	}
}

func (r *run) cut(client uint64, parts *partition) run {
	next := run{buf: make([]byte, 0, len(r.buf))}
	put := func(b *block, from, to uint64) { next.add(client, r.buf, b, from, to, continuing) }
	w := r.blocks()
	for w.next() {
		parts.split(&w.block, put)
	}
	return next
}

// list joins the values that are in sequences.
func (r *run) list(client uint64, sequences *spans) {
	next := run{buf: make([]byte, 0, len(r.buf))}
	var near spot
	w := r.blocks()
	for w.next() {
		b := &w.block
		which := uint32(continuing)
		if kind := b.kind(); kind == kindAny || kind == kindJSON {
			var ok bool
			if ok, near = sequences.covers(uint32(b.clock), uint32(b.limit()), near); ok {
				which = listing
			}
		}
		next.add(client, r.buf, b, b.clock, b.limit(), which)
	}
	*r = next
}

func (g *gaps) cut(client uint64, parts *partition) gaps {
	var next gaps
	put := func(b *block, from, to uint64) { next.add(client, g.buf, b, from, to) }
	g.each(func(b *block) { parts.split(b, put) })
	next.settle(client)
	return next
}

// partition cuts structs, given in the order of their clocks, at the edges of
// spans, and gives those inside another form.
type partition struct {
	spans *spans
	kind  byte // of the other form: deleted, which keeps the links, or GC
	at    spot
	other block // the other form of the struct that is being cut
}

// split calls put for each part of a struct.
func (p *partition) split(b *block, put func(b *block, from, to uint64)) {
	if b.kind() <= p.kind { // GC stays GC
		put(b, b.clock, b.limit())
		return
	}
	p.other = *b
	p.other.info = b.info&^kindBits | kindDeleted
	if p.kind == kindGC {
		p.other.info = kindGC
	}
	p.other.loose = true
	for from := b.clock; from < b.limit(); {
		inside, to := p.next(from, b.limit())
		if inside {
			put(&p.other, from, to)
		} else {
			put(b, from, to)
		}
		from = to
	}
}

// next reports whether a clock is inside the spans, and up to where that holds.
func (p *partition) next(from, limit uint64) (inside bool, to uint64) {
	p.at = p.spans.seek(uint32(from), p.at)
	if p.at.i < len(p.spans.chunks) && uint64(p.spans.chunks[p.at.i][p.at.j].end) == from {
		p.at, _ = p.spans.after(p.at)
	}
	if p.at.i == len(p.spans.chunks) {
		return false, limit
	}
	d := p.spans.chunks[p.at.i][p.at.j]
	if uint64(d.start) <= from {
		return true, min(limit, uint64(d.end))
	}
	return false, min(limit, uint64(d.start))
}
