package yjs_test

import (
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func TestCollectedDoesNotReplaceContent(t *testing.T) {
	held := update(section(1, 0, root("t", "abc")))
	d := documentOf(t, held)
	apply(t, d, update(section(1, 0, gc(3))))
	wantState(t, d, held)
	// What hangs on others isn't blocked either, whoever's clocks are looked at first.
	chain := [][]byte{section(3, 0, after(2, 1, "z")), section(2, 0, after(1, 2, "xy")), section(1, 0, root("t", "abc"))}
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		d := yjs.NewDocument()
		for _, i := range order {
			apply(t, d, update(chain[i]))
		}
		apply(t, d, update(section(3, 0, gc(1)), section(2, 0, gc(2))))
		wantState(t, d, update(chain...))
	}
}

func TestCollectedReplacesBlocked(t *testing.T) {
	// 2:0 hangs on 1:1, which hangs on 1:0, which never came. A peer that had it
	// all sends 2:0 collected: that hangs on nothing.
	d := documentOf(t, update(section(1, 1, after(1, 0, "b"))), update(section(2, 0, after(1, 1, "x"), after(3, 0, "y"))))
	u := update(section(2, 0, gc(1)))
	if d.Contains(u) {
		t.Error("contained before")
	}
	apply(t, d, u)
	if !d.Contains(u) {
		t.Error("not contained after")
	}
	wantState(t, d, cat([]byte{2}, section(2, 0, gc(1), after(3, 0, "y")), section(1, 1, after(1, 0, "b")), []byte{1, 2, 1, 0, 1}))
}

func TestCollectedIsDeleted(t *testing.T) {
	// A peer that holds this content alive learns only from the delete set.
	dead := section(1, 0, gc(2), cat([]byte{0x81}, id(2, 0), num(3)))
	d := documentOf(t, update(dead))
	wantState(t, d, cat([]byte{1}, dead, []byte{1, 1, 1, 0, 5}))
	wantState(t, d, []byte{0, 1, 1, 1, 0, 5}, cat(num(1), id(1, 5))...)
}
