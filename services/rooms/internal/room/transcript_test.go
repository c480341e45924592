package room_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what the room does into testdata, to be read and judged")

// TestTranscripts tells the stories in testdata to a room and compares what it
// does. A line at the margin is something that happens; the indented lines below
// it are all that the room does about it.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(want))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal([]byte(got), want) {
				t.Errorf("the room does otherwise (run with -rewrite to see the difference in git):\n%s", diff(string(want), got))
			}
		})
	}
}

// tell plays a transcript's margin lines and returns it with what the room did.
func tell(t *testing.T, transcript string) string {
	t.Helper()
	var out strings.Builder
	s := newStory(t)
	for line := range strings.Lines(transcript) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "    "):
			continue
		case line == "" || strings.HasPrefix(line, "#"):
			out.WriteString(line + "\n")
			continue
		}
		out.WriteString(line + "\n")
		for _, done := range s.play(line) {
			out.WriteString("    " + done + "\n")
		}
	}
	return out.String()
}

func diff(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(w), len(g)) {
		a, b := "(end)", "(end)"
		if i < len(w) {
			a = w[i]
		}
		if i < len(g) {
			b = g[i]
		}
		if a != b {
			return "line " + itoa(i+1) + "\n  want " + a + "\n  got  " + b
		}
	}
	return ""
}
