package yjs_test

import (
	"bytes"
	"errors"
	"maps"
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
