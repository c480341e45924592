package yjs_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func TestMergeUpdates(t *testing.T) {
	a := update(section(1, 0, root("t", "ab")))
	b := update(section(1, 4, after(1, 3, "ef")))
	c := update(section(1, 2, after(1, 1, "cd")))
	for _, m := range []struct {
		name    string
		updates [][]byte
		want    []byte
	}{
		{"nothing", nil, update()},
		{"one", [][]byte{a}, a},
		{"a gap", [][]byte{b, a}, update(section(1, 0, root("t", "ab"), skip(2), after(1, 3, "ef")))},
		{"joined", [][]byte{b, a, c, a}, update(section(1, 0, root("t", "abcdef")))},
		{"deletes", [][]byte{removal(1, 0, 1), a, removal(1, 1, 1)}, cat([]byte{1}, section(1, 0, root("t", "ab")), []byte{1, 1, 1, 0, 2})},
	} {
		got, err := yjs.MergeUpdates(m.updates...)
		if err != nil || !bytes.Equal(got, m.want) {
			t.Errorf("%s: %x, %v, want %x", m.name, got, err, m.want)
		}
	}
	if _, err := yjs.MergeUpdates(a, update(section(1, 0, root("t", "xy")))); !errors.Is(err, yjs.ErrConflict) {
		t.Errorf("conflict: %v", err)
	}
}

func TestDiffUpdate(t *testing.T) {
	u := cat([]byte{3},
		section(9, 2, skip(2), after(9, 3, "xy")),
		section(5, 0, root("t", "gone")),
		section(1, 0, root("t", "abc"), skip(2), after(1, 4, "fgh")),
		[]byte{1, 1, 1, 0, 2})
	deletes := []byte{1, 1, 1, 0, 2}
	for _, c := range []struct {
		name   string
		vector []byte
		want   []byte
	}{
		{"everything", nil, cat([]byte{3}, section(9, 4, after(9, 3, "xy")), section(5, 0, root("t", "gone")), section(1, 0, root("t", "abc"), skip(2), after(1, 4, "fgh")), deletes)},
		{"the middle", cat(num(3), id(9, 3), id(5, 4), id(1, 1)), cat([]byte{2}, section(9, 4, after(9, 3, "xy")), section(1, 1, after(1, 0, "bc"), skip(2), after(1, 4, "fgh")), deletes)},
		{"behind the gap", cat(num(3), id(9, 5), id(5, 9), id(1, 6)), cat([]byte{2}, section(9, 5, after(9, 4, "y")), section(1, 6, after(1, 5, "gh")), deletes)},
		{"nothing", cat(num(3), id(9, 6), id(5, 9), id(1, 8)), cat([]byte{0}, deletes)},
	} {
		got, err := yjs.DiffUpdate(u, c.vector)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: %x, %v, want %x", c.name, got, err, c.want)
		}
	}
}

func TestStateVectorFromUpdate(t *testing.T) {
	u := update(section(9, 2, gc(3)), section(5, 0, gc(2), gc(1), skip(2), gc(1)), section(1, 0, root("t", "abc")))
	if got, err := yjs.StateVectorFromUpdate(u); err != nil || !bytes.Equal(got, cat(num(2), id(5, 3), id(1, 3))) {
		t.Errorf("%x, %v", got, err)
	}
}

// TestDisorderedUpdate has a client twice, and clients in ascending order, as no
// writer makes them; a section by itself doesn't say enough then.
func TestDisorderedUpdate(t *testing.T) {
	u := update(section(1, 2, after(1, 1, "cd")), section(5, 0, gc(2)), section(1, 0, root("t", "ab")))
	if got, err := yjs.StateVectorFromUpdate(u); err != nil || !bytes.Equal(got, cat(num(2), id(5, 2), id(1, 4))) {
		t.Errorf("vector %x, %v", got, err)
	}
	got, err := yjs.DiffUpdate(u, cat(num(2), id(5, 1), id(1, 3)))
	if want := cat([]byte{2}, section(5, 1, gc(1)), section(1, 3, after(1, 2, "d")), []byte{1, 5, 1, 0, 2}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("difference %x, %v, want %x", got, err, want)
	}
}

func TestRefuseWithoutDocument(t *testing.T) {
	for _, c := range refusals {
		if errors.Is(c.want, yjs.ErrLimit) && c.name[:5] == "fifty" {
			continue // a history may be that long
		}
		if _, err := yjs.MergeUpdates(c.update, update()); !errors.Is(err, c.want) {
			t.Errorf("%s: MergeUpdates: %v", c.name, err)
		}
		if _, err := yjs.DiffUpdate(c.update, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: DiffUpdate: %v", c.name, err)
		}
		if _, err := yjs.StateVectorFromUpdate(c.update); !errors.Is(err, c.want) {
			t.Errorf("%s: StateVectorFromUpdate: %v", c.name, err)
		}
	}
	if _, err := yjs.DiffUpdate(update(), []byte{1}); !errors.Is(err, yjs.ErrMalformed) {
		t.Errorf("vector cut off: %v", err)
	}
}
