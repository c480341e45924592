package yjs_test

import (
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func TestIsEmptyUpdate(t *testing.T) {
	for _, c := range []struct {
		update []byte
		want   bool
	}{
		{update(), true},
		{update(section(1, 0)), true},
		{update(section(1, 0, skip(3))), true},
		{cat([]byte{0, 1, 1, 0}), true},
		{update(section(1, 0, gc(3))), false},
		{removal(1, 0, 1), false},
		{nil, false},
		{[]byte{0}, false},
	} {
		if got := yjs.IsEmptyUpdate(c.update); got != c.want {
			t.Errorf("%x: %v", c.update, got)
		}
	}
}

// TestSkipAtTheEnd has a gap behind the last struct, which says nothing.
func TestSkipAtTheEnd(t *testing.T) {
	d := documentOf(t, update(section(1, 0, root("t", "a"), skip(3))))
	wantState(t, d, update(section(1, 0, root("t", "a"))))
}
