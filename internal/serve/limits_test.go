package serve_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/internal/serve"
)

var rewrite = flag.Bool("update", false, "write the limits into docs/limits.md")

func TestLimitsAreDocumented(t *testing.T) {
	const doc, begin, end = "../../docs/limits.md", "<!-- serve.PeerLimits -->\n", "<!-- end of peers -->\n"
	text, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the limits between services", doc)
	}
	want := before + begin + "| limit | default | flag | who goes over it sees |\n|---|---|---|---|\n" + serve.PeerLimits.Markdown() + end + after
	if *rewrite {
		if err := os.WriteFile(doc, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s isn't what serve.PeerLimits says: run this test with -update", doc)
	}
}
