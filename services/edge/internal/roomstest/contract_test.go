package roomstest_test

import (
	"testing"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	"github.com/fjord-sync/fjord/internal/contract/link"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The stand-in does what rooms does: cmd/fjord runs the same suite against it.
func TestLinkContract(t *testing.T) {
	link.Run(t, func(t *testing.T) (connect.HTTPClient, string) {
		server, url, err := roomstest.Listen()
		if err != nil {
			t.Fatal(err)
		}
		client := serve.NewClient(nil)
		t.Cleanup(func() { client.CloseIdleConnections(); server.Close() })
		return client, url
	})
}
