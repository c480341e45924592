package yjstest

import "slices"

// char is one character that was ever typed; id is its clock.
type char struct {
	id      uint32
	letter  byte
	deleted bool
}

// sequence is the characters of a text in order, deleted ones included, in
// chunks so that finding and inserting stay cheap.
type sequence struct{ chunks []chunk }

type chunk struct {
	chars   []char
	visible int
}

const chunkLen = 512

// find returns the place of the position-th visible character, or the end.
func (s *sequence) find(position int) (i, j int) {
	for i = range s.chunks {
		c := &s.chunks[i]
		if position >= c.visible {
			position -= c.visible
			continue
		}
		for j = range c.chars {
			if c.chars[j].deleted {
				continue
			}
			if position == 0 {
				return i, j
			}
			position--
		}
	}
	return len(s.chunks), 0
}

// neighbours returns what stands before and after a visible position. Like
// YText, an insert there goes behind deleted characters.
func (s *sequence) neighbours(position int) (left, right *char) {
	i, j := s.find(position)
	if i < len(s.chunks) {
		right = &s.chunks[i].chars[j]
	}
	if j > 0 {
		return &s.chunks[i].chars[j-1], right
	}
	if i > 0 {
		chars := s.chunks[i-1].chars
		return &chars[len(chars)-1], right
	}
	return nil, right
}

// insert puts a character before the position-th visible one.
func (s *sequence) insert(position int, c char) {
	i, j := s.find(position)
	if j == 0 && i > 0 {
		i--
		j = len(s.chunks[i].chars)
	}
	if i == len(s.chunks) {
		s.chunks = append(s.chunks, chunk{})
	}
	at := &s.chunks[i]
	at.chars = slices.Insert(at.chars, j, c)
	at.visible++
	if len(at.chars) == chunkLen {
		half := chunk{chars: slices.Clone(at.chars[chunkLen/2:])}
		for _, c := range half.chars {
			if !c.deleted {
				half.visible++
			}
		}
		at.chars = at.chars[:chunkLen/2]
		at.visible -= half.visible
		s.chunks = slices.Insert(s.chunks, i+1, half)
	}
}

// remove deletes n visible characters from a position on and reports their ids.
func (s *sequence) remove(position, n int, f func(id uint32)) {
	for range n {
		i, j := s.find(position)
		c := &s.chunks[i].chars[j]
		c.deleted = true
		s.chunks[i].visible--
		f(c.id)
	}
}

// each calls f for every visible character.
func (s *sequence) each(f func(char)) {
	for i := range s.chunks {
		for _, c := range s.chunks[i].chars {
			if !c.deleted {
				f(c)
			}
		}
	}
}
