package yjs

import "slices"

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
	client *client
	clocks spans
}

// bury replaces what an update's GC structs replace, and reports whether that is
// anything.
func (d *Document) bury(update []byte) bool {
	all := d.buried(update)
	for _, each := range all {
		c := each.client
		c.cut(&partition{spans: &each.clocks, kind: kindGC})
		for _, chunk := range each.clocks.chunks {
			for _, s := range chunk {
				if end := min(s.end, c.main.end); s.start < end {
					c.deletes.add(s.start, end, spot{})
				}
			}
		}
	}
	return len(all) > 0
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
	at := map[int32]int{} // client's place → place in list
	u := readUpdate(update)
	var b block
	for u.checked(&b) {
		i := d.place(u.client)
		if b.kind() != kindGC || i < 0 {
			continue
		}
		c := &d.clients[i]
		from, to := max(b.clock, reach[i].clock), min(b.limit(), c.end())
		if from >= to {
			continue
		}
		k, ok := at[i]
		if !ok {
			k = len(list)
			at[i] = k
			list = append(list, burial{client: c})
		}
		list[k].clocks.add(uint32(from), uint32(to), spot{})
	}
	return slices.DeleteFunc(list, func(b burial) bool { return !b.client.changedBy(&b.clocks) })
}

// changedBy reports whether some of the clocks are held in another form than GC.
func (c *client) changedBy(clocks *spans) (changed bool) {
	parts := partition{spans: clocks, kind: kindGC}
	put := func(b *block, _, _ uint64) { changed = changed || b == &parts.other }
	w := c.main.blocks()
	for w.next() && !changed {
		parts.split(&w.block, put)
	}
	if c.gaps != nil {
		c.gaps.each(func(b *block) { parts.split(b, put) })
	}
	return changed
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
