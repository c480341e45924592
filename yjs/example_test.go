package yjs_test

import (
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/fjord-sync/fjord/yjs"
)

// updateOf is an update as a client has sent it.
func updateOf(s string) []byte {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// What two clients have typed into the text "t": "hello", and "XY" in its middle.
var hello, inside = updateOf("AQFlAAQBAXQFaGVsbG8A"), updateOf("AQHKAQDEZQFlAgJYWQA=")

func ExampleDocument() {
	server := yjs.NewDocument()
	for _, update := range [][]byte{inside, hello} { // in any order
		if err := server.ApplyUpdate(update); err != nil {
			fmt.Println(err)
		}
	}
	// A peer that has the first one says so, and gets the rest.
	peer := yjs.NewDocument()
	_ = peer.ApplyUpdate(hello)
	answer, err := server.EncodeStateAsUpdate(peer.StateVector())
	fmt.Println(peer.Contains(answer), err)
	_ = peer.ApplyUpdate(answer)
	fmt.Println(peer.Contains(answer))
	// Output:
	// false <nil>
	// true
}

func ExampleDocument_Pending() {
	d := yjs.NewDocument()
	_ = d.ApplyUpdate([]byte{1, 1, 9, 3, 0x84, 9, 2, 1, 'x', 0}) // begins at clock 3
	fmt.Printf("%+v\n", d.Pending())
	// Output: {Structs:1 Bytes:5 Missing:[{Client:9 Clock:0}]}
}

func ExampleDocument_Inserts() {
	d := yjs.NewDocument()
	_ = d.ApplyUpdate(hello)
	_ = d.ApplyUpdate([]byte{0, 1, 101, 1, 1, 3}) // "ell" is deleted
	fmt.Println(d.Inserts(), d.Deletes(), d.Deleted(yjs.ID{Client: 101, Clock: 4}))
	// Output: map[101:[{0 5}]] map[101:[{1 3}]] false
}

func ExampleDocument_Compact() {
	d := yjs.NewDocument()
	_ = d.ApplyUpdate(hello)
	_ = d.ApplyUpdate([]byte{0, 1, 101, 1, 0, 5})
	fmt.Println(d.Size(), "bytes,", d.Compact(), "freed")
	// Output: 19 bytes, 5 freed
}

func ExampleMergeUpdates() {
	both, err := yjs.MergeUpdates(hello, inside)
	fmt.Println(len(hello), len(inside), len(both), err)
	vector, _ := yjs.StateVectorFromUpdate(hello)
	rest, _ := yjs.DiffUpdate(both, vector)
	fmt.Println(string(rest) == string(inside))
	// Output:
	// 15 14 27 <nil>
	// true
}

// A store that only appends: what it has is loaded as it was written.
func ExampleDocument_Load() {
	stored := [][]byte{hello, inside}
	d := yjs.NewDocument()
	for _, update := range stored {
		if err := d.Load(update); err != nil {
			fmt.Println(err)
		}
	}
	state, err := d.EncodeStateAsUpdate(nil) // one update in place of all of them
	fmt.Println(len(state) == d.Size(), err)
	// Output: true <nil>
}

// Two programs that use one client ID are found out, as far as their clocks overlap.
func ExampleConflictError() {
	d := yjs.NewDocument()
	_ = d.ApplyUpdate(hello)
	var conflict *yjs.ConflictError
	if errors.As(d.ApplyUpdate(updateOf("AQFlAAQBAXQFaGFsbG8A")), &conflict) { // "hallo"
		fmt.Println("client", conflict.ID.Client, "clock", conflict.ID.Clock, "units", conflict.Length)
	}
	// Output: client 101 clock 0 units 5
}

func ExampleParseVector() {
	d := yjs.NewDocument()
	_ = d.ApplyUpdate(hello)
	v, err := yjs.ParseVector(d.StateVector())
	fmt.Println(v, err)
	// Output: map[101:5] <nil>
}

func ExampleIDsOfUpdate() {
	inserts, deletes, err := yjs.IDsOfUpdate(inside)
	fmt.Println(inserts, deletes, inserts.Has(yjs.ID{Client: 202, Clock: 1}), err)
	// Output: map[202:[{0 2}]] map[] true <nil>
}

func ExampleDiffUpdate() {
	both, _ := yjs.MergeUpdates(hello, inside)
	rest, err := yjs.DiffUpdate(both, yjs.Vector{101: 5}.Append(nil))
	fmt.Println(string(rest) == string(inside), yjs.IsEmptyUpdate(rest), err)
	// Output: true false <nil>
}

func ExampleConvertUpdateV1ToV2() {
	v2, err := yjs.ConvertUpdateV1ToV2(hello)
	v1, _ := yjs.ConvertUpdateV2ToV1(v2)
	fmt.Println(err, string(v1) == string(hello))
	// Output: <nil> true
}

func ExampleValidateUpdate() {
	err := yjs.ValidateUpdate(hello[:10])
	fmt.Println(errors.Is(err, yjs.ErrMalformed), err)
	// Output: true yjs: malformed: input ends inside a value (byte 9)
}

// Clients that speak version 2 are told the same: the document holds version 1.
func ExampleDocument_ApplyUpdateV2() {
	v2, err := yjs.ConvertUpdateV1ToV2(hello)
	if err != nil {
		fmt.Println(err)
	}
	d := yjs.NewDocument()
	fmt.Println(d.ApplyUpdateV2(v2), d.ApplyUpdate(inside))
	answer, err := d.EncodeStateAsUpdateV2(yjs.Vector{202: 2}.Append(nil))
	fmt.Println(string(answer) == string(v2), err)
	// Output:
	// <nil> <nil>
	// true <nil>
}

// Whoever hands a loaded document to a goroutine that mustn't stall prepares it before.
func ExampleDocument_Prepare() {
	v2, err := yjs.ConvertUpdateV1ToV2(hello)
	if err != nil {
		fmt.Println(err)
	}
	d := yjs.NewDocument()
	if err := d.LoadV2(v2); err != nil {
		fmt.Println(err)
	}
	d.Prepare()
	fmt.Println(d, d.Has(yjs.ID{Client: 101, Clock: 4}))
	// Output: document of 1 clients, 15 bytes true
}

func ExampleDocument_Missing() {
	// Client 2 has put a letter behind one of client 1, whose update isn't here yet.
	d := yjs.NewDocument()
	err := d.ApplyUpdate([]byte{1, 1, 2, 0, 0x84, 1, 4, 1, '!', 0})
	fmt.Println(d.Missing(), err)
	// Output: [{1 0}] <nil>
}
