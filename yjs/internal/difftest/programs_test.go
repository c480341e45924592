package difftest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

const (
	defaultPrograms = 1000
	batch           = 32
)

// spec is what a program is made of: see program.mjs.
type spec struct {
	Seed    uint64 `json:"seed"`
	Steps   []int  `json:"steps,omitempty"`
	Keep    []int  `json:"keep,omitempty"`
	Profile string `json:"profile,omitempty"`
}

type program struct {
	ID          int
	Name        string
	Steps, Sent int
	Phases      []struct{ Updates, V2, Vectors [][]byte }
}

type phaseResult struct {
	State   []byte         `json:"state"`
	StateV2 []byte         `json:"stateV2"`
	Vector  []byte         `json:"vector"`
	Diffs   [][]byte       `json:"diffs"`
	DiffsV2 [][]byte       `json:"diffsV2"`
	Singles []singleResult `json:"singles"`
	Merged  []byte         `json:"merged"`
	Roots   [][]root       `json:"roots"`
	Waits   bool           `json:"waits"` // for something that is missing
}

// singleResult is what becomes of one update without a document.
type singleResult struct {
	Diff   []byte `json:"diff"`
	Vector []byte `json:"vector"`
	V1     []byte `json:"v1"`
}

// mergeFirst is how many updates of a phase are merged, cut and converted.
const mergeFirst = 4

type programResult struct {
	ID     int           `json:"id"`
	Phases []phaseResult `json:"phases"`
}

// TestPrograms runs random programs: half of them the same every time, half from a
// number that is drawn and told. YJS_SEED begins at one.
func TestPrograms(t *testing.T) {
	n := FromEnv(t, "YJS_PROGRAMS", defaultPrograms)
	known, drawn := uint64(1), rand.Uint64N(1<<52)
	first := uint64(FromEnv(t, "YJS_SEED", 0))
	if first == 0 {
		t.Logf("%d programs from 1, %d from %d", n-n/2, n/2, drawn)
	}
	var next, failed, ran atomic.Int64
	enough := int64(10)
	if !keeps(t) {
		enough = 1 // one says all
	}
	var counted census
	t.Cleanup(func() {
		t.Logf("%d programs ran, %d failed", ran.Load(), failed.Load())
		if n := int(ran.Load()); n >= enoughToCount && failed.Load() == 0 {
			counted.check(t, n)
		}
	})
	for range runtime.GOMAXPROCS(0) {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			o := Start(t, "oracle.mjs")
			defer counted.of(t, o)
			for failed.Load() < enough && !late(t) {
				from := int(next.Add(batch)) - batch
				if from >= n {
					return
				}
				specs := []spec{}
				for i := from; i < min(n, from+batch); i++ {
					switch {
					case first > 0:
						specs = append(specs, spec{Seed: first + uint64(i)})
					case i%2 == 0:
						specs = append(specs, spec{Seed: known + uint64(i/2)})
					default:
						specs = append(specs, spec{Seed: drawn + uint64(i/2)})
					}
				}
				for i, errs := range runSpecs(t, o, specs) {
					if n := ran.Add(1); n%10_000 == 0 {
						t.Logf("%d programs so far", n)
					}
					if len(errs) > 0 {
						failed.Add(1)
						report(t, o, specs[i], errs)
					}
				}
			}
		})
	}
}

// late reports whether the test is about to be ended by its timeout: what ran until
// then counts.
func late(t *testing.T) bool {
	t.Helper()
	deadline, ok := t.Deadline()
	return ok && time.Until(deadline) < 20*time.Second
}

// runSpecs makes programs, runs them, and returns what is wrong with each.
func runSpecs(t *testing.T, o *Oracle, specs []spec) [][]string {
	t.Helper()
	var programs []program
	o.Ask(t, map[string]any{"op": "make", "specs": specs}, &programs)
	return runPrograms(t, o, programs)
}

func runPrograms(t *testing.T, o *Oracle, programs []program) [][]string {
	t.Helper()
	errs := make([][]string, len(programs))
	views := make([][]*content.View, len(programs))
	results := make([]programResult, 0, len(programs))
	for i, p := range programs {
		result, v, err := run(p)
		if err != nil {
			errs[i] = []string{err.Error()}
			continue
		}
		views[i] = v
		results = append(results, result)
	}
	var verdicts []verdict
	o.Ask(t, map[string]any{"op": "check", "programs": results}, &verdicts)
	for k, v := range verdicts {
		errs[v.ID] = append(errs[v.ID], v.Errors...)
		for phase, r := range v.Read {
			errs[v.ID] = append(errs[v.ID], r.compare(&programs[v.ID], views[v.ID][phase], results[k].Phases[phase].Roots)...)
		}
	}
	return errs
}

// verdict is what the oracle says of a program's results.
type verdict struct {
	ID     int
	Errors []string
	Read   []reading // of each phase
}

// reading is what a state reads to Yjs.
type reading struct {
	Views    [][]string
	Snapshot []byte
}

// compare compares a view with what Yjs reads.
func (r *reading) compare(p *program, v *content.View, roots [][]root) (errs []string) {
	for i, list := range roots {
		for k, as := range list {
			if got, want := as.read(v), r.Views[i][k]; !p.agree(got, want) {
				errs = append(errs, fmt.Sprintf("root %q as %s:\n got %.600s\nwant %.600s", as[0], as[1], got, want))
			}
		}
	}
	if got := v.Snapshot().Append(nil); !bytes.Equal(got, r.Snapshot) {
		errs = append(errs, fmt.Sprintf("snapshot %x, want %x", got, r.Snapshot))
	}
	return errs
}

// root is a name and what it is read as.
type root [2]string

// natural is what the programs write to; odd are the same roots read as something
// else.
var (
	natural = []root{{"t", "text"}, {"r", "text"}, {"a", "array"}, {"m", "map"}, {"x", "fragment"}, {"q", "array"}, {"", "map"}}
	odd     = [][]root{
		{{"t", "array"}, {"r", "xmltext"}, {"a", "text"}, {"m", "element"}, {"x", "xmltext"}, {"q", "text"}},
		{{"t", "fragment"}, {"r", "array"}, {"a", "map"}, {"m", "text"}, {"x", "element"}, {"q", "map"}},
		{{"t", "map"}, {"r", "fragment"}, {"a", "xmltext"}, {"m", "array"}, {"none", "text"}, {"q", "fragment"}},
	}
)

// read reads a root as what it is asked to.
func (r root) read(v *content.View) string {
	switch r[1] {
	case "text":
		return Canonical(v.Text(r[0]))
	case "array":
		return Canonical(v.Array(r[0]))
	case "map":
		return Canonical(v.Map(r[0]))
	case "fragment":
		return Canonical(v.XMLFragment(r[0]))
	case "element":
		return Canonical(v.XMLElement(r[0]))
	default:
		return Canonical(v.XMLText(r[0]))
	}
}

// run applies a program to a document and checks what needs no oracle.
// It returns what the document gave and read after each phase.
func run(p program) (result programResult, views []*content.View, err error) {
	d := yjs.NewDocument()
	result.ID = p.ID
	var all [][]byte
	for _, phase := range p.Phases {
		all = append(all, phase.Updates...)
	}
	// What is decided here hangs on the updates alone: kept cases have no seed.
	sum := sha256.Sum256(bytes.Join(all, nil))
	rnd := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), 9))
	all = nil
	// Every other program compacts the document now and then.
	compacts := rnd.IntN(2) == 0
	for i, phase := range p.Phases {
		for k, u := range phase.Updates {
			if err := applyNext(d, u); err != nil {
				return result, nil, fmt.Errorf("phase %d, update %d (%x): %w", i, k, u, err)
			}
			if compacts && (rnd.IntN(8) == 0 || k == len(phase.Updates)-1) {
				if err := compact(d); err != nil {
					return result, nil, fmt.Errorf("phase %d, update %d: %w", i, k, err)
				}
			}
		}
		out, err := finish(d, phase.Vectors)
		if err != nil {
			return result, nil, fmt.Errorf("phase %d: %w", i, err)
		}
		all = append(all, phase.Updates...)
		if err := withoutDocument(&out, all, phase.Updates, phase.Vectors, compacts); err != nil {
			return result, nil, fmt.Errorf("phase %d: %w", i, err)
		}
		if err := inVersion2(&out, d, all, phase.V2, compacts); err != nil {
			return result, nil, fmt.Errorf("phase %d: %w", i, err)
		}
		out.Roots = [][]root{natural}
		if rnd.IntN(4) == 0 {
			out.Roots = append(out.Roots, odd[rnd.IntN(len(odd))])
		}
		result.Phases = append(result.Phases, out)
		v, err := content.Of(d)
		if err != nil {
			return result, nil, fmt.Errorf("phase %d: view: %w", i, err)
		}
		views = append(views, v)
		if rnd.IntN(10) == 0 {
			if err := sameInAnyOrder(&p, d, v, all, rnd); err != nil {
				return result, nil, fmt.Errorf("phase %d: %w", i, err)
			}
		}
		for k, u := range phase.Updates {
			if !d.Contains(u) {
				return result, nil, fmt.Errorf("phase %d: update %d (%x) isn't contained", i, k, u)
			}
		}
	}
	return result, views, nil
}
