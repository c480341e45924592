package command_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/internal/command"
)

func TestVersion(t *testing.T) {
	root := command.New("fjord", "", nil, nil)
	var out strings.Builder
	root.Writer = &out
	if err := root.Run(t.Context(), []string{"fjord", "--version"}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, "fjord version ") || !strings.Contains(got, runtime.Version()) {
		t.Errorf("%q, want the version and that of Go", got)
	}
}
