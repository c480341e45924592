package yjs

import (
	"slices"
	"sort"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// span is clocks from start up to end, end excluded; start < end.
type span struct{ start, end uint32 }

// spans is a set of clocks of one client: ascending, neither overlapping nor
// touching, in chunks. One long slice would be simpler, but with a million spans
// each delete at the front would move 8 MB.
type spans struct {
	chunks [][]span // none is empty
	count  int
	bytes  int // what the spans take when they are encoded, without their number
	// encoded is what append appends, if that was asked for since the last
	// change and is long: it goes out whole with every answer to a peer. It is
	// behind a pointer because few clients have one, and a crowd has many clients.
	encoded *[]byte
}

// encodedLen returns the number of bytes that the span takes.
func (d span) encodedLen() int {
	return lib0.VarUintLen(uint64(d.start)) + lib0.VarUintLen(uint64(d.end-d.start))
}

// keepEncoded is the number of spans from which on their encoding is kept.
const keepEncoded = 64

// chunkSpans is how many spans a chunk has at most: 4 KiB.
const chunkSpans = 512

// spot is where a span stands. The end is (len(chunks), 0).
type spot struct{ i, j int }

// seek returns the first span that ends at or after a clock. Going through
// clocks in order, pass the last spot as near: it is tried first.
func (s *spans) seek(clock uint32, near spot) spot {
	n := len(s.chunks)
	if near.i >= n || !within(s.chunks[near.i], clock) {
		last := n - 1
		if n == 0 || s.chunks[last][len(s.chunks[last])-1].end < clock {
			return spot{n, 0}
		}
		near.i = sort.Search(last, func(i int) bool { return s.chunks[i][len(s.chunks[i])-1].end >= clock })
		near.j = 0
	}
	chunk := s.chunks[near.i]
	for j := near.j; j < min(near.j+2, len(chunk)); j++ {
		if chunk[j].end >= clock && (j == 0 || chunk[j-1].end < clock) {
			return spot{near.i, j}
		}
	}
	j := sort.Search(len(chunk), func(j int) bool { return chunk[j].end >= clock })
	return spot{near.i, j}
}

// within reports whether the first span that ends at or after a clock is surely
// in this chunk.
func within(chunk []span, clock uint32) bool {
	return chunk[0].end < clock && clock <= chunk[len(chunk)-1].end
}

// covers reports whether all clocks from start up to end are in the set, and
// where that was decided.
func (s *spans) covers(start, end uint32, near spot) (bool, spot) {
	at := s.seek(start, near)
	if at.i == len(s.chunks) {
		return false, at
	}
	d := s.chunks[at.i][at.j]
	if d.end == start {
		next, ok := s.after(at)
		if !ok {
			return false, at
		}
		d = s.chunks[next.i][next.j]
	}
	return d.start <= start && end <= d.end, at
}

// after returns the spot of the next span.
func (s *spans) after(at spot) (spot, bool) {
	if at.j++; at.j == len(s.chunks[at.i]) {
		at = spot{at.i + 1, 0}
	}
	return at, at.i < len(s.chunks)
}

// add puts the clocks from start up to end into the set, start < end. It reports
// whether the set has changed, and where.
func (s *spans) add(start, end uint32, near spot) (bool, spot) {
	at := s.seek(start, near)
	if at.i == len(s.chunks) {
		s.encoded = nil
		return true, s.push(span{start, end})
	}
	d := &s.chunks[at.i][at.j]
	if d.start <= start && end <= d.end {
		return false, at
	}
	s.encoded = nil
	if end < d.start {
		return true, s.insert(at, span{start, end})
	}
	s.bytes -= d.encodedLen()
	d.start = min(d.start, start)
	if end > d.end {
		d.end = end
		s.swallow(at)
	}
	s.bytes += s.chunks[at.i][at.j].encodedLen()
	return true, at
}

// push appends a span behind all others.
func (s *spans) push(d span) spot {
	s.count++
	s.bytes += d.encodedLen()
	s.chunks = push(s.chunks, d, chunkSpans)
	last := len(s.chunks) - 1
	return spot{last, len(s.chunks[last]) - 1}
}

// insert puts a span before the one at a spot.
func (s *spans) insert(at spot, d span) spot {
	s.count++
	s.bytes += d.encodedLen()
	s.chunks, at = insertAt(s.chunks, at, d, chunkSpans)
	return at
}

// trim frees the room in the chunks: those that were split by inserts are half empty.
func (s *spans) trim() {
	for i, chunk := range s.chunks {
		if len(chunk) < cap(chunk) {
			s.chunks[i] = append(make([]span, 0, len(chunk)), chunk...)
		}
	}
}

// swallow joins the span at a spot with those that it has come to touch.
func (s *spans) swallow(at spot) {
	d := &s.chunks[at.i][at.j]
	for {
		// Those in one chunk go at once.
		next, ok := s.after(at)
		if !ok {
			return
		}
		chunk := s.chunks[next.i]
		k := next.j
		for k < len(chunk) && chunk[k].start <= d.end {
			d.end = max(d.end, chunk[k].end)
			s.bytes -= chunk[k].encodedLen()
			k++
		}
		if k == next.j {
			return
		}
		s.count -= k - next.j
		if next.j == 0 && k == len(chunk) {
			s.chunks = slices.Delete(s.chunks, next.i, next.i+1)
			continue
		}
		s.chunks[next.i] = slices.Delete(chunk, next.j, k)
	}
}

// encodedLen returns the number of bytes that append appends.
func (s *spans) encodedLen() int { return lib0.VarUintLen(uint64(s.count)) + s.bytes }

func (s *spans) append(dst []byte) []byte {
	if s.count < keepEncoded {
		return s.encode(dst)
	}
	if s.encoded == nil {
		all := s.encode(make([]byte, 0, s.encodedLen()))
		s.encoded = &all
	}
	return append(dst, *s.encoded...)
}

func (s *spans) encode(dst []byte) []byte {
	dst = lib0.AppendVarUint(dst, uint64(s.count))
	for _, chunk := range s.chunks {
		for _, d := range chunk {
			dst = lib0.AppendVarUint(dst, uint64(d.start))
			dst = lib0.AppendVarUint(dst, uint64(d.end-d.start))
		}
	}
	return dst
}
