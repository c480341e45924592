package yjstest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/fjord-sync/fjord/yjs/internal/units"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// read returns what isn't deleted.
func (b *book) read() string {
	var s strings.Builder
	for page := b.pages[0]; page != nil; page = page.after {
		for _, p := range page.pieces {
			if !p.dead {
				s.WriteString(part(b.of(p).text, p.from, p.to))
			}
		}
	}
	return s.String()
}

// part cuts a text between two units.
func part(text string, from, to uint32) string {
	end, _ := units.Cut([]byte(text), uint64(to))
	begin, _ := units.Cut([]byte(text), uint64(from))
	return text[begin:end]
}

// state returns the book as a version 1 update.
func (b *book) state() (state []byte, structs int) {
	order := make([]*author, len(b.authors))
	for i := range b.authors {
		order[i] = &b.authors[i]
	}
	slices.SortFunc(order, func(x, y *author) int { return cmp.Compare(y.id, x.id) })
	state = lib0.AppendVarUint(nil, uint64(len(order)))
	var body []byte
	for _, a := range order {
		var n int
		body, n = b.appendPassages(body[:0], a)
		state = lib0.AppendVarUint(state, uint64(n))
		state = lib0.AppendVarUint(state, a.id)
		state = append(append(state, 0), body...)
		structs += n
	}
	return appendGone(state, order), structs
}

// appendPassages appends what an author has written, and says how many structs.
func (b *book) appendPassages(dst []byte, a *author) (_ []byte, structs int) {
	for i := range a.written {
		p := &a.written[i]
		cuts := [...]uint32{0, p.gone[0], p.gone[1], p.units()}
		for k := range 3 {
			if cuts[k] < cuts[k+1] {
				dst = b.appendPart(dst, a, p, cuts[k], cuts[k+1], k == 1)
				structs++
			}
		}
	}
	return dst, structs
}

func (p *passage) units() uint32 { return uint32(units.Count([]byte(p.text))) }

// appendPart appends the struct of a passage between two of its units.
func (b *book) appendPart(dst []byte, a *author, p *passage, from, to uint32, dead bool) []byte {
	info := byte(infoString)
	if dead {
		info = infoDeleted
	}
	if from > 0 || p.left.clock > 0 {
		info |= infoOrigin
	}
	if p.right.clock > 0 {
		info |= infoRight
	}
	dst = append(dst, info)
	switch {
	case from > 0:
		dst = lib0.AppendVarUint(lib0.AppendVarUint(dst, a.id), uint64(p.clock+from-1))
	case p.left.clock > 0:
		dst = lib0.AppendVarUint(lib0.AppendVarUint(dst, b.authors[p.left.author].id), uint64(p.left.clock-1))
	}
	if p.right.clock > 0 {
		dst = lib0.AppendVarUint(lib0.AppendVarUint(dst, b.authors[p.right.author].id), uint64(p.right.clock-1))
	}
	if info&(infoOrigin|infoRight) == 0 {
		dst = append(dst, 1, 1, 't')
	}
	if dead {
		return lib0.AppendVarUint(dst, uint64(to-from))
	}
	return lib0.AppendVarString(dst, part(p.text, from, to))
}

// gone returns what of an author's is deleted: clock and length, none touching.
func (a *author) gone() (ranges [][2]uint32) {
	for i := range a.written {
		p := &a.written[i]
		if p.gone[1] == 0 {
			continue
		}
		from, length := p.clock+p.gone[0], p.gone[1]-p.gone[0]
		if n := len(ranges); n > 0 && ranges[n-1][0]+ranges[n-1][1] == from {
			ranges[n-1][1] += length
		} else {
			ranges = append(ranges, [2]uint32{from, length})
		}
	}
	return ranges
}

// appendGone appends the delete set.
func appendGone(dst []byte, order []*author) []byte {
	clients, body := uint64(0), []byte(nil)
	for _, a := range order {
		ranges := a.gone()
		if len(ranges) == 0 {
			continue
		}
		clients++
		body = lib0.AppendVarUint(lib0.AppendVarUint(body, a.id), uint64(len(ranges)))
		for _, r := range ranges {
			body = lib0.AppendVarUint(lib0.AppendVarUint(body, uint64(r[0])), uint64(r[1]))
		}
	}
	return append(lib0.AppendVarUint(dst, clients), body...)
}
