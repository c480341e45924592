package yjs_test

import (
	"sync"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// bigState is a document of 1.1 million structs by 100 clients, 32 MB.
var bigState = sync.OnceValue(func() []byte {
	state, _, structs := yjstest.Book(100, 14_700)
	bigStructs = structs
	return state
})

// bigStructs is how many structs bigState has, once it is made.
var bigStructs int

func bigDocument(b testing.TB) *yjs.Document {
	b.Helper()
	d := yjs.NewDocument()
	if err := d.Load(bigState()); err != nil {
		b.Fatal(err)
	}
	return d
}

func BenchmarkBigValidate(b *testing.B) {
	state := bigState()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		if err := yjs.ValidateUpdate(state); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*bigStructs)/b.Elapsed().Seconds(), "structs/s")
}

func BenchmarkBigLoad(b *testing.B) {
	state := bigState()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		bigDocument(b)
	}
	b.ReportMetric(float64(b.N*bigStructs)/b.Elapsed().Seconds(), "structs/s")
}

// BenchmarkBigRepeat applies a state that is known already.
func BenchmarkBigRepeat(b *testing.B) {
	d := bigDocument(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Load(bigState()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBigEncodeState(b *testing.B) {
	d := bigDocument(b)
	b.SetBytes(int64(d.Size()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.EncodeStateAsUpdate(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBigDiff answers a peer that has all but the last clocks.
func BenchmarkBigDiff(b *testing.B) {
	d := bigDocument(b)
	vector, err := yjstest.Behind(d.StateVector(), 10)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.EncodeStateAsUpdate(vector); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBigStateVector(b *testing.B) {
	d := bigDocument(b)
	b.ReportAllocs()
	for b.Loop() {
		d.StateVector()
	}
}

func BenchmarkBigDiffUpdate(b *testing.B) {
	state := bigState()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := yjs.DiffUpdate(state, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBigStateVectorFromUpdate(b *testing.B) {
	state := bigState()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := yjs.StateVectorFromUpdate(state); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBigLoadV2(b *testing.B) {
	v2, err := yjs.ConvertUpdateV1ToV2(bigState())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(v2)))
	b.ReportAllocs()
	for b.Loop() {
		if err := yjs.NewDocument().LoadV2(v2); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBigEncodeStateV2(b *testing.B) {
	d := bigDocument(b)
	b.SetBytes(int64(d.Size()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.EncodeStateAsUpdateV2(nil); err != nil {
			b.Fatal(err)
		}
	}
}
