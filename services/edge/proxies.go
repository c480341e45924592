package edge

import (
	"net/http"
	"net/netip"
	"strings"
)

// proxies are those whose word counts for where a request comes from. Anybody
// may write X-Forwarded-For; a proxy adds, on the right, whom it has heard it
// from. So the client is the right-most address that is no proxy of ours: what
// is left of it was written by the client, or by somebody it chose.
type proxies []netip.Prefix

func (p proxies) trusts(a netip.Addr) bool {
	for _, prefix := range p {
		if prefix.Contains(a) {
			return true
		}
	}
	return false
}

// peer returns the address at the other end of the connection, the zero Addr if
// it isn't IP.
func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}

// client returns the address that a request comes from, behind the proxies that
// are trusted. Where their list can't be read, it ends.
func (p proxies) client(r *http.Request) netip.Addr {
	at := peer(r)
	if !p.trusts(at) {
		return at
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for i := len(hops) - 1; i >= 0 && p.trusts(at); i-- {
		a, ok := hop(hops[i])
		if !ok {
			break
		}
		at = a
	}
	return at
}

// hop reads one entry of X-Forwarded-For: an address, for some proxies with its
// port.
func hop(s string) (netip.Addr, bool) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Unmap(), true
	}
	a, err := netip.ParseAddrPort(s)
	return a.Addr().Unmap(), err == nil
}

// https reports whether the client surely speaks TLS: to us, or to a proxy that
// is trusted and says so.
func (p proxies) https(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	said := r.Header["X-Forwarded-Proto"]
	return len(said) == 1 && p.trusts(peer(r)) && (strings.EqualFold(said[0], "https") || strings.EqualFold(said[0], "wss"))
}
