package yjs

// The values that a key has had are a list, of which the last one counts, and Yjs
// deletes a value when another one comes behind it. It relies on that: when the
// type is deleted, its garbage collector throws on a value that isn't last and yet
// alive. So a value must not be cut while it is alive, and Yjs never writes one
// that could be: a key is set to one unit. Only values that are deleted are joined,
// by replicas that keep deleted content, and an update that has such values says
// itself that they are deleted.
//
// A struct that belongs to a key without saying so isn't seen here: that takes
// following its origins.

// keyed reports whether a struct is a value of a key with several units that isn't
// deleted by itself.
func (b *block) keyed() bool {
	return b.length > 1 && b.info&flagKey != 0 && b.kind() > kindDeleted
}

// keyedAreDead reports whether the update deletes all values of keys that have
// several units. It was checked but for that.
func keyedAreDead(update []byte) bool {
	u := readUpdate(update)
	u.trusted = true
	var b block
	deletes := map[uint64]*spans{} // of clients that have such values
	for u.next(&b) {
		if b.keyed() && deletes[u.client] == nil {
			deletes[u.client] = new(spans)
		}
	}
	var near spot
	for {
		clock, length, ok := u.nextDelete()
		if !ok {
			break
		}
		if s := deletes[u.client]; s != nil {
			_, near = s.add(uint32(clock), uint32(clock+length), near)
		}
	}
	u = readUpdate(update)
	u.trusted = true
	for u.next(&b) {
		if !b.keyed() {
			continue
		}
		dead, at := deletes[u.client].covers(uint32(b.clock), uint32(b.limit()), near)
		if near = at; !dead {
			return false
		}
	}
	return true
}
