package content_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// within is n arrays of a client, the first in a type and each next one in the one
// before.
func within(client uint64, in yjs.ID, n int) []byte {
	dst := lib0.AppendVarUint([]byte{1}, uint64(n))
	dst = append(lib0.AppendVarUint(dst, client), 0)
	for i := range uint64(n) {
		dst = lib0.AppendVarUint(append(dst, 7, 0), in.Client)
		dst = append(lib0.AppendVarUint(dst, in.Clock), 0)
		in = yjs.ID{Client: client, Clock: i}
	}
	return append(dst, 0)
}

// takes holds how deep a document lets types nest within some of its own against how
// deep those are in a view, and returns how many were tried and the deepest.
func takes(t *testing.T, d *yjs.Document, name string) (tried, deepest int) {
	t.Helper()
	v, err := content.Of(d)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	const most, nobody = 6, 1 << 50
	var types []content.Level
	for _, h := range content.Nested(v) {
		types = append(types, content.LevelOf(h))
	}
	slices.SortFunc(types, func(a, b content.Level) int {
		return cmp.Or(b.Depth-a.Depth, cmp.Compare(a.ID.Client, b.ID.Client), cmp.Compare(a.ID.Clock, b.ID.Clock))
	})
	for i, p := range types[:min(len(types), most)] {
		room := content.MaxNesting - p.Depth
		if err := d.ApplyUpdate(within(nobody+uint64(i), p.ID, room+1)); !errors.Is(err, yjs.ErrLimit) {
			t.Errorf("%s: %d levels in %+v: %v", name, room+1, p, err)
		}
		if err := d.ApplyUpdate(within(nobody+uint64(i), p.ID, room)); err != nil {
			t.Errorf("%s: %d levels in %+v: %v", name, room, p, err)
		}
		tried, deepest = tried+1, max(deepest, p.Depth)
	}
	return tried, deepest
}

// TestNestingAgrees finds out how deep documents of random sessions, and such as no
// client would write, let types nest: the document follows references, and the view
// has integrated everything. They must agree to the level.
func TestNestingAgrees(t *testing.T) {
	first := difftest.FromEnv(t, "YJS_SEED", 1)
	tried, deepest := 0, 0
	check := func(name string, updates ...[]byte) {
		live, loaded := yjs.NewDocument(), yjs.NewDocument()
		for _, u := range updates {
			if err := errors.Join(live.ApplyUpdate(u), loaded.Load(u)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, d := range []*yjs.Document{live, loaded} {
			n, deep := takes(t, d, name)
			tried, deepest = tried+n, max(deepest, deep)
		}
		if a, err := live.EncodeStateAsUpdate(nil); err != nil {
			t.Fatal(err)
		} else if b, _ := loaded.EncodeStateAsUpdate(nil); !bytes.Equal(a, b) {
			t.Errorf("%s: applied %x, loaded %x", name, a, b)
		}
	}
	o := difftest.Start(t, "testdata/oracle.mjs")
	const sessions, wilds = 48, 100
	for from := first; from < first+difftest.FromEnv(t, "YJS_PROGRAMS", sessions); from += 16 {
		for i, p := range makePrograms(t, o, from, from+16) {
			check(fmt.Sprintf("seed %d (%s)", from+i, p.Name), append(p.Updates, p.Late...)...)
		}
	}
	for seed := first; seed < first+difftest.FromEnv(t, "YJS_WILD", wilds); seed++ {
		w := wild{Rand: rand.New(rand.NewPCG(uint64(seed), 31))}
		check(fmt.Sprintf("wild seed %d", seed), w.update())
	}
	t.Logf("%d types, up to %d deep", tried, deepest)
	if tried < 100 || deepest < 3 {
		t.Error("not much of a test")
	}
}
