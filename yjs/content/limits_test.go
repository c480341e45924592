package content_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// nest is n arrays of client 1, each in the one before it; with a delete, the
// outermost is deleted.
func nest(n int, deleted bool) []byte {
	dst := lib0.AppendVarUint([]byte{1}, uint64(n))
	dst = append(dst, 1, 0)
	for i := range n {
		if i == 0 {
			dst = append(dst, 7, 1, 1, 'a', 0)
		} else {
			dst = append(dst, 7, 0, 1)
			dst = append(lib0.AppendVarUint(dst, uint64(i-1)), 0)
		}
	}
	if deleted {
		return append(dst, 1, 1, 1, 0, 1)
	}
	return append(dst, 0)
}

func TestNesting(t *testing.T) {
	v, err := content.Read(nest(content.MaxNesting, false))
	if err != nil {
		t.Fatal(err)
	}
	depth := 0
	for list := v.Array("a").JSON(); len(list) > 0; list = list[0].([]any) {
		depth++
	}
	if depth != content.MaxNesting {
		t.Errorf("%d levels", depth)
	}
	if _, err := content.Read(nest(content.MaxNesting+1, false)); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("one level too many: %v", err)
	}
	if _, err := content.Read(nest(1_000_000, false)); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("a million levels: %v", err)
	}
	if v, err := content.Read(nest(1_000_000, true)); err != nil || v.Array("a").Len() != 0 {
		t.Errorf("a million levels, deleted: %v", err)
	}
}

// tangle puts a struct between two units of another one that it doesn't hang on,
// and behind that a pair in the slow order: see reversed.
func tangle(n int) []byte {
	pair := reversed(n)
	dst := []byte{4, 1}
	dst = lib0.AppendVarUint(dst, 10_000)
	dst = append(dst, 0, 0x44)
	dst = lib0.AppendVarUint(dst, 9_999)
	dst = append(dst, 1, 1, 'y', 1)
	dst = lib0.AppendVarUint(dst, 9_999)
	dst = append(dst, 0, 4, 1, 1, 't', 2, 'a', 'b')
	return append(dst, pair[1:]...)
}

func TestTooManyConflicts(t *testing.T) {
	if v, err := content.Read(tangle(1000)); err != nil || v.Text("t").Len() != 2004 {
		t.Errorf("a tangled list: %v", err)
	}
	if _, err := content.Read(tangle(20_000)); !errors.Is(err, yjs.ErrLimit) {
		t.Errorf("a large one: %v", err)
	}
}

// TestTangledElsewhere reads a pair in the slow order that hangs on the last letter
// of a text that is tangled at its beginning. Walking over them would be 40 000 ×
// 40 000 comparisons, which is refused.
func TestTangledElsewhere(t *testing.T) {
	const n = 40_000
	begin := tangle(1)
	letters := func(dst []byte, client uint64, first int) []byte {
		dst = append(lib0.AppendVarUint(append(dst, 0x84), 9_999), 1, 1, 'x')
		for i := range n - 1 {
			dst = append(lib0.AppendVarUint(append(dst, 0xc4), 9_999), 1)
			dst = lib0.AppendVarUint(lib0.AppendVarUint(dst, client), uint64(first+i))
			dst = append(dst, 1, 'x')
		}
		return dst
	}
	dst := lib0.AppendVarUint([]byte{6}, n+1)
	dst = append(lib0.AppendVarUint(dst, 7_000), 0)
	dst = lib0.AppendVarUint(lib0.AppendVarUint(append(dst, 0x84), 6_000), n-1)
	dst = letters(append(dst, 1, 'z'), 7_000, 1)
	dst = append(lib0.AppendVarUint(lib0.AppendVarUint(dst, n), 6_000), 0)
	dst = letters(dst, 6_000, 0)
	v, err := content.Read(append(dst, begin[1:]...))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Text("t").Len(); got != 2*n+7 {
		t.Errorf("%d letters, want %d", got, 2*n+7)
	}
}

// TestCrowds compares the index of siblings with walking over them, where there are
// many.
func TestCrowds(t *testing.T) {
	for seed := range uint64(difftest.FromEnv(t, "YJS_CROWDS", 300)) {
		w := wild{Rand: rand.New(rand.NewPCG(seed, 2)), calm: true}
		update := w.crowd()
		var texts []string
		for _, crowd := range []int{content.WalkAll, 1 << 30, 0, 7} {
			v, err := content.ReadCrowded(update, crowd)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, v.Text("t").String())
		}
		for _, text := range texts[1:] {
			if text != texts[0] {
				t.Fatalf("seed %d: walked %s\nnot walked %s", seed, clip(texts[0]), clip(text))
			}
		}
	}
}

// crowd makes clients that write a hundred structs each, mostly at a few places.
// Each struct reads differently.
func (w *wild) crowd() []byte {
	n := 2 + w.IntN(5)
	dst := lib0.AppendVarUint(nil, uint64(n))
	const structs = 100
	for i := range n {
		dst = lib0.AppendVarUint(dst, structs)
		dst = lib0.AppendVarUint(dst, uint64(100-i))
		dst = append(dst, 0)
		for k := range structs {
			dst = w.crowded(dst, n, i, k)
			dst = lib0.AppendVarString(dst, fmt.Sprintf("%c", 0x1000+i*structs+k))
		}
	}
	return append(dst, 0)
}

// crowded appends the head of struct k of client i.
func (w *wild) crowded(dst []byte, n, i, k int) []byte {
	id := func(dst []byte, client, clock int) []byte {
		return lib0.AppendVarUint(lib0.AppendVarUint(dst, uint64(100-client)), uint64(clock))
	}
	other := w.IntN(n)
	switch roll := w.IntN(20); {
	case k == 0 && i > 0 && roll < 10: // wait for all of a lower client
		return id(append(dst, 0x84), i-1, 99)
	case k == 0:
		return append(dst, 4, 1, 1, 't')
	case roll < 9:
		return id(append(dst, 0x44), i, k-1)
	case roll < 14:
		return id(id(append(dst, 0xc4), i, 0), i, k-1)
	case roll < 17:
		return id(append(dst, 0x84), i, w.IntN(k))
	case roll < 18 && other != i:
		return id(id(append(dst, 0xc4), i, 0), other, 0)
	default:
		return append(dst, 4, 1, 1, 't')
	}
}

func TestRefused(t *testing.T) {
	for name, update := range map[string][]byte{
		"nothing":      {},
		"truncated":    {1, 1, 1},
		"trailing":     {0, 0, 0},
		"two sections": {2, 1, 5, 0, 4, 1, 1, 't', 1, 'a', 1, 5, 0, 4, 1, 1, 't', 1, 'a', 0},
	} {
		if _, err := content.Read(update); !errors.Is(err, yjs.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDeletesInAnyOrder reads a delete set that isn't as Yjs writes it.
func TestDeletesInAnyOrder(t *testing.T) {
	update := append([]byte{1, 1, 5, 0, 4, 1, 1, 't', 9}, "abcdefghi"...)
	update = append(update, 3, 5, 2, 4, 2, 1, 2, 7, 1, 0, 1, 5, 2, 4, 1, 8, 1)
	v, err := content.Read(update)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Text("t").String(); got != "adgh" {
		t.Errorf("%q", got)
	}
}

// TestOrderOfNames writes attributes in the order of JavaScript's sort.
func TestOrderOfNames(t *testing.T) {
	v := empty(t)
	e := begin(t, v)
	attributes := map[string]any{"\uffff": "1", "😀": "2", "\ud7ff": "3", "z": "4", "": "5"}
	if err := v.XMLFragment("x").Insert(e, 0, content.NewXMLElement{Name: "Ä", Attributes: attributes}); err != nil {
		t.Fatal(err)
	}
	want := "<ä =\"5\" z=\"4\" \ud7ff=\"3\" 😀=\"2\" \uffff=\"1\"></ä>"
	if got := v.XMLFragment("x").String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func FuzzRead(f *testing.F) {
	for seed := range uint64(50) {
		w := wild{Rand: rand.New(rand.NewPCG(seed, 1))}
		f.Add(w.update())
	}
	f.Add(nest(5, false))
	f.Add(tangle(3))
	f.Fuzz(func(t *testing.T, update []byte) {
		before := bytes.Clone(update)
		wantAllocated(t, "", update, func() { _, _ = content.Read(update) })
		v, err := content.Read(update)
		if (err == nil) != (yjs.ValidateUpdate(update) == nil) && !errors.Is(err, yjs.ErrLimit) && !errors.Is(err, yjs.ErrMalformed) {
			t.Fatal(err)
		}
		if err != nil {
			return
		}
		readings(v)
		if !bytes.Equal(before, update) {
			t.Fatal("reading has changed the update")
		}
	})
}
