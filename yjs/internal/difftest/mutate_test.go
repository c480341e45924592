package difftest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
	"github.com/fjord-sync/fjord/yjs/internal/cost"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

const defaultMutants = 10_000

// damaged calls f with the real updates of some programs and a generator, until it
// has returned n mutants.
func damaged(t *testing.T, o *Oracle, version uint64, f func(rnd *rand.Rand, updates [][]byte) int) {
	t.Helper()
	n := FromEnv(t, "YJS_MUTANTS", defaultMutants)
	seed := uint64(FromEnv(t, "YJS_SEED", 0))
	if seed == 0 {
		seed = rand.Uint64N(1 << 40)
	}
	t.Logf("again: YJS_SEED=%d go test ./internal/difftest -run %s", seed, t.Name())
	rnd := rand.New(rand.NewPCG(seed, version))
	for made := 0; made < n && !t.Failed(); seed += batch {
		specs := make([]spec, batch)
		for i := range specs {
			specs[i].Seed = seed + uint64(i)
		}
		var programs []program
		o.Ask(t, map[string]any{"op": "make", "specs": specs}, &programs)
		for _, p := range programs {
			updates := p.Phases[0].Updates
			if version == 2 {
				updates = p.Phases[0].V2
			}
			if len(updates) > 0 {
				made += f(rnd, updates)
			}
		}
	}
}

// TestMutatedBytes damages real updates. Whatever the engine accepts, a Yjs client
// must be able to load: one that can't would be shut out of its document.
func TestMutatedBytes(t *testing.T) {
	o := Start(t, "oracle.mjs")
	var accepted, rejected int
	stricter := map[string]int{}
	damaged(t, o, 1, func(rnd *rand.Rand, updates [][]byte) int {
		var suspects, refused [][][]byte
		var reasons []string
		for range 32 {
			m := mutate(rnd, updates[rnd.IntN(len(updates))], updates)
			found := tryMutant(t, updates, m)
			suspects = append(suspects, found...)
			if err := yjs.ValidateUpdate(m); err != nil {
				refused = append(refused, [][]byte{m})
				reasons = append(reasons, reason(err))
			}
		}
		accepted += len(suspects)
		rejected += len(refused)
		for i, why := range askAccepts(t, o, suspects) {
			if why != "" && !(len(suspects[i]) == 2 && trips(t, o, suspects[i][0], suspects[i][1], why)) {
				t.Errorf("accepted %x, which yjs refuses: %s", suspects[i], why)
			}
		}
		for i, why := range askAccepts(t, o, refused) {
			if why == "" {
				stricter[reasons[i]]++
			}
		}
		return 32
	})
	t.Logf("%d accepted, %d refused", accepted, rejected)
	tellStricter(t, stricter)
	if accepted == 0 || rejected == 0 {
		t.Error("the mutations are of no use")
	}
}

func askAccepts(t *testing.T, o *Oracle, sessions [][][]byte) (verdicts []string) {
	t.Helper()
	if len(sessions) > 0 {
		o.Ask(t, map[string]any{"op": "accepts", "sessions": sessions}, &verdicts)
	}
	return verdicts
}

// TestMutatedV2 damages version 2 updates. Whatever the engine reads, yjs must be
// able to read, and what the engine makes of it in version 1, too.
func TestMutatedV2(t *testing.T) {
	o := Start(t, "oracle.mjs")
	var accepted, rejected int
	stricter := map[string]int{}
	damaged(t, o, 2, func(rnd *rand.Rand, updates [][]byte) int {
		var mutants, refused [][]byte
		var sessions [][][]byte
		var reasons []string
		for range 32 {
			m := mutate(rnd, updates[rnd.IntN(len(updates))], updates)
			v1, err := tryV2(t, m)
			if err != nil {
				refused, reasons = append(refused, m), append(reasons, reason(err))
			} else {
				mutants, sessions = append(mutants, m), append(sessions, [][]byte{v1})
			}
		}
		accepted += len(mutants)
		rejected += len(refused)
		in1 := askAccepts(t, o, sessions)
		in2 := askAcceptsV2(t, o, mutants)
		for i := range mutants {
			if in1[i] != "" || in2[i] != "" {
				t.Errorf("accepted %x as %x, which yjs refuses: %s %s", mutants[i], sessions[i], in2[i], in1[i])
			}
		}
		for i, why := range askAcceptsV2(t, o, refused) {
			if why == "" {
				stricter[reasons[i]]++
			}
		}
		return 32
	})
	t.Logf("%d accepted, %d refused", accepted, rejected)
	tellStricter(t, stricter)
	if accepted == 0 || rejected == 0 {
		t.Error("the mutations are of no use")
	}
}

func askAcceptsV2(t *testing.T, o *Oracle, updates [][]byte) (verdicts []string) {
	t.Helper()
	if len(updates) > 0 {
		o.Ask(t, map[string]any{"op": "acceptsV2", "updates": updates}, &verdicts)
	}
	return verdicts
}

var place = regexp.MustCompile(` \(byte \d+\)|\d+`)

// reason is an error without what differs from case to case.
func reason(err error) string { return place.ReplaceAllString(err.Error(), "") }

// tellStricter tells what yjs takes that the engine doesn't. All of it is meant: it
// is what yjs reads as something else than it says, or what it can't write again.
func tellStricter(t *testing.T, stricter map[string]int) {
	t.Helper()
	for _, why := range slices.Sorted(maps.Keys(stricter)) {
		t.Logf("yjs would have taken %d: %s", stricter[why], why)
	}
}

// A client takes about 200 bytes of a document however little it has, and a section
// or a list of deletes at least four bytes of input; a view takes more: see content's
// TestAllocation.
const (
	mostOfDocument = 8 + 200/4
	mostOfView     = 128
)

// bounded runs f, which reads n bytes that came from outside, and checks what it
// takes: most bytes for each, and a few.
func bounded(t *testing.T, n, most int, what string, f func()) {
	t.Helper()
	begin := time.Now()
	got := cost.Allocated(f)
	took := time.Since(begin)
	if limit := uint64(most*n + 16<<10); got > limit {
		t.Errorf("%s: %d bytes allocated for %d", what, got, n)
	}
	if took > time.Minute {
		t.Errorf("%s: %v for %d bytes", what, took, n)
	}
}

// tryMutant applies a mutant to an empty document and to one that has some
// updates; a refusal must leave no trace. It returns what a Yjs client must be
// able to take if the mutant was accepted.
func tryMutant(t *testing.T, updates [][]byte, m []byte) (sessions [][][]byte) {
	t.Helper()
	valid := yjs.ValidateUpdate(m)
	d := yjs.NewDocument()
	bounded(t, len(m), mostOfDocument, fmt.Sprintf("%x", m), func() {
		if err := d.ApplyUpdate(m); (err == nil) != (valid == nil) {
			t.Errorf("%x: ValidateUpdate says %v, ApplyUpdate %v", m, valid, err)
		}
	})
	full := yjs.NewDocument()
	for _, u := range updates {
		if err := full.ApplyUpdate(u); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := full.EncodeStateAsUpdate(nil)
	contained := full.Contains(m)
	err := full.ApplyUpdate(m)
	after, _ := full.EncodeStateAsUpdate(nil)
	if (err != nil || contained) && !bytes.Equal(before, after) {
		t.Errorf("%x: refused (%v) or contained (%v), and yet it changed something", m, err, contained)
	}
	if contained && valid != nil {
		t.Errorf("%x: contained and invalid: %v", m, valid)
	}
	if err := yjs.ValidateUpdate(after); err != nil {
		t.Errorf("%x: the state is invalid after it: %v", m, err)
	}
	if valid == nil {
		sessions = append(sessions, [][]byte{m})
		// A document encodes each client in one section, and content reads no other
		// form; an update may have a client twice.
		state, err := yjs.MergeUpdates(m)
		if err != nil {
			t.Errorf("%x: valid, but can't be merged: %v", m, err)
		}
		bounded(t, len(state), mostOfView, fmt.Sprintf("%x, read", m), func() {
			if _, err := content.Read(state); err != nil {
				t.Errorf("%x: valid, but can't be read: %v", m, err)
			}
		})
	}
	if err == nil {
		sessions = append(sessions, [][]byte{before, m}, [][]byte{after})
	}
	return sessions
}

// tryV2 converts a version 2 mutant. The error is why it was refused, also for what
// only a document refuses.
func tryV2(t *testing.T, m []byte) (v1 []byte, err error) {
	t.Helper()
	// Columns make much of little, up to 64 times as much, and it doubles as it grows.
	bounded(t, len(m)+2048, 4*64, fmt.Sprintf("%x", m), func() { v1, err = yjs.ConvertUpdateV2ToV1(m) })
	if err != nil {
		return nil, err
	}
	if err := yjs.ValidateUpdate(v1); err != nil {
		return nil, err
	}
	d, same := yjs.NewDocument(), yjs.NewDocument()
	bounded(t, len(m)+len(v1), mostOfDocument, fmt.Sprintf("%x, applied", m), func() { err = d.ApplyUpdateV2(m) })
	want := same.ApplyUpdate(v1)
	if (err == nil) != (want == nil) {
		t.Errorf("%x: %v, as version 1 %v", m, err, want)
	}
	got, _ := d.EncodeStateAsUpdate(nil)
	if state, _ := same.EncodeStateAsUpdate(nil); !bytes.Equal(got, state) {
		t.Errorf("%x: state %x, as version 1 %x", m, got, state)
	}
	return v1, err
}

// odd numbers, where something changes in the encoding or in the limits.
var oddNumbers = []uint64{0, 1, 2, 63, 64, 127, 128, 255, 16_383, 16_384, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 40, lib0.MaxSafeInteger}

// mutate returns a damaged copy of an update.
func mutate(rnd *rand.Rand, update []byte, others [][]byte) []byte {
	m := bytes.Clone(update)
	for range 1 + rnd.IntN(3) {
		if len(m) == 0 {
			return m
		}
		at := rnd.IntN(len(m))
		switch rnd.IntN(9) {
		case 0:
			m[at] ^= 1 << rnd.IntN(8)
		case 1:
			m[at] = byte(rnd.IntN(256))
		case 2:
			m = m[:at]
		case 3:
			m = append(m[:at], m[at+1:]...)
		case 4:
			m = append(m[:at], append([]byte{byte(rnd.IntN(256))}, m[at:]...)...)
		case 5:
			other := others[rnd.IntN(len(others))]
			if len(other) > 0 {
				m = append(m[:at:at], other[rnd.IntN(len(other)):]...)
			}
		case 6:
			m[at] = byte(rnd.IntN(11)) | byte(rnd.IntN(8))<<5
		case 7: // another number in the place of one
			m = replaceNumber(m, at, func(uint64) uint64 { return oddNumbers[rnd.IntN(len(oddNumbers))] })
		case 8: // a number that is a little wrong
			m = replaceNumber(m, at, func(n uint64) uint64 { return min(lib0.MaxSafeInteger, n+uint64(rnd.IntN(5))-min(n, 2)) })
		}
	}
	return m
}

// replaceNumber replaces the number at a place, if there is one.
func replaceNumber(m []byte, at int, f func(uint64) uint64) []byte {
	n, rest, err := lib0.VarUint(m[at:])
	if err != nil {
		return m
	}
	return append(lib0.AppendVarUint(m[:at:at], f(n)), rest...)
}
