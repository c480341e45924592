package yjs

import (
	"errors"
	"testing"

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
