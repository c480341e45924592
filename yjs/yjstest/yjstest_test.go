package yjstest_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// TestText compares the sequence with a plain string.
func TestText(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var edits []yjstest.Edit
	text := ""
	for range 5000 {
		at := rnd.IntN(len(text) + 1)
		e := yjstest.Edit{Position: at, Deleted: rnd.IntN(min(4, len(text)-at) + 1)}
		if rnd.IntN(3) > 0 {
			e.Inserted = "abcdef"[:1+rnd.IntN(5)]
		}
		text = text[:at] + e.Inserted + text[at+e.Deleted:]
		edits = append(edits, e)
	}
	if got := yjstest.Text(edits); got != text {
		t.Errorf("text of %d bytes, want %d", len(got), len(text))
	}
}

func TestPaper(t *testing.T) {
	edits := yjstest.Paper(20_000)
	if len(edits) != 20_000 {
		t.Fatalf("%d edits", len(edits))
	}
	typed, deleted, jumps, at := 0, 0, 0, 0
	for _, e := range edits {
		typed += len(e.Inserted)
		deleted += e.Deleted
		if e.Position != at && e.Position+e.Deleted != at {
			jumps++
		}
		at = e.Position + len(e.Inserted)
	}
	if share := float64(deleted) / float64(len(edits)); share < 0.2 || share > 0.4 {
		t.Errorf("%.2f of the edits delete, want about 0.3", share)
	}
	if jumps < 200 || jumps > 800 {
		t.Errorf("%d jumps, want about 400", jumps)
	}
	if got := len(yjstest.Text(edits)); got != typed-deleted {
		t.Errorf("text of %d, typed %d and deleted %d", got, typed, deleted)
	}
	d := yjs.NewDocument()
	for _, u := range yjstest.Updates(7, "text", edits) {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	if p := d.Pending(); p.Structs > 0 {
		t.Errorf("pending %+v", p)
	}
}

// TestBook checks that a book is canonical, and that it reads as it was written.
func TestBook(t *testing.T) {
	state, text, structs := yjstest.Book(20, 500)
	if perEach := len(state) / structs; perEach < 20 || perEach > 35 {
		t.Errorf("%d bytes a struct, want about 28", perEach)
	}
	d := yjs.NewDocument()
	if err := d.ApplyUpdate(state); err != nil {
		t.Fatal(err)
	}
	if p := d.Pending(); p.Structs > 0 {
		t.Errorf("pending %+v", p)
	}
	if again, err := d.EncodeStateAsUpdate(nil); err != nil || !bytes.Equal(again, state) {
		t.Errorf("%d bytes became %d, %v: some structs can be joined", len(state), len(again), err)
	}
	view, err := content.Read(state)
	if err != nil {
		t.Fatal(err)
	}
	if got := view.Text("t").String(); got != text {
		t.Errorf("reads as %d bytes, want %d", len(got), len(text))
	}
}
