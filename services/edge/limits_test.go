package edge_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/limit"
	"github.com/fjord-sync/fjord/internal/limit/limittest"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

// limited is a world whose limits are counted.
type limited struct {
	*world
	registry *prometheus.Registry
}

// limitedBy starts a world in which a limit is n.
func limitedBy(t *testing.T, start func(testing.TB, func(*edge.Config)) *world, name string, n int64, more ...func(*edge.Config)) *limited {
	t.Helper()
	l := &limited{registry: prometheus.NewPedanticRegistry()}
	l.world = start(t, func(c *edge.Config) {
		c.Metrics = l.registry
		row(t, name).Set(c, n)
		for _, change := range more {
			change(c)
		}
	})
	return l
}

func row(t *testing.T, name string) limit.Row[edge.Config] {
	t.Helper()
	for _, r := range edge.LimitTable {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no limit is called %s", name)
	return limit.Row[edge.Config]{}
}

// reached returns how often a limit was.
func (l *limited) reached(name string) float64 {
	l.t.Helper()
	families, err := l.registry.Gather()
	if err != nil {
		l.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != "fjord_edge_limits_reached_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			if m.GetLabel()[0].GetValue() == name {
				return m.GetCounter().GetValue()
			}
		}
	}
	l.t.Fatalf("limit %s has no counter", name)
	return 0
}

// refusedWith expects an upgrade to be answered with a status and a time to come
// back.
func (l *limited) refusedWith(status int, header http.Header) {
	l.t.Helper()
	conn, response, err := l.dial(request{path: "/doc", header: header})
	if err == nil {
		_ = conn.Close()
		l.t.Fatalf("let in, want HTTP %d", status)
	}
	if response == nil || response.StatusCode != status || response.Header.Get("Retry-After") == "" {
		l.t.Fatalf("%v, %v; want HTTP %d with Retry-After", response, err, status)
	}
	if text, _ := io.ReadAll(response.Body); len(text) < 10 {
		l.t.Errorf("%q doesn't say why", text)
	}
}

// from is what a proxy says of a client, and behindProxy believes it.
func from(address string) http.Header { return http.Header{"X-Forwarded-For": {address}} }

func behindProxy(c *edge.Config) {
	c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// anUpdateOf returns a frame with an update of n bytes.
func anUpdateOf(n int) []byte {
	return append([]byte{0, 2, byte(n) | 0x80, byte(n>>7) | 0x80, byte(n >> 14)}, make([]byte, n)...)
}

const docName = "03 646f63 "

// refusals has a test for each limit: it reaches the limit and checks what the
// docs say becomes of who does.
var refusals = map[string]func(t *testing.T, which string) *limited{
	"max-frame": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 10_000)
		p := l.sync("doc")
		p.sendBytes(anUpdateOf(10_000))
		p.wantClosed(4413, "larger")
		return l
	},
	"max-messages-per-second": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			l = limitedBy(t, newWorld, which, 10)
			p := l.join("doc")
			start := time.Now()
			for i := range 70 { // 40 at once, and 30 in 3 s
				p.send(fmt.Sprintf("00 02 01 %02x", i))
				p.next()
				if i == 0 {
					p.send("00 00 01 00")
				}
			}
			if took := time.Since(start).Round(time.Second); took != 3*time.Second {
				t.Errorf("70 messages took %s, want 3s", took)
			}
			_ = p.conn.Close()
		})
		return l
	},
	"max-bytes-per-second": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			// A frame of any size comes through, and is paid for.
			l = limitedBy(t, newWorld, which, 64<<10, func(c *edge.Config) { c.Limits.Frame = 1 << 20 })
			p := l.sync("doc")
			start := time.Now()
			for range 4 { // 1 MiB at once
				p.sendBytes(anUpdateOf(512 << 10))
				p.next()
			}
			if took := time.Since(start).Round(time.Second); took < 8*time.Second || took > 17*time.Second {
				t.Errorf("2 MiB took %s, want about 16s", took)
			}
			_ = p.conn.Close()
		})
		return l
	},
	"max-early-frame": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 1000, withTokens(t))
		p := l.carry("/")
		p.sendBytes(append(dialecttest.Bytes(t, docName+"00 02 80 08"), make([]byte, 1024)...))
		p.wantClosed(4413, "larger")
		// Who is in may say more.
		q := l.carry("/")
		q.send(docName + opens(t, "rw"))
		q.want(docName + granted)
		q.sendBytes(append(dialecttest.Bytes(t, docName+"00 02 80 08"), make([]byte, 1024)...))
		q.next()
		return l
	},
	"max-early-bytes": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 1000, withTokens(t))
		p := l.carry("/")
		p.sendBytes(append(dialecttest.Bytes(t, docName+"00 02 80 08"), make([]byte, 1024)...))
		p.wantClosed(4413, "before a document let the client in")
		return l
	},
	"max-early-messages": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 2, withTokens(t))
		p := l.carry("/")
		for range 3 {
			p.send(docName + "03")
		}
		p.wantClosed(4413, "before a document let the client in")
		return l
	},
	"max-early-documents": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 2, withTokens(t))
		p := l.carry("/")
		for _, address := range []string{"a", "b", "c"} {
			p.send(name(address) + "03")
		}
		p.wantClosed(4413, "too many documents")
		return l
	},
	"max-first-message": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			l = limitedBy(t, newWorld, which, int64(7*time.Second))
			start := time.Now()
			p, q := l.join("doc"), l.sync("doc")
			p.wantClosed(1013, "nothing was said")
			if took := time.Since(start); took != 7*time.Second {
				t.Errorf("closed after %s, want 7s", took)
			}
			if err := q.nothingFor(9 * time.Second); err != nil {
				t.Errorf("a client that has spoken: %v", err)
			}
			_ = q.conn.Close()
		})
		return l
	},
	"max-token-wait": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			l = limitedBy(t, newWorld, which, int64(3*time.Second), withTokens(t))
			p := l.carry("/")
			start := time.Now()
			p.send(docName + stepOne)
			p.want(docName + refusal)
			if took := time.Since(start); took != 3*time.Second {
				t.Errorf("denied after %s, want 3s", took)
			}
			_ = p.conn.Close()
		})
		return l
	},
	"max-documents": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 2)
		p := l.carry("/")
		for _, address := range []string{"a", "b"} {
			p.send(name(address) + tokenRW)
			p.want(name(address) + granted)
		}
		p.send(name("c") + tokenRW)
		p.wantClosed(4413, "too many documents")
		return l
	},
	"max-queued": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			l = limitedBy(t, newWorld, which, 64<<10)
			p := l.sync("doc") // and reads nothing more, from a pipe that holds little
			for range 16 {
				l.rooms.Append("doc", make([]byte, 64<<10))
			}
			time.Sleep(4 * time.Second) // it may still catch up
			synctest.Wait()
			if n := l.reached(which); n != 0 {
				t.Errorf("closed within the grace")
			}
			time.Sleep(2 * time.Second)
			l.rooms.Append("doc", make([]byte, 1))
			synctest.Wait()
			p.wantClosed(1013, "slow, come back")
		})
		return l
	},
	"max-queued-burst": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newTCPWorld, which, 1<<20, func(c *edge.Config) { c.Limits.Outbox = 64 << 10 })
		slow := l.sync("doc")
		// Not until all is sent: who doesn't read for 5 s then hears no reason.
		for sent := 0; sent < 24<<20 && l.reached(which) == 0; sent += 32 << 10 {
			l.rooms.Append("doc", make([]byte, 32<<10))
		}
		slow.wantClosed(1013, "slow, come back")
		return l
	},
	"max-silence": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			l = limitedBy(t, newWorld, which, int64(10*time.Second))
			p := l.sync("doc")
			start := time.Now()
			p.conn.SetPingHandler(func(string) error { return nil })
			_ = p.conn.SetReadDeadline(start.Add(time.Hour))
			for {
				if _, _, err := p.conn.ReadMessage(); err != nil {
					break
				}
			}
			if took := time.Since(start); took != 10*time.Second {
				t.Errorf("dropped after %s, want 10s", took)
			}
		})
		return l
	},
	"max-header": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 2000)
		l.refusedWith(http.StatusRequestHeaderFieldsTooLarge, http.Header{"X-Much": {strings.Repeat("x", 2000)}})
		l.sync("doc")
		return l
	},
	"max-handshakes": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			l = limitedBy(t, newWorld, which, 2)
			l.join("doc")
			l.join("doc")
			l.refusedWith(http.StatusServiceUnavailable, nil)
			time.Sleep(500 * time.Millisecond)
			l.join("doc")
			l.refusedWith(http.StatusServiceUnavailable, nil)
		})
		return l
	},
	"max-handshakes-per-address": func(t *testing.T, which string) *limited {
		var l *limited
		synctest.Test(t, func(t *testing.T) {
			l = limitedBy(t, newLocalWorld, which, 1, behindProxy)
			for range 10 { // at once
				conn, _, err := l.dial(request{path: "/doc", header: from("192.0.2.1")})
				if err != nil {
					t.Fatal(err)
				}
				_ = conn.Close()
			}
			l.refusedWith(http.StatusTooManyRequests, from("198.51.100.9, 192.0.2.1"))
			l.join("doc")
		})
		return l
	},
	"max-sockets": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 1)
		l.sync("doc")
		l.refusedWith(http.StatusServiceUnavailable, nil)
		return l
	},
	"max-sockets-per-address": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newTCPWorld, which, 1, behindProxy)
		conn, _, err := l.dial(request{path: "/doc", header: from("2001:db8::1")})
		if err != nil {
			t.Fatal(err)
		}
		l.refusedWith(http.StatusTooManyRequests, from("2001:db8::2"))
		_ = conn.Close()
		l.eventually("a place is free", func() bool {
			conn, _, err := l.dial(request{path: "/doc", header: from("2001:db8::2")})
			if err == nil {
				_ = conn.Close()
			}
			return err == nil
		})
		return l
	},
	"max-sockets-per-subject": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 1, withTokens(t))
		ann := token(t, time.Now().Add(time.Hour), grant("prefix", "", "rw", true))
		l.joinAs("doc", ann)
		l.refusedWith(http.StatusTooManyRequests, bearer(ann))
		p := l.carry("/") // messages say who it is
		p.send(docName + says(ann))
		if got := p.next(); !strings.Contains(got, "0201") {
			t.Errorf("%s, want denied", got)
		}
		return l
	},
	"max-sockets-per-room": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 1)
		l.sync("doc")
		l.refusedWith(http.StatusServiceUnavailable, nil)
		l.sync("other")
		p := l.carry("/")
		p.send(docName + tokenRW)
		p.want(docName + granted)
		if got := p.next(); !strings.Contains(got, "0201") {
			t.Errorf("%s, want denied", got)
		}
		p.send(name("third") + tokenRW)
		p.want(name("third") + granted)
		return l
	},
	"max-inbound": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 20_000)
		p := l.sync("doc")
		p.sendBytes(anUpdateOf(100_000))
		p.wantClosed(1013, "too many large frames")
		return l
	},
	"max-link-queue": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newTCPWorld, which, 64<<10)
		p := l.sync("doc")
		release := make(chan struct{})
		l.rooms.SetHook(func(_ *roomstest.Link, f *roomsv1.EdgeFrame) bool {
			if f.GetUpdate() != nil {
				<-release
			}
			return false
		})
		const n = 40
		for range n {
			p.sendBytes(anUpdateOf(60_000))
		}
		l.eventually("the queue is full", func() bool { return l.reached(which) > 0 })
		close(release)
		for range n { // and nothing was lost
			p.next()
		}
		return l
	},
	"max-link-message": func(t *testing.T, which string) *limited {
		l := limitedBy(t, newWorld, which, 10_000)
		p := l.sync("doc")
		l.rooms.Append("doc", bytes.Repeat([]byte{7}, 20_000))
		l.eventually("the link was dropped", func() bool { return l.reached(which) > 0 })
		_ = p.conn.Close()
		return l
	},
}

// Every limit has a default, a flag, a metric and a refusal, and stands in the
// docs: the table's rows can't have one without the others.
func TestEveryLimitIsRefusedAndCounted(t *testing.T) {
	for _, r := range edge.LimitTable {
		t.Run(r.Name, func(t *testing.T) {
			refuse, ok := refusals[r.Name]
			if !ok {
				t.Fatal("nothing shows what becomes of who goes over it")
			}
			if l := refuse(t, r.Name); l.reached(r.Name) < 1 {
				t.Error("it was reached, and not counted")
			}
		})
	}
	if len(refusals) != len(edge.LimitTable) {
		t.Errorf("%d refusals for %d limits", len(refusals), len(edge.LimitTable))
	}
}

func TestLimitsAreDocumented(t *testing.T) {
	limittest.Documented(t, "../../docs/limits.md", "<!-- edge.LimitTable -->", "<!-- end -->", edge.LimitTable.Markdown())
}
