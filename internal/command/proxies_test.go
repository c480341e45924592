package command_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
)

func TestProxies(t *testing.T) {
	for _, test := range []struct{ args, want, wrong string }{
		{"", "[]", ""},
		{"--trusted-proxy 127.0.0.1,10.0.0.0/8", "[127.0.0.1/32 10.0.0.0/8]", ""},
		{"--trusted-proxy ::1 --trusted-proxy fd00::/8", "[::1/128 fd00::/8]", ""},
		{"--trusted-proxy ::ffff:10.0.0.1", "[10.0.0.1/32]", ""},
		{"--trusted-proxy proxy.internal", "", "want an address or a network"},
		{"--trusted-proxy 10.0.0.1/8", "", "want an address or a network"}, // which of the two?
		{"--trusted-proxy ::ffff:10.0.0.0/104", "", "want an address or a network"},
		{"--trusted-proxy fe80::1%eth0", "", "want an address or a network"},
	} {
		cmd := &cli.Command{Flags: []cli.Flag{command.TrustedProxies()}, Action: func(_ context.Context, cmd *cli.Command) error {
			proxies, err := command.Proxies(cmd)
			if err == nil && fmt.Sprint(proxies) != test.want {
				t.Errorf("%s: %v, want %s", test.args, proxies, test.want)
			}
			return err
		}}
		err := cmd.Run(t.Context(), append([]string{"fjord"}, strings.Fields(test.args)...))
		if (err == nil) != (test.wrong == "") || (err != nil && !strings.Contains(err.Error(), test.wrong)) {
			t.Errorf("%s: %v, want %q", test.args, err, test.wrong)
		}
	}
}
