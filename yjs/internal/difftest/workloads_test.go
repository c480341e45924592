package difftest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// workloadEdits is how many edits each user of a workload makes.
const workloadEdits = 400

// writing is one user's edits of a text, of the crdt-benchmarks' B1; the k-th edit
// of a text of some length.
type writing func(rnd *rand.Rand, k, length int) (at, deleted int, inserted string)

var writings = map[string]writing{
	"append letters":     func(_ *rand.Rand, _, n int) (int, int, string) { return n, 0, "x" },
	"append text":        func(_ *rand.Rand, _, n int) (int, int, string) { return n, 0, strings.Repeat("text", 20) },
	"prepend letters":    func(_ *rand.Rand, _, _ int) (int, int, string) { return 0, 0, "y" },
	"letters anywhere":   func(rnd *rand.Rand, _, n int) (int, int, string) { return rnd.IntN(n + 1), 0, "z" },
	"words anywhere":     func(rnd *rand.Rand, _, n int) (int, int, string) { return rnd.IntN(n + 1), 0, "w\u00f6rd\U0001F600" },
	"insert and delete":  anywhere,
	"write, then delete": writeThenDelete,
}

func anywhere(rnd *rand.Rand, _, n int) (at, deleted int, inserted string) {
	at = rnd.IntN(n + 1)
	if n > at && rnd.IntN(2) == 0 {
		return at, min(1+rnd.IntN(8), n-at), ""
	}
	return at, 0, "word"
}

func writeThenDelete(_ *rand.Rand, k, n int) (at, deleted int, inserted string) {
	if k == workloadEdits-1 {
		return 0, n, ""
	}
	return n, 0, "abc"
}

// TestWorkloads plays the crdt-benchmarks' workloads: one user (B1), two (B2) and
// twenty (B3) who edit at once and exchange everything now and then. (B4 is
// TestHistory.) All replicas must read the same, and so must yjs.
func TestWorkloads(t *testing.T) {
	o := Start(t, "oracle.mjs")
	for name, edit := range writings {
		for _, users := range []int{1, 2, 20} {
			state, text, _ := play(t, edit, users)
			if got := textOf(t, o, state, "text"); got != text {
				t.Errorf("%s by %d: yjs reads %d letters, want %d", name, users, len(got), len(text))
			}
		}
	}
}

// BenchmarkWorkloads applies all updates of a workload to a document, one at a time,
// as a server that hears them does.
func BenchmarkWorkloads(b *testing.B) {
	for _, name := range slices.Sorted(maps.Keys(writings)) {
		for _, users := range []int{1, 2, 20} {
			_, _, updates := play(b, writings[name], users)
			b.Run(fmt.Sprintf("B%d/%s", min(users, 3), strings.ReplaceAll(strings.ReplaceAll(name, ",", ""), " ", "-")), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d := yjs.NewDocument()
					for _, u := range updates {
						if err := d.ApplyUpdate(u); err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(updates)), "ns/update")
			})
		}
	}
}

// play lets users edit and exchange, and returns the document in the end, its text,
// and the updates that made it.
func play(t testing.TB, edit writing, users int) (state []byte, text string, updates [][]byte) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(uint64(users), 3))
	server := yjs.NewDocument()
	var err error
	const rounds = 4
	for round := range rounds {
		if state, err = server.EncodeStateAsUpdate(nil); err != nil {
			t.Fatal(err)
		}
		for user := range users {
			v, err := content.Read(state)
			if err != nil {
				t.Fatal(err)
			}
			for k := range workloadEdits / rounds / users {
				update := editOnce(t, v, uint64(1000+user), func(length int) (int, int, string) {
					return edit(rnd, round*workloadEdits/rounds+k*users+users-1, length)
				})
				if err := server.ApplyUpdate(update); err != nil {
					t.Fatal(err)
				}
				updates = append(updates, update)
			}
		}
	}
	if state, err = server.EncodeStateAsUpdate(nil); err != nil {
		t.Fatal(err)
	}
	v, err := content.Read(state)
	if err != nil {
		t.Fatal(err)
	}
	return state, v.Text("text").String(), updates
}

func editOnce(t testing.TB, v *content.View, client uint64, edit func(length int) (int, int, string)) []byte {
	t.Helper()
	at, deleted, inserted := edit(v.Text("text").Len())
	e, err := v.Edit(client)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Text("text").Delete(e, at, deleted); err != nil {
		t.Fatal(err)
	}
	if err := v.Text("text").Insert(e, at, inserted, nil); err != nil {
		t.Fatal(err)
	}
	return e.Commit()
}
