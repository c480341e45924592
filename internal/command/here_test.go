package command_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/fjord-sync/fjord/internal/command"
	"github.com/fjord-sync/fjord/internal/serve"
)

// A page that has its name resolved to 127.0.0.1 is kept out wherever nothing but
// being on this machine lets somebody in, and nowhere else.
func TestForeignNamesAreKeptOut(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := serve.MakeSecret(secret); err != nil {
		t.Fatal(err)
	}
	const here, anywhere = "127.0.0.1:1234", "0.0.0.0:1234"
	for _, test := range []struct {
		args, where, host string
		web, rpc, metrics int
	}{
		{"", here, "localhost:1234", 200, 200, 200},
		{"", here, "evil.test:1234", 403, 403, 403},
		{"--auth open", here, "evil.test:1234", 403, 403, 403},
		{"", "[::1]:1234", "evil.test:1234", 403, 403, 403},
		{"--allow-origin https://Sync.test,http://evil", here, "sync.test:1234", 200, 403, 403},
		{"--allow-origin https://sync.test:8443", here, "sync.test", 200, 403, 403},
		{"--allow-origin https://sync.test", here, "evil.test", 403, 403, 403},
		{"--allow-origin sync.test", here, "", 403, 403, 403},
		{"--allow-origin *", here, "evil.test", 200, 403, 403},
		{"--auth basic:file", here, "evil.test", 200, 403, 403},
		{"--insecure", here, "evil.test", 200, 200, 200},
		{"--insecure", anywhere, "evil.test", 200, 200, 200},
		{"", here, "127.0.0.1:9090", 200, 200, 200},
		{"", here, "[::1]", 200, 200, 200},
		{"--rpc-secret " + secret, anywhere, "evil.test", 200, 401, 401},
		{"--rpc-secret " + secret, here, "evil.test", 403, 401, 403},
	} {
		t.Run(test.args+" "+test.where+" "+test.host, func(t *testing.T) {
			where, err := net.ResolveTCPAddr("tcp", test.where)
			if err != nil {
				t.Fatal(err)
			}
			done := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
			var web, rpc, metrics http.Handler
			cmd := &cli.Command{Flags: append(command.EdgeFlags(), command.PeerFlags()...), Action: func(_ context.Context, cmd *cli.Command) error {
				peers, err := command.Peers(cmd, slog.New(slog.DiscardHandler))
				if err != nil {
					return err
				}
				metrics = command.GuardMetrics(cmd, peers, where)(done)
				web, rpc = command.GuardWeb(cmd, where)(done), command.GuardRPC(cmd, peers, where)(done)
				return nil
			}}
			if err := cmd.Run(t.Context(), append([]string{"fjord"}, strings.Fields(test.args)...)); err != nil {
				t.Fatal(err)
			}
			for name, port := range map[string]struct {
				http.Handler
				want int
				says string
			}{"web": {web, test.web, "--allow-origin"}, "rpc": {rpc, test.rpc, "--rpc-secret"}, "metrics": {metrics, test.metrics, "--insecure"}} {
				r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
				r.Host = test.host
				w := httptest.NewRecorder()
				port.ServeHTTP(w, r)
				if w.Code != port.want || (w.Code == 403 && !strings.Contains(w.Body.String(), port.says)) {
					t.Errorf("%s: %d %q, want %d", name, w.Code, w.Body, port.want)
				}
			}
		})
	}
}
