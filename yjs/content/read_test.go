package content_test

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/difftest"
)

const (
	defaultPrograms = 600
	defaultWild     = 1500
	batch           = 64
	workers         = 2
)

// root is a name and what it is read as.
type root [2]string

// natural is what the sessions write to; odd are the same roots read as something
// else.
var (
	natural = []root{{"t", "text"}, {"r", "text"}, {"a", "array"}, {"m", "map"}, {"x", "fragment"}}
	odd     = [][]root{
		{{"t", "array"}, {"r", "xmltext"}, {"a", "text"}, {"m", "element"}, {"x", "xmltext"}},
		{{"t", "fragment"}, {"r", "array"}, {"a", "map"}, {"m", "text"}, {"x", "element"}},
		{{"t", "map"}, {"r", "fragment"}, {"a", "xmltext"}, {"m", "array"}, {"none", "text"}},
	}
)

type document struct {
	Update []byte   `json:"update"`
	Roots  [][]root `json:"roots"`
	vague  bool     // Yjs' delete set isn't well defined
}

type verdict struct {
	Views    [][]string
	Snapshot []byte
	Error    string
}

// look reads a root as what it is asked to.
func look(v *content.View, r root) string {
	switch r[1] {
	case "text":
		return difftest.Canonical(v.Text(r[0]))
	case "array":
		return difftest.Canonical(v.Array(r[0]))
	case "map":
		return difftest.Canonical(v.Map(r[0]))
	case "fragment":
		return difftest.Canonical(v.XMLFragment(r[0]))
	case "element":
		return difftest.Canonical(v.XMLElement(r[0]))
	default:
		return difftest.Canonical(v.XMLText(r[0]))
	}
}

// numbered runs f for batches of the numbers 0 to n-1, in workers with an oracle
// each, until ten have failed. f returns how many of a batch failed.
func numbered(t *testing.T, n int, f func(t *testing.T, o *difftest.Oracle, from, to int) int) {
	t.Helper()
	var next, failed atomic.Int64
	for range workers {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			o := difftest.Start(t, "testdata/oracle.mjs")
			for failed.Load() < 10 {
				from := int(next.Add(batch)) - batch
				if from >= n {
					return
				}
				failed.Add(int64(f(t, o, from, min(n, from+batch))))
			}
		})
	}
}

type program struct {
	Name          string
	Updates, Late [][]byte
}

func makePrograms(t *testing.T, o *difftest.Oracle, from, to int) []program {
	t.Helper()
	seeds := make([]int, to-from)
	for i := range seeds {
		seeds[i] = from + i
	}
	var programs []program
	o.Ask(t, map[string]any{"op": "make", "seeds": seeds}, &programs)
	return programs
}

// TestPrograms reads the documents of random sessions, with and without updates
// that come late.
func TestPrograms(t *testing.T) {
	first := difftest.FromEnv(t, "YJS_SEED", 1)
	numbered(t, difftest.FromEnv(t, "YJS_PROGRAMS", defaultPrograms), func(t *testing.T, o *difftest.Oracle, from, to int) int {
		var documents []document
		var names []string
		for i, p := range makePrograms(t, o, first+from, first+to) {
			d := yjs.NewDocument()
			for _, updates := range [][][]byte{p.Updates, p.Late} {
				for _, u := range updates {
					if err := d.ApplyUpdate(u); err != nil {
						t.Fatalf("seed %d (%s): %v", first+from+i, p.Name, err)
					}
				}
				state, err := d.EncodeStateAsUpdate(nil)
				if err != nil {
					t.Fatal(err)
				}
				documents = append(documents, document{state, [][]root{natural, odd[i%len(odd)]}, false})
				names = append(names, p.Name)
			}
		}
		return compare(t, o, documents, func(i int) string { return names[i] })
	})
}

// compare reads documents and asks the oracle. It returns how many are wrong.
func compare(t *testing.T, o *difftest.Oracle, documents []document, name func(int) string) (failed int) {
	t.Helper()
	var verdicts []verdict
	o.Ask(t, map[string]any{"op": "read", "documents": documents}, &verdicts)
	for i, d := range documents {
		for _, crowd := range []int{64, 0, 2} {
			v, err := content.ReadCrowded(d.Update, crowd)
			switch {
			case err != nil:
				t.Errorf("%s: %v", name(i), err)
				failed++
			case verdicts[i].Error != "":
				t.Logf("%s: yjs throws: %s", name(i), clip(verdicts[i].Error))
			case !same(t, v, d, verdicts[i].Views, fmt.Sprintf("%s, crowd %d", name(i), crowd)):
				failed++
			case !d.vague:
				failed += checkSnapshot(t, v, verdicts[i].Snapshot, name(i))
			}
		}
	}
	return failed
}

// checkSnapshot compares the present moment with what Yjs takes for it: what of
// each client is integrated, and all that is deleted.
func checkSnapshot(t *testing.T, v *content.View, want []byte, name string) (failed int) {
	t.Helper()
	got := v.Snapshot().Append(nil)
	if !bytes.Equal(got, want) {
		t.Errorf("%s: snapshot\n got %x\nwant %x", name, got, want)
		return 1
	}
	return 0
}

func same(t *testing.T, v *content.View, d document, views [][]string, name string) bool {
	t.Helper()
	for i, roots := range d.Roots {
		for k, r := range roots {
			got, want := look(v, r), views[i][k]
			if difftest.Agree(got, want) {
				continue
			}
			t.Errorf("%s: %s as %s:\n got %s\nwant %s\n(update %s)", name, r[0], r[1], clip(got), clip(want), clip(fmt.Sprintf("%x", d.Update)))
			return false
		}
	}
	return true
}

func clip(s string) string { return s[:min(len(s), 600)] }
