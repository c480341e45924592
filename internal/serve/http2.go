package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// A stalled stream may hold streamWindow bytes unread. It must stay a
	// fraction of connWindow: with net/http's defaults (1 MiB both) one handler
	// that stops receiving blocks every other stream of its connection.
	streamWindow = 256 << 10
	// connWindow must stay below 4 MiB, the largest that net/http takes.
	connWindow = 4<<20 - 1
	// maxStreams bounds the calls that one connection carries at once.
	maxStreams = 5000
	// maxSilence is how long a peer may say nothing, if nobody says otherwise:
	// without pings net/http never notices one that is gone without a FIN.
	maxSilence = 10 * time.Second
	// writeStall ends a connection whose peer takes no byte for that long, unless it
	// may be silent for longer: what is frozen takes nothing either.
	writeStall = 10 * time.Second

	readHeaderTimeout = 5 * time.Second
	// idleTimeout ends a connection between two requests. Nobody counts those.
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// http2Config returns how connections are treated. After half of silence a peer is
// asked for a sign of life, and has the other half for its answer.
func http2Config(silence time.Duration) *http.HTTP2Config {
	return &http.HTTP2Config{
		MaxConcurrentStreams:          maxStreams,
		MaxReceiveBufferPerStream:     streamWindow,
		MaxReceiveBufferPerConnection: connWindow,
		SendPingTimeout:               silence / 2,
		PingTimeout:                   silence - silence/2,
		WriteByteTimeout:              max(writeStall, silence),
	}
}

// CheckURL refuses what isn't the URL of another service.
func CheckURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("%q: want http://host:port or https://host:port", address)
	}
	return nil
}

// DialFunc is the type of http.Transport.DialContext.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// NewClient returns a client that speaks HTTP/2, as bidirectional streams need: in
// clear text to http URLs and over TLS, with the system's roots, to https ones. A
// nil dial connects over TCP.
func NewClient(dial DialFunc) *http.Client { return newClient(dial, maxSilence) }

func newClient(dial DialFunc, silence time.Duration) *http.Client {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP2(true)
	if dial == nil {
		dial = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	}
	return &http.Client{Transport: &http.Transport{
		Protocols:   &protocols,
		HTTP2:       http2Config(silence),
		DialContext: dial,
	}}
}
