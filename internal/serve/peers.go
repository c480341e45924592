package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/fjord-sync/fjord/internal/limit"
)

// PeersConfig says how Fjord's services know one another. Its zero value: they
// don't.
type PeersConfig struct {
	// Secret is a file of secrets, one a line: the first is said, all are
	// accepted.
	Secret string
	// Certificate, Key and CA are PEM files: who this process is, and whose word
	// it takes for who others are. All three or none.
	Certificate, Key, CA string
	// Silence is how long a peer may say nothing until it is taken for gone; 0 means
	// 10 s.
	Silence time.Duration
	Logger  *slog.Logger
}

// PeerLimits are the limits in a PeersConfig.
var PeerLimits = limit.Table[PeersConfig]{{
	Name: "max-peer-silence",
	What: "silence of another service, which is asked for a sign of life after half of it",
	Then: "its connection is closed, and what went over it made anew: an edge links again",
	Time: func(c *PeersConfig) *time.Duration { return &c.Silence },
	// Below a second a process that is only busy would be taken for gone.
	Default: int64(maxSilence), Least: int64(time.Second),
}}

// Peers knows the other services: by a secret, by certificates of an authority of
// one's own (mTLS), or both. It starts no goroutine.
type Peers struct {
	secrets *files[secrets] // nil: there is none
	pair    *files[pair]    // nil: clear text
	silence time.Duration
}

var errThree = errors.New("--peer-cert, --peer-key and --peer-ca go together: want all three or none")

// OpenPeers reads the files that the config names.
func OpenPeers(c PeersConfig) (*Peers, error) {
	if err := PeerLimits.Fill(&c); err != nil {
		return nil, err
	}
	p := &Peers{silence: c.Silence}
	var err error
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Secret != "" {
		if p.secrets, err = openSecrets(c.Secret, c.Logger); err != nil {
			return nil, fmt.Errorf("--rpc-secret %s: %w", c.Secret, err)
		}
	}
	switch {
	case c.Certificate == "" && c.Key == "" && c.CA == "":
		return p, nil
	case c.Certificate == "" || c.Key == "" || c.CA == "":
		return nil, errThree
	}
	if p.pair, err = openPair(c.Certificate, c.Key, c.CA, c.Logger, "h2", "http/1.1"); err != nil {
		return nil, fmt.Errorf("--peer-cert %s: %w", c.Certificate, err)
	}
	return p, nil
}

// Known reports whether strangers are told from peers at all.
func (p *Peers) Known() bool { return p.secrets != nil || p.pair != nil }

// HasSecret reports whether peers say a secret.
func (p *Peers) HasSecret() bool { return p.secrets != nil }

// Silence is how long a peer may say nothing.
func (p *Peers) Silence() time.Duration { return p.silence }

// Scheme is that of the URLs at which peers reach this process.
func (p *Peers) Scheme() string {
	if p.pair != nil {
		return "https"
	}
	return "http"
}

// Listener returns l for peers: with TLS, if certificates say who they are.
func (p *Peers) Listener(l net.Listener) net.Listener {
	if p.pair == nil {
		return l
	}
	return tls.NewListener(l, serverTLS(p.pair))
}

// Guard keeps strangers from a handler: who doesn't say the secret is told so. What
// certificates say was checked by the Listener.
func (p *Peers) Guard(next http.Handler) http.Handler {
	if p.secrets == nil {
		return next
	}
	return guard(p.secrets, next)
}

// Client returns a client of other services over HTTP/2, that says who it is. A
// nil dial connects over TCP.
func (p *Peers) Client(dial DialFunc) *http.Client {
	client := newClient(dial, p.silence)
	transport, _ := client.Transport.(*http.Transport)
	if p.pair != nil {
		transport.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			conn, err := transport.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			secured := tls.Client(conn, clientTLS(p.pair, host))
			if err := secured.HandshakeContext(ctx); err != nil {
				_ = conn.Close()
				return nil, err
			}
			return secured, nil
		}
	}
	if p.secrets != nil {
		client.Transport = sayer{transport, p.secrets}
	}
	return client
}

// CheckURL refuses a URL of a peer that would be called in clear text although
// there are certificates. Of nil Peers, which couldn't be opened, nothing is known.
func (p *Peers) CheckURL(flag, url string) error {
	if p != nil && p.pair != nil && !strings.HasPrefix(url, "https://") {
		return fmt.Errorf("--%s %s: certificates mean nothing there; want https://, or no --peer-cert", flag, url)
	}
	return nil
}

// Look reads files that have changed at once, and not within a second.
func (p *Peers) Look() {
	if p.secrets != nil {
		p.secrets.look()
	}
	if p.pair != nil {
		p.pair.look()
	}
}
