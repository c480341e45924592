package serve

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
)

// Certificate is what a public port presents: PEM files that are read again when
// they change. A pair that doesn't fit changes nothing.
type Certificate struct{ pair *files[pair] }

// OpenCertificate reads a certificate, with the chain that leads to its authority,
// and its key.
func OpenCertificate(certificate, key string, log *slog.Logger) (*Certificate, error) {
	f, err := openPair(certificate, key, "", log, "http/1.1")
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s: %w", certificate, err)
	}
	return &Certificate{f}, nil
}

// Listener returns l with TLS 1.2 or newer and HTTP/1.1, as websockets need. A nil
// Certificate returns l.
func (c *Certificate) Listener(l net.Listener) net.Listener {
	if c == nil {
		return l
	}
	return tls.NewListener(l, serverTLS(c.pair))
}

// Scheme returns that of URLs to the port: plain, or plain with an s.
func (c *Certificate) Scheme(plain string) string {
	if c == nil {
		return plain
	}
	return plain + "s"
}

// Look reads the files at once if they have changed.
func (c *Certificate) Look() {
	if c != nil {
		c.pair.look()
	}
}
