package rooms_test

import (
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/internal/limit/limittest"
	"github.com/fjord-sync/fjord/services/rooms"
)

func TestLimitsAreDocumented(t *testing.T) {
	limittest.Documented(t, "../../docs/limits.md", "<!-- rooms.LimitTable -->", "<!-- end of rooms -->", rooms.LimitTable.Markdown())
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
