package edge_test

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/edge"
)

func TestRoomNames(t *testing.T) {
	for _, test := range []struct {
		rule   roomname.Rule
		path   string
		room   string // as rooms sees it
		status int    // of a refusal
	}{
		{rule: roomname.Default, path: "/doc", room: "doc"},
		{rule: roomname.Default, path: "/team/a/notes", room: "team/a/notes"},
		{rule: roomname.Default, path: "/a%20b%2Fc?x=1", room: "a b/c"},
		{rule: roomname.Default, path: "/%E5%B3%A1%E6%B9%BE", room: "峡湾"},
		{rule: roomname.Default, path: "//a", room: "/a"},
		{rule: roomname.Default, path: "/" + strings.Repeat("x", 255), room: strings.Repeat("x", 255)},
		{rule: roomname.Default, path: "/-/y-websocket", status: 400},
		{rule: roomname.Default, path: "/" + strings.Repeat("x", 256), status: 400},
		{rule: roomname.Default, path: "/a%0Ab", status: 400},
		{rule: roomname.Default, path: "/a%7F", status: 400},
		{rule: roomname.Default, path: "/a%C2%85", status: 400},
		{rule: roomname.Default, path: "/a%FF", status: 400},
		{rule: roomname.ELVA, path: "/abc-DEF_01", room: "abc-DEF_01"},
		{rule: roomname.ELVA, path: "/short", status: 403},
		{rule: roomname.ELVA, path: "/-/y-websocket/", status: 403},
		{rule: roomname.ELVA, path: "/" + strings.Repeat("x", 251), status: 403},
		{rule: roomname.ELVA, path: "/abc-DEF_01/x", status: 403},
	} {
		t.Run(test.path, func(t *testing.T) {
			w := newWorld(t, func(c *edge.Config) { c.RoomNames = test.rule })
			conn, response, err := w.dial(request{path: test.path})
			if test.status != 0 {
				if err == nil || response == nil || response.StatusCode != test.status {
					t.Fatalf("%v, %v; want HTTP %d", response, err, test.status)
				}
				if text, _ := io.ReadAll(response.Body); !strings.Contains(string(text), "room name") {
					t.Errorf("%q doesn't say the rule", text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			w.until("attach", func(f *roomsv1.EdgeFrame) bool { return f.GetAttach().GetRoom() == test.room })
		})
	}
}

func TestOrigins(t *testing.T) {
	for _, test := range []struct {
		allowed []string
		origin  string
		host    string
		ok      bool
	}{
		{origin: "", host: "edge.test", ok: true},
		{origin: "http://edge.test", host: "edge.test", ok: true},
		{origin: "http://EDGE.test:80", host: "edge.TEST", ok: true},
		{origin: "https://edge.test", host: "edge.test", ok: true},
		{origin: "https://edge.test", host: "edge.test:443", ok: true},
		{origin: "https://edge.test:8443", host: "edge.test:8443", ok: true},
		{origin: "http://edge.test:1234", host: "edge.test", ok: false},
		{origin: "http://edge.test", host: "edge.test:1234", ok: false},
		{origin: "http://evil.test", host: "edge.test", ok: false},
		{origin: "http://edge.test.evil.test", host: "edge.test", ok: false},
		{origin: "http://notedge.test", host: "edge.test", ok: false},
		{origin: "http://edge.test@evil.test", host: "edge.test", ok: false},
		{origin: "null", host: "edge.test", ok: false},
		{origin: "file://", host: "edge.test", ok: false},
		{origin: "edge.test", host: "edge.test", ok: false},
		{origin: "http://localhost:5173", host: "localhost:1234", ok: true},
		{origin: "http://localhost:5173", host: "127.0.0.1:1234", ok: true},
		{origin: "http://[::1]:5173", host: "localhost:1234", ok: true},
		{origin: "http://app.localhost", host: "127.0.0.2", ok: true},
		{origin: "http://evil.test", host: "localhost:1234", ok: false},
		{origin: "http://localhost.evil.test", host: "localhost:1234", ok: false},
		{origin: "http://127.0.0.1.evil.test", host: "localhost:1234", ok: false},
		{origin: "http://localhost:5173", host: "edge.test", ok: false},
		{allowed: []string{"https://app.test"}, origin: "https://app.test", host: "edge.test", ok: true},
		{allowed: []string{"https://App.test:443/"}, origin: "https://app.test", host: "edge.test", ok: true},
		{allowed: []string{"https://app.test"}, origin: "http://app.test", host: "edge.test", ok: false},
		{allowed: []string{"https://app.test"}, origin: "https://app.test:444", host: "edge.test", ok: false},
		{allowed: []string{"https://app.test"}, origin: "https://x.app.test", host: "edge.test", ok: false},
		{allowed: []string{"https://a.test", "*"}, origin: "null", host: "edge.test", ok: true},
	} {
		t.Run(test.origin+" to "+test.host, func(t *testing.T) {
			w := newWorld(t, func(c *edge.Config) { c.AllowedOrigins = test.allowed })
			header := http.Header{"Host": {test.host}}
			if test.origin != "" {
				header.Set("Origin", test.origin)
			}
			conn, response, err := w.dial(request{path: "/doc", header: header})
			if conn != nil {
				defer conn.Close()
			}
			if (err == nil) != test.ok {
				t.Errorf("%v, want allowed = %t", err, test.ok)
			}
			if err != nil && (response == nil || response.StatusCode != http.StatusForbidden) {
				t.Errorf("refused with %v, want 403", response)
			}
		})
	}
}

func TestConfigIsChecked(t *testing.T) {
	rooms := []string{"http://rooms.test"}
	for name, cfg := range map[string]edge.Config{
		"no rooms":       {},
		"no scheme":      {RoomsURLs: []string{"rooms.test:7070"}},
		"no host":        {RoomsURLs: []string{"http://"}},
		"other scheme":   {RoomsURLs: []string{"ftp://rooms.test"}},
		"origin":         {RoomsURLs: rooms, AllowedOrigins: []string{"app.test"}},
		"origin path":    {RoomsURLs: rooms, AllowedOrigins: []string{"https://app.test/x"}},
		"negative limit": {RoomsURLs: rooms, Limits: edge.Limits{Outbox: -1}},
		"burst below":    {RoomsURLs: rooms, Limits: edge.Limits{Outbox: 2, Burst: 1}},
		"large frames":   {RoomsURLs: rooms, Limits: edge.Limits{Frame: 64 << 20}},
		"pong too short": {RoomsURLs: rooms, Keepalive: edge.Keepalive{Ping: 50e9}},
	} {
		e, err := edge.New(cfg)
		if err == nil {
			e.Close()
			t.Errorf("%s: accepted", name)
		} else if !strings.HasPrefix(err.Error(), "edge: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlainRequests(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{"/", "/some/room?token=x"} {
		if r := w.get("GET", path, nil); r.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %s", path, r.Status)
		}
	}
	if r := w.get("POST", "/doc", nil); r.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %s", r.Status)
	}
	custom := newWorld(t, func(c *edge.Config) {
		c.Page = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	})
	if r := custom.get("GET", "/doc", nil); r.StatusCode != http.StatusTeapot {
		t.Errorf("GET with a Page: %s", r.Status)
	}
}

func TestBrokenUpgrades(t *testing.T) {
	w := newWorld(t, nil)
	base := http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}}
	for name, change := range map[string]http.Header{
		"no version": {"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}},
		"no key":     {"Sec-Websocket-Version": {"13"}},
		"old":        {"Sec-Websocket-Version": {"8"}, "Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}},
	} {
		header := base.Clone()
		maps.Copy(header, change)
		if r := w.get("GET", "/doc", header); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s, want 400", name, r.Status)
		}
	}
	// They don't count as sockets.
	if err := w.edge.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFirstSubprotocolIsChosen(t *testing.T) {
	w := newWorld(t, nil)
	conn, response, err := w.dial(request{path: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"yjs, secret"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := response.Header.Get("Sec-Websocket-Protocol"); got != "yjs" {
		t.Errorf("subprotocol %q, want yjs", got)
	}
}

func TestTooManySockets(t *testing.T) {
	w := newWorld(t, func(c *edge.Config) { c.Limits.Sockets = 2 })
	a := w.sync("doc")
	w.sync("doc")
	_, response, err := w.dial(request{path: "/doc"})
	if err == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Fatalf("%v, %v; want 503 with Retry-After", response, err)
	}
	_ = a.conn.Close()
	w.until("leave", func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil })
	w.eventually("a place is free", func() bool {
		conn, _, err := w.dial(request{path: "/doc"})
		if err != nil {
			return false
		}
		_ = conn.Close()
		return true
	})
}

func TestTokensStayOutOfLogsAndMetrics(t *testing.T) {
	var log lockedBuffer
	registry := prometheus.NewPedanticRegistry()
	w := newWorld(t, func(c *edge.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Metrics = registry
	})
	conn, _, err := w.dial(request{path: "/canary-room?token=canary-token", header: http.Header{"Authorization": {"Bearer canary-token"}}})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: conn}
	p.send("00 00 01 00")
	p.want("00 01 00", "00 00 01 00")
	p.send("ff")
	p.wantClosed(4400, "message type")
	if err := w.edge.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.rooms.Break()
	if !strings.Contains(log.String(), `"room":"canary-room","code":4400`) {
		t.Errorf("the log doesn't tell how the socket closed: %s", log.String())
	}
	if strings.Contains(log.String(), "canary-token") {
		t.Errorf("the log has a token: %s", log.String())
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if strings.Contains(label.GetValue(), "canary") {
					t.Errorf("%s has a label %s", family.GetName(), label)
				}
			}
		}
	}
}

// lockedBuffer is a bytes.Buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex // guards following
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
