package edge

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/fjord-sync/fjord/internal/serve"
)

// origins decides which web pages may connect. A browser sends its cookies to
// any host that a page names, and asks nobody before it opens a websocket: the
// Origin header is the only thing that tells a foreign page from one's own.
type origins struct {
	any     bool
	allowed map[string]bool // scheme://host:port, normalized
}

// newOrigins returns the rule for a list of allowed origins.
func newOrigins(list []string) (*origins, error) {
	o := &origins{allowed: make(map[string]bool)}
	var wrong []error
	for _, s := range list {
		if s == "*" {
			o.any = true
			continue
		}
		u, err := parseOrigin(s)
		if strings.Contains(u.host, "*") {
			err = errWildcard
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("edge: allowed origin %q: %w", s, err))
			continue
		}
		o.allowed[u.String()] = true
	}
	return o, errors.Join(wrong...)
}

// origin is a web page's origin, in lower case and with its port.
type origin struct{ scheme, host, port string }

// String returns scheme://host:port.
func (o origin) String() string { return o.scheme + "://" + net.JoinHostPort(o.host, o.port) }

var (
	errOrigin   = errors.New("want scheme://host or scheme://host:port")
	errWildcard = fmt.Errorf("%w, each by its whole name, or * alone for all", errOrigin)
)

// parseOrigin reads an Origin header's value. "null", which sandboxed pages and
// local files send, is none.
func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Hostname() == "" || u.User != nil ||
		(u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return origin{}, errOrigin
	}
	o := origin{strings.ToLower(u.Scheme), strings.ToLower(u.Hostname()), u.Port()}
	if o.port == "" {
		o.port = defaultPort(o.scheme)
	}
	return o, nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "https", "wss":
		return "443"
	case "http", "ws":
		return "80"
	default:
		return ""
	}
}

// allows reports whether a page of the given Origin header may connect to host
// (a Host header), which is reached by TLS if https is set. Clients that are no
// browsers send no Origin, and browsers send one.
func (o *origins) allows(header []string, host string, https bool) bool {
	if len(header) == 0 || o.any {
		return true
	}
	if len(header) > 1 {
		return false
	}
	from, err := parseOrigin(header[0])
	if err != nil {
		return false
	}
	if o.allowed[from.String()] {
		return true
	}
	// A host without a port has its scheme's; behind a proxy that ends TLS
	// only the browser knows the scheme.
	to, err := parseOrigin(from.scheme + "://" + host)
	if err != nil {
		return false
	}
	if serve.Loopback(from.host) && serve.Loopback(to.host) {
		return true
	}
	// A page that came without TLS may be anybody's on the way.
	return from == to && (!https || from.scheme == "https" || from.scheme == "wss")
}
