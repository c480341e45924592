package content

import (
	"github.com/fjord-sync/fjord/yjs/internal/units"
)

// cut cuts a node in two before a clock inside it. A surrogate pair that is cut
// becomes U+FFFD twice, as in Yjs.
func (v *View) cut(n node, clock uint32) (l, r node) {
	l, r = n, n
	at := clock - n.clock
	l.length, r.length = at, n.length-at
	r.clock = clock
	switch n.kind {
	case kindString:
		v.cutText(&l, &r)
	case kindJSON, kindAny:
		c := cursor{src: v.bytesAt(n.body)}
		c.skipValues(n.kind, at)
		r.body = n.body + uint32(c.pos)
	}
	return l, r
}

func (v *View) cutText(l, r *node) {
	l.flags &^= tailHalf
	r.flags &^= headHalf
	at := l.length
	if l.flags&headHalf != 0 {
		at--
	}
	if r.length+at == r.size && r.flags&tailHalf == 0 { // ASCII
		l.size = at
		r.body += at
		r.size -= at
		return
	}
	begin, inside := units.Cut(v.bytesAt(l.body)[:l.size], uint64(at))
	l.size = uint32(begin)
	r.body += uint32(begin)
	r.size -= uint32(begin)
	if inside {
		l.flags |= tailHalf
		r.flags |= headHalf
		r.body += 4
		r.size -= 4
	}
}

// split cuts the structs that can be integrated wherever one of them hangs on the
// middle of another, and where deletes begin and end. All points are marked first,
// so that every node is made once, stands in its client's order for good, and is
// known by its place before it is made.
func (b *builder) split() {
	b.rulers = make([]ruler, len(b.clients))
	for c := range b.clients {
		b.rulers[c] = newRuler(b.done[c], len(b.structs[c]))
	}
	b.markLinks()
	b.markDeletes()
	total := int32(0)
	for c := range b.clients {
		a := &b.clients[c]
		a.lo = total
		total = b.rulers[c].number(total)
		a.hi = total
	}
	b.nodes = make([]node, 0, total)
	b.seats = make([]seat, total)
	for c := range b.clients {
		b.expand(int32(c))
	}
	b.markDeleted()
	b.structs, b.rulers = nil, nil
}

// markLinks marks where structs begin and where they are hung on.
func (b *builder) markLinks() {
	for c := range b.structs {
		for i := range b.structs[c] {
			s := &b.structs[c][i]
			b.rulers[c].mark(s.clock)
			if s.kind == kindGC {
				continue
			}
			if l := &s.link; s.flags&infoOrigin != 0 && l.leftClock+1 < b.done[l.left] {
				b.rulers[l.left].mark(l.leftClock + 1)
			}
			if l := &s.link; l.right >= 0 {
				b.rulers[l.right].mark(l.rightClock)
			}
		}
	}
}

func (b *builder) markDeletes() {
	for _, d := range b.deletes {
		for _, clock := range [...]uint32{d.start, d.end} {
			if clock < b.done[d.client] {
				b.rulers[d.client].mark(clock)
			}
		}
	}
}

// expand makes the nodes of a client.
func (b *builder) expand(client int32) {
	marks := &b.rulers[client]
	for i := range b.structs[client] {
		s := &b.structs[client][i]
		b.hang(len(b.nodes), s)
		first, end, rest := len(b.nodes), s.end(), s.node
		for at := marks.after(rest.clock); at < end; at = marks.after(at) {
			var piece node
			piece, rest = b.cut(rest, at)
			b.nodes = append(b.nodes, piece)
			rest.flags |= further
			k := len(b.nodes)
			b.seats[k] = seat{int32(k - 1), b.seats[first].right, none, int32(k)}
			b.seats[k-1].kids = int32(k)
		}
		b.nodes = append(b.nodes, rest)
	}
}

// markDeleted marks the nodes in the delete set.
func (b *builder) markDeleted() {
	client, at := none, int32(0)
	for _, d := range b.deletes {
		a := &b.clients[d.client]
		if d.client != client {
			client, at = d.client, a.lo
		}
		for at < a.hi && b.nodes[at].end() <= d.start {
			at++
		}
		for ; at < a.hi && b.nodes[at].clock < d.end; at++ {
			b.nodes[at].flags |= deleted
		}
	}
}

// hang turns the link of a struct into the origin and the right origin of its first
// node.
func (b *builder) hang(first int, s *scanned) {
	l := &s.link
	at := &b.seats[first]
	*at = seat{none, none, none, none}
	if s.kind == kindGC {
		return
	}
	if l.left >= 0 {
		at.origin = b.rulers[l.left].holder(l.leftClock)
	}
	if l.right >= 0 {
		at.right = b.rulers[l.right].holder(l.rightClock)
	}
	if s.flags&(infoOrigin|infoRight) == 0 {
		// Its list, which it doesn't have yet, says where the key or the name of the
		// parent is.
		s.list = int32(l.keyAt())
		if l.left == named {
			at.origin = named
			s.list = int32(l.leftClock)
		}
	}
}
