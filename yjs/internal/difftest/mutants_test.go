package difftest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutant is a bug: in a file of this module, old replaced by new. tests names the
// tests that must see it.
type mutant struct{ name, file, old, new, tests string }

// The packages whose tests hold the engine against yjs.
const (
	tier1 = "internal/difftest"
	tier2 = "content"
	// unit is the tests of what no difference to yjs shows: how a keystroke differs
	// from the same update taken apart, what is refused, what it costs.
	unit = "."
	// presence is held against y-protocols.
	presence = "awareness"
)

// mutants is all of them.
func mutants() []mutant {
	return slices.Concat(storeMutants, ruleMutants, trapMutants, viewMutants, wireMutants)
}

// damage returns the bytes of a file with the bug in it. It fails if the place isn't
// there once: a mutant is of no use when the code has changed under it.
func (m *mutant) damage(t *testing.T) (file string, damaged []byte) {
	t.Helper()
	file = filepath.Join(directory(), "..", "..", m.file)
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Fatalf("%s: %s has the place %d times:\n%s", m.name, m.file, n, m.old)
	}
	return file, []byte(strings.Replace(string(source), m.old, m.new, 1))
}

// TestMutantsHavePlaces finds the places of all mutants: to see them found takes
// minutes and is up to make mutants.
func TestMutantsHavePlaces(t *testing.T) {
	names := map[string]bool{}
	for _, m := range mutants() {
		m.damage(t)
		if names[m.name] {
			t.Errorf("two mutants %q", m.name)
		}
		names[m.name] = true
	}
}
