package auth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
)

func upgrade(target string, header http.Header) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if header != nil {
		r.Header = header
	}
	return r
}

func TestTokenSources(t *testing.T) {
	for _, test := range []struct {
		name     string
		target   string
		header   http.Header
		token    string
		source   auth.Source
		basic    bool
		protocol string
		err      string
	}{
		{name: "none", target: "/doc"},
		{name: "bearer", target: "/doc", header: http.Header{"Authorization": {"Bearer abc"}}, token: "abc", source: auth.FromHeader},
		{name: "any case, any space", target: "/doc", header: http.Header{"Authorization": {" bEARER   abc "}}, token: "abc", source: auth.FromHeader},
		{name: "basic", target: "/doc", header: http.Header{"Authorization": {"Basic YTpi"}}, token: "YTpi", source: auth.FromHeader, basic: true},
		{name: "unknown scheme", target: "/doc", header: http.Header{"Authorization": {"Digest x"}}, err: "scheme"},
		{name: "scheme only", target: "/doc", header: http.Header{"Authorization": {"Bearer"}}, err: "empty"},
		{name: "empty header", target: "/doc", header: http.Header{"Authorization": {""}}, err: "scheme"},
		{name: "two headers", target: "/doc", header: http.Header{"Authorization": {"Bearer a", "Bearer b"}}, err: "two tokens"},
		{name: "query", target: "/doc?token=a.b-c_d", token: "a.b-c_d", source: auth.FromQuery},
		{name: "query, escaped", target: "/doc?x=1&token=a%2Bb%3D", token: "a+b=", source: auth.FromQuery},
		{name: "query, empty", target: "/doc?token="},
		{name: "query, twice", target: "/doc?token=a&token=b", err: "two tokens"},
		{name: "subprotocol", target: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord.token.abc, fjord"}}, token: "abc", source: auth.FromSubprotocol, protocol: "fjord"},
		{name: "subprotocol, other order", target: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord,fjord.token.abc"}}, token: "abc", source: auth.FromSubprotocol, protocol: "fjord"},
		{name: "subprotocol, two lines", target: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord.token.abc", "y-sync, other"}}, token: "abc", source: auth.FromSubprotocol, protocol: "y-sync"},
		{name: "subprotocol without a token", target: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"a, b"}}, protocol: "a"},
		{name: "only the token", target: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord.token.abc"}}, err: "offer another"},
		{name: "empty token", target: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord, fjord.token."}}, err: "empty"},
		{name: "two tokens", target: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord, fjord.token.a, fjord.token.b"}}, err: "two tokens"},
		{name: "the header wins", target: "/doc?token=q", header: http.Header{"Authorization": {"Bearer h"}, "Sec-Websocket-Protocol": {"x, fjord.token.p"}}, token: "h", source: auth.FromHeader, protocol: "x"},
		{name: "the subprotocol comes second", target: "/doc?token=q", header: http.Header{"Sec-Websocket-Protocol": {"x, fjord.token.p"}}, token: "p", source: auth.FromSubprotocol, protocol: "x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, protocol, err := auth.NewRequest(upgrade(test.target, test.header), "doc")
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Fatalf("%v, want an error with %q", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if r.Token.Reveal() != test.token || r.Source != test.source || r.Basic != test.basic || protocol != test.protocol {
				t.Errorf("token %q from %q, basic %t, protocol %q; want %q from %q, %t, %q",
					r.Token.Reveal(), r.Source, r.Basic, protocol, test.token, test.source, test.basic, test.protocol)
			}
		})
	}
}

func TestFacts(t *testing.T) {
	r := upgrade("http://fjord.test/team/a%20b?token=x", http.Header{
		"Origin": {"https://app.test"}, "User-Agent": {"agent"}, "Cookie": {"a=1", "b=2"},
		"X-Forwarded-For": {"6.6.6.6"},
	})
	r.RemoteAddr = "[::ffff:192.0.2.7]:4711"
	got, _, err := auth.NewRequest(r, "team/a b")
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Request{
		Method: "GET", Host: "fjord.test", Path: "/team/a b", Room: "team/a b", Remote: netip.MustParseAddr("192.0.2.7"),
		Origin: "https://app.test", UserAgent: "agent", Cookie: got.Cookie, Token: got.Token, Source: auth.FromQuery,
	}
	if got != want || got.Cookie.Reveal() != "a=1; b=2" {
		t.Errorf("%+v, cookie %q\nwant %+v", got, got.Cookie.Reveal(), want)
	}
}

// However a request is printed, its secrets aren't.
func TestSecretsHideThemselves(t *testing.T) {
	const canary = "kanarienvogel"
	r := auth.Request{Room: "doc", Token: auth.Secret(canary), Cookie: auth.Secret(canary)}
	inside := struct {
		hidden auth.Request
		Shown  any
	}{r, &r}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{r, &r, r.Token, &r.Token, inside, &inside, []auth.Token{r.Token}, map[auth.Token]int{r.Token: 1}} {
			fmt.Fprintf(&out, verb+"\n", value)
		}
	}
	for _, handler := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(handler).Info("x", "token", r.Token, "request", r, "pointer", &r, "inside", inside)
	}
	if err := json.NewEncoder(&out).Encode(map[string]any{"token": r.Token, "cookie": &r.Cookie, "list": []auth.Token{r.Token}}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&out, "%x", canary)
	for _, spelt := range []string{canary, fmt.Sprintf("%x", canary)} {
		// The line above puts one there, so that the search is known to find.
		if n := strings.Count(out.String(), spelt); n != strings.Count(fmt.Sprintf("%x", canary), spelt) {
			t.Errorf("%q is there %d times in:\n%s", spelt, n, out.String())
		}
	}
}

func TestHooks(t *testing.T) {
	var asked []string
	hook := func(name string, refusal *auth.Refusal) auth.Hook {
		return func(r auth.Request) *auth.Refusal {
			asked = append(asked, name+" "+r.Room)
			return refusal
		}
	}
	teapot := &auth.Refusal{Status: http.StatusTeapot, Text: "short and stout"}
	got := auth.Ask([]auth.Hook{hook("a", nil), hook("b", teapot), hook("c", &auth.Refusal{Status: 500})}, auth.Request{Room: "doc"})
	if got != teapot || strings.Join(asked, ", ") != "a doc, b doc" {
		t.Errorf("%+v after %v; want b's, and c not asked", got, asked)
	}
	if got := auth.Ask(nil, auth.Request{}); got != nil {
		t.Errorf("no hooks refuse with %+v", got)
	}
}

// Whatever a client writes into the places of a token: it is read as exactly
// what is there, or refused, and the answer never repeats it.
func FuzzNewRequest(f *testing.F) {
	f.Add("Bearer abc", "fjord, fjord.token.abc", "token=abc")
	f.Add("Basic YTpi", "", "")
	f.Add("", "fjord.token.a,fjord.token.b", "token=%zz&token=a")
	f.Add("bearer", ",,", "token=a;token=b")
	f.Fuzz(func(t *testing.T, authorization, protocols, query string) {
		r := &http.Request{Method: http.MethodGet, Header: http.Header{}, URL: &url.URL{Path: "/doc", RawQuery: query}}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		if protocols != "" {
			r.Header.Set("Sec-WebSocket-Protocol", protocols)
		}
		got, protocol, err := auth.NewRequest(r, "doc")
		if err != nil {
			return
		}
		token := got.Token.Reveal()
		if (token == "") != (got.Source == auth.FromNowhere) {
			t.Errorf("token %q from %q", token, got.Source)
		}
		switch got.Source {
		case auth.FromHeader:
			if !strings.HasSuffix(strings.TrimSpace(authorization), token) {
				t.Errorf("token %q isn't in %q", token, authorization)
			}
		case auth.FromSubprotocol:
			if !strings.Contains(protocols, auth.TokenProtocol+token) {
				t.Errorf("token %q isn't in %q", token, protocols)
			}
		case auth.FromQuery:
			if r.URL.Query().Get("token") != token {
				t.Errorf("token %q isn't in %q", token, query)
			}
		}
		if strings.HasPrefix(protocol, auth.TokenProtocol) {
			t.Errorf("the answer %q repeats a token", protocol)
		}
		if !strings.Contains(protocols, protocol) {
			t.Errorf("the answer %q wasn't offered in %q", protocol, protocols)
		}
	})
}
