package yjs_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// refusals are updates that nobody may pass on.
var refusals = []struct {
	name   string
	update []byte
	want   error
}{
	{"nothing", nil, yjs.ErrMalformed},
	{"no delete set", []byte{0}, yjs.ErrMalformed},
	{"bytes after the end", []byte{0, 0, 0}, yjs.ErrMalformed},
	{"two updates in a row", cat(update(), update()), yjs.ErrMalformed},
	{"text cut off", update(section(1, 0, root("t", "abc")))[:10], yjs.ErrMalformed},
	{"text is not UTF-8", update(section(1, 0, root("t", "a\xffb"))), yjs.ErrMalformed},
	{"text has a surrogate", update(section(1, 0, root("t", "\xed\xa0\x80"))), yjs.ErrMalformed},
	{"root name is not UTF-8", update(section(1, 0, root("\xc0\x80", "x"))), yjs.ErrMalformed},
	{"empty text", update(section(1, 0, root("t", ""))), yjs.ErrMalformed},
	{"empty list", update(section(1, 0, cat([]byte{8, 1}, str("a"), num(0)))), yjs.ErrMalformed},
	{"GC of nothing", update(section(1, 0, gc(0))), yjs.ErrMalformed},
	{"delete of nothing", removal(1, 5, 0), yjs.ErrMalformed},
	{"flagged Skip", update(section(1, 0, cat([]byte{0x8a}, num(1)))), yjs.ErrMalformed},
	{"flagged GC", update(section(1, 0, cat([]byte{0x80}, id(2, 0), num(1)))), yjs.ErrMalformed},
	{"kind 11", update(section(1, 0, cat([]byte{11, 1}, str("t"), num(1)))), yjs.ErrMalformed},
	{"kind 31", update(section(1, 0, cat([]byte{31, 1}, str("t"), num(1)))), yjs.ErrMalformed},
	{"type 7", update(section(1, 0, cat([]byte{7, 1}, str("t"), num(7)))), yjs.ErrMalformed},
	{"parent 2", update(section(1, 0, cat([]byte{4, 2}, str("t"), str("x")))), yjs.ErrMalformed},
	{"embed is not JSON", update(section(1, 0, cat([]byte{5, 1}, str("t"), str("{a:1}")))), yjs.ErrMalformed},
	{"format is not JSON", update(section(1, 0, cat([]byte{6, 1}, str("t"), str("bold"), str("undefined")))), yjs.ErrMalformed},
	{"legacy value is not JSON", update(section(1, 0, cat([]byte{2, 1}, str("t"), num(1), str("undefine")))), yjs.ErrMalformed},
	{"options are not an object", update(section(1, 0, cat([]byte{9, 1}, str("t"), str("guid"), []byte{126}))), yjs.ErrMalformed},
	{"unknown value", update(section(1, 0, cat([]byte{8, 1}, str("a"), num(1), []byte{115}))), yjs.ErrMalformed},
	{"own origin ahead", update(section(1, 5, after(1, 5, "x"))), yjs.ErrMalformed},
	{"own right origin ahead", update(section(1, 5, cat([]byte{0x44}, id(1, 9), str("x")))), yjs.ErrMalformed},
	{"own parent ahead", update(section(1, 5, cat([]byte{4, 0}, id(1, 5), str("x")))), yjs.ErrMalformed},
	{"client above 2^53", update(section(1<<53, 0, root("t", "x"))), yjs.ErrMalformed},
	{"number of nine bytes", cat([]byte{1, 1}, bytes.Repeat([]byte{0x81}, 8), []byte{0, 0, 4, 1, 1, 't', 1, 'x', 0}), yjs.ErrMalformed},
	{"2^31 structs claimed", cat(num(1), num(1<<31), id(1, 0), root("t", "x")), yjs.ErrMalformed},
	{"2^31 sections claimed", num(1 << 31), yjs.ErrMalformed},
	{"2^31 deletes claimed", cat([]byte{0, 1, 1}, num(1<<31)), yjs.ErrMalformed},
	{"bytes as prototype", update(section(1, 0, entry("m", "k", 8, cat(num(1), object("__proto__", []byte{116, 1, 7}))...))), yjs.ErrMalformed},
	{"bytes as prototype of a prototype", update(section(1, 0, entry("m", "k", 8, cat(num(1), object("__proto__", object("__proto__", []byte{116, 0})))...))), yjs.ErrMalformed},
	{"bytes as prototype of options", update(section(1, 0, entry("m", "k", 9, cat(str("guid"), object("meta", object("__proto__", []byte{116, 0})))...))), yjs.ErrMalformed},
	{"two values of a key", update(section(3, 0, entry("m", "k", 8, 2, 126, 126))), yjs.ErrMalformed},
	{"two letters of a key", update(section(3, 0, entry("m", "k", 4, 2, 'a', 'b'))), yjs.ErrMalformed},
	{"three values of a key, two deleted", cat([]byte{1}, section(3, 0, entry("m", "k", 2, 3, 1, '1', 1, '2', 1, '3')), []byte{1, 3, 1, 0, 2}), yjs.ErrMalformed},
	{"two values of a key, others deleted", cat([]byte{1}, section(3, 0, entry("m", "k", 8, 2, 126, 126)), []byte{2, 2, 1, 0, 9, 3, 1, 2, 9}), yjs.ErrMalformed},
	{"clock above 2^31", update(section(1, 1<<31, gc(1))), yjs.ErrLimit},
	{"length above 2^31", update(section(1, 0, gc(1<<40))), yjs.ErrLimit},
	{"Skip above 2^31", update(section(1, 0, skip(1<<40))), yjs.ErrLimit},
	{"delete above 2^31", removal(1, 0, 1<<40), yjs.ErrLimit},
	{"origin above 2^31", update(section(1, 0, after(2, 1<<31, "x"))), yjs.ErrLimit},
	{"fifty million and one", update(section(5, 0, gc(yjs.MaxNewUnits), gc(1))), yjs.ErrLimit},
	{"fifty million and one by two", update(section(6, 0, gc(yjs.MaxNewUnits)), section(5, 0, gc(1))), yjs.ErrLimit},
	{"value of depth 101", update(section(1, 0, cat([]byte{8, 1}, str("a"), num(1), nested(101)))), yjs.ErrLimit},
	{"embed of depth 101", update(section(1, 0, cat([]byte{5, 1}, str("a"), str(strings.Repeat("[", 101)+strings.Repeat("]", 101))))), yjs.ErrLimit},
	{"value of depth 10^6", update(section(1, 0, cat([]byte{8, 1}, str("a"), num(1), nested(1e6)))), yjs.ErrLimit},
}

// object is an any with one key.
func object(key string, value []byte) []byte { return cat([]byte{118, 1}, str(key), value) }

// nested is n arrays in each other, and null in the innermost.
func nested(n int) []byte {
	return cat(bytes.Repeat([]byte{117, 1}, n), []byte{126})
}

func TestRefuse(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			d := documentOf(t, update(section(1, 0, root("t", "held"))))
			before := state(t, d)
			if err := yjs.ValidateUpdate(c.update); !errors.Is(err, c.want) {
				t.Errorf("ValidateUpdate: %v, want %v", err, c.want)
			}
			if err := d.ApplyUpdate(c.update); !errors.Is(err, c.want) {
				t.Errorf("ApplyUpdate: %v, want %v", err, c.want)
			}
			if d.Contains(c.update) {
				t.Error("contained")
			}
			if yjs.IsEmptyUpdate(c.update) {
				t.Error("empty")
			}
			wantState(t, d, before)
		})
	}
}

// TestRefuseWhole has something wrong at the very end of an update whose
// beginning is fine.
func TestRefuseWhole(t *testing.T) {
	good := section(7, 0, root("t", "fine"))
	for _, c := range refusals {
		if len(c.update) == 0 || c.update[0] != 1 || strings.Contains(c.name, "cut off") {
			continue
		}
		d := yjs.NewDocument()
		u := cat([]byte{2}, good, c.update[1:])
		if err := d.ApplyUpdate(u); err == nil {
			t.Errorf("%s: accepted", c.name)
		}
		wantState(t, d, []byte{0, 0})
		if p := d.Pending(); p.Structs != 0 || p.Missing != nil {
			t.Errorf("%s: left %+v", c.name, p)
		}
	}
}

func TestRefuseVectors(t *testing.T) {
	d := documentOf(t, update(section(1, 0, root("t", "held"))))
	for _, v := range [][]byte{{1}, {1, 1}, {0, 0}, {1, 1, 1, 1}, cat(num(1<<40), num(1)), {1, 1, 0x80}} {
		if _, err := d.EncodeStateAsUpdate(v); !errors.Is(err, yjs.ErrMalformed) {
			t.Errorf("%x: %v", v, err)
		}
	}
}

// TestAllocation gives claims and bombs to all decoders: what they allocate is
// bounded by what they were given, and so is the time.
func TestAllocation(t *testing.T) {
	inputs := map[string][]byte{
		"claimed structs": cat(num(1), num(1<<31), id(1, 0), root("t", "x")),
		"claimed text":    cat(num(1), num(1), id(1, 0), []byte{4, 1, 1, 't'}, num(1<<31)),
		"claimed values":  cat(num(1), num(1), id(1, 0), []byte{8, 1, 1, 't'}, num(1<<31)),
		"claimed deletes": cat([]byte{0, 1, 1}, num(1<<31), []byte{1, 1}),
		"deep value":      update(section(1, 0, cat([]byte{8, 1}, str("a"), num(1), nested(1e6)))),
		"deep embed":      update(section(1, 0, cat([]byte{5, 1}, str("a"), str(strings.Repeat("[", 1e6))))),
		"letters":         update(section(1, 0, manyLetters(50_000)...)),
		"gaps":            gapsOf(50_000),
		"deletes":         removal(1, pairs(50_000)...),
		"text":            update(section(1, 0, root("t", strings.Repeat("text", 50_000)))),
	}
	for name, input := range inputs {
		d := yjs.NewDocument()
		begin := cost.CPU()
		got := cost.Allocated(func() {
			_ = yjs.ValidateUpdate(input)
			_ = yjs.IsEmptyUpdate(input)
			_ = d.Contains(input)
			_ = d.ApplyUpdate(input)
		})
		took := cost.CPU() - begin
		if limit := uint64(8*len(input) + 8192); got > limit {
			t.Errorf("%s: %d bytes allocated for %d", name, got, len(input))
		}
		if took > 8*time.Second { // as in TestHostile
			t.Errorf("%s: took %v for %d bytes", name, took, len(input))
		}
	}
}

// manyLetters is letters that can't be joined: each is put at the very front.
func manyLetters(n int) [][]byte {
	structs := make([][]byte, n)
	structs[0] = root("t", "a")
	for i := 1; i < n; i++ {
		structs[i] = cat([]byte{0x44}, id(1, uint64(i-1)), str("a"))
	}
	return structs
}

// gapsOf is n letters with a gap before each.
func gapsOf(n int) []byte {
	structs := make([][]byte, 0, 2*n)
	for range n {
		structs = append(structs, skip(1), root("t", "a"))
	}
	return update(section(1, 0, structs...))
}

// pairs is n deletes of a unit, none of them touching.
func pairs(n int) []uint64 {
	list := make([]uint64, 0, 2*n)
	for i := range uint64(n) {
		list = append(list, 2*i, 1)
	}
	return list
}
