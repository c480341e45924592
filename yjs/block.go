package yjs

import (
	"github.com/fjord-sync/fjord/yjs/internal/units"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// The kinds of struct: the low five bits of the info byte.
const (
	kindGC      = 0  // varUint length
	kindDeleted = 1  // varUint length
	kindJSON    = 2  // varUint n, n × varString JSON or "undefined"
	kindBinary  = 3  // varBytes
	kindString  = 4  // varString
	kindEmbed   = 5  // varString JSON
	kindFormat  = 6  // varString key, varString JSON
	kindType    = 7  // varUint type, for 3 and 5: varString name
	kindAny     = 8  // varUint n, n × any
	kindDoc     = 9  // varString guid, any options
	kindSkip    = 10 // varUint length

	kindBits = 0x1f
)

// The flags of the info byte.
const (
	flagKey    = 0x20 // belongs to a key of its parent
	flagRight  = 0x40 // a right origin follows
	flagOrigin = 0x80 // an origin follows
)

// block is one struct of an update, taken apart. (The word is y-crdt's; struct
// is taken in Go.) Its fields point into the bytes that it was read from:
//
//	info [origin] [right origin] [parent [key]] content
//	^start                       ^parent        ^body   ^end
//
// The parent stands there only if there is neither origin nor right origin; all
// others belong to where their neighbour belongs.
type block struct {
	info     byte
	parentID bool // parent is an ID and not a name
	loose    bool // a number in it was spelled longer than necessary
	clock    uint64
	length   uint64 // clock units
	origin   ID     // if info has flagOrigin
	right    ID     // if info has flagRight
	owner    ID     // if parentID

	start, parent, body, end int

	// at is where in the content the unit at atClock begins, if that is known: what
	// is cut into many parts is read once.
	at      int
	atClock uint64
}

func (b *block) kind() byte    { return b.info & kindBits }
func (b *block) limit() uint64 { return b.clock + b.length }

// linked reports whether the block hangs on a neighbour and so has no parent of
// its own.
func (b *block) linked() bool { return b.info&(flagOrigin|flagRight) != 0 }

// dead reports whether the block says by itself that it is deleted.
func (b *block) dead() bool { return b.kind() <= kindDeleted }

// head consumes a block up to its content.
func (r *reader) head(b *block, clock uint64) {
	b.start, b.clock = r.pos, clock
	b.parentID, b.at = false, 0
	r.loose = false
	if r.left() == 0 {
		r.fail(faultTruncated)
		return
	}
	b.info = r.src[r.pos]
	r.pos++
	switch kind := b.kind(); {
	case kind == kindGC || kind == kindSkip:
		// Yjs has two readers, and they take a flagged one for different things.
		if b.info != kind {
			r.fail(faultFlags)
		}
	case kind > kindSkip:
		r.fail(faultKind)
	default:
		if b.info&flagOrigin != 0 {
			b.origin = r.id()
		}
		if b.info&flagRight != 0 {
			b.right = r.id()
		}
		b.parent = r.pos
		if !b.linked() {
			r.parent(b)
		}
	}
	b.body = r.pos
}

func (r *reader) parent(b *block) {
	switch r.uvarint() {
	case 0:
		b.parentID = true
		b.owner = r.id()
	case 1:
		r.text()
	default:
		r.fail(faultParent)
	}
	if b.info&flagKey != 0 {
		r.text()
	}
}

// block consumes one struct that begins at a clock.
func (r *reader) block(b *block, clock uint64) {
	r.head(b, clock)
	b.length = r.content(b.kind())
	b.end = r.pos
	b.loose = r.loose
}

// content consumes a struct's content and returns its length in clock units.
func (r *reader) content(kind byte) uint64 {
	switch kind {
	case kindString:
		text := r.bytes()
		if units.ASCII(text) {
			return uint64(len(text))
		}
		r.utf8(text)
		return uint64(units.Count(text))
	case kindGC, kindDeleted, kindSkip:
		return r.uvarint()
	case kindAny:
		n := r.count()
		for i := uint64(0); i < n && r.fault == noFault; i++ {
			r.any()
		}
		return n
	case kindJSON:
		n := r.count()
		for i := uint64(0); i < n && r.fault == noFault; i++ {
			r.jsonOrUndefined()
		}
		return n
	case kindBinary:
		r.bytes()
	case kindEmbed:
		r.json()
	case kindFormat:
		r.text()
		r.json()
	case kindType:
		r.sharedType()
	case kindDoc:
		r.text()
		if r.left() > 0 && r.src[r.pos] != lib0.AnyObject {
			r.fail(faultOptions)
		}
		r.any()
	}
	return 1
}

// count consumes the number of things that follow, each of a byte at least.
func (r *reader) count() uint64 {
	n := r.uvarint()
	if n > r.left() {
		r.fail(faultTruncated)
		return 0
	}
	return n
}

func (r *reader) jsonOrUndefined() {
	from := r.pos
	if string(r.bytes()) == "undefined" {
		return
	}
	if r.fault == noFault {
		r.pos = from
		r.json()
	}
}

// The shared types that have a name behind their number.
const (
	typeXMLElement = 3
	typeXMLHook    = 5
	maxType        = 6
)

func (r *reader) sharedType() {
	switch t := r.uvarint(); {
	case t > maxType:
		r.fail(faultType)
	case t == typeXMLElement || t == typeXMLHook:
		r.text()
	}
}
