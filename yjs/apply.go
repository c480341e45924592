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
	buries, err := d.check(update, maxUnits)
	if err != nil {
		return err
	}
	if buries {
		d.bury(update)
	}
	d.merge(update)
	return nil
}

// check reads an update to its last byte and compares it with the document.
// maxUnits caps how many new clock units it may bring. buries says that a GC
// struct covers what is held in another form.
func (d *Document) check(update []byte, maxUnits uint64) (buries bool, err error) {
	u := readUpdate(update)
	k := newComparer(update)
	var b block
	var c *client
	var units uint64
	for u.checked(&b) {
		if u.section {
			if c = d.find(u.client); c != nil && len(c.main.buf)+len(update) > maxRunBytes {
				u.fail(faultBytes)
				break
			}
		}
		if b.kind() == kindSkip {
			continue
		}
		from := b.clock
		if c != nil {
			if b.clock < c.end() {
				if err := k.compare(c, update, &b); err != nil {
					return false, err
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
	for ok := true; ok; {
		_, _, ok = u.nextDelete()
	}
	return k.buries, u.close()
}

// merge adds an update that was checked. It can't fail.
func (d *Document) merge(update []byte) {
	u := readUpdate(update)
	u.trusted = true
	var b block
	var c *client
	for u.next(&b) {
		if u.section {
			c = d.ensure(u.client)
		}
		c.put(update, &b)
	}
	for {
		clock, length, ok := u.nextDelete()
		if !ok {
			return
		}
		if length > 0 {
			d.ensure(u.client).deletes.add(uint32(clock), uint32(clock+length))
		}
	}
}
