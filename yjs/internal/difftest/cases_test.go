package difftest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cases has programs whole, since what a seed makes may change: those that failed
// once, and one each of some profiles.
const cases = "testdata/cases"

// TestCases runs the programs that were kept.
func TestCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(cases, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", cases, err)
	}
	o := Start(t, "oracle.mjs")
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			kept, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var programs []program
			o.Ask(t, map[string]any{"op": "load", "programs": []json.RawMessage{kept}}, &programs)
			for _, e := range runPrograms(t, o, programs)[0] {
				t.Error(e)
			}
		})
	}
}
