package yjs

import (
	"slices"
	"sort"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// gaps is structs of one client that wait for clocks before them.
//
//	buf     | struct | struct | struct |     as they came
//	pieces  by clock, each with its struct's place in buf
//
// Pieces are in chunks for the same reason as spans: structs that come in reverse
// would otherwise move all that wait for each of them.
type gaps struct {
	buf     []byte
	chunks  [][]piece // ascending, none is empty
	count   uint32
	dropped uint32 // bytes of buf that no piece needs any more, see shed
	rough   bool   // neighbours may be joined, see settle
}

// piece is one struct that waits. How many bytes it has isn't in it: a struct may be
// four.
type piece struct {
	start, end uint32 // clocks
	offset     uint32 // in buf
}

// chunkPieces is how many pieces a chunk has at most: 4 KiB.
const chunkPieces = 341

// seek returns the spot of the first piece that ends after a clock.
func (g *gaps) seek(clock uint64) spot {
	i := sort.Search(len(g.chunks), func(i int) bool {
		return uint64(g.chunks[i][len(g.chunks[i])-1].end) > clock
	})
	if i == len(g.chunks) {
		return spot{i, 0}
	}
	chunk := g.chunks[i]
	return spot{i, sort.Search(len(chunk), func(j int) bool { return uint64(chunk[j].end) > clock })}
}

// at returns the piece at a spot, if there is one.
func (g *gaps) at(s spot) (piece, bool) {
	if s.i == len(g.chunks) {
		return piece{}, false
	}
	return g.chunks[s.i][s.j], true
}

// after returns the spot of the next piece.
func (g *gaps) after(s spot) spot {
	if s.j++; s.j == len(g.chunks[s.i]) {
		return spot{s.i + 1, 0}
	}
	return s
}

// add keeps the part of a struct between two clocks. It overlaps no piece.
func (g *gaps) add(client uint64, src []byte, b *block, from, to uint64) {
	at := g.seek(from)
	before := g.before(at)
	follows := before != nil && uint64(before.end) == from && g.kind(*before) == b.kind()
	if follows && b.kind() == kindGC && int(before.offset)+g.sizeOf(*before) == len(g.buf) {
		// Twelve bytes for each of two would be much.
		before.end = uint32(to)
		g.buf = lib0.AppendVarUint(g.buf[:before.offset+1], to-uint64(before.start))
	} else {
		if follows && !g.rough {
			var last block
			g.read(*before, &last)
			g.rough = b.continues(&last, ID{client, from})
		}
		offset := len(g.buf)
		g.buf = appendBlock(g.buf, client, src, b, from, to)
		g.insert(at, piece{uint32(from), uint32(to), uint32(offset)})
	}
	if after, ok := g.at(g.seek(to)); ok && uint64(after.start) == to && g.kind(after) == b.kind() {
		g.rough = true
	}
}

// before returns the piece before a spot, or nil.
func (g *gaps) before(at spot) *piece {
	if at.j--; at.j < 0 {
		if at.i--; at.i < 0 {
			return nil
		}
		at.j = len(g.chunks[at.i]) - 1
	}
	return &g.chunks[at.i][at.j]
}

// room returns bytes with room for n more: twice as much as before, or for what is left
// to come if that is less, but a quarter more at least, since other updates may follow.
// append makes a quarter more, and so takes more on the way.
func room(dst []byte, n, left int) []byte {
	if n <= cap(dst)-len(dst) {
		return dst
	}
	next := max(len(dst)+n, cap(dst)+cap(dst)/4, min(2*cap(dst), len(dst)+left))
	return append(make([]byte, 0, next), dst...)
}

// insert puts a piece before a spot.
func (g *gaps) insert(at spot, p piece) {
	g.count++
	g.chunks, _ = insertAt(g.chunks, at, p, chunkPieces)
}

// remove forgets the piece at a spot; what follows it then stands there, or, if it
// was the last of its chunk, at the beginning of the next.
func (g *gaps) remove(s spot) spot {
	g.count--
	g.dropped += uint32(g.sizeOf(g.chunks[s.i][s.j]))
	g.chunks[s.i] = slices.Delete(g.chunks[s.i], s.j, s.j+1)
	switch {
	case len(g.chunks[s.i]) == 0:
		g.chunks = slices.Delete(g.chunks, s.i, s.i+1)
		return spot{s.i, 0}
	case s.j == len(g.chunks[s.i]):
		return spot{s.i + 1, 0}
	}
	return s
}

// read reads the struct of a piece.
func (g *gaps) read(p piece, b *block) {
	r := reader{src: g.buf, pos: int(p.offset), trusted: true}
	r.block(b, uint64(p.start))
}

// sizeOf returns how many bytes the struct of a piece takes.
func (g *gaps) sizeOf(p piece) int {
	var b block
	g.read(p, &b)
	return b.end - b.start
}

// each calls f for every struct, by clock.
func (g *gaps) each(f func(b *block)) {
	var b block
	for _, chunk := range g.chunks {
		for _, p := range chunk {
			g.read(p, &b)
			f(&b)
		}
	}
}

func (g *gaps) kind(p piece) byte { return g.buf[p.offset] & kindBits }

// dropStrings forgets texts that lie inside a text that has just come whole. A
// slice may begin with half a surrogate pair, that is with U+FFFD; the whole has
// the pair.
func (g *gaps) dropStrings(from, to uint64) {
	s := g.seek(from)
	for p, ok := g.at(s); ok && uint64(p.end) <= to; p, ok = g.at(s) {
		if uint64(p.start) >= from && g.kind(p) == kindString {
			s = g.remove(s)
		} else {
			s = g.after(s)
		}
	}
}

// pop removes the first piece if it begins at a clock, and reads its struct.
func (g *gaps) pop(clock uint64, b *block) bool {
	if g.count == 0 || uint64(g.chunks[0][0].start) != clock {
		return false
	}
	p := g.chunks[0][0]
	g.read(p, b)
	g.count--
	g.dropped += uint32(b.end - b.start)
	// Cutting off the front is cheap, moving the rest there isn't.
	if g.chunks[0] = g.chunks[0][1:]; len(g.chunks[0]) == 0 {
		g.chunks = g.chunks[1:]
	}
	return true
}

// shed frees what was dropped, once that is more than what waits: texts that grow
// would otherwise fill the memory, each with all that the one before had.
func (g *gaps) shed() {
	if int(g.dropped) <= len(g.buf)/2 {
		return
	}
	buf := make([]byte, 0, g.size())
	for _, chunk := range g.chunks {
		for i := range chunk {
			p := &chunk[i]
			at := len(buf)
			buf = append(buf, g.buf[p.offset:int(p.offset)+g.sizeOf(*p)]...)
			p.offset = uint32(at)
		}
	}
	g.buf, g.dropped = buf, 0
}

// holds reports whether all clocks from start up to end are held.
func (g *gaps) holds(start, end uint64) bool {
	s := g.seek(start)
	for start < end {
		p, ok := g.at(s)
		if !ok || uint64(p.start) > start {
			return false
		}
		start = uint64(p.end)
		s = g.after(s)
	}
	return true
}

// end returns the clock after the last piece; there must be one.
func (g *gaps) end() uint64 {
	last := g.chunks[len(g.chunks)-1]
	return uint64(last[len(last)-1].end)
}

// size returns how many bytes the pieces take.
func (g *gaps) size() int { return len(g.buf) - int(g.dropped) }

// settle joins what can be joined, so that the same structs encode to the same bytes in
// whatever order they came.
func (g *gaps) settle(client uint64) {
	if !g.rough {
		return
	}
	next := gaps{buf: make([]byte, 0, g.size())}
	r := run{buf: make([]byte, 0, g.size())} // the structs since the last gap
	begin := uint32(0)
	var b block
	for _, chunk := range g.chunks {
		for _, p := range chunk {
			if r.end != p.start {
				next.take(&r, begin)
				r = run{buf: r.buf[:0], marks: r.marks[:0], end: p.start}
				begin = p.start
			}
			g.read(p, &b)
			r.add(client, g.buf, &b, b.clock, b.limit(), continuing)
		}
	}
	next.take(&r, begin)
	*g = next
}

// take appends the structs of a run that begins at a clock.
func (g *gaps) take(r *run, begin uint32) {
	t := reader{src: r.buf, trusted: true}
	b := block{length: uint64(begin)}
	for t.left() > 0 {
		t.block(&b, b.limit())
		offset := len(g.buf)
		g.buf = append(g.buf, r.buf[b.start:b.end]...)
		g.insert(spot{len(g.chunks), 0}, piece{uint32(b.clock), uint32(b.limit()), uint32(offset)})
	}
}
