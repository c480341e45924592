package command_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/limit"
)

type limits struct{ sockets, frame int }

var table = limit.Table[limits]{
	{Name: "max-sockets", Default: 10, Count: func(c *limits) *int { return &c.sockets }},
	{Name: "max-frame", Default: 16 << 20, Bytes: func(c *limits) *int { return &c.frame }},
}

func TestLimitsAreReadFromFlagsAndEnvironment(t *testing.T) {
	for _, test := range []struct {
		args, env, wrong string
		want             limits
	}{
		{"", "", "", limits{10, 16 << 20}},
		{"--max-sockets 3 --max-frame 64KiB", "", "", limits{3, 64 << 10}},
		{"", "5MiB", "", limits{10, 5 << 20}},
		{"--max-frame 1MiB", "5MiB", "", limits{10, 1 << 20}},
		{"--max-sockets 0 --max-frame much", "", "--max-sockets 0: want at least 1\n--max-frame much: want bytes", limits{}},
	} {
		t.Setenv("FJORD_MAX_FRAME", test.env)
		if test.env == "" {
			_ = os.Unsetenv("FJORD_MAX_FRAME")
		}
		var got limits
		cmd := &cli.Command{Flags: command.LimitFlags(table), Action: func(_ context.Context, cmd *cli.Command) error {
			return command.ReadLimits(cmd, table, &got)
		}}
		err := cmd.Run(t.Context(), append([]string{"fjord"}, strings.Fields(test.args)...))
		if test.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%s: %v, want %q", test.args, err, test.wrong)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%s: %v, %v; want %v", test.args, got, err, test.want)
		}
	}
}
