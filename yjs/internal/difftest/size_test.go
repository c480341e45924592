package difftest

import (
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/yjstest"
)

// Collected documents may be a twentieth larger than what yjs encodes, and a few
// bytes: the smallest are shorter than twenty bytes.
const (
	mostOver = 0.05
	fewBytes = 8
	// defaultCollected is how many programs are collected.
	defaultCollected = 320
)

// collection is a document before and after what is deleted was dropped, and what
// those who are behind get of it then.
type collection struct {
	Before []byte   `json:"before"`
	After  []byte   `json:"after"`
	Diffs  [][]byte `json:"diffs,omitempty"`
}

// collect compacts a document as yjs does.
func collect(t *testing.T, d *yjs.Document) collection {
	t.Helper()
	before, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := content.Compact(d); err != nil {
		t.Fatal(err)
	}
	after, err := d.EncodeStateAsUpdate(nil)
	if err != nil {
		t.Fatal(err)
	}
	return collection{Before: before, After: after}
}

// verdicts asks yjs what it makes of collected documents.
func verdicts(t *testing.T, o *Oracle, pairs []collection) (sizes []int) {
	t.Helper()
	var answers []struct {
		Errors []string
		Size   int
	}
	o.Ask(t, map[string]any{"op": "collected", "pairs": pairs}, &answers)
	for i, a := range answers {
		if len(a.Errors) > 0 {
			t.Errorf("%x became %x: %v", pairs[i].Before, pairs[i].After, a.Errors)
		}
		sizes = append(sizes, a.Size)
	}
	return sizes
}

// TestCollect lets random programs be collected, half way and at the end, and
// compares with yjs what is left: that it reads the same, also to replicas that are
// behind and get what they lack, and how large it is.
func TestCollect(t *testing.T) {
	n := FromEnv(t, "YJS_PROGRAMS", defaultCollected)
	first := FromEnv(t, "YJS_SEED", 1)
	o := Start(t, "oracle.mjs")
	ours, theirs := 0, 0
	for seed := first; seed < first+n; seed += batch {
		var programs []program
		specs := make([]spec, batch)
		for i := range specs {
			specs[i].Seed = uint64(seed + i)
		}
		o.Ask(t, map[string]any{"op": "make", "specs": specs}, &programs)
		pairs := make([]collection, 0, batch)
		for i, p := range programs {
			pairs = append(pairs, collectProgram(t, p, specs[i].Seed))
		}
		for i, size := range verdicts(t, o, pairs) {
			got := len(pairs[i].After)
			ours, theirs = ours+got, theirs+size
			if float64(got) > (1+mostOver)*float64(size)+fewBytes {
				t.Errorf("YJS_SEED=%d (%s): %d bytes, yjs has %d: %x", specs[i].Seed, programs[i].Name, got, size, pairs[i].After)
			}
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("%d bytes in all, yjs has %d: %.3f", ours, theirs, float64(ours)/float64(theirs))
	if float64(ours) > (1+mostOver)*float64(theirs) {
		t.Errorf("more than %v too large", mostOver)
	}
}

// collectProgram returns what a document of all updates says, and a document that
// was collected again and again on the way.
func collectProgram(t *testing.T, p program, seed uint64) collection {
	t.Helper()
	kept, d := yjs.NewDocument(), yjs.NewDocument()
	rnd := rand.New(rand.NewPCG(seed, 11))
	for _, phase := range p.Phases {
		for _, u := range phase.Updates {
			if err := kept.ApplyUpdate(u); err != nil {
				t.Fatal(err)
			}
			if err := d.ApplyUpdate(u); err != nil {
				t.Fatal(err)
			}
			if rnd.IntN(10) == 0 {
				collect(t, d)
			}
		}
	}
	c := collect(t, d)
	before, err := kept.EncodeStateAsUpdate(nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Before = before
	for _, v := range p.Phases[len(p.Phases)-1].Vectors {
		diff, err := d.EncodeStateAsUpdate(v)
		if err != nil {
			t.Fatal(err)
		}
		c.Diffs = append(c.Diffs, diff)
	}
	return c
}

// TestCollectHistory is the same for the history of a paper.
func TestCollectHistory(t *testing.T) {
	edits, genuine, err := yjstest.History()
	if err != nil {
		t.Fatal(err)
	}
	d := yjs.NewDocument()
	for _, u := range yjstest.Updates(4_294_967_291, "text", edits) {
		if err := d.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	c := collect(t, d)
	size := verdicts(t, Start(t, "oracle.mjs"), []collection{c})[0]
	t.Logf("genuine: %v, %d bytes, collected %d, yjs has %d: %.3f", genuine, len(c.Before), len(c.After), size, float64(len(c.After))/float64(size))
	if float64(len(c.After)) > (1+mostOver)*float64(size) {
		t.Errorf("%d bytes, yjs has %d", len(c.After), size)
	}
}

// TestCollectSessions does so to what applications leave behind, and tells how large
// it is: as it was heard, without the content that the delete set names, collected,
// and in yjs. YJS_LENGTH makes the sessions longer.
func TestCollectSessions(t *testing.T) {
	o := Start(t, "oracle.mjs")
	var sessions []struct {
		Name    string
		Updates [][]byte
	}
	o.Ask(t, map[string]any{"op": "sessions", "length": FromEnv(t, "YJS_LENGTH", 30)}, &sessions)
	if len(sessions) == 0 {
		t.Fatal("no sessions")
	}
	t.Logf("%-36s %9s %9s %9s %9s", "", "heard", "dropped", "collected", "yjs")
	for _, s := range sessions {
		d, dropped := yjs.NewDocument(), yjs.NewDocument()
		for _, u := range s.Updates {
			if err := d.ApplyUpdate(u); err != nil {
				t.Fatal(err)
			}
			if err := dropped.ApplyUpdate(u); err != nil {
				t.Fatal(err)
			}
		}
		dropped.Compact()
		c := collect(t, d)
		size := verdicts(t, o, []collection{c})[0]
		t.Logf("%-36s %9d %9d %9d %9d", s.Name, len(c.Before), dropped.Size(), len(c.After), size)
		if float64(len(c.After)) > (1+mostOver)*float64(size)+fewBytes {
			t.Errorf("%s: %d bytes, yjs has %d", s.Name, len(c.After), size)
		}
	}
}
