package yjs_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// shape writes types that are nested n deep: level 0 in a root, and each next one in
// the one before.
type shape struct {
	name    string
	updates func(n int) [][]byte
}

// Structs of types: an array each.
func inRoot() []byte { return cat([]byte{7, 1}, str("a"), num(0)) }

func in(client, clock uint64) []byte { return cat([]byte{7, 0}, id(client, clock), num(0)) }

func beside(client, clock uint64) []byte { return cat([]byte{0x87}, id(client, clock), num(0)) }

func before(client, clock uint64) []byte { return cat([]byte{0x47}, id(client, clock), num(0)) }

// levels returns inRoot and what inside makes of the levels from 1 on.
func levels(n int, inside func(i uint64) []byte) [][]byte {
	all := [][]byte{inRoot()}
	for i := 1; i < n; i++ {
		all = append(all, inside(uint64(i)))
	}
	return all
}

// each is a section per level, of a client each.
func each(n int) [][]byte {
	all := levels(n, func(i uint64) []byte { return in(i-1, 0) })
	for i := range all {
		all[i] = section(uint64(i), 0, all[i])
	}
	return all
}

func reversed[T any](list []T) []T {
	list = slices.Clone(list)
	slices.Reverse(list)
	return list
}

func perUpdate(sections [][]byte) (all [][]byte) {
	for _, s := range sections {
		all = append(all, update(s))
	}
	return all
}

var shapes = []shape{
	{"in one update", func(n int) [][]byte {
		return [][]byte{update(section(1, 0, levels(n, func(i uint64) []byte { return in(1, i-1) })...))}
	}},
	{"under keys", func(n int) [][]byte {
		return [][]byte{update(section(1, 0, levels(n, func(i uint64) []byte {
			return cat([]byte{0x27, 0}, id(1, i-1), str("k"), num(1))
		})...))}
	}},
	{"beside neighbours", func(n int) [][]byte {
		all := [][]byte{inRoot(), beside(1, 0)}
		for i := uint64(1); i < uint64(n); i++ {
			all = append(all, in(1, 2*i-1), beside(1, 2*i))
		}
		return [][]byte{update(section(1, 0, all...))}
	}},
	{"before neighbours", func(n int) [][]byte {
		all := [][]byte{inRoot(), before(1, 0)}
		for i := uint64(1); i < uint64(n); i++ {
			all = append(all, in(1, 2*i-1), before(1, 2*i))
		}
		return [][]byte{update(section(1, 0, all...))}
	}},
	{"in texts", func(n int) [][]byte {
		all := [][]byte{inRoot()}
		for i := uint64(1); i < uint64(n); i++ {
			text := cat([]byte{4, 0}, id(1, 5*i-5), str("text"))
			all = append(all, text, beside(1, 5*i-2))
		}
		return [][]byte{update(section(1, 0, all...))}
	}},
	{"behind long texts, a struct at a time", func(n int) [][]byte {
		all := [][]byte{update(section(1, 0, inRoot()))}
		for i, at := uint64(1), uint64(1); i < uint64(n); i++ {
			const letters = 70 // more than a stride
			all = append(all, update(section(1, at, cat([]byte{4, 0}, id(1, at-1), str("a")))))
			for k := range uint64(letters) { // in front of each other: they can't be joined
				all = append(all, update(section(1, at+1+k, cat([]byte{0x44}, id(1, at+k), str("a")))))
			}
			at += letters + 2
			all = append(all, update(section(1, at-1, before(1, at-2))))
		}
		return all
	}},
	{"an update a level", func(n int) [][]byte { return perUpdate(each(n)) }},
	{"an update a level, from the innermost", func(n int) [][]byte { return perUpdate(reversed(each(n))) }},
	{"an update a level, from the middle", func(n int) [][]byte {
		all := perUpdate(each(n))
		return append(all[n/2:], all[:n/2]...)
	}},
	{"clients that ascend", func(n int) [][]byte { return [][]byte{update(each(n)...)} }},
	{"clients that descend", func(n int) [][]byte { return [][]byte{update(reversed(each(n))...)} }},
	{"two clients in turns", func(n int) [][]byte {
		var one, two [][]byte
		for i := range uint64(n) {
			switch {
			case i == 0:
				one = append(one, inRoot())
			case i%2 == 0:
				one = append(one, in(2, i/2-1))
			default:
				two = append(two, in(1, i/2))
			}
		}
		return [][]byte{update(section(2, 0, two...), section(1, 0, one...))}
	}},
	{"behind a gap", func(n int) [][]byte {
		all := levels(n, func(i uint64) []byte { return in(1, i-1) })
		var updates [][]byte
		for i, s := range all {
			updates = append(updates, update(section(1, uint64(i), s)))
		}
		return reversed(updates)
	}},
	{"the same clocks twice", func(n int) [][]byte {
		all := levels(n, func(i uint64) []byte { return in(1, i-1) })
		shallow := slices.Repeat([][]byte{inRoot()}, n)
		return [][]byte{update(section(1, 0, all...), section(1, 0, shallow...))}
	}},
	{"in a text that replaces another", func(n int) [][]byte {
		all := levels(n-1, func(i uint64) []byte { return in(5, i-1) })
		return [][]byte{
			update(
				section(5, 0, all...),
				section(1, 5, root("r", "a")),
				section(1, 4, cat([]byte{4, 0}, id(5, uint64(n-2)), str("xab"))),
				section(2, 0, beside(1, 5)),
			),
			update(section(1, 0, root("r", "abcd"))),
		}
	}},
	{"held in part", func(n int) [][]byte {
		all := levels(n-1, func(i uint64) []byte { return in(1, i-1) })
		text := cat([]byte{4, 0}, id(1, uint64(n-2)), str("ab"))
		longer := cat([]byte{4, 0}, id(1, uint64(n-2)), str("abcd"))
		return [][]byte{
			update(section(1, 0, append(all, text)...)),
			update(section(1, uint64(n-1), longer, beside(1, uint64(n+2)))),
		}
	}},
	{"deleted on the way", func(n int) [][]byte {
		all := levels(n, func(i uint64) []byte { return in(1, i-1) })
		return [][]byte{
			update(section(1, 0, all[:n/2]...)), removal(1, uint64(n/2-1), 1),
			update(section(1, uint64(n/2), all[n/2:]...)),
		}
	}},
	{"a key pressed in the end", func(n int) [][]byte {
		all := levels(n-1, func(i uint64) []byte { return in(1, i-1) })
		return [][]byte{
			update(section(2, 0, beside(3, 1))),
			update(section(1, 0, all...)),
			update(section(3, 0, cat([]byte{4, 0}, id(1, uint64(n-2)), str("a")))),
			update(section(3, 1, after(3, 0, "b"))),
		}
	}},
}

// TestNesting nests types in all ways, exactly as deep as they may and one deeper: then
// one of the updates is refused, in both versions, and nothing of it stays.
func TestNesting(t *testing.T) {
	for _, s := range shapes {
		t.Run(s.name, func(t *testing.T) {
			for _, v2 := range []bool{false, true} {
				d := yjs.NewDocument()
				if err := applyAll(t, d, s.updates(yjs.MaxNesting), v2); err != nil {
					t.Fatalf("%d levels: %v", yjs.MaxNesting, err)
				}
				if d.Pending().Structs > 0 {
					t.Errorf("%d structs wait", d.Pending().Structs)
				}
				d = yjs.NewDocument()
				deeper := s.updates(yjs.MaxNesting + 1)
				if err := applyAll(t, d, deeper, v2); !errors.Is(err, yjs.ErrLimit) || !strings.Contains(err.Error(), "nested deeper than 256") {
					t.Fatalf("%d levels: %v", yjs.MaxNesting+1, err)
				}
				apply(t, d, update(section(7777, 0, root("b", "goes on"))))
			}
		})
	}
}

// applyAll stops at the first update that is refused, and wants nothing of that to stay.
func applyAll(t *testing.T, d *yjs.Document, updates [][]byte, v2 bool) error {
	t.Helper()
	for i, u := range updates {
		last := i > len(updates)-3 // to encode states takes longest
		var held []byte
		if last {
			held = state(t, d)
		}
		apply := d.ApplyUpdate
		if v2 {
			var err error
			if u, err = yjs.ConvertUpdateV1ToV2(u); err != nil {
				t.Fatal(err)
			}
			apply = d.ApplyUpdateV2
		}
		if err := apply(u); err != nil {
			if last {
				wantState(t, d, held)
			}
			return fmt.Errorf("update %d of %d: %w", i+1, len(updates), err)
		}
	}
	return nil
}

// TestNestingStored loads what was stored before there was a limit. It stays as it is
// and goes on, but gets no deeper.
func TestNestingStored(t *testing.T) {
	const n = yjs.MaxNesting + 40
	d := yjs.NewDocument()
	stored := shapes[0].updates(n)[0]
	if err := d.Load(stored); err != nil {
		t.Fatal(err)
	}
	wantState(t, d, stored)
	for _, deeper := range [][]byte{in(1, n-1), in(1, yjs.MaxNesting-1), beside(1, n-1)} {
		if err := d.ApplyUpdate(update(section(2, 0, deeper))); !errors.Is(err, yjs.ErrLimit) {
			t.Errorf("%x: %v", deeper, err)
		}
	}
	apply(t, d, stored, update(section(2, 0, in(1, yjs.MaxNesting-2))), update(section(3, 0, cat([]byte{4, 0}, id(1, n-1), str("a")))))
	if merged, err := yjs.MergeUpdates(stored); err != nil || string(merged) != string(stored) {
		t.Errorf("merged: %x, %v", merged, err)
	}
}

// TestNestingCompacted drops a type in the middle. What was in it belongs nowhere now,
// in every replica, and counts from there.
func TestNestingCompacted(t *testing.T) {
	d := documentOf(t, shapes[0].updates(yjs.MaxNesting)[0], removal(1, 99, 1))
	if err := d.ApplyUpdate(update(section(2, 0, in(1, yjs.MaxNesting-1)))); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("before: %v", err)
	}
	d.Compact()
	apply(t, d, update(section(2, 0, in(1, yjs.MaxNesting-1))))
	// A type beside the one that is dropped is where it was.
	apply(t, d, update(section(3, 0, beside(1, 99))))
	more := [][]byte{in(3, 0)}
	for i := uint64(1); i < yjs.MaxNesting-100; i++ {
		more = append(more, in(4, i-1))
	}
	apply(t, d, update(section(4, 0, more...)))
	if err := d.ApplyUpdate(update(section(5, 0, in(4, uint64(len(more)-1))))); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("beside: %v", err)
	}
}

// TestNestingFast refuses a million levels, in ways of which some are told only in the
// end. A few milliseconds are wanted; the wall's clock would count what else runs.
func TestNestingFast(t *testing.T) {
	const n = 1_000_000
	levels := make([]byte, 0, 8*n)
	for i := range uint64(n) {
		levels = append(levels, 7, 0, 1)
		levels = append(lib0.AppendVarUint(levels, i), 0)
	}
	for name, u := range map[string][]byte{
		"in a root":          cat([]byte{1}, num(n+1), id(1, 0), inRoot(), levels, []byte{0}),
		"in what is missing": cat([]byte{1}, num(n), id(1, 1), levels, []byte{0}),
	} {
		d := yjs.NewDocument()
		begin := cost.CPU()
		if err := d.ApplyUpdate(u); !errors.Is(err, yjs.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
		took := cost.CPU() - begin
		t.Logf("%s: %v", name, took)
		if took > time.Second { // read to the end it would be several, and a collection is some
			t.Errorf("%s: took %v", name, took)
		}
		wantState(t, d, []byte{0, 0})
	}
}
