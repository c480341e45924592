package yjs_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

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
