package content_test

import (
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

// scenario is what some clients do, and yjs does the same beside it. They are about
// what yjs' own tests are about, in other words.
type scenario struct {
	name    string
	clients []uint64
	play    func(s *scene)
}

var (
	pair  = []uint64{1, 2}
	three = []uint64{1, 2, 3}
)

// TestScenarios plays all of them with and without garbage collection.
func TestScenarios(t *testing.T) {
	o := difftest.Start(t, "testdata/oracle.mjs")
	for _, c := range slices.Concat(textScenarios, typeScenarios, timeScenarios) {
		for name, gc := range map[string]bool{"": true, ", everything kept": false} {
			t.Run(c.name+name, func(t *testing.T) {
				s := begun(t, o, gc, c.clients...)
				c.play(s)
				again(s)
			})
		}
	}
}

// again delivers all updates to a newcomer in the opposite order.
func again(s *scene) {
	s.Helper()
	s.sync()
	d := yjs.NewDocument()
	for _, u := range slices.Backward(s.sent) {
		if err := d.ApplyUpdate(u); err != nil {
			s.Fatal(err)
		}
	}
	v, err := content.Of(d)
	if err != nil {
		s.Fatal(err)
	}
	for _, r := range natural {
		if got, want := look(v, r), look(s.clients[s.order[0]].view, r); got != want {
			s.Errorf("%s backwards\n %s\nwant\n %s", r[0], got, want)
		}
	}
}
