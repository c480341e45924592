package yjs_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func TestParseVector(t *testing.T) {
	d := yjs.NewDocument()
	for _, u := range [][]byte{hello, inside} {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	v, err := yjs.ParseVector(d.StateVector())
	if want := (yjs.Vector{101: 5, 202: 2}); !maps.Equal(v, want) || err != nil {
		t.Errorf("%v, %v; want %v", v, err, want)
	}
	if !bytes.Equal(v.Append(nil), d.StateVector()) {
		t.Errorf("written % x, want % x", v.Append(nil), d.StateVector())
	}
	for _, src := range [][]byte{{1}, {0, 0}, {1, 5}, {0xff, 0xff, 3, 1, 1}} {
		if v, err := yjs.ParseVector(src); v != nil || !errors.Is(err, yjs.ErrMalformed) {
			t.Errorf("% x: %v, %v", src, v, err)
		}
	}
	if v, err := yjs.ParseVector([]byte{2, 7, 1, 7, 3}); !maps.Equal(v, yjs.Vector{7: 3}) || err != nil {
		t.Errorf("a client twice: %v, %v", v, err)
	}
}

// TestVectorInAnyOrder has clients more than once and in any order: the last clock of
// each counts, as in Yjs.
func TestVectorInAnyOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, clients := range []uint64{1, 5, 300, 1 << 20, 1 << 53} {
		for _, n := range []int{1, 2, 23, 24, 25, 100, 3000} {
			want, src := yjs.Vector{}, num(uint64(n))
			d := yjs.NewDocument()
			for range n {
				client, clock := rnd.Uint64N(clients), rnd.Uint64N(10)
				want[client] = clock
				src = append(src, id(client, clock)...)
				apply(t, d, update(section(client, 0, gc(10))))
			}
			if got, err := yjs.ParseVector(src); !maps.Equal(got, want) || err != nil {
				t.Fatalf("%d of %d: %v", n, clients, err)
			}
			if got := state(t, d, src...); !bytes.Equal(got, state(t, d, want.Append(nil)...)) {
				t.Errorf("%d of %d: another difference", n, clients)
			}
		}
	}
}
