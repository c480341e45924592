// Package limittest holds docs/limits.md to the tables that it shows.
package limittest

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the limits into docs/limits.md")

const head = "| limit | default | flag | who goes over it sees |\n|---|---|---|---|\n"

// Documented checks that the file shows rows, as limit.Table.Markdown returns them,
// between the lines begin and end; with -update it writes them there.
func Documented(t *testing.T, file, begin, end, rows string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin+"\n")
	_, after, ok2 := strings.Cut(rest, end+"\n")
	if !ok || !ok2 {
		t.Fatalf("%s has no place for these limits: want the lines %s and %s", file, begin, end)
	}
	want := before + begin + "\n" + head + rows + end + "\n" + after
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s isn't what the table says: run this test with -update", file)
	}
}
