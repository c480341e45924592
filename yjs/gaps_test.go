package yjs_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// TestDroppedIsFreed sends what takes the place of what waits, again and again: a text
// that grows, each time with all that it had before; and bytes behind a gap that is
// then closed, while something else waits on. What was dropped must not be kept: it is
// in no size that a limit is compared with.
func TestDroppedIsFreed(t *testing.T) {
	const size, times = 20_000, 200
	long := strings.Repeat("a", size)
	grow := func(d *yjs.Document, i int) {
		apply(t, d, update(section(1, 5, root("t", long+strings.Repeat("a", i)))))
	}
	fill := func(d *yjs.Document, i int) {
		clock := uint64(2 * i)
		apply(t, d,
			update(section(1, clock+1, cat([]byte{3, 1}, str("t"), str(long)))),
			update(section(1, clock, gc(1))))
	}
	for name, step := range map[string]func(*yjs.Document, int){"a text that grows": grow, "gaps that are closed": fill} {
		before := cost.Heap()
		d := documentOf(t, update(section(1, 1_000_000, gc(1))))
		for i := range times {
			step(d, i)
		}
		held := cost.Heap() - before
		t.Logf("%s: %d bytes held, of which %d are told", name, held, d.Size())
		if held > int64(d.Size()*8/5+2*size) {
			t.Errorf("%s: %d bytes held for a document of %d", name, held, d.Size())
		}
		runtime.KeepAlive(d)
	}
}
