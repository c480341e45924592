package yjs_test

import (
	"encoding/base64"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

func decode(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encode(t *testing.T, d *yjs.Document, vector []byte) []byte {
	t.Helper()
	b, err := d.EncodeStateAsUpdate(vector)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSmall(t *testing.T) {
	for _, updates := range [][]string{
		{"AQHDAQAEAQF0Bgk8Yj4mIgA=", "AAHDAQEEAg=="},
		{"AQFlAAQBAXQFaGVsbG8A", "AQHKAQDEZQFlAgJYWQA="},
		{"AQFlAAQBAXQCYWIA", "AQFlAsRlAGUBAnh5AA==", "AQHKAQDEZQBlAQFxAA==", "AQGvAgDEZQJlAwF3AA==", "AQHKAQHEZQBlAgFlAA==", "AQFlBERlAAEwAA=="},
	} {
		d := yjs.NewDocument()
		for _, u := range updates {
			b := decode(t, u)
			if d.Contains(b) {
				t.Errorf("contains %s before", u)
			}
			if err := d.ApplyUpdate(b); err != nil {
				t.Fatal(err)
			}
			if !d.Contains(b) {
				t.Errorf("doesn't contain %s after", u)
			}
		}
		state := encode(t, d, nil)
		t.Logf("% x | % x", state, d.StateVector())
		again := yjs.NewDocument()
		if err := again.ApplyUpdate(state); err != nil {
			t.Fatal(err)
		}
		if got := encode(t, again, nil); string(got) != string(state) {
			t.Errorf("re-encoded % x, want % x", got, state)
		}
		if d.Size() != len(state) {
			t.Errorf("Size %d, want %d", d.Size(), len(state))
		}
	}
}
