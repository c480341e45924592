package yjs

// intake adds the structs of an update to one client after another. Structs that
// are new, follow what is held and can't be joined are copied together, so that
// loading a state is little more than a copy of it.
//
//	src   … | struct | struct | struct | …
//	        ^from                      ^to   counted in the run, not yet copied
type intake struct {
	src      []byte
	client   *client
	structs  uint64 // of the section, behind the one that is put
	end      int    // of the section, once somebody asked
	from, to int
	last     block // the last one counted
}

// put adds a struct.
func (in *intake) put(b *block) {
	if b.kind() == kindSkip {
		return
	}
	if in.from == in.to {
		in.begin(b)
		return
	}
	if in.to != b.start || b.loose || b.continues(&in.last, ID{in.client.id, b.clock}) {
		in.flush()
		in.begin(b)
		return
	}
	in.count(b)
}

// begin puts the first struct after a flush.
func (in *intake) begin(b *block) {
	c := in.client
	if c.gaps != nil || b.loose || b.clock != uint64(c.main.end) || c.main.joins(c.id, b) {
		left := 0
		if c.gaps != nil || b.clock > uint64(c.main.end) {
			left = in.left(b)
		}
		c.put(in.src, b, left)
		return
	}
	in.from, in.to = b.start, b.start
	in.count(b)
}

// left returns how many bytes of the section there are from a struct on. What comes
// behind a gap comes one by one, and room is made for all of it.
func (in *intake) left(b *block) int {
	if in.end < b.end {
		ahead := reader{src: in.src, pos: b.end, trusted: true}
		var next block
		for n := in.structs; n > 0 && ahead.fault == noFault; n-- {
			ahead.block(&next, 0)
		}
		in.end = ahead.pos
	}
	return in.end - b.start
}

func (in *intake) count(b *block) {
	c := in.client
	c.main.note(len(c.main.buf)+in.to-in.from, b.limit())
	c.bear(b, b.clock, b.limit())
	in.to = b.end
	in.last = *b
}

// flush copies what was counted.
func (in *intake) flush() {
	if in.from < in.to {
		main := &in.client.main
		main.buf = append(main.buf, in.src[in.from:in.to]...)
	}
	in.from, in.to = 0, 0
}
