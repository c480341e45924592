package content

import (
	"cmp"
	"slices"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/units"
)

// scan reads the update, or what a snapshot has of it, unless that is nil.
func (b *builder) scan(at *Snapshot) error {
	c := cursor{src: b.src}
	sections := c.uvarint()
	b.expect(sections)
	for ; sections > 0; sections-- {
		if err := b.section(&c, at); err != nil {
			return err
		}
	}
	inOrder := false
	if at == nil {
		inOrder = b.scanDeletes(&c)
	} else {
		b.deletesOf(at)
	}
	if !inOrder {
		b.orderDeletes()
	}
	return nil
}

// scanDeletes reads the delete set. It reports whether each client's is there once,
// ascending and disjoint, as Yjs and this module write it.
func (b *builder) scanDeletes(c *cursor) (inOrder bool) {
	inOrder = true
	clients := c.uvarint()
	b.expect(clients)
	seen := make([]bool, uint64(len(b.clients))+clients)
	for ; clients > 0; clients-- {
		client := b.author(c.uvarint(), 0)
		inOrder = inOrder && !seen[client]
		seen[client] = true
		before := uint32(0)
		for ranges := c.uvarint(); ranges > 0; ranges-- {
			start := uint32(c.uvarint())
			end := start + uint32(c.uvarint())
			inOrder = inOrder && start >= before
			before = end
			b.deletes = append(b.deletes, span{client, start, end})
		}
	}
	return inOrder
}

// deletesOf takes the delete set of a snapshot.
func (b *builder) deletesOf(at *Snapshot) {
	for id, ranges := range at.Deletes {
		for _, r := range ranges {
			start, end := min(r.Clock, yjs.MaxClock), min(r.Clock+min(r.Len, yjs.MaxClock), yjs.MaxClock)
			b.deletes = append(b.deletes, span{b.author(id, 0), uint32(start), uint32(end)})
		}
	}
}

// orderDeletes sorts the deletes and joins those that touch.
func (b *builder) orderDeletes() {
	slices.SortFunc(b.deletes, func(x, y span) int {
		return cmp.Or(cmp.Compare(x.client, y.client), cmp.Compare(x.start, y.start))
	})
	to := 0
	for _, d := range b.deletes {
		if to > 0 && b.deletes[to-1].client == d.client && d.start <= b.deletes[to-1].end {
			b.deletes[to-1].end = max(b.deletes[to-1].end, d.end)
			continue
		}
		b.deletes[to] = d
		to++
	}
	b.deletes = b.deletes[:to]
}

// section reads the structs of a client. What follows a gap isn't kept.
func (b *builder) section(c *cursor, at *Snapshot) error {
	count := c.uvarint()
	id := c.uvarint()
	client := b.author(id, 0)
	clock := uint32(c.uvarint())
	if len(b.structs[client]) > 0 || b.clients[client].pending {
		return malformed("two sections of client %d", id)
	}
	limit := uint32(yjs.MaxClock)
	if at != nil {
		limit = uint32(min(at.Vector[id], yjs.MaxClock))
	}
	b.clients[client].pending = clock > 0
	gap := clock > 0
	structs := make([]scanned, 0, count)
	for range count {
		n, l := b.block(c, clock)
		clock = n.end()
		gap = gap || n.kind == kindSkip
		if gap || n.clock >= limit {
			continue
		}
		n.client = client
		if n.end() > limit {
			n, _ = b.cut(n, limit)
		}
		structs = append(structs, scanned{n, l})
	}
	b.structs[client] = structs
	b.clients[client].pending = gap
	return nil
}

// block reads one struct.
func (b *builder) block(c *cursor, clock uint32) (n node, l link) {
	info := c.byte()
	n = node{left: none, right: none, list: none, clock: clock, kind: info & kindBits, flags: info &^ kindBits}
	if n.kind != kindGC && n.kind != kindSkip {
		l = b.head(c, info)
	}
	n.body = uint32(c.pos)
	n.length = 1
	switch n.kind {
	case kindGC, kindDeleted, kindSkip:
		n.length = uint32(c.uvarint())
		n.flags |= deleted
	case kindString:
		s := c.bytes()
		n.size = uint32(len(s))
		n.body = uint32(c.pos) - n.size
		n.length = uint32(units.Count(s))
	case kindJSON, kindAny:
		n.length = uint32(c.uvarint())
		n.body = uint32(c.pos)
		c.skipValues(n.kind, n.length)
	case kindBinary, kindEmbed:
		c.bytes()
	case kindFormat:
		c.bytes()
		c.bytes()
	case kindType:
		if t := c.uvarint(); t == typeXMLElement || t == typeXMLHook {
			c.bytes()
		}
	default: // kindDoc
		c.bytes()
		c.skipAny()
	}
	return n, l
}

// head reads what a struct hangs on.
func (b *builder) head(c *cursor, info byte) link {
	l := link{left: none, right: none}
	if info&infoOrigin != 0 {
		l.left = b.author(c.uvarint(), 0)
		l.leftClock = uint32(c.uvarint())
	}
	if info&infoRight != 0 {
		l.right = b.author(c.uvarint(), 1)
		l.rightClock = uint32(c.uvarint())
	}
	if info&(infoOrigin|infoRight) != 0 {
		return l
	}
	if c.uvarint() == 0 {
		l.left = b.author(c.uvarint(), 0)
		l.leftClock = uint32(c.uvarint())
	} else {
		l.left = named
		l.leftClock = uint32(c.pos)
		c.bytes()
	}
	l.rightClock = uint32(c.pos)
	if info&infoKey != 0 {
		c.bytes()
	}
	return l
}
