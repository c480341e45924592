package yjs_test

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
)

// hostileTypes are updates of n types in each way in which to know how deep they nest
// could cost most: they hang on what nobody has sent, or come in an order that a list
// has no room for.
func hostileTypes(n uint64) map[string][][]byte {
	one := func(structs func(i uint64) []byte) [][]byte {
		all := make([][]byte, n)
		for i := range n {
			all[i] = structs(i)
		}
		return [][]byte{update(section(130, 0, all...))}
	}
	chained := func(length uint64) [][]byte {
		return one(func(i uint64) []byte {
			if i%length == 0 {
				return beside(1, i)
			}
			return beside(130, i-1)
		})
	}
	perm := rand.New(rand.NewPCG(1, 2)).Perm(int(n))
	small := cat([]byte{7, 1, 0, 0})
	var singly, waiting, crowd, spread [][]byte
	letters := [][]byte{root("t", "a")}
	for i := range n {
		singly = append(singly, update(section(130, 2*(n-i), small)))
		waiting = append(waiting, update(section(130, n-i, beside(1, n-i))))
		crowd = append(crowd, section(2*n-i, 0, beside(1, i)))
		spread = append(spread, beside(1, i), skip(1))
		letters = append(letters, cat([]byte{0x44}, id(1, i), str("a")))
	}
	return map[string][][]byte{
		"in a root":             one(func(uint64) []byte { return small }),
		"beside":                one(func(i uint64) []byte { return beside(1, 2*i) }),
		"inside":                one(func(i uint64) []byte { return in(1, 2*i) }),
		"beside one unit":       one(func(uint64) []byte { return beside(1, 2) }),
		"few bytes each":        one(func(i uint64) []byte { return beside(i>>7%128, i%128) }),
		"backwards":             one(func(i uint64) []byte { return beside(1, n-i) }),
		"in any order":          one(func(i uint64) []byte { return beside(1, uint64(perm[i])) }),
		"beside a crowd":        one(func(i uint64) []byte { return beside(i+131, 0) }),
		"beside any of a crowd": one(func(i uint64) []byte { return beside(uint64(perm[i])+131, 0) }),
		"one after the other":   chained(n),
		"in twenties":           chained(20),
		"in forties":            chained(40),
		"of a crowd":            {update(crowd...)},
		"behind gaps":           {update(section(130, 5, spread[:2*n-1]...))},
		"before a last":         {update(section(130, n, small)), update(section(130, 0, slices.Repeat([][]byte{small}, int(n))...))},
		"from behind":           singly,
		"waiting, from behind":  waiting,
		"all over letters":      {update(section(1, 0, letters...)), one(func(i uint64) []byte { return beside(1, i) })[0]},
	}
}

// TestHeldByTypes bounds what types cost while they are read and afterwards, for each
// byte of the updates and for each client, and that Memory knows of it.
func TestHeldByTypes(t *testing.T) {
	for name, updates := range hostileTypes(6000) {
		d := yjs.NewDocument()
		allocated := cost.Least(func() {
			d = yjs.NewDocument()
			apply(t, d, updates...)
		})
		with, told, clients := cost.Heap(), float64(d.Memory()), float64(d.Clients())
		runtime.KeepAlive(d)
		d = nil
		held := float64(with - cost.Heap())
		given := float64(len(slices.Concat(updates...)))
		t.Logf("%s: %.1f bytes held for each of %.0f, %.1f allocated; told %.0f %%", name, held/given, given, float64(allocated)/given, 100*told/held)
		if held > 10*given+350*clients {
			t.Errorf("%s: %.0f bytes held for %.0f", name, held, given)
		}
		if float64(allocated) > 11*given+500*clients+8192+400*float64(len(updates)) {
			t.Errorf("%s: %d bytes allocated for %.0f", name, allocated, given)
		}
		// Pointers are half as long on some machines, and Memory tells of the others.
		if told < 0.6*held || told > 1.6*held*64/strconv.IntSize {
			t.Errorf("%s: Memory is %.0f, and %.0f bytes are held", name, told, held)
		}
	}
}
