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

// burial is clocks of a run that turn into GC.
type burial struct {
	client   *client
	run      *run
	from, to uint64
}

// bury replaces what an update's GC structs replace.
func (d *Document) bury(update []byte) {
	for _, each := range d.buried(update) {
		each.run.bury(each.client.id, each.from, each.to)
		if each.run == &each.client.main {
			each.client.deletes.add(uint32(each.from), uint32(each.to), spot{})
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
		list = c.buried(list, &c.main, max(b.clock, reach[i].clock), b.limit())
		for k := c.after(b.clock); k < len(c.gaps) && uint64(c.gaps[k].start) < b.limit(); k++ {
			list = c.buried(list, c.gaps[k], b.clock, b.limit())
		}
	}
	return list
}

// buried appends the part of a run between two clocks, unless it is GC already.
func (c *client) buried(list []burial, r *run, from, to uint64) []burial {
	from, to = max(from, uint64(r.start)), min(to, uint64(r.end))
	if from < to && !r.onlyGC(from, to) {
		list = append(list, burial{c, r, from, to})
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
	queue := make([]int32, len(d.clients))
	for i := range queue {
		queue[i] = int32(i)
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
	next := run{buf: make([]byte, 0, len(r.buf)), start: r.start, end: r.start}
	put := func(b *block, from, to uint64) {
		if from < to {
			next.add(client, r.buf, b, from, to)
		}
	}
	for w := r.blocks(); w.next(); {
		put(&w.block, w.clock, min(w.limit(), from))
		put(&block{info: kindGC, clock: w.clock, length: w.length, loose: true}, max(w.clock, from), min(w.limit(), to))
		put(&w.block, max(w.clock, to), w.limit())
	}
	*r = next
}
