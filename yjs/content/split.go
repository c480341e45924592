package content

import (
	"slices"

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
// middle of another, and where deletes begin and end. The points are collected
// first, so that every node is made once and stands in its client's order for good.
func (b *builder) split() {
	b.clocks = make([]uint32, len(b.nodes))
	for i := range b.nodes {
		b.clocks[i] = b.nodes[i].clock
	}
	b.hints = slices.Clone(b.starts)
	points := b.pointsOfLinks()
	points = b.pointsOfDeletes(points)
	b.expand(points)
	b.attach()
	b.markDeleted()
	b.links, b.clocks, b.cutAt = nil, nil, nil
}

// A point is where a struct is to be cut.
type point struct {
	struct_ int32
	clock   uint32 // of the right part
}

// pointsOfLinks finds where structs are hung on. On the way it replaces the
// clients in the links by the structs that hold the clocks.
func (b *builder) pointsOfLinks() []point {
	var points []point
	for c := range b.clients {
		for i := b.starts[c]; i < b.next[c]; i++ {
			n, l := &b.nodes[i], &b.links[i]
			if n.kind == kindGC {
				continue
			}
			if client := l.left; client >= 0 {
				l.left = b.holder(client, l.leftClock)
				if n.flags&infoOrigin != 0 && l.leftClock+1 < b.end(client, l.left) {
					points = append(points, point{l.left, l.leftClock + 1})
				}
			}
			if client := l.right; client >= 0 {
				l.right = b.holder(client, l.rightClock)
				if l.rightClock > b.clocks[l.right] {
					points = append(points, point{l.right, l.rightClock})
				}
			}
		}
	}
	return points
}

func (b *builder) pointsOfDeletes(points []point) []point {
	for _, d := range b.deletes {
		for _, clock := range [...]uint32{d.start, d.end} {
			if clock >= b.done[d.client] {
				break
			}
			if i := b.holder(d.client, clock); clock > b.clocks[i] {
				points = append(points, point{i, clock})
			}
		}
	}
	return points
}

// end returns the clock after a struct of a client.
func (b *builder) end(client, i int32) uint32 {
	if i+1 < b.next[client] {
		return b.clocks[i+1]
	}
	return b.done[client]
}

// holder returns the struct of a client that holds a clock. What is looked for next
// is often in the same struct or in the next one.
func (b *builder) holder(client int32, clock uint32) int32 {
	lo, end := b.hints[client], b.next[client]
	if clock < b.clocks[lo] {
		lo, end = b.starts[client], lo
	} else {
		for range 2 {
			if lo+1 == end || clock < b.clocks[lo+1] {
				b.hints[client] = lo
				return lo
			}
			lo++
		}
	}
	for lo+1 < end {
		if mid := lo + (end-lo)/2; b.clocks[mid] <= clock {
			lo = mid
		} else {
			end = mid
		}
	}
	b.hints[client] = lo
	return lo
}

// expand replaces the structs by their pieces.
func (b *builder) expand(points []point) {
	if len(points) == 0 {
		b.nodes = append(make([]node, 0, len(b.nodes)), b.nodes...)
		return
	}
	ends, cuts := b.gather(points)
	nodes := make([]node, 0, len(b.nodes)+len(cuts))
	b.pieces = make([]int32, len(b.nodes)+1)
	first := int32(0)
	for i := range b.nodes {
		b.pieces[i] = int32(len(nodes))
		rest := b.nodes[i]
		for _, clock := range cuts[first:ends[i]] {
			var piece node
			piece, rest = b.cut(rest, clock)
			nodes = append(nodes, piece)
		}
		nodes = append(nodes, rest)
		first = ends[i]
	}
	b.pieces[len(b.nodes)] = int32(len(nodes))
	b.nodes, b.cutAt = nodes, cuts
	for c := range b.clients {
		a := &b.clients[c]
		a.lo, a.hi = b.pieces[a.lo], b.pieces[a.hi]
	}
}

// gather sorts points by struct and clock and drops repeated ones: a struct's are
// the clocks up to its end, from the end of the struct before it on. (Sorting them
// as numbers takes several times as long as counting them first.)
func (b *builder) gather(points []point) (ends []int32, clocks []uint32) {
	ends = make([]int32, len(b.nodes)+1)
	for _, p := range points {
		ends[p.struct_+1]++
	}
	for i := range b.nodes {
		ends[i+1] += ends[i]
	}
	clocks = make([]uint32, len(points))
	for _, p := range points {
		clocks[ends[p.struct_]] = p.clock
		ends[p.struct_]++
	}
	first, to := int32(0), int32(0)
	for i := range b.nodes {
		of := clocks[first:ends[i]]
		slices.Sort(of)
		first = ends[i]
		to += int32(copy(clocks[to:], slices.Compact(of)))
		ends[i] = to
	}
	return ends[:len(b.nodes)], clocks[:to]
}

// piecesOf returns the nodes from lo up to hi that a struct has become.
func (b *builder) piecesOf(i int32) (lo, hi int32) {
	if b.pieces == nil {
		return i, i + 1
	}
	return b.pieces[i], b.pieces[i+1]
}

// piece returns the node of a struct that holds a clock.
func (b *builder) piece(i int32, clock uint32) int32 {
	if b.pieces == nil {
		return i
	}
	// The cuts in all structs before this one are as many as there are nodes more.
	lo := b.pieces[i] - i
	end := b.pieces[i+1] - i - 1
	for lo < end {
		if mid := lo + (end-lo)/2; b.cutAt[mid] <= clock {
			lo = mid + 1
		} else {
			end = mid
		}
	}
	return lo + i
}

// attach turns the links of structs into origins and right origins of nodes.
func (b *builder) attach() {
	b.origin = make([]int32, len(b.nodes))
	b.right = make([]int32, len(b.nodes))
	for c := range b.clients {
		for i := b.starts[c]; i < b.next[c]; i++ {
			l := &b.links[i]
			first, end := b.piecesOf(i)
			right := none
			if l.right >= 0 {
				right = b.piece(l.right, l.rightClock)
			}
			for k := first; k < end; k++ {
				b.origin[k], b.right[k] = k-1, right
			}
			b.origin[first] = none
			if l.left >= 0 {
				b.origin[first] = b.piece(l.left, l.leftClock)
			}
			if n := &b.nodes[first]; n.kind != kindGC && n.flags&(infoOrigin|infoRight) == 0 {
				b.noteParent(first, l)
			}
		}
	}
}

// noteParent keeps what says where a node without neighbours belongs: its parent
// as its origin, and as its list, which it doesn't have yet, where the key or the
// name of the parent is.
func (b *builder) noteParent(i int32, l *link) {
	if l.left == named {
		b.origin[i] = named
		b.nodes[i].list = int32(l.leftClock)
		return
	}
	b.nodes[i].list = int32(l.keyAt())
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
