package yjs

// A version 1 update:
//
//	update   = varUint(n) n × section  varUint(m) m × deletes
//	section  = varUint(structs) varUint(client) varUint(clock) struct …
//	deletes  = varUint(client) varUint(k) k × ( varUint(clock) varUint(length) )
//
// Structs of a section follow each other without gaps in the clock; a Skip
// stands for a gap. Yjs writes clients in descending order.

// updateReader walks over an update: first next until it returns false, then
// nextDelete until it returns false, then close.
type updateReader struct {
	reader
	sections uint64 // not yet begun
	structs  uint64 // not yet read, of this section
	clients  uint64 // of the delete set, not yet begun
	ranges   uint64 // not yet read, of this client
	client   uint64 // whose structs or ranges these are
	clock    uint64 // where the next struct begins
	section  bool   // next has just begun a section
	keyed    bool   // checked has seen a value of a key with several units
	// deletesAt is where the delete set begins, once next has returned false.
	deletesAt int
}

func readUpdate(src []byte) updateReader {
	u := updateReader{reader: reader{src: src}}
	u.sections = u.count()
	return u
}

// next reads the next struct, Skips included.
func (u *updateReader) next(b *block) bool {
	u.section = false
	for u.structs == 0 {
		if u.sections == 0 || u.fault != noFault {
			u.deletesAt = u.pos
			u.clients = u.count()
			return false
		}
		u.sections--
		u.structs = u.count()
		u.client = u.uvarint()
		u.clock = u.uvarint()
		u.section = true
	}
	u.structs--
	u.block(b, u.clock)
	u.clock += b.length
	// clock and length are below 2^53 each, so their sum doesn't wrap around.
	if u.clock > MaxClock {
		u.fail(faultClock)
	}
	return u.fault == noFault
}

// nextDelete reads the next deleted range.
func (u *updateReader) nextDelete() (clock, length uint64, ok bool) {
	for u.ranges == 0 {
		if u.clients == 0 || u.fault != noFault {
			return 0, 0, false
		}
		u.clients--
		u.client = u.uvarint()
		u.ranges = u.count()
	}
	u.ranges--
	clock, length = u.uvarint(), u.uvarint()
	switch {
	case length == 0:
		u.fail(faultEmpty)
	case clock+length > MaxClock:
		u.fail(faultClock)
	}
	return clock, length, u.fault == noFault
}

// finish reads the delete set, and checks that the update ends there.
func (u *updateReader) finish() error {
	for ok := true; ok; {
		_, _, ok = u.nextDelete()
	}
	return u.close()
}

// close checks that the update ends where it says.
func (u *updateReader) close() error {
	if u.fault == noFault && u.left() > 0 {
		u.fail(faultTrailing)
	}
	if u.fault == noFault && u.keyed && !keyedAreDead(u.src) {
		u.fail(faultKeyed)
	}
	return u.err()
}

// refersAhead reports whether a struct needs something of its own client that
// comes at or after itself. A Yjs client throws on it when it loads the document.
func (b *block) refersAhead(client uint64) bool {
	return b.info&flagOrigin != 0 && b.origin.Client == client && b.origin.Clock >= b.clock ||
		b.info&flagRight != 0 && b.right.Client == client && b.right.Clock >= b.clock ||
		b.parentID && b.owner.Client == client && b.owner.Clock >= b.clock
}

// unreachable reports whether a struct needs a clock that no client may have.
func (b *block) unreachable() bool {
	return b.info&flagOrigin != 0 && b.origin.Clock >= MaxClock ||
		b.info&flagRight != 0 && b.right.Clock >= MaxClock ||
		b.parentID && b.owner.Clock >= MaxClock
}

// checked is next with the checks that a struct must pass by itself.
func (u *updateReader) checked(b *block) bool {
	if !u.next(b) {
		return false
	}
	if b.length == 0 && b.kind() != kindSkip {
		u.fail(faultEmpty)
	}
	if b.linked() || b.parentID {
		switch {
		case b.unreachable():
			u.fail(faultClock)
		case b.refersAhead(u.client):
			u.fail(faultSelf)
		}
	}
	u.keyed = u.keyed || b.keyed()
	return u.fault == noFault
}

// ValidateUpdate checks a version 1 update to its last byte: that it can be
// read, that every Yjs client can load it, and that it keeps within the limits.
// It doesn't know the document, so it can't see conflicts, nor how deep shared types
// nest, which ApplyUpdate limits. It allocates nothing unless it returns an error,
// which is ErrMalformed or ErrLimit, or a key has several values in one struct.
func ValidateUpdate(update []byte) error { return validate(update, MaxNewUnits) }

func validate(update []byte, maxUnits uint64) error {
	u := readUpdate(update)
	var b block
	var units uint64
	for u.checked(&b) {
		if b.kind() != kindSkip {
			units += b.length
		}
		if units > maxUnits {
			u.fail(faultUnits)
		}
	}
	return u.finish()
}

// IsEmptyUpdate reports whether an update has neither content nor deletes, as
// the two bytes 00 00 have. What can't be read is not empty.
func IsEmptyUpdate(update []byte) bool {
	if len(update) == 2 && update[0] == 0 && update[1] == 0 {
		return true
	}
	u := readUpdate(update)
	var b block
	for u.checked(&b) {
		if b.kind() != kindSkip {
			return false
		}
	}
	_, _, deletes := u.nextDelete()
	return !deletes && u.close() == nil
}
