package lib0_test

import (
	"bytes"
	"errors"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

func TestVarUint(t *testing.T) {
	for _, c := range []struct {
		n     uint64
		bytes []byte
	}{
		{0, []byte{0}},
		{1, []byte{1}},
		{127, []byte{0x7f}},
		{128, []byte{0x80, 1}},
		{16_383, []byte{0xff, 0x7f}},
		{16_384, []byte{0x80, 0x80, 1}},
		{math.MaxUint32, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}},
		{lib0.MaxSafeInteger, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f}},
	} {
		got := lib0.AppendVarUint([]byte{9}, c.n)
		if !bytes.Equal(got[1:], c.bytes) {
			t.Errorf("%d: wrote % x, want % x", c.n, got[1:], c.bytes)
		}
		if n := lib0.VarUintLen(c.n); n != len(c.bytes) {
			t.Errorf("%d: VarUintLen %d, want %d", c.n, n, len(c.bytes))
		}
		n, rest, err := lib0.VarUint(append(c.bytes, 7))
		if n != c.n || !bytes.Equal(rest, []byte{7}) || err != nil {
			t.Errorf("% x: read %d, rest % x, %v", c.bytes, n, rest, err)
		}
		for i := range c.bytes {
			if _, _, err := lib0.VarUint(c.bytes[:i]); !errors.Is(err, lib0.ErrTruncated) {
				t.Errorf("% x cut at %d: %v", c.bytes, i, err)
			}
		}
	}
}

func TestVarUintRefused(t *testing.T) {
	for _, src := range [][]byte{
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10},       // 2^53
		{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0},    // 0 in nine bytes
		{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80}, // never ends
		{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80},       // can't end well
	} {
		if _, _, err := lib0.VarUint(src); !errors.Is(err, lib0.ErrTooLarge) {
			t.Errorf("% x: %v", src, err)
		}
	}
	if n, _, err := lib0.VarUint([]byte{0x81, 0}); n != 1 || err != nil {
		t.Errorf("81 00 is 1 with a byte too much: %d, %v", n, err)
	}
}

func TestVarInt(t *testing.T) {
	for _, c := range []struct {
		magnitude uint64
		negative  bool
		bytes     []byte
	}{
		{0, false, []byte{0}},
		{0, true, []byte{0x40}},
		{1, true, []byte{0x41}},
		{63, false, []byte{0x3f}},
		{64, false, []byte{0x80, 1}},
		{64, true, []byte{0xc0, 1}},
		{8191, true, []byte{0xff, 0x7f}},
		{lib0.MaxSafeInteger, true, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f}},
	} {
		if got := lib0.AppendVarInt(nil, c.magnitude, c.negative); !bytes.Equal(got, c.bytes) {
			t.Errorf("%d %v: wrote % x, want % x", c.magnitude, c.negative, got, c.bytes)
		}
		m, neg, rest, err := lib0.VarInt(append(c.bytes, 7))
		if m != c.magnitude || neg != c.negative || len(rest) != 1 || err != nil {
			t.Errorf("% x: read %d %v, rest % x, %v", c.bytes, m, neg, rest, err)
		}
		if _, _, _, err := lib0.VarInt(c.bytes[:len(c.bytes)-1]); !errors.Is(err, lib0.ErrTruncated) {
			t.Errorf("% x cut: %v", c.bytes, err)
		}
	}
	if _, _, _, err := lib0.VarInt([]byte{0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f}); !errors.Is(err, lib0.ErrTooLarge) {
		t.Errorf("2^59: %v", err)
	}
}

func TestVarBytes(t *testing.T) {
	src := lib0.AppendVarBytes(nil, []byte{1, 2, 3})
	b, rest, err := lib0.VarBytes(append(src, 9))
	if !bytes.Equal(b, []byte{1, 2, 3}) || !bytes.Equal(rest, []byte{9}) || err != nil {
		t.Errorf("% x, % x, %v", b, rest, err)
	}
	if cap(b) != 3 {
		t.Error("appending to the result would overwrite what follows")
	}
	if _, _, err := lib0.VarBytes([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 1}); !errors.Is(err, lib0.ErrTruncated) {
		t.Errorf("4 GiB claimed: %v", err)
	}
}

func TestVarString(t *testing.T) {
	src := lib0.AppendVarString(nil, "é😀")
	if s, _, err := lib0.VarString(src); string(s) != "é😀" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	for _, bad := range []string{"\xff", "\xed\xa0\x80", "\xc0\x80", "\xf0\x9f\x98"} {
		if _, _, err := lib0.VarString(lib0.AppendVarString(nil, bad)); !errors.Is(err, lib0.ErrInvalidUTF8) {
			t.Errorf("%x: %v", bad, err)
		}
	}
}

// anys are values as JavaScript writes them.
var anys = [][]byte{
	{127}, {126}, {120}, {121},
	{125, 0}, {125, 0x40}, {125, 0xff, 0x7f},
	{124, 1, 2, 3, 4}, {123, 1, 2, 3, 4, 5, 6, 7, 8}, {122, 1, 2, 3, 4, 5, 6, 7, 8},
	{119, 0}, {119, 2, 0xc3, 0xa9}, {116, 0}, {116, 1, 0xff},
	{117, 0}, {117, 2, 126, 117, 1, 127}, {118, 0},
	{118, 2, 1, 'a', 118, 1, 0, 120, 1, 'b', 117, 0},
}

func TestSkipAny(t *testing.T) {
	for _, src := range anys {
		rest, err := lib0.SkipAny(append(bytes.Clone(src), 9))
		if !bytes.Equal(rest, []byte{9}) || err != nil {
			t.Errorf("% x: rest % x, %v", src, rest, err)
		}
		for i := range src {
			if _, err := lib0.SkipAny(src[:i]); !errors.Is(err, lib0.ErrTruncated) {
				t.Errorf("% x cut at %d: %v", src, i, err)
			}
		}
	}
}

func TestSkipAnyRefused(t *testing.T) {
	deep := func(n int) []byte { return append(bytes.Repeat([]byte{117, 1}, n), 126) }
	for _, c := range []struct {
		src  []byte
		want error
	}{
		{[]byte{115}, lib0.ErrUnknownAny},
		{[]byte{0}, lib0.ErrUnknownAny},
		{[]byte{128}, lib0.ErrUnknownAny},
		{[]byte{119, 1, 0xff}, lib0.ErrInvalidUTF8},
		{[]byte{118, 1, 1, 0xff, 126}, lib0.ErrInvalidUTF8},
		{[]byte{117, 0xff, 0xff, 0xff, 0xff, 0x0f, 126}, lib0.ErrTruncated},
		{deep(lib0.MaxAnyDepth + 1), lib0.ErrTooDeep},
		{deep(1_000_000), lib0.ErrTooDeep},
	} {
		if _, err := lib0.SkipAny(c.src); !errors.Is(err, c.want) {
			t.Errorf("% x: %v, want %v", c.src[:min(8, len(c.src))], err, c.want)
		}
	}
	if rest, err := lib0.SkipAny(deep(lib0.MaxAnyDepth)); len(rest) != 0 || err != nil {
		t.Errorf("as deep as allowed: %v", err)
	}
}

func FuzzVarUint(f *testing.F) {
	f.Add([]byte{0x80, 1})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 1})
	f.Fuzz(func(t *testing.T, src []byte) {
		n, rest, err := lib0.VarUint(src)
		if err != nil {
			return
		}
		again, _, err := lib0.VarUint(append(lib0.AppendVarUint(nil, n), rest...))
		if again != n || err != nil || n > lib0.MaxSafeInteger {
			t.Errorf("%d, then %d, %v", n, again, err)
		}
	})
}

func FuzzVarInt(f *testing.F) {
	f.Add([]byte{0x40})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 1})
	f.Fuzz(func(t *testing.T, src []byte) {
		n, negative, rest, err := lib0.VarInt(src)
		if err != nil {
			return
		}
		m, minus, after, err := lib0.VarInt(append(lib0.AppendVarInt(nil, n, negative), rest...))
		if m != n || minus != negative || !bytes.Equal(after, rest) || err != nil || n > lib0.MaxSafeInteger {
			t.Errorf("%v %d, then %v %d, %v", negative, n, minus, m, err)
		}
	})
}

func FuzzVarString(f *testing.F) {
	f.Add([]byte{2, 0xc3, 0xa9, 1})
	f.Add([]byte{3, 0xed, 0xa0, 0x80})
	f.Fuzz(func(t *testing.T, src []byte) {
		s, rest, err := lib0.VarString(src)
		b, after, wrong := lib0.VarBytes(src)
		if wrong == nil && (err == nil) != utf8.Valid(b) || wrong != nil && err == nil {
			t.Fatalf("% x as a string: %v, as bytes: %v", src, err, wrong)
		}
		if err != nil {
			return
		}
		again, _, err := lib0.VarString(append(lib0.AppendVarString(nil, string(s)), rest...))
		if !bytes.Equal(again, s) || !bytes.Equal(rest, after) || err != nil {
			t.Errorf("%q, then %q, %v", s, again, err)
		}
	})
}

func FuzzSkipAny(f *testing.F) {
	for _, src := range anys {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		rest, err := lib0.SkipAny(src)
		if err != nil {
			return
		}
		// What was read is a value whatever follows it.
		used := src[:len(src)-len(rest)]
		if rest, err := lib0.SkipAny(used); len(rest) != 0 || err != nil || len(used) == 0 {
			t.Errorf("% x by itself: rest % x, %v", used, rest, err)
		}
	})
}

func TestFloats(t *testing.T) {
	src := lib0.AppendBigInt64(lib0.AppendFloat64(lib0.AppendFloat32(nil, 0.5), -0.1), -2)
	want := []byte{0x3f, 0, 0, 0, 0xbf, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a, 255, 255, 255, 255, 255, 255, 255, 254}
	if !bytes.Equal(src, want) {
		t.Errorf("wrote % x, want % x", src, want)
	}
	single, rest, err := lib0.Float32(src)
	if single != 0.5 || err != nil {
		t.Errorf("%v, %v", single, err)
	}
	double, rest, err := lib0.Float64(rest)
	if double != -0.1 || err != nil {
		t.Errorf("%v, %v", double, err)
	}
	n, rest, err := lib0.BigInt64(rest)
	if n != -2 || len(rest) != 0 || err != nil {
		t.Errorf("%d, rest % x, %v", n, rest, err)
	}
	for i := range 8 {
		_, _, errFloat := lib0.Float64(src[:i])
		_, _, errInt := lib0.BigInt64(src[:i])
		_, _, errSingle := lib0.Float32(src[:i])
		if !errors.Is(errFloat, lib0.ErrTruncated) || !errors.Is(errInt, lib0.ErrTruncated) || (i < 4) != errors.Is(errSingle, lib0.ErrTruncated) {
			t.Errorf("%d bytes: %v, %v, %v", i, errFloat, errInt, errSingle)
		}
	}
}

func FuzzFloats(f *testing.F) {
	f.Add([]byte{0x80, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{0x3f, 0, 0, 0})
	f.Add([]byte{255, 255, 255})
	f.Fuzz(func(t *testing.T, src []byte) {
		single, rest, err := lib0.Float32(src)
		if (err == nil) != (len(src) >= 4) || err == nil && !math.IsNaN(float64(single)) && !bytes.Equal(append(lib0.AppendFloat32(nil, single), rest...), src) {
			t.Errorf("% x reads %v, rest % x, %v", src, single, rest, err)
		}
		double, rest, err := lib0.Float64(src)
		if (err == nil) != (len(src) >= 8) || err == nil && !math.IsNaN(double) && !bytes.Equal(append(lib0.AppendFloat64(nil, double), rest...), src) {
			t.Errorf("% x reads %v, rest % x, %v", src, double, rest, err)
		}
		n, rest, err := lib0.BigInt64(src)
		if (err == nil) != (len(src) >= 8) || err == nil && !bytes.Equal(append(lib0.AppendBigInt64(nil, n), rest...), src) {
			t.Errorf("% x reads %d, rest % x, %v", src, n, rest, err)
		}
	})
}
