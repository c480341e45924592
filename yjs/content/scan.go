package content

import (
	"cmp"
	"slices"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/units"
)

// A link says what a struct hangs on, before it is known which nodes these are.
//
//	left is its origin, else its parent if that is an ID
//	right is its right origin; without any of these, keyAt is where its key is
type link struct {
	left, right           int32 // clients
	leftClock, rightClock uint32
}

// What left of a link is if it isn't a client. Then leftClock is where in the
// update the parent's name is.
const named int32 = -2

// keyAt returns where the key of a struct without neighbours is.
func (l *link) keyAt() uint32 { return l.rightClock }

// scanned is a struct as it was read.
type scanned struct {
	node
	link
}

// builder turns an update into a view:
//
//	scan       bytes → a node per struct, and links
//	order      which structs can be integrated, and in which order
//	split      where structs are hung on in their middle, they are cut
//	integrate  each node finds its place in a list
//	settle     what is deleted because of something else
type builder struct {
	*View
	recent  [2]int32
	deletes []span

	// per client
	structs [][]scanned
	next    []int32  // the struct, later the node, that is integrated next
	done    []uint32 // clock up to which structs were taken
	stuck   []bool
	waits   []bool
	rulers  []ruler

	runs []run

	seats   []seat  // of nodes
	begins  []int32 // of lists: what hangs on their beginning, as seat.kids
	ranks   treap   // of siblings
	forest  *forest // nil as long as no list needs a tree
	touched int32   // has what is looked at ahead count as used
	crowd   int
	stamps  []uint32
	tick    uint32
	steps   int
}

// span is deleted clocks of a client.
type span struct {
	client     int32
	start, end uint32
}

// run is structs of one client that are integrated one after the other.
type run struct{ client, count int32 }

// author returns the place of a client in v.clients. slot chooses which of two
// remembered clients to try first.
func (b *builder) author(id uint64, slot int) int32 {
	if r := b.recent[slot]; int(r) < len(b.clients) && b.clients[r].id == id {
		return r
	}
	i, ok := b.byID[id]
	if !ok {
		i = int32(len(b.clients))
		if len(b.clients) == cap(b.clients) {
			b.expect(2 * uint64(i))
		}
		b.byID[id] = i
		b.clients = append(b.clients, author{id: id})
		b.structs = append(b.structs, nil)
	}
	b.recent[slot] = i
	return i
}

// expect makes room for so many clients, which the update was checked to have. (As
// they come, append would allocate five times as much on the way.)
func (b *builder) expect(clients uint64) {
	if len(b.byID) == 0 {
		b.byID = make(map[uint64]int32, clients)
	}
	if more := int(clients) - len(b.clients); more > 0 {
		b.clients = slices.Grow(b.clients, more)
		b.structs = slices.Grow(b.structs, more)
	}
}

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
