package yjs_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

const (
	bigClients = 100
	bigStructs = 11_000 // per client
)

// bigState is a document of 1.1 million structs by 100 clients, about 31 MB: text
// inserted everywhere at once, so that no two structs can be joined, and one in
// four deleted.
var bigState = sync.OnceValue(func() []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	dst := lib0.AppendVarUint(nil, bigClients)
	id := func(dst []byte, client int) []byte {
		dst = lib0.AppendVarUint(dst, 4_000_000_000-uint64(client%bigClients))
		return lib0.AppendVarUint(dst, uint64(rnd.IntN(bigStructs)))
	}
	for c := range bigClients {
		dst = lib0.AppendVarUint(dst, bigStructs)
		dst = lib0.AppendVarUint(dst, 4_000_000_000-uint64(c))
		dst = append(dst, 0)
		for i := range bigStructs {
			if i == 0 {
				dst = append(dst, 4, 1, 1, 't')
			} else {
				dst = append(dst, 0xc4)
				dst = id(dst, c+1)
				dst = id(dst, c+1+rnd.IntN(bigClients-1))
			}
			dst = lib0.AppendVarString(dst, "a few letters"[:1+rnd.IntN(13)])
		}
	}
	dst = lib0.AppendVarUint(dst, bigClients)
	for c := range bigClients {
		dst = lib0.AppendVarUint(dst, 4_000_000_000-uint64(c))
		dst = lib0.AppendVarUint(dst, bigStructs)
		for i := range bigStructs {
			dst = lib0.AppendVarUint(dst, uint64(4*i))
			dst = append(dst, 1)
		}
	}
	return dst
})

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
	b.ReportMetric(float64(b.N)*bigClients*bigStructs/b.Elapsed().Seconds(), "structs/s")
}

func BenchmarkBigLoad(b *testing.B) {
	state := bigState()
	b.SetBytes(int64(len(state)))
	b.ReportAllocs()
	for b.Loop() {
		bigDocument(b)
	}
	b.ReportMetric(float64(b.N)*bigClients*bigStructs/b.Elapsed().Seconds(), "structs/s")
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
	vector := lib0.AppendVarUint(nil, bigClients)
	for c := range bigClients {
		vector = lib0.AppendVarUint(vector, 4_000_000_000-uint64(c))
		vector = lib0.AppendVarUint(vector, 60_000)
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
