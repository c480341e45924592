package gate

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var generous = Config{Handshakes: 1000, HandshakesPerAddress: 1000, Sockets: 1000, SocketsPerAddress: 1000, SocketsPerSubject: 1000}

func with(change func(*Config)) *Gate {
	cfg := generous
	change(&cfg)
	return New(cfg)
}

func enter(t *testing.T, g *Gate, from string, want *Refusal) *Ticket {
	t.Helper()
	ticket, got := g.Enter(netip.MustParseAddr(from))
	if got != want {
		t.Fatalf("%s: %v, want %v", from, got, want)
	}
	return ticket
}

func TestSockets(t *testing.T) {
	g := with(func(c *Config) { c.Sockets = 2 })
	a := enter(t, g, "192.0.2.1", nil)
	enter(t, g, "127.0.0.1", nil)
	enter(t, g, "192.0.2.2", tooMany)
	a.Leave()
	enter(t, g, "192.0.2.2", nil)
}

func TestSocketsPerAddress(t *testing.T) {
	g := with(func(c *Config) { c.SocketsPerAddress = 1 })
	a := enter(t, g, "192.0.2.1", nil)
	enter(t, g, "::ffff:192.0.2.1", tooManyFrom)
	enter(t, g, "2001:db8::1", nil)
	enter(t, g, "2001:db8::ffff:ffff:ffff:ffff", tooManyFrom)
	enter(t, g, "2001:db8:0:1::1", nil)
	// This machine is a proxy, a test or the owner.
	for range 3 {
		enter(t, g, "127.0.0.1", nil)
		enter(t, g, "::1", nil)
		if _, refusal := g.Enter(netip.Addr{}); refusal != nil {
			t.Error(refusal)
		}
	}
	a.Leave()
	enter(t, g, "192.0.2.1", nil)
}

func TestHandshakesPerAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := with(func(c *Config) { c.HandshakesPerAddress = 2 })
		for range 2 * burst {
			enter(t, g, "192.0.2.1", nil).Leave()
		}
		enter(t, g, "192.0.2.1", tooFastFrom)
		enter(t, g, "192.0.2.2", nil)
		time.Sleep(time.Second)
		enter(t, g, "192.0.2.1", nil)
		enter(t, g, "192.0.2.1", nil)
		enter(t, g, "192.0.2.1", tooFastFrom)
	})
}

// What one address is refused costs the others nothing.
func TestOneAddressDoesNotUseUpWhatAllShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := with(func(c *Config) { c.HandshakesPerAddress, c.Handshakes = 1, 20 })
		for range burst {
			enter(t, g, "192.0.2.1", nil)
		}
		for range 1000 {
			enter(t, g, "192.0.2.1", tooFastFrom)
		}
		for i := range 20 - burst {
			enter(t, g, fmt.Sprintf("192.0.2.%d", i+2), nil)
		}
		enter(t, g, "192.0.2.99", tooFast)
		enter(t, g, "127.0.0.1", tooFast)
	})
}

func TestSubjects(t *testing.T) {
	g := with(func(c *Config) { c.SocketsPerSubject = 1 })
	a, b := enter(t, g, "192.0.2.1", nil), enter(t, g, "192.0.2.1", nil)
	if refusal := a.Name("ann"); refusal != nil {
		t.Fatal(refusal)
	}
	// A socket is counted once, whoever its further documents are of.
	if refusal := a.Name("ann"); refusal != nil {
		t.Error(refusal)
	}
	if refusal := b.Name("ann"); refusal != tooManyOf {
		t.Errorf("%v, want %v", refusal, tooManyOf)
	}
	if refusal := b.Name(""); refusal != nil {
		t.Error(refusal)
	}
	a.Leave()
	if refusal := b.Name("ann"); refusal != nil {
		t.Error(refusal)
	}
	b.Leave()
	if len(g.subjects) != 0 {
		t.Errorf("%v are remembered for ever", g.subjects)
	}
}

// Memory doesn't grow with the addresses that were ever seen.
func TestAddressesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := with(func(c *Config) { c.Handshakes = 1_000_000 })
		stays := enter(t, g, "2001:db8:ffff::", nil)
		for i := range 20_000 {
			a := netip.AddrFrom16([16]byte{0x20, 1, byte(i >> 8), byte(i)})
			ticket, refusal := g.Enter(a)
			if refusal != nil {
				t.Fatal(refusal)
			}
			ticket.Leave()
			if i%100 == 0 {
				time.Sleep(burst * time.Second)
			}
		}
		if n := len(g.addresses); n > 500 {
			t.Errorf("%d addresses are remembered", n)
		}
		stays.Leave()
	})
}
