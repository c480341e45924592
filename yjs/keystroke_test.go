package yjs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// twins are a document that knows keystrokes and one that takes every update apart.
type twins struct {
	quick, plain *Document
	taken        int // updates that were a keystroke for quick
}

func newTwins() *twins { return &twins{quick: NewDocument(), plain: NewDocument()} }

// apply gives both an update and wants them to say and hold the same.
func (w *twins) apply(t *testing.T, update []byte) {
	t.Helper()
	var quick error
	if w.quick.keystroke(update) {
		w.taken++
	} else {
		quick = w.quick.applyAny(update, &live)
	}
	plain := w.plain.applyAny(update, &live)
	if fmt.Sprint(quick) != fmt.Sprint(plain) {
		t.Fatalf("%x: as a keystroke %v, taken apart %v", update, quick, plain)
	}
	w.compare(t, update)
}

// compare looks at all that a document holds, indexes and tallies included.
func (w *twins) compare(t *testing.T, update []byte) {
	t.Helper()
	if len(w.quick.clients) != len(w.plain.clients) {
		t.Fatalf("%x: %d clients, want %d", update, len(w.quick.clients), len(w.plain.clients))
	}
	for i := range w.plain.clients {
		a, b := &w.quick.clients[i], &w.plain.clients[i]
		if a.id != b.id || !bytes.Equal(a.main.buf, b.main.buf) || !slices.Equal(a.main.marks, b.main.marks) ||
			a.main.end != b.main.end || a.main.count != b.main.count || a.main.tail != b.main.tail ||
			(a.gaps == nil) != (b.gaps == nil) {
			t.Fatalf("%x: client %d\n got %+v\nwant %+v", update, b.id, a.main, b.main)
		}
		if a.deletes.count != b.deletes.count || a.deletes.bytes != b.deletes.bytes ||
			!slices.EqualFunc(a.deletes.chunks, b.deletes.chunks, slices.Equal[[]span]) {
			t.Fatalf("%x: client %d: deletes\n got %v\nwant %v", update, b.id, a.deletes.chunks, b.deletes.chunks)
		}
	}
	quick, err := w.quick.EncodeStateAsUpdate(nil)
	plain, err2 := w.plain.EncodeStateAsUpdate(nil)
	if err != nil || err2 != nil || !bytes.Equal(quick, plain) {
		t.Fatalf("%x: state\n got %x %v\nwant %x %v", update, quick, err, plain, err2)
	}
}

// authors have ids of one to eight bytes.
var authors = []uint64{0, 5, 300, 70_000, 3_000_019, 2_000_000_011, 4_294_967_291, lib0.MaxSafeInteger}

// edits types and deletes, a letter or some at once, mostly where the last edit was.
func edits(rnd *rand.Rand, n int) []yjstest.Edit {
	all := yjstest.Paper(n)
	length := 0
	for i := range all {
		e := &all[i]
		e.Position = min(e.Position, length)
		e.Deleted = min(e.Deleted, length-e.Position)
		if e.Inserted != "" && rnd.IntN(30) == 0 {
			e.Inserted = strings.Repeat(e.Inserted, 1+rnd.IntN(200))
		}
		if e.Deleted+len(e.Inserted) == 0 {
			e.Inserted = "x"
		}
		length += len(e.Inserted) - e.Deleted
	}
	return all
}

// damaged changes, cuts or lengthens an update a little.
func damaged(rnd *rand.Rand, update []byte) []byte {
	u := slices.Clone(update)
	at := rnd.IntN(len(u))
	switch rnd.IntN(8) {
	case 0:
		return u[:at]
	case 1:
		return append(u, byte(rnd.IntN(3)))
	case 2:
		return slices.Insert(u, at, u[at])
	case 3:
		return slices.Delete(u, at, at+1)
	case 4: // a number spelled longer than necessary
		return slices.Replace(u, at, at+1, u[at]|0x80, u[at]>>7)
	case 5:
		u[at] ^= 1 << rnd.IntN(8)
	case 6:
		u[at]--
	case 7:
		u[at]++
	}
	return u
}

// TestKeystrokes gives two documents the same updates, of which one takes every
// update apart: several authors in turns, damaged updates, twice, too early, and
// with compaction in between.
func TestKeystrokes(t *testing.T) {
	all, taken, spoiled := 0, 0, 0
	for seed := range uint64(60) {
		rnd := rand.New(rand.NewPCG(seed, 11))
		w := newTwins()
		var writing [][][]byte
		for range 1 + rnd.IntN(3) {
			author := authors[rnd.IntN(len(authors))]
			if !slices.ContainsFunc(w.plain.clients, func(c client) bool { return c.id == author }) {
				w.quick.ensure(author)
				w.plain.ensure(author)
				writing = append(writing, yjstest.Updates(author, strings.Repeat("t", 1+rnd.IntN(300)), edits(rnd, 200)))
			}
		}
		for len(writing) > 0 {
			i := rnd.IntN(len(writing))
			if len(writing[i]) == 0 {
				writing = slices.Delete(writing, i, i+1)
				continue
			}
			for range min(len(writing[i]), 1+rnd.IntN(10)) {
				u := writing[i][0]
				writing[i] = writing[i][1:]
				before := w.taken
				for range rnd.IntN(3) {
					w.apply(t, damaged(rnd, u))
				}
				spoiled += w.taken - before
				before = w.taken
				if len(writing[i]) > 0 && rnd.IntN(40) == 0 {
					w.apply(t, writing[i][0]) // too early
				}
				w.apply(t, u)
				all++
				taken += w.taken - before
				if rnd.IntN(40) == 0 {
					w.apply(t, u)
				}
				if rnd.IntN(60) == 0 {
					w.quick.Compact()
					w.plain.Compact()
				}
			}
		}
	}
	t.Logf("%d updates, of which %d keystrokes; %d damaged ones that still were", all, taken, spoiled)
	if taken < all/3 || spoiled == 0 {
		t.Error("too few keystrokes for a test of them")
	}
}

func FuzzKeystroke(f *testing.F) {
	updates := yjstest.Updates(300, "t", yjstest.Paper(40))
	var state []byte
	for _, u := range updates {
		f.Add(state, u)
		next, err := MergeUpdates(append([][]byte{u}, state)[:1+min(1, len(state))]...)
		if err != nil {
			f.Fatal(err)
		}
		state = next
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		w := newTwins()
		w.apply(t, first)
		w.apply(t, second)
		w.apply(t, second)
	})
}

// TestKeystrokeEdges gives both what damage hits too rarely.
func TestKeystrokeEdges(t *testing.T) {
	root := func(name string) []byte {
		u := lib0.AppendVarString([]byte{1, 1, 5, 0, 4, 1}, name)
		return append(lib0.AppendVarString(u, "ab"), 0)
	}
	typed := func(text string) []byte {
		return append(lib0.AppendVarString([]byte{1, 1, 5, 2, 0x84, 5, 1}, text), 0)
	}
	deleted := func(clock, length uint64) []byte {
		return lib0.AppendVarUint(lib0.AppendVarUint([]byte{0, 1, 5, 1}, clock), length)
	}
	for _, c := range []struct {
		name, root string
		update     []byte
		taken      bool
	}{
		{"letter", "t", typed("c"), true},
		{"127 letters", "t", typed(strings.Repeat("c", 127)), true},
		{"128 letters", "t", typed(strings.Repeat("c", 128)), false},
		{"no letters", "t", typed(""), false},
		{"not ASCII", "t", typed("\u00f6"), false},
		{"not UTF-8", "t", typed("\xff"), false},
		{"long name", strings.Repeat("t", 60_000), typed("c"), true},
		{"name of more than 64 KiB", strings.Repeat("t", 1<<16+5), typed("c"), false},
		{"deleted", "t", deleted(1, 1), true},
		{"deleted before it came", "t", deleted(7, 3), true},
		{"last clock deleted", "t", deleted(MaxClock-1, 1), true},
		{"deleted beyond the last clock", "t", deleted(MaxClock-1, 2), false},
		{"clock of 2^53-1 deleted", "t", deleted(lib0.MaxSafeInteger, 1), false},
		{"nothing deleted", "t", deleted(1, 0), false},
		{"client of 2^56-1", "t", []byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 0, 1}, false},
	} {
		w := newTwins()
		w.apply(t, root(c.root))
		w.apply(t, c.update)
		if got := w.taken == 1; got != c.taken {
			t.Errorf("%s: a keystroke: %v, want %v", c.name, got, c.taken)
		}
		w.apply(t, typed("d"))
	}
}
