package auth_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

func hooked(t *testing.T, answer http.HandlerFunc) (*service, auth.Authenticator, *logged) {
	t.Helper()
	s, log := newService(t, answer), &logged{}
	return s, open(t, auth.Config{Method: "webhook:https://app.test/auth", HTTPClient: s.client, Logger: slog.New(slog.NewTextHandler(log, nil))}), log
}

const allows = `{"allow":true,"sub":"ann","name":"Ann","rooms":[{"id":"doc","perm":"r","awareness":false}]}`

func TestWebhook(t *testing.T) {
	var got map[string]any
	_, a, _ := hooked(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &got); err != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v: %v", r.Method, r.Header, err)
		}
		_, _ = io.WriteString(w, allows)
	})
	claims, access, err := auth.Admit(t.Context(), a, auth.Request{
		Method: "GET", Host: "h", Path: "/doc", Room: "doc", Remote: netip.MustParseAddr("192.0.2.1"), Origin: "o",
		UserAgent: "u", Cookie: auth.Secret("c=1"), Token: auth.Secret("t"), Source: auth.FromQuery,
	})
	if err != nil || claims.Subject != "ann" || claims.Display["name"] != "Ann" || !claims.Expires.IsZero() ||
		access != (auth.Access{Level: auth.Read}) {
		t.Errorf("%+v, %+v, %v", claims, access, err)
	}
	want := map[string]any{
		"method": "GET", "host": "h", "path": "/doc", "room": "doc", "remote": "192.0.2.1", "origin": "o",
		"userAgent": "u", "cookie": "c=1", "token": "t", "tokenSource": "query", "tokenBasic": false,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("it is asked %v\nwant %v", got, want)
	}
}

// What isn't a clear answer lets nobody in.
func TestWebhookFailsClosed(t *testing.T) {
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"allowed":               {says(200, allows), "ok"},
		"denied":                {says(200, `{"allow":false}`), "forbidden"},
		"denied, with grants":   {says(200, `{"allow":false,"rooms":[{"id":"doc","perm":"rw"}]}`), "forbidden"},
		"401":                   {says(401, allows), "unauthenticated"},
		"403":                   {says(403, allows), "forbidden"},
		"404":                   {says(404, allows), "unavailable"},
		"500":                   {says(500, allows), "unavailable"},
		"201":                   {says(201, allows), "unavailable"},
		"no content":            {says(204, ""), "unavailable"},
		"empty":                 {says(200, ""), "unavailable"},
		"not JSON":              {says(200, "OK"), "unavailable"},
		"no allow":              {says(200, `{"rooms":[{"id":"doc","perm":"rw"}]}`), "unavailable"},
		"allow is text":         {says(200, `{"allow":"true"}`), "unavailable"},
		"allow is null":         {says(200, `{"allow":null}`), "unavailable"},
		"allow in capitals":     {says(200, `{"Allow":true}`), "unavailable"},
		"allow twice":           {says(200, `{"allow":false,"allow":true}`), "unavailable"},
		"grants not understood": {says(200, `{"allow":true,"rooms":[{"id":"doc","perm":"all"}]}`), "unavailable"},
		"expired":               {says(200, `{"allow":true,"exp":1,"rooms":[{"id":"doc","perm":"rw"}]}`), "unauthenticated"},
		"allowed nothing":       {says(200, `{"allow":true}`), "forbidden"},
		"too long":              {says(200, allows+strings.Repeat(" ", 70<<10)), "unavailable"},
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
		}, "unavailable"},
		"hangs":      {hangs, "unavailable"},
		"breaks off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "unavailable"},
		"trickles": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, " ")
				w.(http.Flusher).Flush()
				time.Sleep(100 * time.Millisecond)
			}
		}, "unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, a, _ := hooked(t, test.answer)
				start := time.Now()
				_, _, err := auth.Admit(t.Context(), a, with("t"))
				if got := kindOf(err); got != test.want {
					t.Errorf("%s, want %s", got, test.want)
				}
				if took := time.Since(start); took > time.Second {
					t.Errorf("it took %s, want 1s at most", took)
				}
			})
		})
	}
}

func TestWebhookCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, a, _ := hooked(t, says(200, allows))
		asked := func(want int) {
			t.Helper()
			if n := app.times(); n != want {
				t.Errorf("asked %d times, want %d", n, want)
			}
		}
		want(t, "first", a, with("t"), "ok")
		app.now(says(200, `{"allow":false}`))
		time.Sleep(29 * time.Second)
		want(t, "remembered", a, with("t"), "ok")
		asked(1)
		// The answer is to one question only.
		other := with("t")
		other.Room = "other"
		want(t, "another room", a, other, "forbidden")
		want(t, "another token", a, with("u"), "forbidden")
		moved := with("t")
		moved.Remote = netip.MustParseAddr("192.0.2.9")
		want(t, "another address", a, moved, "forbidden")
		asked(4)
		time.Sleep(2 * time.Second)
		want(t, "forgotten", a, with("t"), "forbidden")
		asked(5)
		// A denial is soon forgotten, and a failure at once.
		want(t, "denied", a, with("t"), "forbidden")
		asked(5)
		app.now(says(500, ""))
		time.Sleep(3 * time.Second)
		want(t, "down", a, with("t"), "unavailable")
		app.now(says(200, allows))
		want(t, "up again", a, with("t"), "ok")
		asked(7)
	})
}

// A webhook that is away is told of once, and once when it is back, whoever asks.
func TestWebhookIsToldOfOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, a, log := hooked(t, says(503, ""))
		for range 5 {
			want(t, "away", a, with("t"), "unavailable")
		}
		app.now(says(200, `{}`))
		for range 5 {
			want(t, "nonsense", a, with("t"), "unavailable")
		}
		app.now(says(200, allows))
		for range 5 {
			want(t, "back", a, with("t"), "ok")
		}
		if lines := strings.Split(strings.TrimSpace(log.String()), "\n"); len(lines) != 3 ||
			!strings.Contains(lines[0], "status=503") || !strings.Contains(lines[1], "can't be understood") || !strings.Contains(lines[2], "INFO") {
			t.Errorf("the log says\n%swant two errors, and that it answers again", log.String())
		}
	})
}

// An answer isn't remembered longer than its claims hold.
func TestWebhookCacheEndsWithTheClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, a, _ := hooked(t, func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"allow":true,"exp":%d,"rooms":[]}`, time.Now().Add(-20*time.Second).Unix())
		})
		want(t, "first", a, with("t"), "ok")
		time.Sleep(5 * time.Second)
		want(t, "remembered", a, with("t"), "ok")
		time.Sleep(6 * time.Second)
		want(t, "anew", a, with("t"), "ok")
		if n := app.times(); n != 2 {
			t.Errorf("asked %d times, want 2", n)
		}
	})
}

// Everybody coming back at once asks one question once.
func TestWebhookSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app, a, _ := hooked(t, func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(500 * time.Millisecond)
			_, _ = io.WriteString(w, allows)
		})
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() { want(t, "one of many", a, with("t"), "ok") })
		}
		all.Wait()
		if n := app.times(); n != 1 {
			t.Errorf("asked %d times, want once", n)
		}
	})
}

// Neither an answer's failure nor its text carries the token into the log.
func TestWebhookLogsNoToken(t *testing.T) {
	const canary = "kanarienvogel"
	for _, answer := range []http.HandlerFunc{says(500, canary), says(200, `{"`+canary+`":"`+canary+`"}`), says(200, canary)} {
		_, a, log := hooked(t, answer)
		_, err := a.Authenticate(t.Context(), with(canary))
		if kindOf(err) != "unavailable" || !strings.Contains(log.String(), "webhook") || strings.Contains(log.String()+err.Error(), canary) {
			t.Errorf("%v, log %s", err, log.String())
		}
	}
}

func TestHugeTokenIsntPassedOn(t *testing.T) {
	app, a, _ := hooked(t, says(200, allows))
	want(t, "huge", a, with(strings.Repeat("x", 9<<10)), "unauthenticated")
	if app.times() != 0 {
		t.Error("the webhook was asked")
	}
}

func TestPlainHTTPIsWarnedOf(t *testing.T) {
	for address, warned := range map[string]bool{"http://app.test/": true, "https://app.test/": false, "http://127.0.0.1:1/": false, "http://localhost/": false} {
		log := &logged{}
		open(t, auth.Config{Method: "webhook:" + address, Logger: slog.New(slog.NewTextHandler(log, nil))})
		if got := strings.Contains(log.String(), "http"); got != warned {
			t.Errorf("%s: log %q, want a warning: %t", address, log.String(), warned)
		}
	}
}
