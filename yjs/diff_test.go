package yjs_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// TestDiffAgrees asks a document and its state for what peers lack that have each
// client up to any clock, to its end or beyond, or not at all.
func TestDiffAgrees(t *testing.T) {
	state, _, _ := yjstest.Book(20, 60)
	d := yjs.NewDocument()
	if err := d.Load(state); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(5, 5))
	for range 500 {
		n, rest, err := lib0.VarUint(d.StateVector())
		if err != nil {
			t.Fatal(err)
		}
		vector := []byte{byte(n)}
		for range n {
			var client, clock uint64
			client, rest, _ = lib0.VarUint(rest)
			clock, rest, _ = lib0.VarUint(rest)
			vector = lib0.AppendVarUint(vector, client)
			switch rnd.IntN(5) {
			case 0: // all
			case 1:
				clock -= min(clock, rnd.Uint64N(12))
			case 2:
				clock = 0
			default:
				clock = rnd.Uint64N(clock + 2)
			}
			vector = lib0.AppendVarUint(vector, clock)
		}
		got, err := d.EncodeStateAsUpdate(vector)
		want, err2 := yjs.DiffUpdate(state, vector)
		if err != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Fatalf("for %x: %d bytes of the document, %v, %d of its state, %v", vector, len(got), err, len(want), err2)
		}
	}
}
