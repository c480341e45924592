//go:build !race

// The race detector has more allocated, and takes minutes: make allocation runs this.

package yjs_test

import (
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// What a call may allocate in all, whether it is given back before it ends or not: so
// many bytes for each that it was given, for each client that an update names, and once.
const (
	perByte   = 8
	perClient = 360
	perCall   = 40 << 10
)

// decoders is everything in this package that reads an update. A factor is how many
// bytes it may allocate for each, where that isn't perByte. What is made of version 2 may
// be 64 times as long (TestV2Bombs), so there the version 1 bytes count, too.
var decoders = []struct {
	name   string
	factor float64
	v2     bool
	run    func(d *yjs.Document, update []byte)
}{
	{"ValidateUpdate", 0, false, func(_ *yjs.Document, u []byte) { _ = yjs.ValidateUpdate(u) }},
	{"IsEmptyUpdate", 0, false, func(_ *yjs.Document, u []byte) { yjs.IsEmptyUpdate(u) }},
	{"Contains", 0, false, func(d *yjs.Document, u []byte) { d.Contains(u) }},
	{"ApplyUpdate", perByte, false, func(d *yjs.Document, u []byte) { _ = d.ApplyUpdate(u) }},
	{"Load", perByte, false, func(d *yjs.Document, u []byte) { _ = d.Load(u) }},
	{"StateVectorFromUpdate", perByte, false, func(_ *yjs.Document, u []byte) { _, _ = yjs.StateVectorFromUpdate(u) }},
	{"DiffUpdate", perByte, false, func(_ *yjs.Document, u []byte) { _, _ = yjs.DiffUpdate(u, []byte{1, 1, 5}) }},
	{"ConvertUpdateV1ToV2", perByte, false, func(_ *yjs.Document, u []byte) { _, _ = yjs.ConvertUpdateV1ToV2(u) }},
	{"MergeUpdates", perByte, false, func(_ *yjs.Document, u []byte) { _, _ = yjs.MergeUpdates(u) }},
	// It returns 16 bytes for each range, of which one is three bytes.
	{"IDsOfUpdate", 12, false, func(_ *yjs.Document, u []byte) { _, _, _ = yjs.IDsOfUpdate(u) }},
	{"ConvertUpdateV2ToV1", perByte, true, func(_ *yjs.Document, u []byte) { _, _ = yjs.ConvertUpdateV2ToV1(u) }},
	// The conversion, and applying what it returns.
	{"ApplyUpdateV2", 12, true, func(d *yjs.Document, u []byte) { _ = d.ApplyUpdateV2(u) }},
	{"LoadV2", 12, true, func(d *yjs.Document, u []byte) { _ = d.LoadV2(u) }},
}

// otherwise is where another factor holds.
var otherwise = map[string]float64{
	// 12 bytes for a piece behind a gap, 14 for what it waits for, 8 until that is found
	// out, 6 for its depth and 5 for itself.
	"ApplyUpdate, types behind a gap":   9.5,
	"ApplyUpdateV2, types behind a gap": 13,
	// A full chunk of pieces gets another for one, and all is copied to join what the
	// filled holes have made neighbours: up to 18 for longer updates than this.
	"MergeUpdates, holes": 12,
	"DiffUpdate, holes":   12,
	// Are all these values deleted?
	"ValidateUpdate, clients with keys of two values": perByte,
	"Contains, clients with keys of two values":       perByte,
	"ValidateUpdate, deletes of a key's values":       perByte,
	"Contains, deletes of a key's values":             perByte,
	// A parent is compared as it is when its numbers are as short as can be.
	"Contains, gaps between long forms": 1.5,
	"Contains, loose":                   1.5,
}

// TestAllocationOfEach bounds what every decoder allocates, by what it was given: of a
// document that has nothing of an update, all of it, or the later half of each client.
func TestAllocationOfEach(t *testing.T) {
	for name, u := range hostileShapes(8000) {
		v2, half := toV2(t, u), laterHalf(t, u)
		_, deletes, err := yjs.IDsOfUpdate(u)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		clients, _, _ := lib0.VarUint(u)
		clients += uint64(len(deletes))
		for _, d := range decoders {
			input, given := u, len(u)
			if d.v2 {
				input, given = v2, len(v2)+len(u)
			}
			factor := d.factor
			if other, ok := otherwise[d.name+", "+name]; ok {
				factor = other
			}
			limit := uint64(factor*float64(given)) + perCall
			if factor > 0 {
				limit += perClient * clients
			}
			for having, held := range map[string][]byte{"nothing": update(), "all": u, "half": half} {
				if having != "nothing" && d.name != "ApplyUpdate" && d.name != "Contains" {
					continue
				}
				got := cost.Allocated(prepared(t, held, input, d.run))
				if got > limit { // or something else has allocated
					got = min(got, cost.Allocated(prepared(t, held, input, d.run)))
				}
				if got > limit {
					t.Errorf("%s: %s, of a document with %s, allocates %d for %d bytes and %d clients, %.1f each",
						name, d.name, having, got, given, clients, float64(got)/float64(given))
				}
			}
		}
	}
}

// prepared is a call to a decoder, all but the call itself done.
func prepared(t *testing.T, held, input []byte, run func(*yjs.Document, []byte)) func() {
	t.Helper()
	d := yjs.NewDocument()
	if err := d.Load(held); err != nil {
		t.Fatal(err)
	}
	d.Prepare()
	return func() { run(d, input) }
}

// laterHalf is the later half of what an update has of each client.
func laterHalf(t *testing.T, u []byte) []byte {
	t.Helper()
	vector, err := yjs.StateVectorFromUpdate(u)
	if err != nil {
		t.Fatal(err)
	}
	v, err := yjs.ParseVector(vector)
	if err != nil {
		t.Fatal(err)
	}
	for client := range v {
		v[client] /= 2
	}
	half, err := yjs.DiffUpdate(u, v.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	return half
}
