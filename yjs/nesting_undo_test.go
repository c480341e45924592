package yjs

import (
	"errors"
	"testing"

	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// insides is a type inside another.
func insides(client, clock, other, at int) []byte {
	dst := []byte{1, 1, byte(client), byte(clock), kindType, 0, byte(other)}
	return append(lib0.AppendVarUint(dst, uint64(at)), 0, 0)
}

// TestNestingUndone refuses updates after long walks, which settle what has waited and
// leave shortcuts: nothing of that stays.
func TestNestingUndone(t *testing.T) {
	const top, letters = towerDepth - 1, 5 * stride
	merge := func(updates ...[]byte) []byte {
		merged, err := MergeUpdates(updates...)
		if err != nil {
			t.Fatal(err)
		}
		return merged
	}
	long := merge(fronts(1, letters)...)
	// The same letters, hung on what is missing.
	hung := append([][]byte{{1, 1, 1, 0, flagOrigin | kindString, 3, 0, 1, 'a', 0}}, fronts(1, letters)[1:]...)
	// What one doesn't know at first: (7,0) is in (6,0), and that in the tower's top.
	tooDeep := merge(insides(7, 0, 6, 0), insides(6, 0, towerClient, top))
	for _, c := range []struct {
		name      string
		held      [][]byte
		refused   []byte
		shortcuts bool // are held before
	}{
		{"what waits is settled", [][]byte{besides(2, 0, 3, 0)}, merge(insides(3, 0, towerClient, top), insides(4, 0, 2, 0)), false},
		{"shortcuts", [][]byte{long}, merge(besides(8, 0, 1, letters-1), tooDeep), false},
		{"shortcuts to what was missing", [][]byte{merge(append(hung, besides(2, 0, 1, letters-1))...)},
			merge(besides(8, 0, 1, letters-1), []byte{1, 1, 3, 0, kindType, 1, 1, 't', 0, 0}, tooDeep), true},
	} {
		d := NewDocument()
		for _, u := range append([][]byte{tower(towerClient, towerDepth)}, c.held...) {
			if err := d.ApplyUpdate(u); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		if got := len(d.nesting.shortcuts) > 0; got != c.shortcuts {
			t.Errorf("%s: shortcuts before: %v", c.name, got)
		}
		before := known(d)
		if err := d.ApplyUpdate(c.refused); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", c.name, err)
		}
		if now := known(d); now != before {
			t.Errorf("%s:\n%s became\n%s", c.name, before, now)
		}
	}
}

// roomOf returns how many values there is room for in a list in chunks.
func roomOf[T any](chunks [][]T) (n int) {
	for _, chunk := range chunks {
		n += cap(chunk)
	}
	return n
}

// TestNestingRoom has updates grow the lists of what is known, and refuses them, or
// takes away again what they brought: the room that was made for it is given back.
func TestNestingRoom(t *testing.T) {
	const kept, between, authors = 40, 600, 30
	// types is a client's types from a clock on, each in a root or beside a unit of another.
	types := func(dst []byte, client, clock, n, beside int) []byte {
		dst = lib0.AppendVarUint(lib0.AppendVarUint(lib0.AppendVarUint(dst, uint64(n)), uint64(client)), uint64(clock))
		for i := range n {
			if beside > 0 {
				dst = lib0.AppendVarUint(append(dst, flagOrigin|kindType, byte(beside)), uint64(clock+i))
			} else {
				dst = append(dst, kindType, 1, 1, 't')
			}
			dst = append(dst, 0)
		}
		return dst
	}
	d := NewDocument()
	apply := func(u []byte) {
		t.Helper()
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	refuse := func(u []byte) {
		t.Helper()
		if err := d.ApplyUpdate(append(u, 0)); !errors.Is(err, ErrMalformed) { // too long by a byte
			t.Fatal(err)
		}
	}
	for i := range kept {
		apply(append(types([]byte{1}, 100, 1+i*between, 1, 0), 0))
	}
	crowd := []byte{authors}
	for i := range authors {
		apply(append(types([]byte{1}, authors-i, 0, 1, 0), 0))
		crowd = types(crowd, authors-i, 1, between, 0)
	}
	refuse(append(types([]byte{1}, 100, 0, kept*between, 0), 0))
	refuse(append(crowd, 0))
	room := 0
	for i := range d.nesting.authors.count {
		room += roomOf(d.nesting.authors.at(i).levels)
	}
	if most := 2*chunkLevels + authors*keepRoom; room > most {
		t.Errorf("room for %d types, and there are %d", room, kept+authors)
	}
	// Of many that wait only some go on waiting.
	apply(append(types([]byte{1}, 120, 0, kept*between, 99), 0))
	for i := range kept {
		apply(append(lib0.AppendVarUint(append(lib0.AppendVarUint([]byte{1, 1, 99}, uint64(1+i*between)), kindGC), between-1), 0))
	}
	if n := d.nesting.waits.count; n != kept {
		t.Errorf("%d wait", n)
	}
	if room := roomOf(d.nesting.waits.chunks); room > 4*chunkWaits {
		t.Errorf("room for %d that wait", room)
	}
}

// TestRefusedAuthor refuses a type of somebody new, again and again, in a document in
// which many have made types: that costs what the update takes, not what the document has,
// also where the index has just been full. Others come and go with larger updates, and
// whoever stays is found.
func TestRefusedAuthor(t *testing.T) {
	for _, authors := range []int{7, 8, 9, 11, 12, 13, 24, 25, 1000, 24_576} {
		types := func(from, n int) []byte {
			dst := lib0.AppendVarUint(nil, uint64(n))
			for i := range n {
				dst = lib0.AppendVarUint(append(dst, 1), uint64(from+n-i))
				dst = append(dst, 0, kindType, 1, 1, 't', 0)
			}
			return append(dst, 0)
		}
		d := NewDocument()
		if err := d.ApplyUpdate(types(0, authors)); err != nil {
			t.Fatal(err)
		}
		before := known(d)
		refuse := func(n int) {
			if err := d.ApplyUpdate(append(types(1<<30, n), 0)); !errors.Is(err, ErrMalformed) {
				t.Fatal(err)
			}
		}
		if got := cost.Least(func() { refuse(1) }); got > 16<<10 { // a chunk
			t.Errorf("%d bytes allocated to refuse one of %d", got, authors+1)
		}
		for _, n := range []int{1, 5, 8, 200, 3 * authors} {
			if refuse(n); known(d) != before {
				t.Fatalf("%d: something has stayed of %d who were refused", authors, n)
			}
		}
		if x := &d.nesting.index; x.wide() || x.slots != nil && x.count != authors {
			t.Errorf("%d of %d slots taken by %d authors", x.count, len(x.slots), authors)
		}
		if err := d.ApplyUpdate(types(1<<30, 1)); err != nil || d.nesting.author(1<<30+1) == nil {
			t.Errorf("%d: who came after those who were refused isn't known: %v", authors, err)
		}
	}
}
