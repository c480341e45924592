package yjs_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

// TestTail types so long that the length of the last struct takes another byte,
// twice, with what is typed elsewhere in between.
func TestTail(t *testing.T) {
	d := yjs.NewDocument()
	for i := range 20_000 {
		s := root("t", "a")
		if i > 0 {
			s = after(1, uint64(i-1), "a")
		}
		apply(t, d, update(section(1, uint64(i), s)))
		if i%999 == 0 {
			apply(t, d, update(section(2, uint64(i/999), after(1, uint64(i), "!"))))
		}
	}
	got := state(t, d, cat(num(1), id(2, 99))...)
	if want := update(section(1, 0, root("t", strings.Repeat("a", 20_000)))); !bytes.Equal(got, want) {
		t.Errorf("%d bytes, want %d", len(got), len(want))
	}
	gone := documentOf(t)
	for i := range uint64(300) {
		apply(t, gone, update(section(1, i, gc(1))))
	}
	wantState(t, gone, cat([]byte{1}, section(1, 0, gc(300)), []byte{1, 1, 1, 0}, num(300)))
}
