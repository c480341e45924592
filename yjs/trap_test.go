package yjs_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// What fuzzers and other implementations have tripped over, one test each.

func TestEmptyKeysAndNames(t *testing.T) {
	// "" names a root type and a key; the key is on the wire only where the
	// struct has neither origin nor right origin, its flag is set regardless.
	first := entry("", "", 8, cat(num(1), []byte{125, 1})...)
	second := cat([]byte{0xa8}, id(1, 0), num(1), []byte{125, 2})
	d := documentOf(t, update(section(1, 0, first)), update(section(1, 1, second)))
	wantState(t, d, update(section(1, 0, first, second)))
	// The second again, as Yjs writes it when it merges updates: without the flag.
	bare := bytes.Clone(second)
	bare[0] = 0x88
	if u := update(section(1, 1, bare)); !d.Contains(u) {
		t.Error("the same struct without the key's flag is a stranger")
	}
}

func TestUnitsAreUTF16(t *testing.T) {
	d := documentOf(t, update(section(1, 0, root("t", "a😀é漢"))))
	if got, want := d.StateVector(), cat(num(1), id(1, 5)); !bytes.Equal(got, want) {
		t.Errorf("vector %x, want %x", got, want)
	}
	for clock, want := range map[uint64][]byte{
		1: after(1, 0, "😀é漢"),
		2: after(1, 1, "\ufffdé漢"), // half of the pair
		3: after(1, 2, "é漢"),
		4: after(1, 3, "漢"),
	} {
		wantState(t, d, update(section(1, clock, want)), cat(num(1), id(1, clock))...)
	}
	wantState(t, d, update(), cat(num(1), id(1, 5))...)
	wantState(t, d, update(), cat(num(1), id(1, 99))...)
}

func TestWholeReplacesSlice(t *testing.T) {
	whole := section(1, 0, root("t", "a😀b"))
	slice := section(1, 2, after(1, 1, "\ufffdb"))
	d := documentOf(t, update(slice), update(whole))
	wantState(t, d, update(whole))
	// What is known stays: the slice brings nothing.
	d = documentOf(t, update(whole), update(slice))
	wantState(t, d, update(whole))
}

func TestValuesKeepTheirBytes(t *testing.T) {
	values := [][]byte{
		{127}, {126}, {120}, {121}, {125, 0x40}, // undefined, null, true, false, -0
		{124, 0x3f, 0, 0, 0},                                  // 0.5
		{123, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0},                   // NaN
		{122, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, // -1n
		{119, 2, 0xc3, 0xa9}, {116, 2, 0xff, 0x00}, {117, 0},  // "é", bytes, []
		{118, 2, 1, 'b', 126, 1, 'a', 118, 0}, {117, 1, 117, 0}, // {b: null, a: {}}, [[]]
	}
	u := update(section(1, 0, cat([]byte{8, 1}, str("a"), num(uint64(len(values))), cat(values...))))
	wantState(t, documentOf(t, u), u)
	for i := 1; i < len(values); i++ {
		rest := cat([]byte{0x88}, id(1, uint64(i-1)), num(uint64(len(values)-i)), cat(values[i:]...))
		wantState(t, documentOf(t, u), update(section(1, uint64(i), rest)), cat(num(1), id(1, uint64(i)))...)
	}
}

func TestLegacyValues(t *testing.T) {
	u := update(section(1, 0, cat([]byte{2, 1}, str("a"), num(3), str("undefined"), str(`{"a":[1]}`), str(" null "))))
	wantState(t, documentOf(t, u), u)
	rest := cat([]byte{0x82}, id(1, 0), num(2), str(`{"a":[1]}`), str(" null "))
	wantState(t, documentOf(t, u), update(section(1, 1, rest)), cat(num(1), id(1, 1))...)
}

func TestClientIDs(t *testing.T) {
	ids := []uint64{lib0.MaxSafeInteger, 1 << 32, 1<<32 - 1, 128, 127, 1, 0}
	var sections [][]byte
	for _, c := range ids {
		sections = append(sections, section(c, 0, root("t", "x")))
	}
	shuffled := slices.Clone(sections)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	d := yjs.NewDocument()
	for _, s := range shuffled {
		apply(t, d, update(s))
	}
	wantState(t, d, update(sections...)) // descending, as Yjs writes them
}

func TestEveryContent(t *testing.T) {
	contents := map[string][]byte{
		"deleted":  cat([]byte{1, 1}, str("t"), num(300)),
		"json":     cat([]byte{2, 1}, str("t"), num(1), str("[]")),
		"binary":   cat([]byte{3, 1}, str("t"), str("\xff\x00")),
		"embed":    cat([]byte{5, 1}, str("t"), str(`{"image":"x"}`)),
		"format":   cat([]byte{6, 1}, str("t"), str("bold"), str("null")),
		"element":  cat([]byte{7, 1}, str("t"), num(3), str("p")),
		"hook":     cat([]byte{7, 1}, str("t"), num(5), str("h")),
		"xml text": cat([]byte{7, 1}, str("t"), num(6)),
		"document": cat([]byte{9, 1}, str("t"), str("guid"), []byte{118, 1, 2, 'g', 'c', 121}),
		"in type":  cat([]byte{4, 0}, id(2, 7), str("x")),
	}
	for name, c := range contents {
		d := documentOf(t, update(section(1, 0, c)))
		got := state(t, d)
		if !bytes.Contains(got, c) {
			t.Errorf("%s: %x isn't in %x", name, c, got)
		}
		wantState(t, documentOf(t, got), got)
	}
}

// long spells a number below 128 in one byte more than it takes: 81 00 is 1.
func long(n byte) []byte { return []byte{n | 0x80, 0} }

func TestNumbersAreRespelled(t *testing.T) {
	u := cat(long(1), long(1), long(1), long(0), []byte{0x84}, long(2), long(3), long(1), []byte("x"), long(1), long(1), long(1), long(0), long(1))
	want := cat([]byte{1, 1, 1, 0, 0x84, 2, 3, 1, 'x', 1, 1, 1, 0, 1})
	wantState(t, documentOf(t, u), want)
}

func TestConflict(t *testing.T) {
	held := update(section(1, 0, root("t", "abc"), cat([]byte{7, 1}, str("m"), num(1))))
	conflicts := map[string][]byte{
		"other text":         section(1, 0, root("t", "abd")),
		"other root":         section(1, 0, root("s", "abc")),
		"other origin":       section(1, 1, after(2, 0, "bc")),
		"other right origin": section(1, 1, cat([]byte{0xc4}, id(1, 0), id(2, 0), str("bc"))),
		"a key":              section(1, 0, entry("t", "k", 4, str("abc")...)),
		"other kind":         section(1, 0, cat([]byte{8, 1}, str("t"), num(1), []byte{126})),
		"other type":         section(1, 3, cat([]byte{7, 1}, str("m"), num(0))),
		"longer, other":      section(1, 0, root("t", "abcd"), root("m", "x")),
		"other root, long":   section(1, 0, cat([]byte{4}, long(1), str("s"), str("abc"))),
		"other type, long":   section(1, 3, cat([]byte{7}, long(1), str("m"), num(0))),
	}
	for name, s := range conflicts {
		d := documentOf(t, held)
		if err := d.ApplyUpdate(update(s)); !errors.Is(err, yjs.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
		if d.Contains(update(s)) {
			t.Errorf("%s: contained", name)
		}
		wantState(t, d, held)
	}
	apart := documentOf(t, update(section(1, 0, root("t", "a"), cat([]byte{0xc4}, id(1, 0), id(2, 7), str("Xc")))))
	var conflict *yjs.ConflictError
	if err := apart.ApplyUpdate(update(section(1, 0, root("t", "abc")))); !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	want := yjs.ConflictError{ID: yjs.ID{Client: 1, Clock: 1}, Length: 2, Held: sha256.Sum256(cat([]byte{0xc4}, id(1, 0), id(2, 7), str("Xc"))), Got: sha256.Sum256(after(1, 0, "bc"))}
	if conflict.ID != want.ID || conflict.Length != want.Length || conflict.Held != want.Held || conflict.Got != want.Got {
		t.Errorf("%+v, want %+v", conflict, want)
	}
	same := map[string][]byte{
		"a slice":      section(1, 1, after(1, 0, "bc")),
		"collected":    section(1, 0, gc(4)),
		"content gone": section(1, 0, deleted(3)),
		"spelled long": section(1, 0, cat([]byte{4}, long(1), long(1), []byte("t"), str("abc")),
			cat([]byte{7}, long(1), long(1), []byte("m"), long(1))),
	}
	for name, s := range same {
		if err := documentOf(t, held).ApplyUpdate(update(s)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What yjs makes of it where it cuts a pair, and behind a high half: see sameText.
	for from, slice := range []string{"\ufffd\ufffdab", "\ufffdab", "\ufffdb", "b"} {
		s := section(1, uint64(from), root("t", slice))
		if from > 0 {
			s = section(1, uint64(from), after(1, uint64(from-1), slice))
		}
		if err := documentOf(t, update(section(1, 0, root("t", "😀ab")))).ApplyUpdate(update(s)); err != nil {
			t.Errorf("%q of a cut text: %v", slice, err)
		}
		if err := documentOf(t, update(s)).ApplyUpdate(update(section(1, 0, root("t", "😀ab")))); err != nil {
			t.Errorf("the text that %q was cut from: %v", slice, err)
		}
	}
	// Behind a gap, too.
	d := documentOf(t, update(section(1, 5, after(1, 4, "abc"))))
	if err := d.ApplyUpdate(update(section(1, 6, after(1, 5, "xx")))); !errors.Is(err, yjs.ErrConflict) {
		t.Errorf("behind a gap: %v", err)
	}
	// A text that would take the place of the one held, in another parent.
	d = documentOf(t, update(section(1, 5, cat([]byte{4, 0}, id(6, 0), str("a")))))
	if err := d.ApplyUpdate(update(section(1, 5, cat([]byte{4, 0}, long(7), num(0), str("abc"))))); !errors.Is(err, yjs.ErrConflict) {
		t.Errorf("in another parent: %v", err)
	}
}

// TestConflictInLongText sends a letter that a long text has otherwise. Finding it takes
// reading more than is read of what is held for an update so small.
func TestConflictInLongText(t *testing.T) {
	const times = 50_000
	book := strings.Repeat("é😀x", times)
	for name, begin := range map[string]uint64{"held": 0, "behind a gap": 1} {
		d := documentOf(t, update(section(1, begin, root("t", book))))
		for _, at := range []uint64{1, 2, times, 4*times - 2} {
			own, other := "é", "x"
			if at%4 == 2 {
				own, other = "\uFFFD", "y" // half of the pair
			}
			if at%4 == 1 {
				own = "\uFFFD"
			}
			clock := begin + at
			if err := d.ApplyUpdate(update(section(1, clock, after(1, clock-1, own)))); err != nil {
				t.Errorf("%s, unit %d again: %v", name, at, err)
			}
			var conflict *yjs.ConflictError
			err := d.ApplyUpdate(update(section(1, clock, after(1, clock-1, other))))
			if !errors.As(err, &conflict) || conflict.ID != (yjs.ID{Client: 1, Clock: clock}) || conflict.Length != 1 {
				t.Errorf("%s, unit %d: %v", name, at, err)
			}
		}
	}
}

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

func TestDependencyLaterInTheUpdate(t *testing.T) {
	u := update(section(9, 0, after(1, 0, "b")), section(1, 0, root("t", "a")))
	d := documentOf(t, u)
	wantState(t, d, u)
	if got, want := d.StateVector(), cat(num(2), id(9, 1), id(1, 1)); !bytes.Equal(got, want) {
		t.Errorf("vector %x, want %x", got, want)
	}
}

func TestPending(t *testing.T) {
	d := documentOf(t,
		update(section(1, 4, after(1, 3, "ef"))),
		update(section(1, 2, after(1, 1, "c"))),
		update(section(7, 3, gc(2))),
		removal(1, 5, 1), removal(8, 2, 2))
	p := d.Pending()
	if p.Structs != 3 || p.Bytes != 6+5+2 || !slices.Equal(p.Missing, []yjs.ID{{Client: 7, Clock: 0}, {Client: 1, Clock: 0}}) {
		t.Errorf("pending %+v", p)
	}
	wantState(t, d, cat([]byte{2},
		section(7, 3, gc(2)),
		section(1, 2, after(1, 1, "c"), skip(1), after(1, 3, "ef")),
		[]byte{2, 8, 1, 2, 2, 1, 1, 5, 1}))
	if got := d.StateVector(); !bytes.Equal(got, []byte{0}) {
		t.Errorf("vector %x", got)
	}
	// A peer may have a part of what waits here.
	wantState(t, d, cat([]byte{1}, section(1, 5, after(1, 4, "f")), []byte{2, 8, 1, 2, 2, 1, 1, 5, 1}), cat(num(2), id(7, 5), id(1, 5))...)
	apply(t, d, update(section(1, 0, root("t", "ab"))), update(section(1, 3, after(1, 2, "d"))), update(section(7, 0, gc(3))))
	if p := d.Pending(); p.Structs != 0 || p.Bytes != 0 || p.Missing != nil {
		t.Errorf("pending %+v", p)
	}
	wantState(t, d, cat([]byte{2}, section(7, 0, gc(5)), section(1, 0, root("t", "abcdef")), []byte{3, 8, 1, 2, 2, 7, 1, 0, 5, 1, 1, 5, 1}))
}

// TestMissing asks what a document waits for: before gaps, of other clients, and in deletes.
func TestMissing(t *testing.T) {
	inside := cat([]byte{4, 0}, id(4, 2), str("x"))
	d := documentOf(t,
		update(section(1, 2, after(1, 1, "c"))),
		update(section(2, 0, after(3, 7, "x"), cat([]byte{0x44}, id(5, 1), str("y")), inside)),
		update(section(5, 0, root("t", "ab"))),
		removal(5, 0, 1, 2, 1), removal(1, 2, 1), removal(6, 0, 1))
	want := []yjs.ID{{Client: 6}, {Client: 5, Clock: 2}, {Client: 4}, {Client: 3}, {Client: 1}}
	if got := d.Missing(); !slices.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
	for len(want) > 0 {
		last := want[len(want)-1]
		apply(t, d, update(section(last.Client, last.Clock, gc(20))))
		want = want[:len(want)-1]
		if got := d.Missing(); !slices.Equal(got, want) {
			t.Errorf("missing %v, want %v", got, want)
		}
	}
	if d.Missing() != nil {
		t.Error("nothing is missing, and isn't nil")
	}
}

func TestCollectedIsDeleted(t *testing.T) {
	// A peer that holds this content alive learns only from the delete set.
	dead := section(1, 0, gc(2), cat([]byte{0x81}, id(2, 0), num(3)))
	d := documentOf(t, update(dead))
	wantState(t, d, cat([]byte{1}, dead, []byte{1, 1, 1, 0, 5}))
	wantState(t, d, []byte{0, 1, 1, 1, 0, 5}, cat(num(1), id(1, 5))...)
}

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

// TestInputIsCopied overwrites updates after they were applied.
func TestInputIsCopied(t *testing.T) {
	d := yjs.NewDocument()
	for _, u := range [][]byte{
		update(section(1, 0, root("t", "abc"), after(1, 0, "def"))),
		update(section(1, 9, after(1, 8, "xyz"))),
		update(section(1, 6, after(1, 5, "ghi"))),
	} {
		apply(t, d, u)
		for i := range u {
			u[i] = 0xff
		}
	}
	wantState(t, d, update(section(1, 0, root("t", "abc"), after(1, 0, "defghixyz"))))
	out := state(t, d)
	for i := range out {
		out[i] = 0xff
	}
	wantState(t, d, update(section(1, 0, root("t", "abc"), after(1, 0, "defghixyz"))))
}

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

// TestAnyOrder cuts a session into pieces, delivers them in any order, some twice,
// and wants the same bytes.
func TestAnyOrder(t *testing.T) {
	whole := "a text with 😀 in it, long enough to be cut"
	rnd := rand.New(rand.NewPCG(3, 3))
	for range 300 {
		// Each letter by itself, then a tail by another client in one piece.
		var pieces [][]byte
		clock := uint64(0)
		for _, r := range whole {
			s := root("t", string(r))
			if clock > 0 {
				s = after(1, clock-1, string(r))
			}
			pieces = append(pieces, update(section(1, clock, s)))
			clock++
			if r > 0xffff {
				clock++
			}
		}
		pieces = append(pieces, update(section(2, 0, after(1, 3, "tail"))), removal(1, 4, 3), removal(1, 6, 4))
		want := cat([]byte{2}, section(2, 0, after(1, 3, "tail")), section(1, 0, root("t", whole)), []byte{1, 1, 1, 4, 6})
		rnd.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
		d := yjs.NewDocument()
		for i, p := range pieces {
			apply(t, d, p)
			if rnd.IntN(4) == 0 {
				apply(t, d, pieces[rnd.IntN(i+1)])
			}
			if rnd.IntN(8) == 0 {
				again := state(t, d)
				apply(t, d, again)
				wantState(t, d, again)
				wantState(t, documentOf(t, again), again)
			}
		}
		wantState(t, d, want)
	}
}

// TestOverlap gives structs that reach over what is held, on either side.
func TestOverlap(t *testing.T) {
	list := func(from, to byte) []byte {
		values := num(uint64(to - from))
		for i := from; i < to; i++ {
			values = append(values, 125, i)
		}
		if from == 0 {
			return cat([]byte{8, 1}, str("a"), values)
		}
		return cat([]byte{0x88}, id(1, uint64(from-1)), values)
	}
	// Held are 2–4 and 7; what comes has all around them.
	d := documentOf(t, update(section(1, 2, list(2, 5))), update(section(1, 7, list(7, 8))))
	apply(t, d, update(section(1, 1, list(1, 9))))
	wantState(t, d, update(section(1, 1, list(1, 2), list(2, 5), list(5, 7), list(7, 8), list(8, 9))))
	apply(t, d, update(section(1, 0, list(0, 10))))
	wantState(t, d, update(section(1, 0, list(0, 1), list(1, 2), list(2, 5), list(5, 7), list(7, 8), list(8, 9), list(9, 10))))
	// Collected forms, too.
	d = documentOf(t, update(section(1, 2, gc(1))), update(section(1, 5, gc(1))), update(section(1, 0, gc(8))))
	wantState(t, d, cat([]byte{1}, section(1, 0, gc(8)), []byte{1, 1, 1, 0, 8}))
}

// TestSwallowed sends a text over letters that wait behind a gap. It takes their place,
// so that it must be the same text at the same place to the last letter, however many
// they are.
func TestSwallowed(t *testing.T) {
	const n, far = 20_000, 1<<53 - 1
	letters := func(last []byte) [][]byte {
		all := [][]byte{skip(1)}
		for i := uint64(1); i < n; i++ {
			all = append(all, cat([]byte{0xc4}, id(1, i-1), id(far, 0), str("a")))
		}
		return append(all, last)
	}
	whole := update(section(1, 1, cat([]byte{0xc4}, id(1, 0), id(far, 0), str(strings.Repeat("a", n)))))
	d := documentOf(t, update(section(1, 0, letters(cat([]byte{0xc4}, id(1, n-1), id(far, 0), str("a")))...)))
	apply(t, d, whole)
	wantState(t, d, whole)
	for name, last := range map[string][]byte{
		"elsewhere": cat([]byte{0xc4}, id(2, 0), id(far, 0), str("a")),
		"letter":    cat([]byte{0xc4}, id(1, n-1), id(far, 0), str("b")),
	} {
		held := update(section(1, 0, letters(last)...))
		d := documentOf(t, held) // whose state isn't asked for before: that would join the letters
		if err := d.ApplyUpdate(whole); !errors.Is(err, yjs.ErrConflict) {
			t.Errorf("another %s: %v", name, err)
		}
		wantState(t, d, state(t, documentOf(t, held)))
	}
}

// TestSkipAtTheEnd has a gap behind the last struct, which says nothing.
func TestSkipAtTheEnd(t *testing.T) {
	d := documentOf(t, update(section(1, 0, root("t", "a"), skip(3))))
	wantState(t, d, update(section(1, 0, root("t", "a"))))
}
