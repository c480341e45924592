package yjs

// ApplyUpdate adds a version 1 update to the document. The order of updates
// doesn't matter, nor do duplicates and overlaps; structs and deletes that come
// before what they follow are held and sent on (see Pending). The update isn't
// kept: its bytes are copied.
//
// The whole update is checked before anything changes. An error is ErrMalformed,
// ErrLimit or ErrConflict, and then the document is as it was.
func (d *Document) ApplyUpdate(update []byte) error {
	return d.apply(update, MaxNewUnits)
}

// Load is ApplyUpdate for bytes from the document's own storage: the cap on what
// one update may add doesn't apply, since a whole history may exceed it.
func (d *Document) Load(state []byte) error {
	return d.apply(state, MaxClock)
}

func (d *Document) apply(update []byte, maxUnits uint64) error {
	if d.keystroke(update) {
		return nil
	}
	return d.applyAny(update, maxUnits)
}

// applyAny is apply for every update.
func (d *Document) applyAny(update []byte, maxUnits uint64) error {
	if len(d.clients) == 0 {
		if filled, err := d.fill(update, maxUnits); filled {
			return err
		}
	}
	return d.add(update, maxUnits)
}

// add is apply for every update and every document.
func (d *Document) add(update []byte, maxUnits uint64) error {
	var s summary
	if err := d.check(&s, update, maxUnits); err != nil {
		return err
	}
	if s.buries {
		d.bury(update)
	}
	switch {
	case s.blocks == 1 && s.last.kind() != kindSkip: // a key was pressed: it needn't be read again
		d.ensure(s.client).put(update, &s.last)
	case s.blocks > 0:
		d.reserve(s.strangers)
		d.merge(update)
	}
	d.mergeDeletes(s.deletes)
	return nil
}

// summary is what checking an update leaves for adding it.
type summary struct {
	blocks  int    // structs with content
	last    block  // the last one read: of these, or a Skip
	client  uint64 // whose that is
	deletes updateReader
	// strangers is how many sections are of clients that the document doesn't know.
	strangers int
	// buries says that a GC struct covers what is held in another form.
	buries bool
}

// check reads an update to its last byte and compares it with the document.
// maxUnits caps how many new clock units it may bring.
func (d *Document) check(s *summary, update []byte, maxUnits uint64) error {
	u := readUpdate(update)
	k := newComparer(update)
	b := &s.last
	var c *client
	var units uint64
	for u.checked(b) {
		if u.section {
			if c = d.find(u.client); c != nil && len(c.main.buf)+len(update) > maxRunBytes {
				u.fail(faultBytes)
				break
			}
			if c == nil {
				s.strangers++
			}
		}
		if b.kind() == kindSkip {
			continue
		}
		s.blocks++
		s.client = u.client
		from := b.clock
		if c != nil {
			if b.clock < c.end() {
				if err := k.compare(c, update, b); err != nil {
					return err
				}
			}
			from = max(from, uint64(c.main.end))
		}
		if b.limit() > from {
			if units += b.limit() - from; units > maxUnits {
				u.fail(faultUnits)
			}
		}
	}
	s.buries = k.buries
	s.deletes = u
	return u.finish()
}

// merge adds the structs of an update that was checked. It can't fail.
func (d *Document) merge(update []byte) {
	u := readUpdate(update)
	u.trusted = true
	in := intake{src: update}
	var b block
	for u.next(&b) {
		if u.section {
			in.flush()
			in.client = d.ensure(u.client)
		}
		in.put(&b)
	}
	in.flush()
}

// mergeDeletes adds the delete set of an update that was checked.
func (d *Document) mergeDeletes(u updateReader) {
	d.reserve(d.strangers(u))
	var near spot
	for {
		clock, length, ok := u.nextDelete()
		if !ok {
			return
		}
		_, near = d.ensure(u.client).deletes.add(uint32(clock), uint32(clock+length), near)
	}
}

// strangers returns how many clients of a delete set the document doesn't know, if
// there may be many.
func (d *Document) strangers(u updateReader) (n int) {
	if u.clients <= indexFrom {
		return 0
	}
	for left := u.clients; ; left = u.clients {
		_, _, ok := u.nextDelete()
		if !ok {
			return n
		}
		if u.clients != left && d.find(u.client) == nil {
			n++
		}
	}
}
