package yjstest

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fjord-sync/fjord/yjs/internal/units"
)

// Book returns the state of a root text "t" that many authors have written over a
// long time, as a server sends it, what a reader sees, and the number of structs.
// Everybody writes at a place of his own for a while and then at another: a
// sentence, a few words between others or into them; or deletes a word. Now and
// then two write at one place at once. No two structs can be joined, and what was
// deleted is left out. The same numbers give the same book; 100 authors with 14 700
// edits each make 1.1 million structs, 32 MB.
//
// In contrast to a Crowd, nearly all that somebody writes goes between neighbours
// that nobody has parted since, so Yjs loads it as fast as it can.
func Book(authors, edits int) (state []byte, text string, structs int) {
	b := &book{rnd: rand.New(rand.NewPCG(3, 4)), authors: make([]author, authors), pages: []*page{{}}}
	for i := range b.authors {
		// The last byte makes each differ from the others.
		b.authors[i].id = 1<<31 + uint64(b.rnd.Uint32N(1<<31))&^0xff + uint64(i)
		b.authors[i].at.page = b.pages[0]
	}
	b.write(0, 3)
	for range edits {
		for i := range b.authors {
			b.edit(i)
		}
	}
	state, structs = b.state()
	return state, b.read(), structs
}

// book is a text with its deleted words.
type book struct {
	rnd     *rand.Rand
	authors []author
	pages   []*page // in the order in which they were made
}

// page is pieces that follow each other: few, so that putting one between others
// is cheap.
type page struct {
	pieces        []piece
	before, after *page
}

const pageLen = 64

type author struct {
	id      uint64
	clock   uint32
	written []passage // ascending by clock
	at      gap       // where he writes
}

// gap is before a piece of a page.
type gap struct {
	*page
	piece int
}

// passage is what an author has written at a stroke.
type passage struct {
	left, right unit
	clock       uint32
	text        string
	gone        [2]uint32 // what of it was deleted, in units
}

// unit is a clock of an author, counted from 1; 0 is none.
type unit struct {
	author int32
	clock  uint32
}

// piece is a part of a passage that nothing stands in.
type piece struct {
	author   int32
	passage  int32
	from, to uint32 // in units of the passage
	dead     bool
}

// edit lets an author do something: mostly a little further on, else anywhere.
func (b *book) edit(who int) {
	a := &b.authors[who]
	if b.rnd.IntN(200) == 0 {
		a.at = gap{b.pages[b.rnd.IntN(len(b.pages))], b.rnd.IntN(pageLen)}
	}
	b.turn(a.at.page)
	a.at.piece = (a.at.piece + b.rnd.IntN(4)) % len(a.at.pieces)
	switch n := b.rnd.IntN(100); {
	case n < 45:
		b.remove(a.at)
	case n < 55:
		b.write(who, 4+b.rnd.IntN(9))
	case n < 65:
		a.at = b.into(a.at)
		b.write(who, 1+b.rnd.IntN(3))
	default:
		b.write(who, 1+b.rnd.IntN(3))
	}
}

// turn makes two pages of one that is full.
func (b *book) turn(p *page) {
	if len(p.pieces) < pageLen {
		return
	}
	const half = pageLen / 2
	next := &page{pieces: slices.Clone(p.pieces[half:]), before: p, after: p.after}
	if p.after != nil {
		p.after.before = next
	}
	p.pieces, p.after = p.pieces[:half], next
	b.pages = append(b.pages, next)
}

// write puts words of an author where he is. One time in twenty another has the
// same thought, and the one with the lower id comes first.
func (b *book) write(who, words int) {
	at := b.authors[who].at
	left, right := b.neighbours(at)
	if left == (unit{int32(who), b.authors[who].clock}) && left.clock > 0 {
		return // it would be joined to what he wrote before
	}
	at.insert(b.pass(who, left, right, words))
	b.authors[who].at.piece += 2
	other := (who + 1) % len(b.authors)
	if b.rnd.IntN(20) > 0 || other == who || left == (unit{int32(other), b.authors[other].clock}) {
		return
	}
	if b.authors[other].id > b.authors[who].id {
		at.piece++
	}
	at.insert(b.pass(other, left, right, 1))
}

// pass notes what an author writes between two units.
func (b *book) pass(who int, left, right unit, words int) piece {
	a := &b.authors[who]
	text := b.words(words)
	n := uint32(units.Count([]byte(text)))
	a.written = append(a.written, passage{left: left, right: right, clock: a.clock, text: text})
	a.clock += n
	return piece{author: int32(who), passage: int32(len(a.written) - 1), to: n}
}

func (b *book) words(n int) string {
	var s strings.Builder
	for i := range n {
		s.WriteString(vocabulary[b.rnd.IntN(len(vocabulary))])
		if i == n-1 && n > 3 {
			s.WriteByte('.')
		}
		s.WriteByte(' ')
	}
	return s.String()
}

var vocabulary = strings.Fields(`a the of and to in is it that was he for on are with they be at one have this from
	by word what all were when your can said there each which their time will about many then them write would like
	these long make thing see him two has look more day could come number sound people water over place café naïve
	Zürich über 水 🙂 because between another sentence paragraph chapter`)

// neighbours returns the units around a gap.
func (b *book) neighbours(at gap) (left, right unit) {
	if at.piece < len(at.pieces) {
		p := at.pieces[at.piece]
		right = unit{p.author, b.of(p).clock + p.from + 1}
	}
	before := at.pieces[:at.piece]
	if at.piece == 0 && at.before != nil {
		before = at.before.pieces
	}
	if n := len(before); n > 0 {
		left = unit{before[n-1].author, b.of(before[n-1]).clock + before[n-1].to}
	}
	return left, right
}

func (b *book) of(p piece) *passage { return &b.authors[p.author].written[p.passage] }

func (at gap) insert(p piece) { at.pieces = slices.Insert(at.pieces, at.piece, p) }

// into makes a gap between the words of the piece behind another gap.
func (b *book) into(at gap) gap {
	from, _, ok := b.word(at)
	p := at.pieces[at.piece]
	if !ok || from == p.from {
		return at
	}
	at.pieces[at.piece].from = from
	p.to = from
	at.insert(p)
	at.piece++
	return at
}

// remove deletes a word of the piece behind a gap, at most one of each passage.
func (b *book) remove(at gap) {
	from, to, ok := b.word(at)
	p := at.pieces[at.piece]
	if gone := &b.of(p).gone; ok && *gone == [2]uint32{} {
		*gone = [2]uint32{from, to}
		parts := []piece{p, p, p}
		parts[0].to, parts[1].from, parts[1].to, parts[2].from = from, from, to, to
		parts[1].dead = true
		parts = slices.DeleteFunc(parts, func(p piece) bool { return p.from == p.to })
		at.pieces = slices.Replace(at.pieces, at.piece, at.piece+1, parts...)
	}
}

// word picks a word of the piece behind a gap, with the space after it.
func (b *book) word(at gap) (from, to uint32, ok bool) {
	p := at.pieces[at.piece]
	if p.dead {
		return 0, 0, false
	}
	text := b.of(p).text
	var ends []uint32
	clock := uint32(0)
	for word := range strings.FieldsSeq(text) {
		clock += uint32(units.Count([]byte(word))) + 1
		if clock > p.from && clock <= p.to {
			ends = append(ends, clock)
		}
	}
	i := b.rnd.IntN(len(ends))
	if i > 0 {
		return ends[i-1], ends[i], true
	}
	return p.from, ends[0], true
}
