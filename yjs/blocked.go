package yjs

// A struct is blocked while what it hangs on isn't there: its origin, its right
// origin, its parent, or what these in turn hang on. A document holds blocked
// structs like others (they are part of the state vector), but no Yjs replica
// can show them, nor anything of the same client after them.
//
// That matters in one case. A peer that had all of it, deleted and collected it,
// sends a GC struct, which hangs on nothing. Yjs takes that and goes on. If we
// kept the blocked form because it came first, the client would stay stuck for
// everybody if what is missing never came. So a GC struct replaces what is
// blocked; never what isn't, or it would be a free way to destroy content.

// burial is clocks of a client that turn into GC.
type burial struct {
	client   *client
	from, to uint64
}

// bury replaces what an update's GC structs replace.
func (d *Document) bury(update []byte) {
	for _, each := range d.buried(update) {
		c := each.client
		if end := uint64(c.main.end); each.from < end {
			c.main.bury(c.id, each.from, min(each.to, end))
			c.deletes.add(uint32(each.from), uint32(min(each.to, end)), spot{})
		}
		if c.gaps != nil {
			c.gaps.bury(c.id, each.from, each.to)
		}
	}
}

// buried returns the clocks that an update's GC structs replace. It walks over
// the whole document, so it gives up on a document that is too large for the
// update's size, and then nothing is replaced.
func (d *Document) buried(update []byte) []burial {
	reach := d.reach(64*len(update) + 1<<16)
	if reach == nil {
		return nil
	}
	var list []burial
	u := readUpdate(update)
	var b block
	for u.checked(&b) {
		i := d.place(u.client)
		if b.kind() != kindGC || i < 0 {
			continue
		}
		c := &d.clients[i]
		from, end := max(b.clock, reach[i].clock), uint64(c.main.end)
		if from < min(b.limit(), end) && !c.main.onlyGC(from, min(b.limit(), end)) ||
			c.gaps != nil && !c.gaps.onlyGC(b.clock, b.limit()) {
			list = append(list, burial{c, from, b.limit()})
		}
	}
	return list
}

// reached is how far a replica can integrate one client.
type reached struct {
	clock   uint64
	offset  int     // of the first blocked struct
	waiting []int32 // clients that wait for this one
}

// reach returns, for each client by its place, the clock up to which a replica
// could integrate it; nil if that takes reading more than budget structs.
func (d *Document) reach(budget int) []reached {
	all := make([]reached, len(d.clients))
	queue := make([]int32, 0, len(d.clients))
	for i := range d.clients {
		queue = append(queue, int32(i))
	}
	for len(queue) > 0 {
		i := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		was := all[i].clock
		if budget = d.advance(all, i, budget); budget < 0 {
			return nil
		}
		if all[i].clock > was {
			queue = append(queue, all[i].waiting...)
			all[i].waiting = nil
		}
	}
	return all
}

// advance integrates one client as far as it goes and returns the budget left.
func (d *Document) advance(all []reached, i int32, budget int) int {
	c, at := &d.clients[i], &all[i]
	r := reader{src: c.main.buf, pos: at.offset, trusted: true}
	var b block
	for r.left() > 0 && budget >= 0 {
		budget--
		r.block(&b, at.clock)
		on, blocked := d.waitsFor(all, c.id, &b)
		if blocked {
			if on >= 0 {
				all[on].waiting = append(all[on].waiting, i)
			}
			return budget
		}
		at.clock, at.offset = b.limit(), r.pos
	}
	return budget
}

// waitsFor reports whether a struct is blocked, and by which client's progress;
// -1 if that client isn't here at all.
func (d *Document) waitsFor(all []reached, client uint64, b *block) (on int32, blocked bool) {
	if !b.linked() && !b.parentID || b.kind() == kindGC {
		return 0, false
	}
	for _, id := range [...]struct {
		ID
		is bool
	}{{b.origin, b.info&flagOrigin != 0}, {b.right, b.info&flagRight != 0}, {b.owner, b.parentID}} {
		if !id.is || id.Client == client {
			continue
		}
		if on = d.place(id.Client); on < 0 || id.Clock >= all[on].clock {
			return on, true
		}
	}
	return 0, false
}

// onlyGC reports whether all clocks between two are held as GC.
func (r *run) onlyGC(from, to uint64) bool {
	var b block
	at := r.find(from, &b)
	t := reader{src: r.buf, pos: int(at.offset), trusted: true}
	for clock := uint64(at.clock); clock < to; clock = b.limit() {
		t.block(&b, clock)
		if b.kind() != kindGC {
			return false
		}
	}
	return true
}

// bury turns the clocks between two into GC.
func (r *run) bury(client, from, to uint64) {
	next := run{buf: make([]byte, 0, len(r.buf))}
	w := r.blocks()
	for w.next() {
		w.bury(from, to, func(b *block, from, to uint64) { next.add(client, r.buf, b, from, to) })
	}
	*r = next
}

// bury calls put for the part of a struct before, between and after two clocks,
// the one between as GC.
func (b *block) bury(from, to uint64, put func(b *block, from, to uint64)) {
	parts := [...]struct {
		*block
		from, to uint64
	}{
		{b, b.clock, min(b.limit(), from)},
		{&block{info: kindGC, clock: b.clock, length: b.length, loose: true}, max(b.clock, from), min(b.limit(), to)},
		{b, max(b.clock, to), b.limit()},
	}
	for _, p := range parts {
		if p.from < p.to {
			put(p.block, p.from, p.to)
		}
	}
}

// onlyGC reports whether all that is held between two clocks is GC.
func (g *gaps) onlyGC(from, to uint64) bool {
	s := g.seek(from)
	for p, ok := g.at(s); ok && uint64(p.start) < to; p, ok = g.at(s) {
		if g.kind(p) != kindGC {
			return false
		}
		s = g.after(s)
	}
	return true
}

// bury turns what is held between two clocks into GC.
func (g *gaps) bury(client, from, to uint64) {
	var b block
	s := g.seek(from)
	for p, ok := g.at(s); ok && uint64(p.start) < to; p, ok = g.at(s) {
		g.read(p, &b)
		g.remove(s)
		b.bury(from, to, func(b *block, from, to uint64) { g.add(client, g.buf, b, from, to) })
		s = g.seek(uint64(p.end))
	}
}
