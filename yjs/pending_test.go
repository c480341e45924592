package yjs_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func TestPending(t *testing.T) {
	d := documentOf(t,
		update(section(1, 4, after(1, 3, "ef"))),
		update(section(1, 2, after(1, 1, "c"))),
		update(section(7, 3, gc(2))),
		removal(1, 5, 1), removal(8, 2, 2))
	p := d.Pending()
	if p.Structs != 3 || p.Bytes != 6+5+2 || !slices.Equal(p.Missing, []yjs.ID{{Client: 7, Clock: 0}, {Client: 1, Clock: 0}}) {
		t.Errorf("pending %+v", p)
	}
	wantState(t, d, cat([]byte{2},
		section(7, 3, gc(2)),
		section(1, 2, after(1, 1, "c"), skip(1), after(1, 3, "ef")),
		[]byte{2, 8, 1, 2, 2, 1, 1, 5, 1}))
	if got := d.StateVector(); !bytes.Equal(got, []byte{0}) {
		t.Errorf("vector %x", got)
	}
	// A peer may have a part of what waits here.
	wantState(t, d, cat([]byte{1}, section(1, 5, after(1, 4, "f")), []byte{2, 8, 1, 2, 2, 1, 1, 5, 1}), cat(num(2), id(7, 5), id(1, 5))...)
	apply(t, d, update(section(1, 0, root("t", "ab"))), update(section(1, 3, after(1, 2, "d"))), update(section(7, 0, gc(3))))
	if p := d.Pending(); p.Structs != 0 || p.Bytes != 0 || p.Missing != nil {
		t.Errorf("pending %+v", p)
	}
	wantState(t, d, cat([]byte{2}, section(7, 0, gc(5)), section(1, 0, root("t", "abcdef")), []byte{3, 8, 1, 2, 2, 7, 1, 0, 5, 1, 1, 5, 1}))
}

// TestMissing asks what a document waits for: before gaps, of other clients, and in deletes.
func TestMissing(t *testing.T) {
	inside := cat([]byte{4, 0}, id(4, 2), str("x"))
	d := documentOf(t,
		update(section(1, 2, after(1, 1, "c"))),
		update(section(2, 0, after(3, 7, "x"), cat([]byte{0x44}, id(5, 1), str("y")), inside)),
		update(section(5, 0, root("t", "ab"))),
		removal(5, 0, 1, 2, 1), removal(1, 2, 1), removal(6, 0, 1))
	want := []yjs.ID{{Client: 6}, {Client: 5, Clock: 2}, {Client: 4}, {Client: 3}, {Client: 1}}
	if got := d.Missing(); !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	for len(want) > 0 {
		last := want[len(want)-1]
		apply(t, d, update(section(last.Client, last.Clock, gc(20))))
		want = want[:len(want)-1]
		if got := d.Missing(); !slices.Equal(got, want) {
			t.Errorf("missing %v, want %v", got, want)
		}
	}
	if d.Missing() != nil {
		t.Error("nothing is missing, and isn't nil")
	}
}

func TestDependencyLaterInTheUpdate(t *testing.T) {
	u := update(section(9, 0, after(1, 0, "b")), section(1, 0, root("t", "a")))
	d := documentOf(t, u)
	wantState(t, d, u)
	if got, want := d.StateVector(), cat(num(2), id(9, 1), id(1, 1)); !bytes.Equal(got, want) {
		t.Errorf("vector %x, want %x", got, want)
	}
}
