package yjs

// Compact drops the content of what is deleted, as Yjs's garbage collection does,
// joins what can be joined then, and gives back spare memory. Nothing that a peer
// can see changes: not the state vector, nor the delete set, nor what anybody's
// next update means. It returns how many bytes the encoded state has shrunk by,
// which is negative if cutting out single letters has cost more than they took.
//
// It reads the whole document and makes a new copy of it, so it is for quiet
// moments: before a snapshot is stored, or when a room falls idle.
func (d *Document) Compact() int {
	before := d.Size()
	for i := range d.clients {
		d.clients[i].compact()
	}
	return before - d.Size()
}

func (c *client) compact() {
	next := run{buf: make([]byte, 0, len(c.main.buf))}
	parts := c.deletes.parts()
	put := func(b *block, from, to uint64) { next.add(c.id, c.main.buf, b, from, to) }
	w := c.main.blocks()
	for w.next() {
		parts.split(&w.block, put)
	}
	next.buf = append(make([]byte, 0, len(next.buf)), next.buf...)
	next.marks = append([]mark(nil), next.marks...)
	c.main = next
	if c.gaps != nil {
		c.gaps.compact(c.id, &parts)
	}
}

// compact drops deleted content that waits: when what is missing comes, it will
// be integrated and deleted at once.
func (g *gaps) compact(client uint64, parts *partition) {
	var next gaps
	var b block
	for _, chunk := range g.chunks {
		for _, p := range chunk {
			g.read(p, &b)
			parts.split(&b, func(b *block, from, to uint64) { next.add(client, g.buf, b, from, to) })
		}
	}
	next.settle(client)
	*g = next
}

// partition cuts structs, given in the order of their clocks, at the edges of
// spans.
type partition struct {
	spans *spans
	at    spot
	dead  block // the form without content of the struct that is being cut
}

func (s *spans) parts() partition { return partition{spans: s} }

// split calls put for each part of a struct, the deleted ones without content.
func (p *partition) split(b *block, put func(b *block, from, to uint64)) {
	if b.dead() {
		put(b, b.clock, b.limit())
		return
	}
	// The dead form hangs where the live one does.
	p.dead = *b
	p.dead.info = b.info&^kindBits | kindDeleted
	p.dead.loose = true
	for from := b.clock; from < b.limit(); {
		p.at = p.spans.seek(uint32(from), p.at)
		if p.at.i < len(p.spans.chunks) && uint64(p.spans.chunks[p.at.i][p.at.j].end) == from {
			p.at, _ = p.spans.after(p.at)
		}
		to := b.limit()
		if p.at.i == len(p.spans.chunks) {
			put(b, from, to)
			return
		}
		d := p.spans.chunks[p.at.i][p.at.j]
		if uint64(d.start) <= from {
			to = min(to, uint64(d.end))
			put(&p.dead, from, to)
		} else {
			to = min(to, uint64(d.start))
			put(b, from, to)
		}
		from = to
	}
}
