package serve

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"connectrpc.com/connect"
)

// Loopback reports whether a host name or address, in lower case and without a
// port, means this machine wherever it is said.
func Loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// CalledHere lets through what calls this machine by a name of its own, or by one
// that known has (in lower case, without a port), and answers the rest with 403 and
// otherwise, which says what would be right.
//
// It is for ports that trust whoever is on this machine: so are the browsers on
// it, with pages of anybody. A page can have its own name resolved to 127.0.0.1
// once it is loaded (DNS rebinding); to the browser the port is then the page's own
// origin, and only the Host header still tells.
func CalledHere(h http.Handler, known map[string]bool, otherwise string) http.Handler {
	refuse := refusing(http.StatusForbidden, connect.NewError(connect.CodePermissionDenied, errors.New(otherwise)))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := strings.ToLower((&url.URL{Host: r.Host}).Hostname())
		if !Loopback(host) && !known[host] {
			refuse.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}
