package lib0_test

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

func ExampleAppendVarUint() {
	dst := lib0.AppendVarUint(nil, 300)
	dst = lib0.AppendVarString(dst, "é")
	n, rest, _ := lib0.VarUint(dst)
	s, rest, err := lib0.VarString(rest)
	fmt.Printf("%x: %d, %s, %d left, %v\n", dst, n, s, len(rest), err)
	// Output: ac0202c3a9: 300, é, 0 left, <nil>
}

// What JavaScript's writeAny has written, and what its readAny will read.
func ExampleAny() {
	src, err := lib0.AppendAny(nil, map[string]any{"title": "Fjord", "tags": []any{"a", nil}, "depth": 1308})
	if err != nil {
		fmt.Println(err)
	}
	value, rest, err := lib0.Any(src)
	fmt.Println(len(src), value, len(rest), err)
	// Output: 35 map[depth:1308 tags:[a <nil>] title:Fjord] 0 <nil>
}

func ExampleAppendAny() {
	_, err := lib0.AppendAny(nil, []string{"a"})
	fmt.Println(err)
	_, err = lib0.AppendAny(nil, int64(1<<60))
	fmt.Println(err)
	big, _ := lib0.AppendAny(nil, lib0.BigInt(1<<60))
	fmt.Printf("% x\n", big)
	// Output:
	// lib0: value can't be written: a []string; want nil, bool, a number, string, []byte, []any, map[string]any, Object, Undefined or BigInt
	// lib0: value can't be written: 1152921504606846976 isn't exact in a float64; use BigInt
	// 7a 10 00 00 00 00 00 00 00
}

// An Object is for who minds the order of keys.
func ExampleObject() {
	src, _ := lib0.AppendAny(nil, lib0.Object{{Key: "z", Value: 1}, {Key: "a", Value: 2}})
	fmt.Printf("%q\n", src)
	// Output: "v\x02\x01z}\x01\x01a}\x02"
}

func ExampleSkipAny() {
	// {"a": [true, null]} and a byte behind it.
	rest, err := lib0.SkipAny([]byte{lib0.AnyObject, 1, 1, 'a', lib0.AnyArray, 2, lib0.AnyTrue, lib0.AnyNull, 9})
	fmt.Printf("%d %v\n", rest, err)
	// Output: [9] <nil>
}

// A sign of its own, since -0 is a number, too.
func ExampleAppendVarInt() {
	dst := lib0.AppendVarInt(nil, 300, true)
	magnitude, negative, rest, err := lib0.VarInt(dst)
	fmt.Printf("% x: %d, negative %v, %d left, %v\n", dst, magnitude, negative, len(rest), err)
	// Output: ec 04: 300, negative true, 0 left, <nil>
}

func ExampleAppendVarBytes() {
	dst := lib0.AppendVarBytes(nil, []byte{7, 8, 9})
	b, rest, err := lib0.VarBytes(dst)
	fmt.Printf("% x: % x, %d left, %v\n", dst, b, len(rest), err)
	// Output: 03 07 08 09: 07 08 09, 0 left, <nil>
}

// Numbers of a fixed size, as JavaScript's DataView writes them.
func ExampleAppendFloat64() {
	dst := lib0.AppendFloat64(nil, 0.1)
	dst = lib0.AppendFloat32(dst, 0.5)
	dst = lib0.AppendBigInt64(dst, -1)
	double, rest, _ := lib0.Float64(dst)
	single, rest, _ := lib0.Float32(rest)
	n, rest, err := lib0.BigInt64(rest)
	fmt.Println(len(dst), double, single, n, len(rest), err)
	// As an any, a number takes what it needs.
	fmt.Println(len(lib0.AppendAnyNumber(nil, 1)), len(lib0.AppendAnyNumber(nil, 0.5)), len(lib0.AppendAnyNumber(nil, 0.1)))
	// Output:
	// 20 0.1 0.5 -1 0 <nil>
	// 2 5 9
}
