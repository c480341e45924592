package yjs_test

import (
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// TestPrepare has a document find out how deep its types nest before somebody writes,
// who then needn't wait for it. What that allocates tells where it was done.
func TestPrepare(t *testing.T) {
	const n = 50_000
	state := update(section(1, 0, slices.Repeat([][]byte{inRoot()}, n)...))
	for name, stale := range map[string]func(*yjs.Document){
		"load":    func(d *yjs.Document) { apply(t, d) },
		"compact": func(d *yjs.Document) { d.Prepare(); d.Compact() },
		"collect": func(d *yjs.Document) { d.Prepare(); d.Collect(yjs.Findings{}) },
		"a load more": func(d *yjs.Document) {
			d.Prepare()
			if err := d.Load(update(section(1, n, inRoot()))); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			took := func(prepare func(*yjs.Document)) uint64 {
				d := yjs.NewDocument()
				if err := d.Load(state); err != nil {
					t.Fatal(err)
				}
				stale(d)
				prepare(d)
				return cost.Allocated(func() { apply(t, d, update(section(2, 0, inRoot()))) })
			}
			const depths = 6 * n
			if got := took(func(*yjs.Document) {}); got < depths {
				t.Errorf("%d bytes without Prepare: the test shows nothing", got)
			}
			if got := took((*yjs.Document).Prepare); got > depths/10 {
				t.Errorf("%d bytes after Prepare", got)
			}
		})
	}
	yjs.NewDocument().Prepare()
}
