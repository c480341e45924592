package yjs

// Contains reports whether applying an update would change nothing: all its
// structs and deletes are known. An update that can't be read isn't contained.
func (d *Document) Contains(update []byte) bool {
	u := readUpdate(update)
	k := newComparer(update)
	var b block
	for u.checked(&b) {
		if b.kind() == kindSkip {
			continue
		}
		c := d.find(u.client)
		if c == nil || !c.holds(b.clock, b.limit()) || k.compare(c, update, &b) != nil {
			return false
		}
	}
	if !d.containsDeletes(&u) || u.close() != nil {
		return false
	}
	return !k.buries || len(d.buried(update)) == 0
}

func (d *Document) containsDeletes(u *updateReader) bool {
	var near spot
	for {
		clock, length, ok := u.nextDelete()
		if !ok {
			return true
		}
		c := d.find(u.client)
		if c == nil {
			return false
		}
		if ok, near = c.deletes.covers(uint32(clock), uint32(clock+length), near); !ok {
			return false
		}
	}
}
