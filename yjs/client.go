package yjs

// client is what a document holds of one client.
//
//	clock  0 ──────── main.end   …   gaps    …   gaps
//	       structs of main       ?   struct  ?   struct
type client struct {
	id      uint64
	main    run   // from clock 0; the state vector says main.end
	gaps    *gaps // beyond main.end; nil if there is nothing
	deletes spans
}

// put adds what isn't known yet of a struct. src is what b was read from, and left how
// many bytes from there on are of this client too, as far as one knows.
func (c *client) put(src []byte, b *block, left int) {
	if b.kind() == kindSkip {
		return
	}
	from, to := max(b.clock, uint64(c.main.end)), b.limit()
	if from >= to {
		return
	}
	if c.gaps == nil && from == uint64(c.main.end) {
		c.append(src, b, from, to)
		return
	}
	c.putAcross(src, b, from, to, left)
}

// append adds a part of a struct at the end of the main run.
func (c *client) append(src []byte, b *block, from, to uint64) {
	c.main.add(c.id, src, b, from, to, continuing)
	c.bear(b, from, to)
}

// bear notes what a struct of the main run says about being deleted. The delete
// set must say it too: a peer that has the content alive learns of it only there.
func (c *client) bear(b *block, from, to uint64) {
	if b.dead() {
		c.deletes.add(uint32(from), uint32(to), spot{})
	}
}

// putAcross adds the parts of a struct that fall between what is known.
func (c *client) putAcross(src []byte, b *block, from, to uint64, left int) {
	if c.gaps == nil {
		c.gaps = &gaps{}
	}
	g := c.gaps
	if g.holds(from, to) {
		return
	}
	if b.kind() == kindString {
		g.dropStrings(from, to)
	}
	for from < to {
		p, ok := g.at(g.seek(from))
		stop := to
		if ok {
			stop = min(to, uint64(p.start))
		}
		switch {
		case from >= stop:
			from = uint64(p.end)
			continue
		case from == uint64(c.main.end):
			c.main.buf = room(c.main.buf, left, len(src)-b.start)
			c.append(src, b, from, stop)
		default:
			g.buf = room(g.buf, left, len(src)-b.start)
			g.add(c.id, src, b, from, stop)
		}
		from = stop
	}
	c.close()
}

// close moves what the main run has reached into it.
func (c *client) close() {
	var b block
	for c.gaps.pop(uint64(c.main.end), &b) {
		c.main.buf = room(c.main.buf, b.end-b.start, b.end-b.start+c.gaps.size())
		c.append(c.gaps.buf, &b, b.clock, b.limit())
	}
	if c.gaps.count == 0 {
		c.gaps = nil
		return
	}
	c.gaps.shed()
}

// end returns the clock after the last unit that is held, gaps or not.
func (c *client) end() uint64 {
	if c.gaps != nil {
		return c.gaps.end()
	}
	return uint64(c.main.end)
}

// bytes returns how many bytes the structs of a client take; nil has none.
func (c *client) bytes() int {
	switch {
	case c == nil:
		return 0
	case c.gaps == nil:
		return len(c.main.buf)
	}
	return len(c.main.buf) + len(c.gaps.buf)
}

// holds reports whether all clocks from start up to end are held.
func (c *client) holds(start, end uint64) bool {
	start = max(start, uint64(c.main.end))
	return start >= end || c.gaps != nil && c.gaps.holds(start, end)
}
