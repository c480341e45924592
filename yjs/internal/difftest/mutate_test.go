package difftest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/fjord-sync/fjord/yjs"
)

const defaultMutants = 10_000

// TestMutatedBytes damages real updates. Whatever the engine accepts, a Yjs client
// must be able to load: one that can't would be shut out of its document.
func TestMutatedBytes(t *testing.T) {
	n := fromEnv(t, "YJS_MUTANTS", defaultMutants)
	first := fromEnv(t, "YJS_SEED", 1)
	o := startOracle(t)
	rnd := rand.New(rand.NewPCG(uint64(first), 7))
	accepted, rejected := 0, 0
	for seed := first; accepted+rejected < n; seed += batch {
		var programs []program
		seeds := make([]int, batch)
		for i := range seeds {
			seeds[i] = seed + i
		}
		if err := o.ask(map[string]any{"op": "make", "seeds": seeds}, &programs); err != nil {
			t.Fatal(err)
		}
		var suspects [][][]byte
		for _, p := range programs {
			for range 32 {
				updates := p.Phases[0].Updates
				if len(updates) == 0 {
					continue
				}
				m := mutate(rnd, updates[rnd.IntN(len(updates))], updates)
				found := tryMutant(t, updates, m)
				if len(found) == 0 {
					rejected++
				}
				suspects = append(suspects, found...)
			}
		}
		accepted += len(suspects)
		var verdicts []string
		if err := o.ask(map[string]any{"op": "accepts", "sessions": suspects}, &verdicts); err != nil {
			t.Fatal(err)
		}
		for i, v := range verdicts {
			if v != "" {
				t.Errorf("accepted %x, which yjs refuses: %s", suspects[i], v)
			}
		}
	}
	t.Logf("%d accepted, %d refused", accepted, rejected)
	if accepted == 0 || rejected == 0 {
		t.Error("the mutations are of no use")
	}
}

// TestMutatedV2 damages version 2 updates. Whatever the engine reads, yjs must be
// able to read, and what the engine makes of it in version 1, too.
func TestMutatedV2(t *testing.T) {
	n := fromEnv(t, "YJS_MUTANTS", defaultMutants)
	first := fromEnv(t, "YJS_SEED", 1)
	o := startOracle(t)
	rnd := rand.New(rand.NewPCG(uint64(first), 8))
	accepted, rejected := 0, 0
	for seed := first; accepted+rejected < n; seed += batch {
		var programs []program
		seeds := make([]int, batch)
		for i := range seeds {
			seeds[i] = seed + i
		}
		if err := o.ask(map[string]any{"op": "make", "seeds": seeds}, &programs); err != nil {
			t.Fatal(err)
		}
		mutants := [][]byte{}
		sessions := [][][]byte{}
		for _, p := range programs {
			updates := p.Phases[0].V2
			for range 32 {
				if len(updates) == 0 {
					continue
				}
				m := mutate(rnd, updates[rnd.IntN(len(updates))], updates)
				v1, err := yjs.ConvertUpdateV2ToV1(m)
				if err != nil {
					rejected++
					continue
				}
				if err := yjs.ValidateUpdate(v1); err != nil {
					continue // only the cap on new units
				}
				mutants = append(mutants, m)
				sessions = append(sessions, [][]byte{v1})
			}
		}
		accepted += len(mutants)
		var v1, v2 []string
		if err := o.ask(map[string]any{"op": "acceptsV2", "updates": mutants}, &v2); err != nil {
			t.Fatal(err)
		}
		if err := o.ask(map[string]any{"op": "accepts", "sessions": sessions}, &v1); err != nil {
			t.Fatal(err)
		}
		for i := range mutants {
			if v1[i] != "" || v2[i] != "" {
				t.Errorf("accepted %x as %x, which yjs refuses: %s %s", mutants[i], sessions[i], v2[i], v1[i])
			}
		}
	}
	t.Logf("%d accepted, %d refused", accepted, rejected)
	if accepted == 0 || rejected == 0 {
		t.Error("the mutations are of no use")
	}
}

// tryMutant applies a mutant to an empty document and to one that has some
// updates; a refusal must leave no trace. It returns what a Yjs client must be
// able to take if the mutant was accepted.
func tryMutant(t *testing.T, updates [][]byte, m []byte) (sessions [][][]byte) {
	t.Helper()
	valid := yjs.ValidateUpdate(m)
	d := yjs.NewDocument()
	if err := d.ApplyUpdate(m); (err == nil) != (valid == nil) {
		t.Errorf("%x: ValidateUpdate says %v, ApplyUpdate %v", m, valid, err)
	}
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
	}
	if err == nil {
		sessions = append(sessions, [][]byte{before, m}, [][]byte{after})
	}
	return sessions
}

// mutate returns a damaged copy of an update.
func mutate(rnd *rand.Rand, update []byte, others [][]byte) []byte {
	m := bytes.Clone(update)
	for range 1 + rnd.IntN(3) {
		if len(m) == 0 {
			return m
		}
		at := rnd.IntN(len(m))
		switch rnd.IntN(7) {
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
		}
	}
	return m
}
