package command_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
)

func TestExposed(t *testing.T) {
	for _, test := range []struct {
		args  string
		where string
		// want is in the refusal; "" if there must be none.
		want   string
		warned bool
	}{
		{"", "127.0.0.1:1234", "", false},
		{"", "127.9.9.9:1234", "", false},
		{"", "[::1]:1234", "", false},
		{"", "[::ffff:127.0.0.1]:1234", "", false},
		{"", "0.0.0.0:1234", "--insecure", false},
		{"", "[::]:1234", "--insecure", false},
		{"", "192.0.2.1:1234", "--insecure", false},
		{"--auth open", "0.0.0.0:1234", "--insecure", false},
		{"--auth open:", "0.0.0.0:1234", "--insecure", false},
		{"--auth open --insecure", "0.0.0.0:1234", "", true},
		{"--insecure", "0.0.0.0:1234", "", true},
		{"--insecure", "127.0.0.1:1234", "", false},
		{"--insecure=false", "0.0.0.0:1234", "--insecure", false},
		{"--auth basic:file", "0.0.0.0:1234", "", false},
		{"--auth jwt:file", "0.0.0.0:1234", "", false},
		{"--auth webhook:https://app.test", "0.0.0.0:1234", "", false},
	} {
		t.Run(test.args+" "+test.where, func(t *testing.T) {
			var log bytes.Buffer
			var refusal error
			cmd := &cli.Command{Flags: command.EdgeFlags(), Action: func(_ context.Context, cmd *cli.Command) error {
				var where net.Addr
				if where, refusal = command.WebAddress(cmd); refusal == nil {
					command.WarnWeb(cmd, slog.New(slog.NewTextHandler(&log, nil)), where)
				}
				return nil
			}}
			if err := cmd.Run(t.Context(), append([]string{"fjord", "--listen", test.where}, strings.Fields(test.args)...)); err != nil {
				t.Fatal(err)
			}
			if (refusal == nil) != (test.want == "") || (refusal != nil && !strings.Contains(refusal.Error(), test.want)) {
				t.Errorf("%v, want a refusal with %q", refusal, test.want)
			}
			if warned := strings.Contains(log.String(), "everybody"); warned != test.warned {
				t.Errorf("warned: %t, want %t", warned, test.warned)
			}
		})
	}
}

func TestListenIsOnThisMachineUnlessSaid(t *testing.T) {
	for _, test := range []struct{ host, port, want string }{
		{"", "", "127.0.0.1:1234"},
		{"", "8080", "127.0.0.1:8080"},
		{"0.0.0.0", "", "0.0.0.0:1234"},
		{"::", "80", "[::]:80"},
	} {
		t.Setenv("HOST", test.host)
		t.Setenv("PORT", test.port)
		flag, ok := command.Listen().(*cli.StringFlag)
		if !ok || flag.Value != test.want {
			t.Errorf("HOST=%s PORT=%s: %s, want %s", test.host, test.port, flag.Value, test.want)
		}
	}
}
