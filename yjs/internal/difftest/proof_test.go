package difftest

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	namedTests   = regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z0-9]+)`")
	namedMutants = regexp.MustCompile("«([^»]+)»")
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
)

// TestProof looks for all tests and mutants that proof.md names.
func TestProof(t *testing.T) {
	text, err := os.ReadFile("proof.md")
	if err != nil {
		t.Fatal(err)
	}
	known := testFunctions(t)
	for _, m := range namedTests.FindAllSubmatch(text, -1) {
		if name := string(m[1]); !known[name] {
			t.Errorf("there is no %s", name)
		}
	}
	for _, m := range mutants() {
		known[m.name] = true
	}
	for _, m := range namedMutants.FindAllSubmatch(text, -1) {
		if name := string(m[1]); !known[name] {
			t.Errorf("there is no mutant %q", name)
		}
	}
}

// testFunctions returns the tests and fuzz targets of this module.
func testFunctions(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(directory(), "..", ".."), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range testFunction.FindAllSubmatch(source, -1) {
			known[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
