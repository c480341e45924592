//go:build mutants

package difftest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// quick is the tests that see most mutants within seconds, so all need not be run.
const quick = "^(TestCases|TestSmall|TestPrograms)$"

// TestMutants puts each bug into the engine by itself, and wants the tests to fail.
func TestMutants(t *testing.T) {
	module := filepath.Join(directory(), "..", "..")
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			binary := m.build(t, module)
			for _, try := range []struct{ tests, programs string }{{quick, "300"}, {".", "3000"}} {
				run := exec.CommandContext(t.Context(), binary, "-test.failfast", "-test.timeout=300s", "-test.run="+try.tests)
				run.Dir = filepath.Join(module, m.tests)
				run.Env = append(os.Environ(), "YJS_SEED=1", "YJS_PROGRAMS="+try.programs, "YJS_MUTANTS=6000", "YJS_KEEP=0")
				out, err := run.CombinedOutput()
				if bytes.Contains(out, []byte("panic: test timed out")) {
					t.Fatal("the tests took too long, which says nothing about the bug")
				}
				if err != nil {
					t.Logf("seen: %.300s", out)
					return
				}
			}
			t.Error("nothing was seen")
		})
	}
}

// build builds the tests with the bug in them.
func (m *mutant) build(t *testing.T, module string) (binary string) {
	t.Helper()
	file, damaged := m.damage(t)
	dir := t.TempDir()
	changed := filepath.Join(dir, "changed.go")
	if err := os.WriteFile(changed, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "mutant.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", filepath.Join(dir, "overlay.json"), "-o", binary, "./"+m.tests)
	build.Dir = module
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}
