package content_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// wild makes updates that no client would write but every client takes: structs
// that hang on anything, belong to anything, are deleted anywhere, cut surrogate
// pairs, wait for what isn't there.
type wild struct {
	*rand.Rand
	clients []uint64
	ends    []int // what each client will have, roughly
	calm    bool  // one root text, strings only: it is about places
	keys    bool  // keys too
}

func (w *wild) update() []byte {
	ids := []uint64{0, 1, 5, 127, 128, 70_000, 1 << 32, 1<<53 - 1}
	w.Shuffle(len(ids), func(i, k int) { ids[i], ids[k] = ids[k], ids[i] })
	w.clients = ids[:2+w.IntN(4)]
	slices.Sort(w.clients)
	slices.Reverse(w.clients)
	w.calm = w.IntN(2) == 0
	w.keys = !w.calm && w.IntN(2) == 0
	counts := make([]int, len(w.clients))
	w.ends = make([]int, len(w.clients))
	for i := range counts {
		counts[i] = 1 + w.IntN(12)
		w.ends[i] = counts[i] * 3 / 2
	}
	dst := lib0.AppendVarUint(nil, uint64(len(w.clients)))
	for i, c := range w.clients {
		dst = lib0.AppendVarUint(dst, uint64(counts[i]))
		dst = lib0.AppendVarUint(dst, c)
		clock := 0
		if w.IntN(40) == 0 {
			clock = 2
		}
		dst = lib0.AppendVarUint(dst, uint64(clock))
		for range counts[i] {
			dst, clock = w.block(dst, i, clock)
		}
	}
	return w.deletes(dst)
}

func (w *wild) deletes(dst []byte) []byte {
	dst = lib0.AppendVarUint(dst, uint64(len(w.clients)))
	for i, c := range w.clients {
		dst = lib0.AppendVarUint(dst, c)
		n := w.IntN(4)
		dst = lib0.AppendVarUint(dst, uint64(n))
		for range n {
			dst = lib0.AppendVarUint(dst, uint64(w.IntN(w.ends[i]+1)))
			dst = lib0.AppendVarUint(dst, uint64(1+w.IntN(3)))
		}
	}
	return dst
}

// id returns an ID that a struct of a client at a clock may refer to, if there is
// one: the place of its client, and a clock.
func (w *wild) id(client, clock int) (id [2]int, ok bool) {
	i := w.IntN(len(w.clients))
	end := w.ends[i]
	if i == client {
		end = clock
	}
	if end == 0 {
		return id, false
	}
	at := w.IntN(end)
	if i != client && w.IntN(60) > 0 {
		at /= 2 // deadlock is dull
	}
	return [2]int{i, at}, true
}

func (w *wild) appendID(dst []byte, id [2]int) []byte {
	dst = lib0.AppendVarUint(dst, w.clients[id[0]])
	return lib0.AppendVarUint(dst, uint64(id[1]))
}

func (w *wild) block(dst []byte, client, clock int) ([]byte, int) {
	kind := byte(4)
	if !w.calm {
		kind = []byte{0, 1, 2, 3, 4, 4, 4, 4, 5, 6, 6, 7, 7, 7, 8, 8, 9, 10}[w.IntN(18)]
	}
	if kind == 10 && w.IntN(10) > 0 {
		kind = 4
	}
	if kind == 0 || kind == 10 {
		return append(dst, kind, 1), clock + 1
	}
	var links []byte
	info := kind
	origin, ok := w.id(client, clock)
	if ok && w.IntN(3) > 0 {
		links, info = w.appendID(links, origin), info|0x80
	}
	right, ok := w.id(client, clock)
	// What Yjs makes of a right origin in the same struct as the origin, but not
	// behind it, depends on how the struct was cut before.
	if ok && w.IntN(3) > 0 && (info == kind || origin[0] != right[0] || origin[1] < right[1]) {
		links, info = w.appendID(links, right), info|0x40
	}
	if info == kind {
		links, info = w.parent(client, clock, info)
	}
	dst = append(append(dst, info), links...)
	head := len(dst)
	dst, n := w.content(dst, kind)
	for info&0x20 != 0 && kind > 1 && n > 1 { // Yjs throws on them, and so they are refused
		dst, n = w.content(dst[:head], kind)
	}
	return dst, clock + n
}

func (w *wild) parent(client, clock int, info byte) ([]byte, byte) {
	var links []byte
	if id, ok := w.id(client, clock); ok && !w.calm && w.IntN(3) > 0 {
		links = w.appendID([]byte{0}, id)
	} else {
		root := "t"
		if !w.calm {
			root = []string{"t", "r", "a", "m", "x"}[w.IntN(5)]
		}
		links = lib0.AppendVarString([]byte{1}, root)
	}
	if w.keys && w.IntN(3) == 0 {
		info |= 0x20
		links = lib0.AppendVarString(links, []string{"", "a", "b", "\uffff", "😀"}[w.IntN(5)])
	}
	return links, info
}

var wildValues = []string{"undefined", "null", "1", `"s"`, `{"a":[1,-0.0,1e999]}`, "1e21", "0.000001", "1.5e-7", `"\ud83d"`, "123456789012345680000", `[null,[1,2],{}]`, `{"__proto__":1,"b":true}`}

func (w *wild) content(dst []byte, kind byte) ([]byte, int) {
	value := func() string { return wildValues[1+w.IntN(len(wildValues)-1)] }
	switch kind {
	case 1:
		n := 1 + w.IntN(3)
		if w.IntN(8) == 0 {
			n = 5000 // more clocks than a bit for each is worth
		}
		return lib0.AppendVarUint(dst, uint64(n)), n
	case 2:
		n := 1 + w.IntN(3)
		dst = append(dst, byte(n))
		for range n {
			dst = lib0.AppendVarString(dst, wildValues[w.IntN(len(wildValues))])
		}
		return dst, n
	case 3:
		return append(dst, 2, 7, 8), 1
	case 4:
		s, n := []string{"a", "xyz", "é", "😀", "a😀", "😀😀", "漢字"}[w.IntN(7)], 0
		for _, r := range s {
			n++
			if r > 0xffff {
				n++
			}
		}
		return lib0.AppendVarString(dst, s), n
	case 5:
		return lib0.AppendVarString(dst, value()), 1
	case 6:
		dst = lib0.AppendVarString(dst, []string{"b", "i", "", "\uffff", "😀"}[w.IntN(5)])
		return lib0.AppendVarString(dst, value()), 1
	case 7:
		t := byte(w.IntN(7))
		dst = append(dst, t)
		if t == 3 || t == 5 {
			dst = lib0.AppendVarString(dst, []string{"P", "ΑΣ", "İx", "Σ", "ΑΣ'Β", "ÀΣ.", "ǅ"}[w.IntN(7)])
		}
		return dst, 1
	case 8:
		n := 1 + w.IntN(3)
		dst = append(dst, byte(n))
		for range n {
			dst = w.any(dst, 0)
		}
		return dst, n
	default:
		dst = lib0.AppendVarString(dst, fmt.Sprintf("guid-%d", w.IntN(1000)))
		return append(dst, 118, 1, 4, 'm', 'e', 't', 'a', 125, 5), 1
	}
}

func (w *wild) any(dst []byte, depth int) []byte {
	switch w.IntN(12) {
	case 0:
		return append(dst, 127)
	case 1:
		return append(dst, 126)
	case 2:
		return append(dst, 120)
	case 3:
		return lib0.AppendVarInt(append(dst, 125), uint64(w.IntN(1<<20)), w.IntN(2) == 0)
	case 4:
		return append(dst, 125, 0x40) // -0
	case 5:
		return append(dst, 124, 0x3f, byte(w.IntN(256)), 0, 0)
	case 6:
		return append(dst, 123, byte(w.IntN(256)), byte(w.IntN(256)), 1, 2, 3, 4, 5, byte(w.IntN(256)))
	case 7:
		return append(dst, 122, byte(w.IntN(256)), 1, 2, 3, 4, 5, 6, 7)
	case 8:
		return append(dst, 116, 2, 1, 255)
	case 9:
		return lib0.AppendVarString(append(dst, 119), "s😀\n")
	case 10:
		n := w.IntN(3)
		dst = append(dst, 117, byte(n))
		for range n {
			dst = w.any(dst, depth+1)
		}
		return dst
	default:
		n := w.IntN(3)
		dst = append(dst, 118, byte(n))
		for range n {
			if w.IntN(5) == 0 {
				// With an object as its value Yjs throws, or works on with a prototype.
				dst = append(lib0.AppendVarString(dst, "__proto__"), 125, 1)
				continue
			}
			dst = lib0.AppendVarString(dst, []string{"k", "z", "\uffff", "😀"}[w.IntN(4)])
			dst = w.any(dst, depth+1)
		}
		return dst
	}
}

// TestWild reads updates that no client would write.
func TestWild(t *testing.T) {
	first := difftest.FromEnv(t, "YJS_SEED", 1)
	numbered(t, difftest.FromEnv(t, "YJS_WILD", defaultWild), func(t *testing.T, o *difftest.Oracle, from, to int) int {
		var documents []document
		for i := from; i < to; i++ {
			w := wild{Rand: rand.New(rand.NewPCG(uint64(first+i), 1))}
			update := w.update()
			if i%5 == 4 {
				update, w.keys = w.knot(), false
			}
			if err := yjs.ValidateUpdate(update); err != nil {
				t.Fatalf("seed %d: %v", first+i, err)
			}
			// What Yjs takes for deleted of several values that one struct gives a key
			// depends on when it was cut.
			documents = append(documents, document{update, [][]root{natural, odd[i%len(odd)]}, w.keys})
		}
		return compare(t, o, documents, func(i int) string { return fmt.Sprintf("seed %d", first+from+i) })
	})
}
