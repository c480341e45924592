package edge_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

const secret = "0123456789abcdef0123456789abcdef"

// withTokens makes an edge want tokens that are signed with secret.
func withTokens(t testing.TB) func(*edge.Config) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(secret), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(c *edge.Config) { c.Auth.Method = "jwt:" + path }
}

// grant is one of a token's rooms.
func grant(kind, name, perm string, awareness bool) map[string]any {
	return map[string]any{kind: name, "perm": perm, "awareness": awareness}
}

// token lets its bearer do what the grants say, until exp.
func token(t testing.TB, exp time.Time, grants ...any) string {
	t.Helper()
	claims := jwt.MapClaims{"sub": "ann", "exp": exp.Unix(), "rooms": grants}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func bearer(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// joinAs opens a websocket into room with a token, and goes through the first
// two frames: the client's step 1 and our step 2.
func (w *world) joinAs(room, token string) *peer {
	w.t.Helper()
	conn, _, err := w.dial(request{path: "/" + room, header: bearer(token)})
	if err != nil {
		w.t.Fatalf("join %s: %v", room, err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	p := &peer{t: w.t, conn: conn}
	p.send("00 00 01 00")
	p.next()
	return p
}

func TestAdmission(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	w := newWorld(t, withTokens(t))
	for _, test := range []struct {
		name, path string
		header     http.Header
		status     int // 0: let in
		text       string
	}{
		{"no token", "/doc", nil, 401, "want a token"},
		{"a wrong one", "/doc", bearer("x.y.z"), 401, "malformed"},
		{"an expired one", "/doc", bearer(token(t, time.Now().Add(-time.Hour), grant("id", "doc", "rw", true))), 401, "expired"},
		{"a password", "/doc", http.Header{"Authorization": {"Basic YTpi"}}, 401, "want a token"},
		{"no grant", "/doc", bearer(token(t, soon)), 403, "no access to this room"},
		{"a grant elsewhere", "/doc", bearer(token(t, soon, grant("id", "other", "rw", true))), 403, "no access to this room"},
		{"in the header", "/doc", bearer(token(t, soon, grant("id", "doc", "rw", true))), 0, ""},
		{"in the query", "/doc?token=" + token(t, soon, grant("prefix", "", "r", true)), nil, 0, ""},
		{"two tokens", "/doc?token=a&token=b", nil, 400, "two tokens"},
		{"a path that decodes to the room", "/d%6Fc", bearer(token(t, soon, grant("id", "doc", "r", true))), 0, ""},
		{"a path that doesn't", "/doc/", bearer(token(t, soon, grant("id", "doc", "r", true))), 403, "no access"},
		{"a name against the rule comes first", "/a%0Ab", nil, 400, "room name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			conn, response, err := w.dial(request{path: test.path, header: test.header})
			if test.status == 0 {
				if err != nil {
					t.Fatal(err)
				}
				_ = conn.Close()
				return
			}
			if err == nil || response.StatusCode != test.status {
				t.Fatalf("%v, %v; want HTTP %d", response, err, test.status)
			}
			text, _ := io.ReadAll(response.Body)
			if !strings.Contains(string(text), test.text) {
				t.Errorf("%q, want it to say %q", text, test.text)
			}
			if challenge := response.Header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
				t.Errorf("WWW-Authenticate %q", challenge)
			}
		})
	}
}

// A room that is open, one that isn't, and one that isn't there and that somebody may
// read but not make: who is turned away can't tell them apart, in no dialect, by no
// byte. Whom nothing lets in, rooms is never asked about.
func TestNoAccessLooksTheSameEverywhere(t *testing.T) {
	w := newWorld(t, withTokens(t))
	w.rooms.SetMissing("gone")
	soon := time.Now().Add(time.Hour)
	w.joinAs("open", token(t, soon, grant("id", "open", "rw", true)))
	asked, attached := w.rooms.Asked(), w.count(isAttach)
	stranger := token(t, soon, grant("id", "mine", "rw", true))
	reader := token(t, soon, grant("id", "gone", "r", true))
	cases := []struct{ room, token string }{{"open", stranger}, {"shut", stranger}, {"gone", reader}}
	for _, path := range []string{"/%s", "/-/y-websocket/%[1]s", "/-/y-sweet/%[1]s", "/d/%[1]s/ws/%[1]s", "/-/elva/%[1]s"} {
		var seen []string
		for _, c := range cases {
			_, response, err := w.dial(request{path: fmt.Sprintf(path, c.room), header: bearer(c.token)})
			if err == nil {
				t.Fatalf("%s %s: let in", path, c.room)
			}
			text, _ := io.ReadAll(response.Body)
			response.Header.Del("Date")
			seen = append(seen, fmt.Sprint(response.StatusCode, response.Header, string(text)))
		}
		if seen[0] != seen[1] || seen[1] != seen[2] || !strings.HasPrefix(seen[0], "403") {
			t.Errorf("%s:\nopen: %s\nshut: %s\ngone: %s", path, seen[0], seen[1], seen[2])
		}
	}
	for _, call := range []string{"GET /d/%s/as-update", "GET /doc/%s/as-update", "POST /d/%s/update", "POST /doc/%s/auth"} {
		method, path, _ := strings.Cut(call, " ")
		var seen []string
		for _, c := range cases {
			status, text := w.ask(method, fmt.Sprintf(path, c.room), "", bearer(c.token))
			seen = append(seen, fmt.Sprint(status, text))
		}
		if seen[0] != seen[1] || seen[1] != seen[2] || !strings.HasPrefix(seen[0], "403") {
			t.Errorf("%s: open %q, shut %q, gone %q", call, seen[0], seen[1], seen[2])
		}
	}
	for _, c := range cases {
		p := w.carry("/")
		p.send(name(c.room) + says(c.token))
		p.send(name(c.room) + stepOne)
		p.want(name(c.room) + refusal)
	}
	if n := w.rooms.Asked() - asked; n != 10 {
		t.Errorf("rooms was asked %d times, want once for each of the reader's", n)
	}
	if n := w.count(isAttach) - attached; n != 0 {
		t.Errorf("rooms was opened %d times", n)
	}
}

// What the edge is told too late, or by mistake, rooms still refuses.
func TestRoomThatIsGoneMeanwhile(t *testing.T) {
	w := newWorld(t, withTokens(t))
	w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
		if f.GetJoin() != nil {
			l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession(), Body: &roomsv1.RoomFrame_Ended{
				Ended: &roomsv1.Ended{Refusal: roomsv1.Refusal_REFUSAL_NO_ACCESS, Message: "no access to this room"},
			}})
		}
		return f.GetJoin() != nil || (f.GetAttach() == nil && f.GetDetach() == nil)
	})
	reader := token(t, time.Now().Add(time.Hour), grant("id", "doc", "r", true))
	conn, _, err := w.dial(request{path: "/doc", header: bearer(reader)})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, conn: conn}
	p.send("00 00 01 00")
	p.wantClosed(4403, "no access to this room")
	p = w.carry("/")
	p.send(name("doc") + says(reader))
	p.want(name("doc")+reads, name("doc")+refusal)
}

// Where rooms can't be asked, nobody is told that a room isn't there.
func TestRoomsAreAway(t *testing.T) {
	w := newWorld(t, withTokens(t))
	w.ready(true)
	w.rooms.SetDown(true)
	_, response, err := w.dial(request{path: "/doc", header: bearer(token(t, time.Now().Add(time.Hour), grant("id", "doc", "r", true)))})
	if err == nil || response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%v, %v; want 503 and when to come back", response, err)
	}
}

func isAttach(f *roomsv1.EdgeFrame) bool { return f.GetAttach() != nil }

func TestReadOnlySession(t *testing.T) {
	w := newWorld(t, withTokens(t))
	soon := time.Now().Add(time.Hour)
	w.joinAs("doc", token(t, soon, grant("id", "doc", "r", true)))
	f := w.until("join", func(f *roomsv1.EdgeFrame) bool { return f.GetJoin() != nil })
	if g := f.GetJoin().GetGrants(); g.GetLevel() != roomsv1.Level_LEVEL_READ || g.GetCreate() || !g.GetPresence() || g.GetSubject() != "ann" {
		t.Errorf("%v, want it read-only", f)
	}
	writer := w.joinAs("doc", token(t, soon, grant("id", "doc", "rw", true)))
	writer.want("00 00 01 00") // is asked what it has
	w.until("a join that isn't read-only", func(f *roomsv1.EdgeFrame) bool {
		g := f.GetJoin().GetGrants()
		return g.GetLevel() == roomsv1.Level_LEVEL_WRITE && g.GetCreate()
	})
}

// Who may not show themselves are seen by nobody, and see the others.
func TestPresenceNeedsAGrant(t *testing.T) {
	w := newWorld(t, withTokens(t))
	soon := time.Now().Add(time.Hour)
	hidden := w.joinAs("doc", token(t, soon, grant("id", "doc", "r", false)))
	shown := w.joinAs("doc", token(t, soon, grant("id", "doc", "r", true)))
	hidden.send("01 06 01 2b 07 02 7b 7d")
	hidden.send("00 00 01 00") // is answered after what came before it
	hidden.next()
	shown.send("01 06 01 2a 07 02 7b 7d")
	hidden.want("01 06 01 2a 07 02 7b 7d")
	shown.want("01 06 01 2a 07 02 7b 7d")
	if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetAwareness() != nil }); n != 1 {
		t.Errorf("rooms heard %d times of somebody, want once", n)
	}
}

func TestSubprotocols(t *testing.T) {
	w := newWorld(t, withTokens(t))
	good := token(t, time.Now().Add(time.Hour), grant("id", "doc", "rw", true))
	for _, test := range []struct {
		offered []string
		chosen  string
		status  int
	}{
		{[]string{"fjord", "fjord.token." + good}, "fjord", 0},
		{[]string{"fjord.token." + good, "y-sync"}, "y-sync", 0},
		{[]string{"fjord.token." + good}, "", 400},
		{[]string{"fjord", "fjord.token.x"}, "", 401},
		{[]string{"fjord"}, "", 401},
	} {
		d := websocket.Dialer{NetDialContext: w.front, Subprotocols: test.offered}
		conn, response, err := d.Dial("ws://edge.test/doc", nil)
		if test.status != 0 {
			if err == nil || response.StatusCode != test.status {
				t.Errorf("%.30q: %v, %v; want HTTP %d", test.offered, response, err, test.status)
			}
			continue
		}
		if err != nil {
			t.Errorf("%.30q: %v", test.offered, err)
			continue
		}
		if conn.Subprotocol() != test.chosen || strings.Contains(fmt.Sprint(response.Header), good) {
			t.Errorf("%.30q: %v, want %q and no token", test.offered, response.Header, test.chosen)
		}
		_ = conn.Close()
	}
}

// A socket lives as long as its token, and the leeway.
func TestExpiryInMidSession(t *testing.T) {
	change := withTokens(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, change)
		p := w.joinAs("doc", token(t, time.Now().Add(10*time.Minute), grant("id", "doc", "r", true)))
		start := time.Now()
		_ = p.conn.SetReadDeadline(start.Add(time.Hour))
		for {
			_, _, err := p.conn.ReadMessage()
			if err == nil {
				continue // keepalives
			}
			if !websocket.IsCloseError(err, 4401) || !strings.Contains(err.Error(), "expired") {
				t.Errorf("%v, want close 4401", err)
			}
			break
		}
		if took := time.Since(start); took != 10*time.Minute+30*time.Second {
			t.Errorf("closed after %s, want 10m30s", took)
		}
		_, response, err := w.dial(request{path: "/doc", header: bearer(token(t, start.Add(10*time.Minute), grant("id", "doc", "r", true)))})
		if err == nil || response.StatusCode != http.StatusUnauthorized {
			t.Errorf("with the same token: %v, want 401", err)
		}
	})
}

// A relay's frames mean what its clients make of them: a reader may send none.
func TestReaderOfARelayIsSilent(t *testing.T) {
	w := newWorld(t, withTokens(t))
	w.rooms.SetKind(func(string) roomsv1.RoomKind { return roomsv1.RoomKind_ROOM_KIND_RELAY })
	soon := time.Now().Add(time.Hour)
	conn, _, err := w.dial(request{path: "/doc", header: bearer(token(t, soon, grant("id", "doc", "r", true)))})
	if err != nil {
		t.Fatal(err)
	}
	reader := &peer{t: t, conn: conn}
	conn, _, err = w.dial(request{path: "/doc", header: bearer(token(t, soon, grant("id", "doc", "rw", true)))})
	if err != nil {
		t.Fatal(err)
	}
	writer := &peer{t: t, conn: conn}
	w.eventually("both are in", func() bool { return w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetJoin() != nil }) == 2 })
	writer.send("de ad")
	reader.want("de ad")
	reader.send("be ef")
	reader.wantClosed(4403, "read-only")
	if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetRelay() != nil }); n != 1 {
		t.Errorf("rooms saw %d frames, want the writer's", n)
	}
	_ = conn.Close()
}

func TestHooksComeFirst(t *testing.T) {
	var asked []edge.Request
	tokens := withTokens(t)
	w := newWorld(t, func(c *edge.Config) {
		tokens(c)
		c.Hooks = []edge.Hook{
			func(r edge.Request) *edge.Refusal {
				asked = append(asked, r)
				return nil
			},
			func(r edge.Request) *edge.Refusal {
				if r.Room == "doc" {
					return nil
				}
				return &edge.Refusal{Status: http.StatusTeapot, Text: "short and stout", Header: http.Header{"x-hook": {"1"}}}
			},
		}
	})
	_, response, err := w.dial(request{path: "/tea", header: bearer("nothing")})
	if err == nil || response.StatusCode != http.StatusTeapot || response.Header.Get("X-Hook") != "1" {
		t.Fatalf("%v, %v; want the hook's answer", response, err)
	}
	if text, _ := io.ReadAll(response.Body); string(text) != "short and stout\n" {
		t.Errorf("%q", text)
	}
	_, response, err = w.dial(request{path: "/doc", header: bearer("nothing")})
	if err == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("%v, %v; want 401 behind the hooks", response, err)
	}
	if len(asked) != 2 || asked[0].Room != "tea" || asked[0].Token.Reveal() != "nothing" {
		t.Errorf("asked %+v", asked)
	}
}

// Wherever a token comes from and whatever becomes of it: no log, metric or
// answer has it.
func TestTokensAreWrittenNowhere(t *testing.T) {
	var mu sync.Mutex
	var written bytes.Buffer
	metrics := prometheus.NewRegistry()
	tokens := withTokens(t)
	w := newWorld(t, func(c *edge.Config) {
		tokens(c)
		c.Logger = slog.New(slog.NewTextHandler(lockedWriter{&mu, &written}, &slog.HandlerOptions{Level: slog.LevelDebug}))
		c.Metrics = metrics
	})
	good := token(t, time.Now().Add(time.Hour), grant("id", "doc", "rw", true))
	const canary = "kanarienvogel"
	var answers strings.Builder
	for _, tok := range []string{good, canary, canary + "." + canary + "." + canary, good + canary, good[:len(good)-9] + "kanarienv"} {
		for _, how := range []request{
			{path: "/doc", header: bearer(tok)},
			{path: "/doc", header: http.Header{"Authorization": {tok}}},
			{path: "/doc", header: http.Header{"Authorization": {"Basic " + tok}}},
			{path: "/doc?token=" + tok},
			{path: "/doc?token=" + tok + "&token=" + tok},
			{path: "/doc", header: http.Header{"Sec-Websocket-Protocol": {"fjord, fjord.token." + tok}}},
			{path: "/doc", header: http.Header{"Cookie": {"session=" + tok}}},
			{path: "/other?token=" + tok},
		} {
			conn, response, err := w.dial(how)
			if err != nil && response == nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(response.Body)
			fmt.Fprintln(&answers, response.Status, response.Header, string(text))
			if conn != nil {
				(&peer{t: t, conn: conn}).send("ff")
				_, reason := (&peer{t: t, conn: conn}).closed()
				answers.WriteString(reason)
				_ = conn.Close()
			}
		}
	}
	w.edge.Close()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	log := written.String()
	if strings.Count(log, "not let in") < 30 || !strings.Contains(log, "socket closed") {
		t.Errorf("the log is too short to prove anything:\n%s", log)
	}
	signature := good[strings.LastIndexByte(good, '.')+1:]
	for where, text := range map[string]string{"log": log, "metrics": fmt.Sprint(families), "answers": answers.String()} {
		for _, token := range []string{canary, "kanarienv", good[:40], signature} {
			if strings.Contains(text, token) {
				t.Errorf("the %s hold %q", where, token)
			}
		}
	}
	if !strings.Contains(fmt.Sprint(families), "fjord_edge_admissions_total") {
		t.Error("admissions aren't counted")
	}
}

type lockedWriter struct {
	mu *sync.Mutex
	to io.Writer
}

func (w lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
