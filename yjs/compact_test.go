package yjs_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

func TestCompact(t *testing.T) {
	dead := func(client, clock, n uint64) []byte { return cat([]byte{0x81}, id(client, clock), num(n)) }
	element := cat([]byte{7, 1}, str("x"), num(3), str("p"))
	child := cat([]byte{4, 0}, id(1, 0), str("in it"))
	for _, c := range []struct {
		name    string
		structs [][]byte
		deletes []uint64
		want    [][]byte
	}{
		{"nothing deleted", [][]byte{root("t", "abc")}, nil, [][]byte{root("t", "abc")}},
		{"all deleted", [][]byte{root("t", "abc")}, []uint64{0, 3}, [][]byte{deleted(3)}},
		{"more deleted than there is", [][]byte{root("t", "abc")}, []uint64{0, 9}, [][]byte{deleted(3)}},
		{"the middle", [][]byte{root("t", "abcde")}, []uint64{1, 3}, [][]byte{root("t", "a"), dead(1, 0, 3), after(1, 3, "e")}},
		{"both ends", [][]byte{root("t", "abcde")}, []uint64{0, 1, 4, 1}, [][]byte{deleted(1), after(1, 0, "bcd"), dead(1, 3, 1)}},
		{"joined", [][]byte{root("t", "ab"), cat([]byte{0x88}, id(1, 1), num(2), []byte{126, 126}), after(1, 3, "c")}, []uint64{1, 4}, [][]byte{root("t", "a"), dead(1, 0, 4)}},
		{"half of a pair", [][]byte{root("t", "a😀b")}, []uint64{2, 1}, [][]byte{root("t", "a\ufffd"), dead(1, 1, 1), after(1, 2, "b")}},
		{"collected stays", [][]byte{gc(3), root("t", "a")}, []uint64{0, 4}, [][]byte{gc(3), cat([]byte{1, 1}, str("t"), num(1))}},
		{"a type, not its children", [][]byte{element, child}, []uint64{0, 1}, [][]byte{cat([]byte{1, 1}, str("x"), num(1)), child}},
		{"the value of a key", [][]byte{entry("m", "k", 8, 1, 126), cat([]byte{0xa8}, id(1, 0), num(1), []byte{127})}, []uint64{0, 1}, [][]byte{entry("m", "k", 1, 1), cat([]byte{0xa8}, id(1, 0), num(1), []byte{127})}},
		{"behind a gap", [][]byte{root("t", "a"), skip(3), after(1, 3, "efg")}, []uint64{5, 1}, [][]byte{root("t", "a"), skip(3), after(1, 3, "e"), dead(1, 4, 1), after(1, 5, "g")}},
	} {
		d := documentOf(t, update(section(1, 0, c.structs...)))
		set := []byte{0}
		if c.deletes != nil {
			apply(t, d, removal(1, c.deletes...))
			set = removal(1, c.deletes...)[1:]
		}
		vector, before := d.StateVector(), d.Size()
		freed := d.Compact()
		wantState(t, d, cat([]byte{1}, section(1, 0, c.want...), set))
		if freed != before-d.Size() {
			t.Errorf("%s: freed %d, but %d became %d", c.name, freed, before, d.Size())
		}
		if !bytes.Equal(d.StateVector(), vector) {
			t.Errorf("%s: the vector has changed", c.name)
		}
		if u := update(section(1, 0, c.structs...)); !d.Contains(u) {
			t.Errorf("%s: what was applied isn't contained any more", c.name)
		}
		if d.Compact() != 0 {
			t.Errorf("%s: the second time freed something", c.name)
		}
	}
}

// TestTypeAfterCompact goes on typing where the last struct was cut.
func TestTypeAfterCompact(t *testing.T) {
	d := documentOf(t, update(section(1, 0, root("t", strings.Repeat("a", 200)))), removal(1, 10, 150))
	d.Compact()
	apply(t, d, update(section(1, 200, after(1, 199, "b"))), removal(1, 200, 1))
	want := func(last ...[]byte) []byte {
		return cat([]byte{1}, section(1, 0, append([][]byte{
			root("t", strings.Repeat("a", 10)), cat([]byte{0x81}, id(1, 9), num(150)),
		}, last...)...), removal(1, 10, 150, 200, 1)[1:])
	}
	wantState(t, d, want(after(1, 159, strings.Repeat("a", 40)+"b")))
	d.Compact()
	wantState(t, d, want(after(1, 159, strings.Repeat("a", 40)), cat([]byte{0x81}, id(1, 199), num(1))))
}

// TestCompactHistory compacts a paper: what single deleted letters cost, cut out of
// their words as Yjs cuts them, is at most a twentieth of the whole, and in the
// history of a real paper less than what is dropped.
func TestCompactHistory(t *testing.T) {
	d := written(t)
	before, err := d.EncodeStateAsUpdateV2(nil)
	if err != nil {
		t.Fatal(err)
	}
	d.Compact()
	now, err := d.EncodeStateAsUpdateV2(nil)
	if err != nil {
		t.Fatal(err)
	}
	most := len(before)
	if _, genuine, err := yjstest.History(); err != nil || !genuine {
		most += most / 20
	}
	if len(now) >= most {
		t.Errorf("%d bytes in version 2, and before %d", len(now), len(before))
	}
	for _, u := range historyOf(t) {
		if !d.Contains(u) {
			t.Fatalf("%x isn't contained any more", u)
		}
	}
	if err := yjs.NewDocument().LoadV2(now); err != nil {
		t.Error(err)
	}
}
