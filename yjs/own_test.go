package yjs_test

import (
	"bytes"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

// TestResultsAreOwn changes what a function was given and what it has returned: neither
// is the other, and a second call returns the same as the first.
func TestResultsAreOwn(t *testing.T) {
	state := update(section(2, 0, root("t", "xyz")), section(1, 0, root("t", "abc"), gc(2)))
	v2, err := yjs.ConvertUpdateV1ToV2(state)
	if err != nil {
		t.Fatal(err)
	}
	d := documentOf(t, state)
	for name, c := range map[string]struct {
		given []byte
		of    func(given []byte) ([]byte, error)
	}{
		"merged":           {state, func(b []byte) ([]byte, error) { return yjs.MergeUpdates(b) }},
		"nothing merged":   {nil, func([]byte) ([]byte, error) { return yjs.MergeUpdates() }},
		"difference":       {state, func(b []byte) ([]byte, error) { return yjs.DiffUpdate(b, nil) }},
		"no difference":    {state, func(b []byte) ([]byte, error) { return yjs.DiffUpdate(b, d.StateVector()) }},
		"vector of update": {state, yjs.StateVectorFromUpdate},
		"version 2":        {state, yjs.ConvertUpdateV1ToV2},
		"version 1":        {v2, yjs.ConvertUpdateV2ToV1},
		"vector":           {nil, func([]byte) ([]byte, error) { return d.StateVector(), nil }},
		"state":            {nil, d.EncodeStateAsUpdate},
		"state, version 2": {nil, d.EncodeStateAsUpdateV2},
		"what is lacking":  {d.StateVector(), d.EncodeStateAsUpdate},
	} {
		given := bytes.Clone(c.given)
		got, err := c.of(given)
		if err != nil {
			t.Fatal(err)
		}
		want := bytes.Clone(got)
		for i := range given {
			given[i] ^= 0xff
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: changed with what was given", name)
		}
		for i := range got {
			got[i] ^= 0xff
		}
		if again, err := c.of(bytes.Clone(c.given)); !bytes.Equal(again, want) || err != nil {
			t.Errorf("%s: %x, before it was changed %x; %v", name, again, want, err)
		}
	}
	deletes, inserts := d.Deletes(), d.Inserts()
	deletes[1][0].Len, inserts[1][0].Len = 99, 99
	if d.Deletes()[1][0].Len == 99 || d.Inserts()[1][0].Len == 99 {
		t.Error("sets are the document's own")
	}
}

// TestInputIsCopied overwrites updates after they were applied.
func TestInputIsCopied(t *testing.T) {
	d := yjs.NewDocument()
	for _, u := range [][]byte{
		update(section(1, 0, root("t", "abc"), after(1, 0, "def"))),
		update(section(1, 9, after(1, 8, "xyz"))),
		update(section(1, 6, after(1, 5, "ghi"))),
	} {
		apply(t, d, u)
		for i := range u {
			u[i] = 0xff
		}
	}
	wantState(t, d, update(section(1, 0, root("t", "abc"), after(1, 0, "defghixyz"))))
	out := state(t, d)
	for i := range out {
		out[i] = 0xff
	}
	wantState(t, d, update(section(1, 0, root("t", "abc"), after(1, 0, "defghixyz"))))
}
