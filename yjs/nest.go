package yjs

// What is known about nesting changes with what an update adds:
//
//	check  ──a new type──► noteType      the update is refused if that is too deep
//	       ──the end─────► checkNesting  finds out about what noteType couldn't tell
//	add    ──refused─────► undoNesting   all is as before
//	       ──added───────► keepNesting
//
// Load, Compact and Collect look at nothing, and leave it stale: staleNesting. Prepare
// finds it anew: findNesting.

// noteType notes the last struct that was read, a type, if it is new to the document,
// which has c of its client.
func (d *Document) noteType(s *summary, c *client, most *bounds) error {
	b := &s.last
	if c != nil && c.holds(b.clock, b.limit()) {
		return nil
	}
	if s.types = true; d.flat || !most.nesting {
		return nil
	}
	if d.nesting == nil {
		d.nesting = &nesting{}
	}
	n := d.nesting
	n.note(s.author, b)
	if n.deep {
		return n.err() // a million more may follow
	}
	return nil
}

// checkNesting finds out whether types would nest too deep, once an update has been read.
func (d *Document) checkNesting(s *summary, most *bounds) error {
	n := d.nesting
	if n == nil || !most.nesting || !s.types && n.waits.count == 0 {
		return nil
	}
	if s.twice {
		if err := d.noteMerged(s); err != nil {
			return err
		}
	}
	h := heads{document: d, update: s.update}
	if n.settleAll(&h); !n.deep {
		n.arrive(&h)
	}
	if n.deep {
		return n.err()
	}
	return nil
}

// noteMerged makes of an update one that has each unit once, and notes the types of
// that one instead. Nobody writes others, but which of two structs for one unit the
// document would keep mustn't be guessed.
func (d *Document) noteMerged(s *summary) error {
	merged, err := MergeUpdates(s.update)
	if err != nil {
		return err
	}
	s.update, s.blocks = merged, 2
	d.nesting.rollback()
	u := readUpdate(merged)
	u.trusted = true
	var b block
	for u.next(&b) {
		if b.kind() != kindType {
			continue
		}
		if c := d.find(u.client); c == nil || !c.holds(b.clock, b.limit()) {
			d.nesting.note(u.client, &b)
		}
	}
	return nil
}

// keepNesting keeps what was noted about an update that has come to the document.
func (d *Document) keepNesting(s *summary, most *bounds, buried bool) {
	switch {
	case d.flat:
	case most.nesting && d.nesting != nil:
		if d.nesting.commit(s.update); buried {
			d.staleNesting()
		}
	case d.nesting != nil:
		d.staleNesting()
	case s.types:
		d.nesting = &nesting{stale: true}
	}
}

// undoNesting forgets what was noted about an update that was refused.
func (d *Document) undoNesting() {
	if d.nesting == nil || d.nesting.stale {
		return
	}
	if d.nesting.rollback(); d.nesting.authors.count == 0 {
		d.nesting = nil
	}
}

// staleNesting has the nesting found out anew when somebody writes next.
func (d *Document) staleNesting() {
	if d.nesting != nil && !d.nesting.stale {
		d.nesting = &nesting{stale: true}
	}
}

// Prepare does ahead of time what the next ApplyUpdate would do first after Load,
// Compact and Collect: it finds out how deep shared types nest, which takes as long as
// a load, twice as long if many took turns. Who hands the document to a goroutine that
// mustn't stall calls it before; nobody has to. It does nothing if nothing is to be
// done, and nothing that a peer could see.
func (d *Document) Prepare() {
	if d.nesting != nil && d.nesting.stale {
		d.findNesting()
	}
}

// findNesting finds out how deep types nest in a document that was loaded, or of which types
// were replaced by what isn't a type: what was in them belongs nowhere now.
func (d *Document) findNesting() {
	n := &nesting{}
	for i := range d.clients {
		c := &d.clients[i]
		note := func(b *block) {
			if b.kind() == kindType {
				n.note(c.id, b)
			}
		}
		w := c.main.blocks()
		for w.next() {
			note(&w.block)
		}
		if c.gaps != nil {
			c.gaps.each(note)
		}
	}
	n.settleAll(&heads{document: d})
	n.commit(nil)
	if d.nesting = n; n.authors.count == 0 {
		d.nesting = nil
	}
}
