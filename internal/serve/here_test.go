package serve_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/fjord-sync/fjord/internal/serve"
)

func TestCalledHere(t *testing.T) {
	h := serve.CalledHere(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}), map[string]bool{"sync.test": true}, "say localhost")
	for host, want := range map[string]int{
		"localhost":              204,
		"LOCALHOST:1234":         204,
		"app.localhost:1234":     204,
		"127.0.0.1":              204,
		"127.9.9.9:1234":         204,
		"[::1]":                  204,
		"[::1]:1234":             204,
		"[::ffff:127.0.0.1]:80":  204,
		"Sync.test":              204,
		"sync.test:1234":         204,
		"":                       403,
		"evil.test":              403,
		"evil.test:1234":         403,
		"x.sync.test":            403,
		"sync.test.evil.test":    403,
		"localhost.evil.test":    403,
		"evillocalhost":          403,
		"127.0.0.1.evil.test":    403,
		"localhost:x@evil.test":  403,
		"evil.test:127.0.0.1":    403,
		"192.0.2.1:1234":         403,
		"0.0.0.0:1234":           403,
		"[::ffff:192.0.2.1]:80":  403,
		"[2001:db8::1]:1234":     403,
		"127.0.0.1,evil.test":    403,
		"localhost:1234:evil.co": 403,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}
