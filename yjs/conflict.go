package yjs

import "bytes"

// comparer checks the structs of an update against what a document holds for the
// same clocks. It goes on from where the last struct ended, so that an update
// that repeats what is known is compared in one pass.
//
// Replicas that agree may hold different bytes for one clock: split elsewhere,
// content dropped after it was deleted, a garbage-collected form that has lost
// its links, or U+FFFD for half of a surrogate pair. Values (any, JSON, formats,
// options of subdocuments) are not compared: peers spell the same value
// differently, by the order of keys or the form of numbers.
type comparer struct {
	// budget is how many held bytes may yet be read. Thirteen bytes of input can
	// span a whole document; when the budget is used up, the rest counts as equal
	// and the first of two contents stays, as always. What was read is compared,
	// though it may have taken all that was left: one struct can be a whole book.
	budget int
	client uint64
	buf    []byte // what held was read from
	held   block
	text   textReader // in held, if that is a string
	inGap  bool       // held is a piece behind a gap
	// buries is set when a GC struct covers clocks that are held in another form.
	buries bool
}

func newComparer(update []byte) comparer { return comparer{budget: 8*len(update) + 1<<16} }

// compare returns ErrConflict if two authors must have used the client id.
func (k *comparer) compare(c *client, src []byte, b *block) error {
	if k.client != c.id {
		k.client, k.buf = c.id, nil
	}
	text := textOf(src, b)
	from, to := b.clock, min(b.limit(), uint64(c.main.end))
	for from < to && k.seek(&c.main, from) {
		stop := min(to, k.held.limit())
		if err := k.check(src, b, &text, from, stop); err != nil {
			return err
		}
		from = stop
	}
	if c.gaps == nil {
		return nil
	}
	return k.compareGaps(c.gaps, src, b, &text)
}

// compareGaps is compare for what waits behind gaps. A text that lies inside another
// one will be replaced by it (see dropStrings), so that it is compared whatever the
// budget: it has no more letters than the other.
func (k *comparer) compareGaps(g *gaps, src []byte, b *block, text *textReader) error {
	at := g.seek(b.clock)
	for p, ok := g.at(at); ok && uint64(p.start) < b.limit(); p, ok = g.at(at) {
		at = g.after(at)
		from, to := max(b.clock, uint64(p.start)), min(b.limit(), uint64(p.end))
		replaced := b.kind() == kindString && g.kind(p) == kindString && to-from == uint64(p.end-p.start)
		if !replaced && k.budget < 0 {
			if b.kind() == kindString {
				continue
			}
			return nil
		}
		k.piece(g, p)
		if err := k.check(src, b, text, from, to); err != nil {
			return err
		}
	}
	return nil
}

func (k *comparer) check(src []byte, b *block, text *textReader, from, to uint64) error {
	if k.same(src, b, text, from, to) {
		return nil
	}
	return k.conflict(src, b, from, to)
}

// seek makes held the struct of the main run that holds a clock. It returns false
// if the budget is used up before that is found.
func (k *comparer) seek(r *run, clock uint64) bool {
	if k.budget < 0 {
		return false
	}
	if k.buf == nil || k.inGap || clock < k.held.clock {
		at := r.find(clock, &k.held)
		k.hold(r.buf, k.held.end-int(at.offset)+markBytes, false)
	}
	for clock >= k.held.limit() {
		if k.budget < 0 {
			return false
		}
		next := reader{src: r.buf, pos: k.held.end, trusted: true}
		next.block(&k.held, k.held.limit())
		k.hold(r.buf, k.held.end-k.held.start, false)
	}
	return true
}

// piece makes held a struct behind a gap.
func (k *comparer) piece(g *gaps, p piece) {
	if k.buf == nil || !k.inGap || k.held.clock != uint64(p.start) {
		g.read(p, &k.held)
		k.hold(g.buf, k.held.end-k.held.start, true)
	}
}

func (k *comparer) hold(buf []byte, cost int, inGap bool) {
	k.buf, k.inGap = buf, inGap
	k.budget -= cost
	k.text = textOf(buf, &k.held)
}

// same compares a struct with the one held, between two clocks that both have.
func (k *comparer) same(src []byte, b *block, text *textReader, from, to uint64) bool {
	held, kind := k.held.kind(), b.kind()
	if held == kindGC || kind == kindGC {
		k.buries = k.buries || held != kindGC
		return true
	}
	if !k.sameLinks(src, b, from) {
		return false
	}
	if held == kindDeleted || kind == kindDeleted {
		return true
	}
	if held != kind {
		return false
	}
	switch kind {
	case kindString:
		return sameText(&k.text, text, from, to)
	case kindBinary, kindType:
		got := src[b.body:b.end]
		if b.loose {
			got = appendContent(nil, src, b, b.clock, b.limit())
		}
		return bytes.Equal(k.buf[k.held.body:k.held.end], got)
	default:
		return true
	}
}

// sameLinks compares origin, right origin and parent of the unit at a clock.
func (k *comparer) sameLinks(src []byte, b *block, at uint64) bool {
	h := &k.held
	if (h.info^b.info)&flagRight != 0 || h.info&flagRight != 0 && h.right != b.right {
		return false
	}
	ho, hok := h.originAt(k.client, at)
	bo, bok := b.originAt(k.client, at)
	if hok != bok || hok && ho != bo {
		return false
	}
	if hok || h.info&flagRight != 0 {
		return true
	}
	if (h.info^b.info)&flagKey != 0 || h.parentID != b.parentID {
		return false
	}
	got := src[b.parent:b.body]
	if b.loose {
		got = appendParent(nil, src, b)
	}
	return bytes.Equal(k.buf[h.parent:h.body], got)
}

// originAt returns the origin of the unit at a clock of the block.
func (b *block) originAt(client, at uint64) (ID, bool) {
	if at > b.clock {
		return ID{client, at - 1}, true
	}
	return b.origin, b.info&flagOrigin != 0
}

var kindName = [...]string{
	kindGC: "gc", kindDeleted: "deleted", kindJSON: "json", kindBinary: "binary",
	kindString: "string", kindEmbed: "embed", kindFormat: "format", kindType: "type",
	kindAny: "any", kindDoc: "doc", kindSkip: "skip",
}
