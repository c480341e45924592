package yjs_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

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
