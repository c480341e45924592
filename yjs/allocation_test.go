package yjs_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// decoders is everything in this package that reads an update, with how many bytes
// it may allocate for each byte that it was given: eight, as for applying it, unless
// it makes more than a document. What is made of version 2 may be 64 times as long
// (TestV2Bombs), so there the version 1 bytes count, too.
var decoders = []struct {
	name   string
	factor int
	v2     bool
	run    func(update []byte)
}{
	{"ValidateUpdate", 0, false, func(u []byte) { _ = yjs.ValidateUpdate(u) }},
	{"IsEmptyUpdate", 0, false, func(u []byte) { yjs.IsEmptyUpdate(u) }},
	{"Contains", 0, false, func(u []byte) { yjs.NewDocument().Contains(u) }},
	{"ApplyUpdate", 8, false, func(u []byte) { _ = yjs.NewDocument().ApplyUpdate(u) }},
	{"Load", 8, false, func(u []byte) { _ = yjs.NewDocument().Load(u) }},
	{"StateVectorFromUpdate", 8, false, func(u []byte) { _, _ = yjs.StateVectorFromUpdate(u) }},
	{"DiffUpdate", 8, false, func(u []byte) { _, _ = yjs.DiffUpdate(u, []byte{1, 1, 5}) }},
	{"ConvertUpdateV1ToV2", 8, false, func(u []byte) { _, _ = yjs.ConvertUpdateV1ToV2(u) }},
	// A document, its gaps put in order, and what it is written to.
	{"MergeUpdates", 20, false, func(u []byte) { _, _ = yjs.MergeUpdates(u) }},
	// A document, and 16 bytes for each range of a few bytes, twice while they grow.
	{"IDsOfUpdate", 24, false, func(u []byte) { _, _, _ = yjs.IDsOfUpdate(u) }},
	{"ConvertUpdateV2ToV1", 8, true, func(u []byte) { _, _ = yjs.ConvertUpdateV2ToV1(u) }},
	{"ApplyUpdateV2", 8, true, func(u []byte) { _ = yjs.NewDocument().ApplyUpdateV2(u) }},
	{"LoadV2", 8, true, func(u []byte) { _ = yjs.NewDocument().LoadV2(u) }},
}

// heavy are updates of which much could be made room for.
func heavy() map[string][]byte {
	collected := make([][]byte, 50_000)
	for i := range collected {
		collected[i] = gc(1)
	}
	return map[string][]byte{
		"claimed structs": cat(num(1), num(1<<31), id(1, 0), root("t", "x")),
		"claimed text":    cat(num(1), num(1), id(1, 0), []byte{4, 1, 1, 't'}, num(1<<31)),
		"claimed values":  cat(num(1), num(1), id(1, 0), []byte{8, 1, 1, 't'}, num(1<<31)),
		"claimed deletes": cat([]byte{0, 1, 1}, num(1<<31), []byte{1, 1}),
		"letters":         update(section(1, 0, manyLetters(50_000)...)),
		"gaps":            gapsOf(50_000),
		"deletes":         removal(1, pairs(50_000)...),
		"text":            update(section(1, 0, root("t", strings.Repeat("text", 50_000)))),
		"collected":       update(section(1, 0, collected...)),
		"nulls":           update(section(1, 0, cat([]byte{8, 1}, str("a"), num(100_000), bytes.Repeat([]byte{126}, 100_000)))),
	}
}

// TestAllocationOfEach bounds what every decoder allocates, by what it was given.
func TestAllocationOfEach(t *testing.T) {
	for name, u := range heavy() {
		v2, err := yjs.ConvertUpdateV1ToV2(u)
		for _, d := range decoders {
			input, given := u, len(u)
			if d.v2 {
				if err != nil {
					continue // only claims can't be converted; TestV2Bombs has some
				}
				input, given = v2, len(v2)+len(u)
			}
			if got, limit := cost.Least(func() { d.run(input) }), uint64(d.factor*given+4096); got > limit {
				t.Errorf("%s: %s allocates %d for %d bytes, %.1f each", d.name, name, got, given, float64(got)/float64(given))
			}
		}
	}
}

// TestAllocationOfObjects bounds what converting an object takes that has as many keys as
// fit into it: they are put into JavaScript's order, and the last of equal ones counts.
func TestAllocationOfObjects(t *testing.T) {
	const n = 100_000
	for name, key := range map[string]func(i int) string{
		"one key":       func(int) string { return "" },
		"many keys":     func(i int) string { return strconv.Itoa(n+i) + "a" },
		"array indices": func(i int) string { return strconv.Itoa(2*n - i) },
	} {
		text, object := []byte{'{'}, cat([]byte{118}, num(n))
		for i := range n {
			text = append(append(text, strconv.Quote(key(i))...), ":0,"...)
			object = append(append(object, str(key(i))...), 126)
		}
		text[len(text)-1] = '}'
		v1 := update(section(1, 0, cat([]byte{5, 1}, str("t"), str(string(text)))))
		if got, limit := cost.Least(func() { _, _ = yjs.ConvertUpdateV1ToV2(v1) }), uint64(20*len(v1)); got > limit {
			t.Errorf("%s: %d bytes allocated for %d of version 1, %.1f each", name, got, len(v1), float64(got)/float64(len(v1)))
		}
		null := toV2(t, update(section(1, 0, cat([]byte{5, 1}, str("t"), str("null")))))
		v2 := cat(null[:len(null)-2], object, null[len(null)-1:])
		if got, limit := cost.Least(func() { _, _ = yjs.ConvertUpdateV2ToV1(v2) }), uint64(60*len(v2)); got > limit {
			t.Errorf("%s: %d bytes allocated for %d of version 2, %.1f each", name, got, len(v2), float64(got)/float64(len(v2)))
		}
		if _, err := yjs.ConvertUpdateV2ToV1(v2); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAllocationOfVectors bounds what reading a state vector allocates.
func TestAllocationOfVectors(t *testing.T) {
	const n = 50_000
	crowd := num(n)
	for client := uint64(n); client > 0; client-- {
		crowd = append(crowd, id(client, 3)...)
	}
	d := documentOf(t, update(section(1, 0, root("t", "abc"))))
	for _, v := range [][]byte{crowd, num(1 << 40), crowd[:len(crowd)-1], cat(num(n), bytes.Repeat([]byte{1, 1}, n))} {
		if got, limit := cost.Least(func() { _, _ = d.EncodeStateAsUpdate(v) }), uint64(8*len(v)+4096); got > limit {
			t.Errorf("%d bytes allocated for a vector of %d", got, len(v))
		}
	}
}
