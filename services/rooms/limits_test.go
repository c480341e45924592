package rooms_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/rooms"
)

var rewrite = flag.Bool("update", false, "write the limits into docs/limits.md")

const limitsDoc = "../../docs/limits.md"

func TestLimitsAreDocumented(t *testing.T) {
	const begin, end = "<!-- rooms.LimitTable -->\n", "<!-- end of rooms -->\n"
	text, err := os.ReadFile(limitsDoc)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the limits of rooms", limitsDoc)
	}
	want := before + begin + "| limit | default | flag | who goes over it sees |\n|---|---|---|---|\n" + rooms.LimitTable.Markdown() + end + after
	if *rewrite {
		if err := os.WriteFile(limitsDoc, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s isn't what rooms.LimitTable says: run this test with -update", limitsDoc)
	}
}

// A value that can't be is refused with the flag's name.
func TestLimitsAreChecked(t *testing.T) {
	for want, limits := range map[string]rooms.Limits{
		"--max-update 17MiB: want at most 16MiB": {Update: 17 << 20},
		"--max-memory 1023: want at least 1MiB":  {Memory: 1023},
		"--max-document -1: want at least 1":     {Document: -1},
		"--max-stale -1ns: want at least 1ns":    {Stale: -1},
	} {
		_, err := rooms.New(rooms.Config{Kind: "volatile", Limits: limits})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
