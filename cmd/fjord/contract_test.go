package main

import (
	"testing"

	"connectrpc.com/connect"

	"github.com/fjord-sync/fjord/internal/contract/link"
	"github.com/fjord-sync/fjord/internal/serve"
)

// Rooms over storage does what the edge's tests believe of their stand-in.
func TestLinkContract(t *testing.T) {
	link.Run(t, func(t *testing.T) (connect.HTTPClient, string) {
		client := serve.NewClient(nil)
		r := start(t, nil, anywhere(t.TempDir())...)
		t.Cleanup(client.CloseIdleConnections)
		return client, r.urls["rpc"]
	})
}
