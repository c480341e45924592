package yjs

import (
	"math"
	"slices"
)

// ApplyUpdate adds a version 1 update to the document. The order of updates
// doesn't matter, nor do duplicates and overlaps; structs and deletes that come
// before what they follow are held and sent on (see Pending). The update isn't
// kept: its bytes are copied.
//
// The whole update is checked before anything changes. An error is ErrMalformed,
// ErrLimit or ErrConflict, and then the document is as it was.
func (d *Document) ApplyUpdate(update []byte) error {
	d.Prepare()
	return d.apply(update, &live)
}

// Load is ApplyUpdate for bytes from the document's own storage: the cap on what
// one update may add doesn't apply, since a whole history may exceed it, nor the one
// on nesting, since what was stored must not be lost. To types that are too deep none
// can be added. Who writes next has to wait for Prepare.
func (d *Document) Load(state []byte) error {
	return d.apply(state, &stored)
}

// bounds is what an update may ask for.
type bounds struct {
	units   uint64 // new clock units
	nesting bool   // not deeper than MaxNesting
}

var (
	live   = bounds{MaxNewUnits, true}
	stored = bounds{MaxClock, false}
)

func (d *Document) apply(update []byte, most *bounds) error {
	if d.keystroke(update) {
		return nil
	}
	return d.applyAny(update, most)
}

// applyAny is apply for every update.
func (d *Document) applyAny(update []byte, most *bounds) error {
	if len(d.clients) == 0 {
		if filled, err := d.fill(update, most); filled {
			return err
		}
	}
	return d.add(update, most)
}

// add is apply for every update and every document.
func (d *Document) add(update []byte, most *bounds) error {
	s := summary{update: update}
	if err := d.check(&s, most); err != nil {
		d.undoNesting()
		return err
	}
	update = s.update
	buried := s.buries && d.bury(update)
	switch {
	case s.blocks == 1 && s.last.kind() != kindSkip: // a key was pressed: it needn't be read again
		d.ensure(s.client).put(update, &s.last, s.last.end-s.last.start)
	case s.blocks > 0:
		d.reserve(s.strangers)
		d.merge(update)
	}
	d.mergeDeletes(s.deletes)
	d.keepNesting(&s, most, buried)
	return nil
}

// summary is what checking an update leaves for adding it.
type summary struct {
	update    []byte // what is to be added
	blocks    int    // structs with content
	last      block  // the last one read: of these, or a Skip
	client    uint64 // whose that is
	deletes   updateReader
	sections  int // with structs
	strangers int // clients of sections that the document doesn't know
	// buries says that a GC struct covers what is held in another form.
	buries bool
	// types says that there are new types, disordered that clients don't descend, as
	// they do wherever updates are written, and twice that one has come twice.
	types, disordered, twice bool
	// of the section that is being read
	begun  bool
	author uint64 // its client
}

// section notes that a section begins, of a client of which the document has c.
func (s *summary) section(u *updateReader, c *client) {
	s.disordered = s.disordered || s.begun && u.client >= s.author
	s.begun, s.author = true, u.client
	s.sections++
	if c == nil {
		s.strangers++
	}
}

// takeCensus finds out what section can't tell if clients don't descend: whether one has
// come twice, and how many strangers there are if none is counted twice.
func (d *Document) takeCensus(s *summary) {
	clients := make([]uint64, 0, s.sections)
	u := readUpdate(s.update)
	u.trusted = true
	var b block
	for u.next(&b) {
		if u.section {
			clients = append(clients, u.client)
		}
	}
	s.strangers = d.countStrangers(clients)
	s.twice = len(slices.Compact(clients)) < s.sections
}

// countStrangers returns how many of some clients the document doesn't know. It sorts them.
func (d *Document) countStrangers(clients []uint64) (n int) {
	slices.Sort(clients)
	for i, client := range clients {
		if (i == 0 || client != clients[i-1]) && d.find(client) == nil {
			n++
		}
	}
	return n
}

// check reads an update to its last byte and compares it with the document.
func (d *Document) check(s *summary, most *bounds) error {
	update := s.update
	u := readUpdate(update)
	k := newComparer(update)
	b := &s.last
	var c *client
	var units uint64
	for u.checked(b) {
		if u.section {
			c = d.find(u.client)
			s.section(&u, c)
			if c.bytes()+len(update) > maxRunBytes {
				u.fail(faultBytes)
				break
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
			if units += b.limit() - from; units > most.units {
				u.fail(faultUnits)
			}
		}
		if b.kind() == kindType {
			if err := d.noteType(s, c, most); err != nil {
				return err
			}
		}
	}
	s.buries = k.buries
	s.deletes = u
	if err := u.finish(); err != nil {
		return err
	}
	if s.disordered {
		d.takeCensus(s)
	}
	return d.checkNesting(s, most)
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
		in.structs = u.structs
		in.put(&b)
	}
	in.flush()
}

// mergeDeletes adds the delete set of an update that was checked.
func (d *Document) mergeDeletes(u updateReader) {
	d.reserve(d.strangers(u))
	d.addDeletes(&u)
}

// addDeletes adds the delete set of an update, up to where it can't be read.
func (d *Document) addDeletes(u *updateReader) {
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
func (d *Document) strangers(u updateReader) int {
	if u.clients <= indexFrom {
		return 0
	}
	n, disordered := d.eachStranger(u, func(uint64) {})
	if !disordered {
		return n
	}
	clients := make([]uint64, 0, n) // where one comes twice, it is counted twice
	d.eachStranger(u, func(client uint64) { clients = append(clients, client) })
	return d.countStrangers(clients)
}

// eachStranger calls f for the clients of a delete set that the document doesn't know,
// counts them, and reports whether they don't descend.
func (d *Document) eachStranger(u updateReader, f func(client uint64)) (n int, disordered bool) {
	last := uint64(math.MaxUint64)
	for left := u.clients; ; left = u.clients {
		_, _, ok := u.nextDelete()
		if !ok {
			return n, disordered
		}
		if u.clients == left || d.find(u.client) != nil {
			continue
		}
		n++
		disordered = disordered || u.client >= last
		last = u.client
		f(u.client)
	}
}
