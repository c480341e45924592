package yjs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// seeds are updates of every kind of content.
func seeds() [][]byte {
	return [][]byte{
		update(),
		update(section(1, 0, root("t", "a😀b"), after(1, 3, "cd"))),
		update(section(9, 0, after(1, 2, "x"), gc(3), skip(2), cat([]byte{0xc1}, id(9, 5), id(1, 0), num(4)))),
		cat([]byte{1}, section(2, 0, entry("m", "k", 8, 2, 125, 5, 118, 1, 1, 'a', 126), cat([]byte{0xa8}, id(2, 1), num(1), []byte{127})), []byte{1, 2, 1, 0, 2}),
		update(section(4, 0, cat([]byte{7, 1}, str("x"), num(3), str("p")), cat([]byte{6, 0}, id(4, 0), str("bold"), str("true")), cat([]byte{5, 0}, id(4, 0), str(`{"a":[1,null]}`)))),
		update(section(3, 0, cat([]byte{9, 1}, str("d"), str("guid"), []byte{118, 0}), cat([]byte{3, 1}, str("b"), str("\xff")), cat([]byte{2, 1}, str("j"), num(2), str("undefined"), str("1")))),
		removal(7, 0, 3, 9, 1),
	}
}

func FuzzApply(f *testing.F) {
	for i, s := range seeds() {
		f.Add(s, seeds()[(i+1)%len(seeds())])
	}
	for _, s := range shapes {
		if list := s.updates(yjs.MaxNesting + 1); len(list) < 3 {
			f.Add(list[0], list[len(list)-1])
		}
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		wantAllocated(t, first)
		d := yjs.NewDocument()
		errFirst := d.ApplyUpdate(first)
		// How deep types nest is for the document to find out.
		if (errFirst == nil) != (yjs.ValidateUpdate(first) == nil) && !tooNested(errFirst) {
			t.Errorf("ApplyUpdate: %v, ValidateUpdate: %v", errFirst, yjs.ValidateUpdate(first))
		}
		before := state(t, d)
		contained := d.Contains(second)
		err := d.ApplyUpdate(second)
		if err != nil && !errors.Is(err, yjs.ErrMalformed) && !errors.Is(err, yjs.ErrLimit) && !errors.Is(err, yjs.ErrConflict) {
			t.Errorf("error of no kind: %v", err)
		}
		now := state(t, d)
		if changed := !bytes.Equal(before, now); err == nil && changed == contained || err != nil && (changed || contained) {
			t.Errorf("error %v, contained %v, changed %v", err, contained, changed)
		}
		if d.Pending().Structs == 0 && d.Size() != len(now) {
			t.Errorf("Size %d, state %d", d.Size(), len(now))
		}
		again := yjs.NewDocument()
		if err := again.Load(now); err != nil {
			t.Fatalf("own state %x is refused: %v", now, err)
		}
		wantState(t, again, now)
		if !again.Contains(second) && err == nil {
			t.Error("what was applied isn't contained after a reload")
		}
	})
}

// wantAllocated bounds what applying an update allocates: a client takes about 200
// bytes however little it has, and a section or a list of deletes at least four bytes
// of input.
func wantAllocated(t *testing.T, update []byte) {
	t.Helper()
	if got, want := allocated(update), uint64(8*len(update)+200*len(update)/4+4096); got > want {
		t.Errorf("%d bytes allocated for %d, want at most %d", got, len(update), want)
	}
}

// TestAllocatedByManyClients gives a document crowds of clients that have next to
// nothing each: something that is deleted, or collected, or both.
func TestAllocatedByManyClients(t *testing.T) {
	for _, n := range []uint64{8, 9, 10, 33, 100, 500, 1000, 10_000, 100_000} {
		var sections [][]byte
		deletes, others := num(n), num(n)
		for client := n; client > 0; client-- {
			sections = append(sections, section(client, 0, gc(1)))
			deletes = append(deletes, cat(num(client), []byte{1, 0, 1})...)
			others = append(others, cat(num(n+client), []byte{1, 0, 1})...)
		}
		collected := update(sections...)
		all := collected[:len(collected)-1]
		for _, u := range [][]byte{collected, cat([]byte{0}, deletes), cat(all, deletes), cat(all, others)} {
			wantAllocated(t, u)
		}
	}
}

// allocated returns how many bytes applying an update allocates.
func allocated(update []byte) uint64 {
	return cost.Least(func() { _ = yjs.NewDocument().ApplyUpdate(update) })
}

func tooNested(err error) bool {
	return err != nil && strings.Contains(err.Error(), "types nested deeper")
}

func FuzzVector(f *testing.F) {
	f.Add([]byte{0})
	f.Add(cat(num(2), id(9, 1), id(1, 2)))
	f.Add(cat(num(2), id(1, 2), id(9, 1)))
	d := yjs.NewDocument()
	for _, s := range seeds() {
		if err := d.ApplyUpdate(s); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, vector []byte) {
		diff, err := d.EncodeStateAsUpdate(vector)
		if err != nil {
			if !errors.Is(err, yjs.ErrMalformed) {
				t.Errorf("error of the wrong kind: %v", err)
			}
			return
		}
		if err := yjs.ValidateUpdate(diff); err != nil {
			t.Errorf("difference %x is invalid: %v", diff, err)
		}
		if !d.Contains(diff) {
			t.Errorf("difference %x has something new", diff)
		}
	})
}

// FuzzJSON compares the check of JSON text with the standard library's.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{"", "1", "-0.5e+9", `"\ud800"`, `{"a":[1,null,{}]}`, "[1,]", "01", " [ ] ", `{"a"}`, "\ufeff1", strings.Repeat("[", 99) + strings.Repeat("]", 99)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u := update(section(1, 0, cat([]byte{5, 1}, str("t"), str(s))))
		err := yjs.ValidateUpdate(u)
		if errors.Is(err, yjs.ErrLimit) {
			return
		}
		if want := utf8.ValidString(s) && json.Valid([]byte(s)); (err == nil) != want {
			t.Errorf("%q: %v, want valid: %v", s, err, want)
		}
	})
}

func FuzzV2(f *testing.F) {
	for _, s := range seeds() {
		v2, err := yjs.ConvertUpdateV1ToV2(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(v2)
	}
	f.Fuzz(func(t *testing.T, v2 []byte) {
		v1, err := yjs.ConvertUpdateV2ToV1(v2)
		// What is made of version 2 is 64 times as long at most, and doubles as it
		// grows; the rest is as for version 1, see wantAllocated.
		most := 4*64*len(v2) + (8+200/4)*len(v1) + 1<<19
		if got := cost.Least(func() { _ = yjs.NewDocument().ApplyUpdateV2(v2) }); got > uint64(most) {
			t.Errorf("%d bytes allocated for %d, which are %d in version 1", got, len(v2), len(v1))
		}
		if err != nil {
			if !errors.Is(err, yjs.ErrMalformed) && !errors.Is(err, yjs.ErrLimit) {
				t.Errorf("error of no kind: %v", err)
			}
			d := yjs.NewDocument()
			if d.ApplyUpdateV2(v2) == nil || d.LoadV2(v2) == nil {
				t.Errorf("accepted, though not converted: %v", err)
			}
			wantState(t, d, []byte{0, 0})
			return
		}
		if len(v1) > 65*len(v2)+1<<17 {
			t.Errorf("%d bytes out of %d", len(v1), len(v2))
		}
		if err := yjs.NewDocument().Load(v1); err != nil && !errors.Is(err, yjs.ErrConflict) {
			t.Errorf("made %x, which is refused: %v", v1, err)
		}
		d, same := yjs.NewDocument(), yjs.NewDocument()
		if err, want := d.ApplyUpdateV2(v2), same.ApplyUpdate(v1); (err == nil) != (want == nil) {
			t.Errorf("applied: %v, as version 1: %v", err, want)
		}
		wantState(t, d, state(t, same))
		again, err := yjs.ConvertUpdateV1ToV2(v1)
		if err != nil {
			t.Fatalf("%x can't go back: %v", v1, err)
		}
		if back, err := yjs.ConvertUpdateV2ToV1(again); err != nil || !yjs.IsEmptyUpdate(v1) && len(back) == 0 {
			t.Errorf("%x there and back: %x, %v", v1, back, err)
		}
	})
}

// FuzzMerge works with two updates without a document, and with one.
func FuzzMerge(f *testing.F) {
	for i, s := range seeds() {
		f.Add(s, seeds()[(i+2)%len(seeds())], cat(num(1), id(1, 2)))
	}
	f.Fuzz(func(t *testing.T, first, second, vector []byte) {
		merged, err := yjs.MergeUpdates(first, second)
		d := yjs.NewDocument()
		loaded := errors.Join(d.Load(first), d.Load(second))
		if (err == nil) != (loaded == nil) {
			t.Fatalf("merged: %v, loaded: %v", err, loaded)
		}
		if err != nil {
			return
		}
		wantState(t, d, merged)
		if again, err := yjs.MergeUpdates(merged); err != nil || !bytes.Equal(again, merged) {
			t.Errorf("%x merged again: %x, %v", merged, again, err)
		}
		if got, err := yjs.StateVectorFromUpdate(merged); err != nil || !bytes.Equal(got, d.StateVector()) {
			t.Errorf("vector %x, %v, want %x", got, err, d.StateVector())
		}
		diff, err := yjs.DiffUpdate(merged, vector)
		want, refused := d.EncodeStateAsUpdate(vector)
		if (err == nil) != (refused == nil) || err == nil && !bytes.Equal(diff, want) {
			t.Errorf("difference %x, %v, of the document %x, %v", diff, err, want, refused)
		}
		inserts, deletes, err := yjs.IDsOfUpdate(merged)
		if err != nil || !reflect.DeepEqual(inserts, d.Inserts()) || !reflect.DeepEqual(deletes, d.Deletes()) {
			t.Errorf("units %v, %v, %v, of the document %v, %v", inserts, deletes, err, d.Inserts(), d.Deletes())
		}
	})
}
