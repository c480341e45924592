// Package gate counts who comes in: how many at a time, and how fast.
//
//	handshake ─► Enter(address) ─► Ticket ─► Name(subject) … Leave
//	                 └─► *Refusal: which limit, and the status that says so
//
// It knows no HTTP request and no websocket, starts no goroutine, and forgets an
// address as soon as nothing of it is left.
package gate

import (
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Config bounds what a Gate lets in. Every number is at least 1.
type Config struct {
	// Handshakes and HandshakesPerAddress are in a second, on average. One second's
	// worth may come at once, of one address burst seconds' worth: everybody in
	// an office comes back at once after a restart.
	Handshakes, HandshakesPerAddress              int
	Sockets, SocketsPerAddress, SocketsPerSubject int
}

// burst is in seconds.
const burst = 10

// Refusal says which limit keeps somebody out.
type Refusal struct {
	// Limit is the name of its flag.
	Limit string
	// Status is the HTTP status that says so.
	Status int
	// Text is for people.
	Text string
}

// What a Gate answers. 429 is for who can do something about it.
var (
	tooMany     = &Refusal{"max-sockets", http.StatusServiceUnavailable, "too many sockets, come back"}
	tooFast     = &Refusal{"max-handshakes", http.StatusServiceUnavailable, "too many come at once, come back"}
	tooManyFrom = &Refusal{"max-sockets-per-address", http.StatusTooManyRequests, "too many sockets from this address"}
	tooFastFrom = &Refusal{"max-handshakes-per-address", http.StatusTooManyRequests, "too many come at once from this address, come back"}
	tooManyOf   = &Refusal{"max-sockets-per-subject", http.StatusTooManyRequests, "you have too many sockets"}
)

// Gate lets in and counts. Its methods may be called from any goroutine.
type Gate struct {
	cfg Config
	all *rate.Limiter

	mu        sync.Mutex // guards following
	sockets   int
	addresses map[netip.Addr]*address
	subjects  map[string]int
	// swept is how many addresses there were after the last sweep.
	swept int
}

// address is one that has sockets, or had a handshake not long ago.
type address struct {
	sockets    int
	handshakes *rate.Limiter
}

// Ticket is what somebody was let in with. Name and Leave belong to whoever
// holds it, one at a time.
type Ticket struct {
	gate    *Gate
	from    netip.Addr // the zero Addr isn't counted
	subject string
}

// New returns a Gate that nobody has passed.
func New(cfg Config) *Gate {
	return &Gate{
		cfg:       cfg,
		all:       rate.NewLimiter(rate.Limit(cfg.Handshakes), cfg.Handshakes),
		addresses: make(map[netip.Addr]*address),
		subjects:  make(map[string]int),
	}
}

// Enter lets a handshake in, or says why not. The zero Addr, and addresses of
// this machine, aren't counted by address.
func (g *Gate) Enter(from netip.Addr) (*Ticket, *Refusal) {
	from = network(from)
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sockets >= g.cfg.Sockets {
		return nil, tooMany
	}
	// Who comes too fast by himself is refused before he uses up what all share.
	if from.IsValid() {
		g.sweepLocked(now)
		a := g.addresses[from]
		if a == nil {
			n := g.cfg.HandshakesPerAddress
			a = &address{handshakes: rate.NewLimiter(rate.Limit(n), n*burst)}
			g.addresses[from] = a
		}
		if a.sockets >= g.cfg.SocketsPerAddress {
			return nil, tooManyFrom
		}
		if !a.handshakes.AllowN(now, 1) {
			return nil, tooFastFrom
		}
	}
	if !g.all.AllowN(now, 1) {
		return nil, tooFast
	}
	g.sockets++
	if from.IsValid() {
		g.addresses[from].sockets++
	}
	return &Ticket{gate: g, from: from}, nil
}

// Name says who holds a ticket, or why one more socket of theirs is too many.
// Nobody in particular ("") isn't counted. Only the first name counts.
func (t *Ticket) Name(subject string) *Refusal {
	if subject == "" {
		return nil
	}
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.subject != "" {
		return nil
	}
	if g.subjects[subject] >= g.cfg.SocketsPerSubject {
		return tooManyOf
	}
	g.subjects[subject]++
	t.subject = subject
	return nil
}

// Leave gives the place back. It must be called once.
func (t *Ticket) Leave() {
	g := t.gate
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sockets--
	if t.from.IsValid() {
		g.addresses[t.from].sockets--
	}
	if t.subject == "" {
		return
	}
	if g.subjects[t.subject]--; g.subjects[t.subject] == 0 {
		delete(g.subjects, t.subject)
	}
}

// sweepLocked forgets addresses that have no sockets and whose handshakes are
// long past. It looks at all of them, but only when their number has doubled.
func (g *Gate) sweepLocked(now time.Time) {
	if len(g.addresses) < 2*g.swept+64 {
		return
	}
	for from, a := range g.addresses {
		if a.sockets == 0 && a.handshakes.TokensAt(now) >= float64(a.handshakes.Burst()) {
			delete(g.addresses, from)
		}
	}
	g.swept = len(g.addresses)
}

// network returns what an address counts as: IPv6 hands out 2^64 at a time, and
// who comes from this machine is a proxy, a test or its owner.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if !a.IsValid() || a.IsLoopback() {
		return netip.Addr{}
	}
	if a.Is6() {
		p, _ := a.WithZone("").Prefix(64) // 64 is no more than the 128 it has
		return p.Addr()
	}
	return a
}
