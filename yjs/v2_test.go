package yjs_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

func toV2(t testing.TB, v1 []byte) []byte {
	t.Helper()
	v2, err := yjs.ConvertUpdateV1ToV2(v1)
	if err != nil {
		t.Fatalf("%x: %v", v1, err)
	}
	return v2
}

func TestEmptyV2(t *testing.T) {
	v2 := toV2(t, update())
	if want := []byte{0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}; !bytes.Equal(v2, want) {
		t.Errorf("% x, want % x", v2, want)
	}
	if v1, err := yjs.ConvertUpdateV2ToV1(v2); err != nil || !bytes.Equal(v1, update()) {
		t.Errorf("% x, %v", v1, err)
	}
}

func TestV2RoundTrip(t *testing.T) {
	for _, v1 := range seeds() {
		v2 := toV2(t, v1)
		got, err := yjs.ConvertUpdateV2ToV1(v2)
		if err != nil || !bytes.Equal(got, v1) {
			t.Errorf("%x came back as %x, %v", v1, got, err)
		}
		d := yjs.NewDocument()
		if err := d.ApplyUpdateV2(v2); err != nil {
			t.Error(err)
		}
		if !d.Contains(v1) {
			t.Errorf("%x: applied as version 2, but not contained", v1)
		}
		again, err := d.EncodeStateAsUpdateV2(nil)
		if err != nil {
			t.Error(err)
		}
		wantState(t, d, state(t, documentOf(t, v1)))
		other := yjs.NewDocument()
		if err := other.LoadV2(again); err != nil {
			t.Error(err)
		}
		wantState(t, other, state(t, d))
		for i := range v2 {
			if _, err := yjs.ConvertUpdateV2ToV1(v2[:i]); !errors.Is(err, yjs.ErrMalformed) {
				t.Errorf("%x cut at %d: %v", v2, i, err)
			}
		}
	}
}

// TestV2DeletesInOrder converts ranges in other orders than version 2 can have them.
func TestV2DeletesInOrder(t *testing.T) {
	const last = yjs.MaxClock - 1
	want := removal(1, 5, 1, 9, 3, last, 1)
	for _, v1 := range [][]byte{want, removal(1, last, 1, 5, 1, 9, 3), removal(1, 9, 1, 10, 2, last, 1, 5, 1, 10, 1)} {
		if got, err := yjs.ConvertUpdateV2ToV1(toV2(t, v1)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%x came back as %x, %v, want %x", v1, got, err, want)
		}
	}
}

// TestV2ReadsReusedKeys has a key twice, the second time by its clock alone, as
// no writer does yet.
func TestV2ReadsReusedKeys(t *testing.T) {
	columns := [][]byte{
		{1, 0}, // key clocks: 0 twice, a difference of 0 that repeats
		{1},    // clients
		{}, {}, // clocks
		{6},                                 // infos: a format, forever
		cat(str("tboldt"), []byte{1, 4, 1}), // strings: name, key, name
		{1},                                 // parents: by name
		{}, {},                              // types, lengths
	}
	dst := []byte{0}
	for _, c := range columns {
		dst = append(dst, cat(num(uint64(len(c))), c)...)
	}
	dst = append(dst, 1, 2, 0, 120, 126, 0) // one section, two structs from 0: true, null; no deletes
	want := update(section(1, 0,
		cat([]byte{6, 1}, str("t"), str("bold"), str("true")),
		cat([]byte{6, 1}, str("t"), str("bold"), str("null"))))
	if got, err := yjs.ConvertUpdateV2ToV1(dst); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}

// TestV2CutsPairs has a pair in the text that holds all strings, of which one string
// has the first half and the next one the second.
func TestV2CutsPairs(t *testing.T) {
	dst := []byte{0}
	for _, c := range [][]byte{{}, {0x41, 0}, {0}, {}, {4, 0, 0x84}, cat(str("t😀"), []byte{0x41, 1}), {1}, {}, {}} {
		dst = append(dst, cat(num(uint64(len(c))), c)...)
	}
	dst = append(dst, 1, 2, 0, 0)
	want := update(section(1, 0, root("t", "\ufffd"), after(1, 0, "\ufffd")))
	if got, err := yjs.ConvertUpdateV2ToV1(dst); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}

func TestV2Bombs(t *testing.T) {
	// A GC of length 1, 2^40 times, in 30 bytes.
	bomb := func(structs uint64) []byte {
		dst := []byte{0}
		for _, c := range [][]byte{{}, {1}, {}, {}, {0}, {0}, {}, {}, cat([]byte{0x41}, num(structs-2))} {
			dst = append(dst, cat(num(uint64(len(c))), c)...)
		}
		return cat(dst, []byte{1}, num(structs), []byte{0, 0})
	}
	if _, err := yjs.ConvertUpdateV2ToV1(bomb(1 << 40)); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("2^40 structs: %v", err)
	}
	if _, err := yjs.ConvertUpdateV2ToV1(bomb(1000)); err != nil {
		t.Errorf("1000 structs: %v", err)
	}
	if _, err := yjs.ConvertUpdateV2ToV1(bomb(10_000)); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("10 000 structs in %d bytes: %v", len(bomb(10_000)), err)
	}
	if _, err := yjs.ConvertUpdateV2ToV1(echo(10_000, 50)); err != nil {
		t.Errorf("a key of 10 000 bytes, 50 times: %v", err)
	}
	if _, err := yjs.ConvertUpdateV2ToV1(echo(10_000, 1000)); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("a key of 10 000 bytes, 1000 times: %v", err)
	}
	// A list of 2^40 values, none of which are there.
	dst := []byte{0}
	for _, c := range [][]byte{{}, {1}, {}, {}, {8}, cat(str("a"), []byte{1}), {1}, {}, num(1 << 40)} {
		dst = append(dst, cat(num(uint64(len(c))), c)...)
	}
	if _, err := yjs.ConvertUpdateV2ToV1(cat(dst, []byte{1, 1, 0, 0})); err == nil {
		t.Error("2^40 values: accepted")
	}
}

// echo is formats of one key, which is there once: the others name it by its clock.
// Each hangs on the one before it.
func echo(key int, times uint64) []byte {
	columns := [][]byte{
		cat([]byte{1}, num(times-2)),    // key clocks: 0 each time
		cat([]byte{0x41}, num(times-2)), // clients: 1 each time
		cat([]byte{0, 3}, num(times-4)), // origins: 0, 1, 2 …
		{},
		{6, 0, 0x86}, // infos: a format of a root, then formats with an origin
		cat(str("t"+strings.Repeat("k", key)), []byte{1}, lib0.AppendVarInt(nil, uint64(key), false)),
		{1}, {}, {},
	}
	dst := []byte{0}
	for _, c := range columns {
		dst = append(dst, cat(num(uint64(len(c))), c)...)
	}
	dst = cat(dst, []byte{1}, num(times), []byte{0}, bytes.Repeat([]byte{126}, int(times)))
	return append(dst, 0)
}

// jsonOf is what becomes of an any in version 2 as an embed in version 1.
func jsonOf(t *testing.T, value []byte) (string, error) {
	t.Helper()
	dst := []byte{0}
	for _, c := range [][]byte{{}, {1}, {}, {}, {5}, cat(str("t"), []byte{1}), {1}, {}, {}} {
		dst = append(dst, cat(num(uint64(len(c))), c)...)
	}
	v1, err := yjs.ConvertUpdateV2ToV1(cat(dst, []byte{1, 1, 0}, value, []byte{0}))
	if err != nil {
		return "", err
	}
	head := len(update(section(1, 0, []byte{5, 1, 1, 't'}))) - 1
	return string(v1[head+1 : len(v1)-1]), nil
}

// TestNumbersAsJavaScript spells numbers as JSON.stringify does.
func TestNumbersAsJavaScript(t *testing.T) {
	float := func(f float64) []byte { return binary.BigEndian.AppendUint64([]byte{123}, math.Float64bits(f)) }
	for want, value := range map[string][]byte{
		"0":                       {125, 0x40}, // -0
		"-63":                     {125, 0x7f},
		"0.1":                     float(0.1),
		"100000000000000000000":   float(1e20),
		"1e+21":                   float(1e21),
		"1.7976931348623157e+308": float(math.MaxFloat64),
		"0.000001":                float(1e-6),
		"1e-7":                    float(1e-7),
		"5e-324":                  float(5e-324),
		"-1.5e-9":                 float(-1.5e-9),
		"null":                    float(math.NaN()),
		"0.10000000149011612":     binary.BigEndian.AppendUint32([]byte{124}, math.Float32bits(0.1)),
		`"\u0000\b\t\n\u000b\f\r\"\\/é😀\u001f"`: cat([]byte{119}, str("\x00\b\t\n\v\f\r\"\\/é😀\x1f")),
		`{"0":1,"1":255}`:           {116, 2, 1, 255},
		`[null,null,[],{}]`:         {117, 4, 127, 126, 117, 0, 118, 0},
		`{"1":3,"2":1,"b":4,"a":2}`: {118, 5, 1, 'b', 126, 1, '2', 125, 1, 1, 'a', 125, 2, 1, '1', 125, 3, 1, 'b', 125, 4},
		`{"a":1}`:                   cat([]byte{118, 3}, str("x"), []byte{127}, str("a"), []byte{125, 1}, str("__proto__"), []byte{118, 0}),
		`{"a":{"b":{"c":[[{}]]}}}`:  {118, 1, 1, 'a', 118, 1, 1, 'b', 118, 1, 1, 'c', 117, 1, 117, 1, 118, 0},
	} {
		if got, err := jsonOf(t, value); err != nil || got != want {
			t.Errorf("% x: %s, %v, want %s", value, got, err, want)
		}
	}
	for _, value := range [][]byte{{127}, {122, 0, 0, 0, 0, 0, 0, 0, 1}, {117, 1, 122, 0, 0, 0, 0, 0, 0, 0, 1}} {
		if got, err := jsonOf(t, value); !errors.Is(err, yjs.ErrMalformed) {
			t.Errorf("% x: %s, %v", value, got, err)
		}
	}
}

// TestJSONAsAny writes what JSON.parse returns.
func TestJSONAsAny(t *testing.T) {
	for text, want := range map[string][]byte{
		"-0":                                   {125, 0x40},
		"2147483647":                           {125, 0xbf, 0xff, 0xff, 0xff, 0x0f},
		"2147483648":                           {124, 0x4f, 0, 0, 0},
		"1e999":                                {124, 0x7f, 0x80, 0, 0},
		"0.1":                                  {123, 0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a},
		"[ 1 , [] ]\n":                         {117, 2, 125, 1, 117, 0},
		`{"b":1,"2":{},"a":[],"1":null,"b":2}`: {118, 4, 1, '1', 126, 1, '2', 118, 0, 1, 'b', 125, 2, 1, 'a', 117, 0},
		`"\ud83d\ude00\ud83d\u0041\u00e9"`:     cat([]byte{119}, str("😀\ufffdAé")),
	} {
		v2 := toV2(t, update(section(1, 0, cat([]byte{5, 1}, str("t"), str(text)))))
		if !bytes.HasSuffix(v2, cat(want, []byte{0})) {
			t.Errorf("%s: % x doesn't end with % x", text, v2, want)
		}
	}
}
