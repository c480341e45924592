package difftest

import (
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

// Yjs throws on a struct that begins where it holds something, goes on right behind a
// GC struct, and yet belongs to a type that is alive: it cuts off what it has, and
// asks the GC struct for its right neighbour. Nobody honest sends that, since what is
// collected belonged to a type that is gone, with all in it. The engine takes it: it
// can't tell without following what the struct hangs on, it can't refuse an author
// whose other half was collected, and nobody is shut out. Whoever was there when it
// came lacks what its author sent then, and gets it with the next answer to his
// vector, which begins where he ends.
const tripped = "Cannot read properties of undefined (reading 'origin')"

// trips reports whether that is why yjs refuses a last update, and nothing else.
func trips(t *testing.T, o *Oracle, before, update []byte, why string) bool {
	t.Helper()
	if !strings.Contains(why, tripped) {
		return false
	}
	vector, err := yjs.StateVectorFromUpdate(before)
	if err != nil {
		t.Fatal(err)
	}
	diff, err := yjs.DiffUpdate(update, vector)
	if err != nil {
		t.Fatal(err)
	}
	return askAccepts(t, o, [][][]byte{{before, diff}})[0] == ""
}

func TestGoesOnBehindGC(t *testing.T) {
	o := Start(t, "oracle.mjs")
	text := func(s string) []byte { return append([]byte{4, 1, 1, 't', byte(len(s))}, s...) }
	before := append([]byte{1, 2, 1, 0}, append(text("ab"), 0, 2, 1, 1, 1, 2, 2)...)
	whole := append([]byte{1, 1, 1, 0}, append(text("abcdef"), 0)...)
	d := yjs.NewDocument()
	if err := d.ApplyUpdate(before); err != nil {
		t.Fatal(err)
	}
	vector := d.StateVector()
	if why := askAccepts(t, o, [][][]byte{{before, whole}})[0]; !trips(t, o, before, whole, why) {
		t.Errorf("yjs takes it, or not for that reason: %s", why)
	}
	if err := d.ApplyUpdate(whole); err != nil {
		t.Fatal(err)
	}
	for i, why := range askAccepts(t, o, [][][]byte{{before, state(t, d, vector)}, {state(t, d, nil)}}) {
		if why != "" {
			t.Errorf("session %d: yjs: %s", i, why)
		}
	}
}

func state(t *testing.T, d *yjs.Document, vector []byte) []byte {
	t.Helper()
	u, err := d.EncodeStateAsUpdate(vector)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
