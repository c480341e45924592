package content_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// TestCompact collects a map in an array: what is in it, at once or later, is gone,
// and so is an overwritten value.
func TestCompact(t *testing.T) {
	d := yjs.NewDocument()
	apply := func(u ...byte) {
		t.Helper()
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	want := func(want ...byte) {
		t.Helper()
		freed := d.Size()
		got, err := content.Compact(d)
		if err != nil {
			t.Fatal(err)
		}
		if freed -= d.Size(); got != freed {
			t.Errorf("freed %d, says %d", freed, got)
		}
		if state, err := d.EncodeStateAsUpdate(nil); err != nil || !bytes.Equal(state, want) {
			t.Errorf("state\n got %x, %v\nwant %x", state, err, want)
		}
	}
	// An array with a map with k = 1, then k = "two".
	apply(1, 3, 1, 0, 7, 1, 1, 'a', 1, 0x28, 0, 1, 0, 1, 'k', 1, 125, 1, 0xa8, 1, 1, 1, 119, 3, 't', 'w', 'o', 0)
	want(1, 3, 1, 0, 7, 1, 1, 'a', 1, 0x21, 0, 1, 0, 1, 'k', 1, 0xa8, 1, 1, 1, 119, 3, 't', 'w', 'o', 1, 1, 1, 1, 1)
	// The map is deleted by who knows nothing of its values.
	apply(0, 1, 1, 1, 0, 1)
	want(1, 2, 1, 0, 1, 1, 1, 'a', 1, 0, 2, 1, 1, 1, 0, 3)
	// Another client has set a key meanwhile.
	apply(1, 1, 2, 0, 0x28, 0, 1, 0, 1, 'j', 1, 126, 0)
	want(2, 1, 2, 0, 0, 1, 2, 1, 0, 1, 1, 1, 'a', 1, 0, 2, 2, 2, 1, 0, 1, 1, 1, 0, 3)
}

// TestCompactLists joins what was pushed one by one; values of a key stay apart,
// also if only the first one says that it has a key, as in what yjs has merged.
func TestCompactLists(t *testing.T) {
	d := yjs.NewDocument()
	pushed := []byte{1, 4, 1, 0, 8, 1, 1, 'a', 1, 125, 1, 0x88, 1, 0, 1, 125, 2, 0x88, 1, 1, 2, 125, 3, 125, 4, 0x88, 1, 3, 1, 126, 1, 1, 1, 3, 1}
	set := []byte{1, 3, 2, 0, 0x28, 1, 1, 'm', 1, 'k', 1, 125, 1, 0x88, 2, 0, 1, 125, 2, 0x88, 2, 1, 1, 125, 3, 0}
	for _, u := range [][]byte{pushed, set} {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := content.Compact(d); err != nil {
		t.Fatal(err)
	}
	want := []byte{
		2, 2, 2, 0, 0x21, 1, 1, 'm', 1, 'k', 2, 0x88, 2, 1, 1, 125, 3,
		3, 1, 0, 8, 1, 1, 'a', 3, 125, 1, 125, 2, 125, 3, 0x81, 1, 2, 1, 0x88, 1, 3, 1, 126,
		2, 2, 1, 0, 2, 1, 1, 3, 1,
	}
	if got, err := d.EncodeStateAsUpdate(nil); err != nil || !bytes.Equal(got, want) {
		t.Errorf("state\n got %x, %v\nwant %x", got, err, want)
	}
}

func TestCompactRefused(t *testing.T) {
	d := yjs.NewDocument()
	if err := d.Load(nest(content.MaxNesting+1, false)); err != nil {
		t.Fatal(err)
	}
	size := d.Size()
	if _, err := content.Compact(d); !errors.Is(err, yjs.ErrLimit) || d.Size() != size {
		t.Errorf("%v, %d bytes, had %d", err, d.Size(), size)
	}
}
