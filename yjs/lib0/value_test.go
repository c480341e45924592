package lib0_test

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// values are Go values and the anys that npm's lib0 writes for them.
var values = []struct {
	value any
	bytes []byte
}{
	{nil, []byte{126}},
	{lib0.Undefined{}, []byte{127}},
	{true, []byte{120}},
	{false, []byte{121}},
	{0.0, []byte{125, 0}},
	{math.Copysign(0, -1), []byte{125, 0x40}},
	{-64.0, []byte{125, 0xc0, 1}},
	{2_147_483_647.0, []byte{125, 0xbf, 0xff, 0xff, 0xff, 0x0f}},
	{-2_147_483_647.0, []byte{125, 0xff, 0xff, 0xff, 0xff, 0x0f}},
	{2_147_483_648.0, []byte{124, 0x4f, 0, 0, 0}},
	{-2_147_483_648.0, []byte{124, 0xcf, 0, 0, 0}},
	{2_147_483_649.0, []byte{123, 0x41, 0xe0, 0, 0, 0, 0x20, 0, 0}},
	{0.5, []byte{124, 0x3f, 0, 0, 0}},
	{0.1, []byte{123, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a}},
	{math.Inf(-1), []byte{124, 0xff, 0x80, 0, 0}},
	{math.NaN(), []byte{123, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0}},
	{lib0.BigInt(-2), []byte{122, 255, 255, 255, 255, 255, 255, 255, 254}},
	{"é", []byte{119, 2, 0xc3, 0xa9}},
	{[]byte{}, []byte{116, 0}},
	{[]byte{1, 255}, []byte{116, 2, 1, 255}},
	{[]any{}, []byte{117, 0}},
	{[]any{nil, []any{true}}, []byte{117, 2, 126, 117, 1, 120}},
	{map[string]any{}, []byte{118, 0}},
	{map[string]any{"b": nil, "a": []any{}, "10": true, "9": false}, []byte{118, 4, 1, '9', 121, 2, '1', '0', 120, 1, 'a', 117, 0, 1, 'b', 126}},
}

func TestAny(t *testing.T) {
	for _, c := range values {
		got, err := lib0.AppendAny([]byte{9}, c.value)
		if err != nil || !bytes.Equal(got[1:], c.bytes) || got[0] != 9 {
			t.Errorf("%v: wrote %d, %v; want %d", c.value, got, err, c.bytes)
		}
		src := append(bytes.Clone(c.bytes), 7)
		value, rest, err := lib0.Any(src)
		if err != nil || !bytes.Equal(rest, []byte{7}) || !same(value, c.value) {
			t.Errorf("%d: read %#v, rest %d, %v; want %#v", c.bytes, value, rest, err, c.value)
		}
		clear(src)
		if !same(value, c.value) {
			t.Errorf("%#v aliases its input", c.value)
		}
	}
}

// same compares values; NaN is NaN, and -0 isn't 0.
func same(x, y any) bool {
	switch x := x.(type) {
	case float64:
		y, ok := y.(float64)
		return ok && (math.Float64bits(x) == math.Float64bits(y) || math.IsNaN(x) && math.IsNaN(y))
	case []any:
		y, ok := y.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !same(x[i], y[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		y, ok := y.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k := range x {
			if v, ok := y[k]; !ok || !same(x[k], v) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(x, y)
	}
}

// TestAnyLikeJavaScript is what an assignment in JavaScript does with keys.
func TestAnyLikeJavaScript(t *testing.T) {
	for _, c := range []struct {
		src  []byte
		want map[string]any
	}{
		{[]byte{118, 2, 1, 'a', 120, 1, 'a', 121}, map[string]any{"a": false}},
		{append(append([]byte{118, 2, 9}, "__proto__"...), 118, 0, 1, 'a', 126), map[string]any{"a": nil}},
	} {
		if got, _, err := lib0.Any(c.src); !same(got, c.want) || err != nil {
			t.Errorf("%d: %v, %v; want %v", c.src, got, err, c.want)
		}
	}
}

func TestAppendAnyTypes(t *testing.T) {
	for _, n := range []any{7, int8(7), int16(7), int32(7), int64(7), uint(7), uint8(7), uint16(7), uint32(7), uint64(7), float32(7)} {
		if got, err := lib0.AppendAny(nil, n); !bytes.Equal(got, []byte{125, 7}) || err != nil {
			t.Errorf("%T: %d, %v", n, got, err)
		}
	}
	object := lib0.Object{{Key: "b", Value: 1}, {Key: "a", Value: lib0.Object{}}}
	if got, err := lib0.AppendAny(nil, object); !bytes.Equal(got, []byte{118, 2, 1, 'b', 125, 1, 1, 'a', 118, 0}) || err != nil {
		t.Errorf("an object with its order: %d, %v", got, err)
	}
	if got, err := lib0.AppendAny(nil, map[string]any{"\xff": "a\xff"}); string(got) != "v\x01\x03\uFFFDw\x04a\uFFFD" || err != nil {
		t.Errorf("no UTF-8: %q, %v", got, err)
	}
}

func TestAppendAnyRefused(t *testing.T) {
	circle := []any{nil}
	circle[0] = map[string]any{"circle": circle}
	deep := func(n int) (value any) {
		for range n {
			value = []any{value}
		}
		return value
	}
	for name, c := range map[string]struct {
		value any
		want  error
		says  string
	}{
		"another type":          {[]string{"a"}, lib0.ErrValue, "[]string"},
		"in an array":           {[]any{1, struct{}{}}, lib0.ErrValue, "struct {}"},
		"in a map":              {map[string]any{"a": make(chan int)}, lib0.ErrValue, "chan int"},
		"2^53":                  {int64(1 << 53), lib0.ErrValue, "9007199254740992"},
		"-2^53":                 {int64(-(1 << 53)), lib0.ErrValue, "use BigInt"},
		"2^64-1":                {uint64(math.MaxUint64), lib0.ErrValue, "18446744073709551615"},
		"__proto__":             {map[string]any{"__proto__": nil}, lib0.ErrValue, "__proto__"},
		"__proto__ in an order": {lib0.Object{{Key: "__proto__", Value: 1}}, lib0.ErrValue, "__proto__"},
		"a circle":              {circle, lib0.ErrTooDeep, "deep"},
		"too deep":              {deep(lib0.MaxAnyDepth + 1), lib0.ErrTooDeep, "deep"},
	} {
		got, err := lib0.AppendAny([]byte{1}, c.value)
		if got != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	if got, err := lib0.AppendAny(nil, deep(lib0.MaxAnyDepth)); len(got) != 2*lib0.MaxAnyDepth+1 || err != nil {
		t.Errorf("as deep as allowed: %d bytes, %v", len(got), err)
	}
}

// TestAnyAllocation holds Any to what its documentation says, on the worst that
// there is, and on lengths that lie.
func TestAnyAllocation(t *testing.T) {
	repeated := func(element []byte, n int) []byte {
		return append(lib0.AppendVarUint([]byte{117}, uint64(n)), bytes.Repeat(element, n)...)
	}
	many := repeated([]byte{126}, 100_000)
	many[0] = 118 // an object with keys of 126 bytes, soon cut off
	for name, src := range map[string][]byte{
		"nulls":                  repeated([]byte{126}, 100_000),
		"numbers":                repeated([]byte{125, 0x85, 1}, 100_000),
		"empty objects":          repeated([]byte{118, 0}, 100_000),
		"objects of one":         repeated([]byte{118, 1, 0, 126}, 100_000),
		"one key, often":         append(lib0.AppendVarUint([]byte{118}, 100_000), bytes.Repeat([]byte{0, 126}, 100_000)...),
		"lies":                   many,
		"lies within lies":       bytes.Repeat([]byte{117, 0xff, 0xff, 0x3f}, 300_000),
		"an unfinished last one": repeated([]byte{118, 1, 0, 126}, 100_000)[:400_000],
	} {
		if got, most := allocated(src), uint64(100*len(src)+1024); got > most {
			t.Errorf("%s: %d bytes for %d", name, got, len(src))
		}
	}
}

// allocated returns how many bytes Any allocates.
func allocated(src []byte) uint64 {
	return cost.Least(func() { _, _, _ = lib0.Any(src) })
}

// FuzzAny: what is read can be written, and reads the same again.
func FuzzAny(f *testing.F) {
	for _, c := range values {
		f.Add(c.bytes)
	}
	for _, src := range anys {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		if got, most := allocated(src), uint64(100*len(src)+1024); got > most {
			t.Errorf("%d bytes for %x", got, src)
		}
		value, rest, err := lib0.Any(src)
		after, wrong := lib0.SkipAny(src)
		if !errors.Is(err, wrong) || !bytes.Equal(rest, after) {
			t.Fatalf("%x: %v, rest %x; SkipAny says %v, rest %x", src, err, rest, wrong, after)
		}
		if err != nil {
			return
		}
		written, err := lib0.AppendAny(nil, value)
		if err != nil {
			t.Fatalf("%x reads %#v, which can't be written: %v", src, value, err)
		}
		again, rest, err := lib0.Any(written)
		if !same(again, value) || len(rest) != 0 || err != nil {
			t.Errorf("%x reads %#v, then %#v, rest %x, %v", src, value, again, rest, err)
		}
	})
}

// mixed is an array as documents have them: some 20 bytes an element.
func mixed() []byte {
	list := make([]any, 10_000)
	for i := range list {
		list[i] = map[string]any{"id": float64(i), "title": "a title", "done": i%2 == 0, "tags": []any{"x", 0.1}}
	}
	src, _ := lib0.AppendAny(nil, list)
	return src
}

func BenchmarkAny(b *testing.B) {
	src := mixed()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := lib0.Any(src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSkipAny(b *testing.B) {
	src := mixed()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := lib0.SkipAny(src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendAny(b *testing.B) {
	value, _, _ := lib0.Any(mixed())
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if dst, err = lib0.AppendAny(dst[:0], value); err != nil {
			b.Fatal(err)
		}
	}
}
