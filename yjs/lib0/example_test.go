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

func ExampleSkipAny() {
	// {"a": [true, null]} and a byte behind it.
	rest, err := lib0.SkipAny([]byte{lib0.AnyObject, 1, 1, 'a', lib0.AnyArray, 2, lib0.AnyTrue, lib0.AnyNull, 9})
	fmt.Printf("%d %v\n", rest, err)
	// Output: [9] <nil>
}
