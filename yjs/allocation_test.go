package yjs_test

import (
	"bytes"
	"strconv"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

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
		if got, limit := cost.Least(func() { _, _ = yjs.ConvertUpdateV1ToV2(v1) }), uint64(10*len(v1)); got > limit {
			t.Errorf("%s: %d bytes allocated for %d of version 1, %.1f each", name, got, len(v1), float64(got)/float64(len(v1)))
		}
		null := toV2(t, update(section(1, 0, cat([]byte{5, 1}, str("t"), str("null")))))
		v2 := cat(null[:len(null)-2], object, null[len(null)-1:])
		if got, limit := cost.Least(func() { _, _ = yjs.ConvertUpdateV2ToV1(v2) }), uint64(30*len(v2)); got > limit {
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
