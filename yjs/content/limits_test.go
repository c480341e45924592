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

// TestTangled reads lists that walking over takes quadratic time. In a binary tree
// over 160 000 nodes a path has 17 steps or a few more.
func TestTangled(t *testing.T) {
	const stepsPerNode = 250
	w := wild{Rand: rand.New(rand.NewPCG(1, 3))}
	for name, update := range map[string][]byte{
		"1 000": tangle(1000), "80 000": tangle(80_000),
		"few places": w.knotOf(4, 10_000, 3), "more": w.knotOf(20, 2000, 300), "many": w.knotOf(3, 20_000, 20_000),
		"chain": chain(40_000),
	} {
		steps, nodes, err := content.Steps(update)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d steps for %d nodes", name, steps, nodes)
		if steps > stepsPerNode*nodes {
			t.Errorf("%s: %d steps for %d nodes", name, steps, nodes)
		}
	}
	v, err := content.Read(tangle(20_000))
	if err != nil {
		t.Fatal(err)
	}
	if got := v.Text("t").Len(); got != 40_004 {
		t.Errorf("%d letters, want 40 004", got)
	}
}

// chain makes a client type n letters, each a struct that hangs on the one before, and
// a higher one put one behind each, from left to right: all that hangs on the letter is
// passed each time.
func chain(n int) []byte {
	dst := lib0.AppendVarUint([]byte{2}, uint64(n+1))
	dst = append(dst, 2, 0)
	for i := range n + 1 {
		if i--; i < 0 {
			i = n // so all letters are there first
		}
		dst = lib0.AppendVarUint(append(dst, 0x84, 1), uint64(i))
		dst = append(dst, 1, 'y')
	}
	dst = lib0.AppendVarUint(dst, uint64(n+1))
	dst = append(dst, 1, 0, 4, 1, 1, 't', 1, 'x')
	for i := range n {
		dst = lib0.AppendVarUint(append(dst, 0x84, 1), uint64(i))
		dst = append(dst, 1, 'x')
	}
	return append(dst, 0)
}

// TestTangledElsewhere reads a pair in the slow order that hangs on the last letter
// of a text that is tangled at its beginning. Walking over them would be 40 000 ×
// 40 000 comparisons.
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

// TestCrowds compares all ways to resolve conflicts with walking, where there are
// many and where they are tangled.
func TestCrowds(t *testing.T) {
	for seed := range uint64(difftest.FromEnv(t, "YJS_CROWDS", 300)) {
		w := wild{Rand: rand.New(rand.NewPCG(seed, 2)), calm: true}
		for name, update := range map[string][]byte{"crowd": w.crowd(), "knot": w.knot()} {
			var texts []string
			for _, crowd := range []int{content.WalkAll, content.PlantAll, content.PlantAll - w.IntN(300), 1 << 30, 0, 7} {
				v, err := content.ReadCrowded(update, crowd)
				if err != nil {
					t.Fatal(err)
				}
				texts = append(texts, v.Text("t").String())
			}
			for _, text := range texts[1:] {
				if text != texts[0] {
					t.Fatalf("seed %d, %s: walked %s\nnot walked %s", seed, name, clip(texts[0]), clip(text))
				}
			}
		}
	}
}

// knot makes clients whose structs hang on anything that was there before, mostly on
// a few places. Each reads differently.
func (w *wild) knot() []byte { return w.knotOf(1+w.IntN(5), 3+w.IntN(40), 1+w.IntN(40)) }

// knotOf is knot with so many clients, structs of each, and places.
func (w *wild) knotOf(n, structs, near int) []byte {
	bodies := make([][]byte, n)
	heads := [][]byte{{4, 1, 1, 't'}}
	for k := range n * structs {
		id := func(dst []byte) []byte { // of one of those before
			at := w.IntN(k)
			if w.IntN(3) > 0 {
				at = w.IntN(min(k, near))
			}
			return lib0.AppendVarUint(lib0.AppendVarUint(dst, uint64(100-at%n)), uint64(at/n))
		}
		var head []byte
		switch roll := w.IntN(10); {
		case k == 0 || roll < 3:
			head = heads[w.IntN(len(heads))]
		case roll < 4:
			head = id([]byte{0x84})
		case roll < 6:
			head = id([]byte{0x44})
		default:
			head = id(id([]byte{0xc4}))
		}
		heads = append(heads, head)
		bodies[k%n] = append(bodies[k%n], head...)
		bodies[k%n] = lib0.AppendVarString(bodies[k%n], fmt.Sprintf("%c", 0x1000+k))
	}
	dst := lib0.AppendVarUint(nil, uint64(n))
	for i, body := range bodies {
		dst = lib0.AppendVarUint(lib0.AppendVarUint(dst, uint64(structs)), uint64(100-i))
		dst = append(append(dst, 0), body...)
	}
	return append(dst, 0)
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
