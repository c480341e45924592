package edge_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/internal/trace/tracetest"
	"github.com/fjord-sync/fjord/services/edge"
)

// Every method gets the same secret in every place that a token can be in, before
// the upgrade, in a message, and again in mid-session. No log, metric, answer, frame,
// close reason or span has it.
func TestNoMethodWritesATokenDown(t *testing.T) {
	const canary = "kanarienvogel"
	good := token(t, time.Now().Add(time.Hour), grant("prefix", "", "rw", true))
	basic := base64.StdEncoding.EncodeToString([]byte("ann:" + canary))
	answer := `{"allow":true,"rooms":[{"prefix":"","perm":"rw"}]}`
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case bytes.Contains(body, []byte("broken")):
			_, _ = w.Write(body) // an answer that quotes the question, and is none
		case bytes.Contains(body, []byte("teapot")):
			http.Error(w, string(body), http.StatusTeapot)
		default:
			_, _ = io.WriteString(w, answer)
		}
	}))
	defer hook.Close()
	people := filepath.Join(t.TempDir(), "people")
	// Nobody knows the password of this hash.
	if err := os.WriteFile(people, []byte("ann:$2a$04$0123456789012345678901uKdYfmSEXP7XQoVeLz0DcLGY9VJmVJe\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for method, change := range map[string]func(*edge.Config){
		"open":    nil,
		"jwt":     withTokens(t),
		"basic":   func(c *edge.Config) { c.Auth.Method = "basic:" + people },
		"webhook": func(c *edge.Config) { c.Auth.Method = "webhook:" + hook.URL },
		"away":    func(c *edge.Config) { c.Auth.Method = "webhook:http://127.0.0.1:1" },
		"jwks":    func(c *edge.Config) { c.Auth.Method = "jwt:http://127.0.0.1:1" },
	} {
		t.Run(method, func(t *testing.T) {
			var mu sync.Mutex
			var written bytes.Buffer
			metrics := prometheus.NewRegistry()
			collector := tracetest.Start(t)
			tracer, err := trace.Open(t.Context(), "edge", slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(t, func(c *edge.Config) {
				if change != nil {
					change(c)
				}
				c.Logger = slog.New(slog.NewTextHandler(lockedWriter{&mu, &written}, &slog.HandlerOptions{Level: slog.LevelDebug}))
				c.Metrics = metrics
				c.Tracer = tracer
			})
			var told strings.Builder
			for _, secret := range []string{canary, good + canary, basic, canary + "-broken", canary + "-teapot", canary + ".a.b"} {
				for _, how := range []request{
					{path: "/doc", header: bearer(secret)},
					{path: "/doc", header: http.Header{"Authorization": {"Basic " + secret}}},
					{path: "/doc", header: http.Header{"Authorization": {secret}}},
					{path: "/doc?token=" + secret},
					{path: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord, fjord.token." + strings.TrimRight(secret, "=")}}},
					{path: "/doc", header: http.Header{"Cookie": {"session=" + secret}}},
				} {
					conn, response, err := w.dial(how)
					if err != nil && response == nil {
						t.Fatal(err)
					}
					text, _ := io.ReadAll(response.Body)
					fmt.Fprintln(&told, response.Status, response.Header, string(text))
					if conn != nil {
						_ = conn.Close()
					}
				}
				p := w.carry("/")
				for _, first := range []string{says(secret), says(good)} {
					// A better one, or a worse one, follows on the same document.
					p.send(name("doc") + first)
					p.send(name("doc") + says(secret))
				}
				p.send("ff") // closes
				told.WriteString(p.everything())
			}
			if method == "open" || method == "jwt" { // or else nobody need have come in
				conn, _, err := w.dial(request{path: "/doc?token=" + good})
				if err != nil {
					t.Fatal(err)
				}
				p := &peer{t: t, conn: conn}
				p.send("00 00 01 00")
				p.next()
				_ = conn.Close()
			}
			w.edge.Close()
			if err := tracer.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if (method == "open" || method == "jwt") && len(collector.Spans("join")) == 0 {
				t.Error("no span tells of a join")
			}
			families, err := metrics.Gather()
			if err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			log := written.String()
			if !strings.Contains(log, "socket closed") {
				t.Errorf("the log is too short to prove anything:\n%s", log)
			}
			for where, text := range map[string]string{"log": log, "metrics": fmt.Sprint(families), "answers": told.String(), "spans": string(collector.Bytes())} {
				for _, secret := range []string{canary, good[:40], good[strings.LastIndexByte(good, '.')+1:], basic} {
					if strings.Contains(text, secret) {
						t.Errorf("the %s hold %q", where, secret)
					}
				}
			}
		})
	}
}

// everything returns all that comes until the connection ends.
func (p *peer) everything() string {
	p.t.Helper()
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	var all strings.Builder
	for {
		_, data, err := p.conn.ReadMessage()
		if err != nil {
			all.WriteString(err.Error())
			return all.String()
		}
		all.Write(data)
	}
}
