package edge_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

// ask sends a request over the same listener and returns status and body.
func (w *world) ask(method, path, body string, header http.Header) (int, string) {
	w.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: w.front, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(w.t.Context(), method, "http://edge.test"+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	response, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func (w *world) wantAnswer(method, path, body string, header http.Header, status int, text string) {
	w.t.Helper()
	if code, got := w.ask(method, path, body, header); code != status || !strings.Contains(got, text) {
		w.t.Errorf("%s %s %s: %d %q, want %d %q", method, path, body, code, got, status, text)
	}
}

func TestDocumentsOverHTTP(t *testing.T) {
	w := newWorld(t, nil)
	w.wantAnswer("POST", "/check_store?z=1", "{}", nil, 200, `{"ok":true}`)
	w.wantAnswer("POST", "/doc/new?z=1", `{"docId":"notes"}`, nil, 200, `{"docId":"notes"}`)
	code, text := w.ask("POST", "/doc/new", "{}", nil)
	var made struct {
		Doc string `json:"docId"`
	}
	if err := json.Unmarshal([]byte(text), &made); code != 200 || err != nil || len(made.Doc) < 20 {
		t.Errorf("%d %s: want a name that nobody can guess", code, text)
	}
	// Nobody needs a token, and so there is none.
	w.wantAnswer("POST", "/doc/notes/auth", "{}", nil, 200,
		`{"url":"ws://edge.test/d/notes/ws","baseUrl":"http://edge.test/d/notes","docId":"notes","authorization":"full"}`)
	w.wantAnswer("POST", "/doc/team%2Fnotes/auth", "", nil, 200, `"url":"ws://edge.test/d/team%2Fnotes/ws"`)
	w.wantAnswer("POST", "/doc/notes/auth", `{"authorization":"read-only"}`, nil, 501, "needs --auth jwt")
	p := w.sync("notes")
	w.wantAnswer("POST", "/d/notes/update", "\x05\x06", nil, 200, "{}")
	p.want("00 02 02 05 06")
	w.wantAnswer("GET", "/d/notes/as-update", "", nil, 200, "\x05\x06")
	w.wantAnswer("GET", "/doc/notes/as-update", "", nil, 200, "\x05\x06")
	w.until("leave", func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil })
}

func TestDocumentsOverHTTPRefuse(t *testing.T) {
	w := newWorld(t, func(c *edge.Config) { c.Limits.Frame = 1 << 10 })
	for _, body := range []string{"{", "[]", `{"docId":7}`, `{"name":"x"}`, `{} {}`, `{"docId":""}`, `{"docId":"a\nb"}`} {
		w.wantAnswer("POST", "/doc/new", body, nil, 400, "")
	}
	for _, body := range []string{`{"validForSeconds":0}`, `{"validForSeconds":86401}`, `{"authorization":"none"}`, `{"validForSeconds":1.5}`, `{"user":"x"}`} {
		w.wantAnswer("POST", "/doc/notes/auth", body, nil, 400, "")
	}
	w.wantAnswer("POST", "/doc/new", strings.Repeat(" ", 5<<10), nil, 413, "larger than")
	w.wantAnswer("POST", "/d/notes/update", strings.Repeat("x", 1<<10+1), nil, 413, "larger than")
	w.wantAnswer("POST", "/doc/new", "{}", http.Header{"Origin": {"https://evil.test"}}, 403, "origin")
	w.wantAnswer("GET", "/d/notes/as-update", "", http.Header{"Origin": {"null"}}, 403, "origin")
	// What isn't ours is the page's.
	w.wantAnswer("GET", "/doc/new", "", nil, 200, "")
	w.wantAnswer("POST", "/d/notes/elsewhere", "", nil, 405, "")
	w.wantAnswer("DELETE", "/d/notes/update", "", nil, 405, "")
	if n := w.count(isJoin); n != 0 {
		t.Errorf("rooms saw %d sessions", n)
	}
	for refusal, status := range map[roomsv1.Refusal]int{
		roomsv1.Refusal_REFUSAL_MALFORMED: 400, roomsv1.Refusal_REFUSAL_TOO_LARGE: 413, roomsv1.Refusal_REFUSAL_READ_ONLY: 403,
	} {
		w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
			if f.GetUpdate() == nil {
				return false
			}
			l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession(), Body: &roomsv1.RoomFrame_Result{
				Result: &roomsv1.UpdateResult{Ticket: f.GetUpdate().GetTicket(), Refusal: refusal, Message: "because"},
			}})
			return true
		})
		w.wantAnswer("POST", "/d/notes/update", "\x05", nil, status, "because")
	}
	w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
		if f.GetAttach() == nil {
			return false
		}
		l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Body: &roomsv1.RoomFrame_Detached{Detached: &roomsv1.Detached{
			Reason: roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED, Message: "damaged",
		}}})
		return true
	})
	w.wantAnswer("POST", "/d/broken/update", "\x05", nil, 503, "damaged")
}

// A body counts as a frame does: it is no way around --max-inbound.
func TestDocumentsOverHTTPShareTheBudget(t *testing.T) {
	w := newWorld(t, func(c *edge.Config) { c.Limits.Frame, c.Limits.Inbound = 64<<10, 64<<10 })
	w.wantAnswer("POST", "/d/notes/update", strings.Repeat("x", 40<<10), nil, 200, "{}")
	slow, more := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, "http://edge.test/d/slow/update", slow)
		if err == nil {
			client := &http.Client{Transport: &http.Transport{DialContext: w.front, DisableKeepAlives: true}}
			var response *http.Response
			if response, err = client.Do(r); err == nil {
				err = response.Body.Close()
			}
		}
		ended <- err
	}()
	if _, err := more.Write(make([]byte, 40<<10)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; {
		code, text := w.ask("POST", "/d/notes/update", strings.Repeat("x", 40<<10), nil)
		if code == 503 && strings.Contains(text, "too much is being sent") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d %q, want 503", code, text)
		}
	}
	_ = more.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	w.wantAnswer("POST", "/d/notes/update", strings.Repeat("x", 40<<10), nil, 200, "{}")
}

// An application's server turns its own token into one for a room, and nobody
// gets more that way than they have.
func TestInvitations(t *testing.T) {
	w := newWorld(t, withTokens(t))
	hour := time.Now().Add(time.Hour)
	admin := bearer(token(t, hour, grant("prefix", "", "admin", true)))
	user := bearer(token(t, hour, grant("prefix", "", "rw", true)))
	w.wantAnswer("POST", "/doc/new", `{"docId":"notes"}`, nil, 401, "")
	w.wantAnswer("POST", "/doc/notes/auth", "{}", nil, 401, "")
	w.wantAnswer("POST", "/doc/new", `{"docId":"notes"}`, user, 403, "needs admin")
	w.wantAnswer("POST", "/doc/notes/auth", "{}", user, 403, "needs admin")
	w.wantAnswer("POST", "/doc/notes/auth", "{}", bearer(token(t, hour, grant("id", "other", "admin", true))), 403, "no access")
	w.wantAnswer("POST", "/doc/new", `{"docId":"notes"}`, admin, 200, "notes")

	invite := func(body string) string {
		t.Helper()
		code, text := w.ask("POST", "/doc/notes/auth", body, admin)
		var ticket struct {
			Token string `json:"token"`
		}
		if err := json.Unmarshal([]byte(text), &ticket); err != nil || code != 200 || ticket.Token == "" {
			t.Fatalf("%s: %d %s %v", body, code, text, err)
		}
		return ticket.Token
	}
	writer, reader := invite(`{"userId":"ann"}`), invite(`{"authorization":"read-only","validForSeconds":60}`)
	p := w.open("/d/notes/ws/notes?token=" + url.QueryEscape(writer))
	p.send(stepOne)
	p.want(noStep2, stepOne)
	grants := w.until("join", isJoin).GetJoin().GetGrants()
	if grants.GetSubject() != "ann" || grants.GetLevel() != roomsv1.Level_LEVEL_WRITE || !grants.GetCreate() || grants.GetTokenId() == "" {
		t.Errorf("joined with %v", grants)
	}
	for room, status := range map[string]int{"notes": 200, "other": 403} {
		w.wantAnswer("GET", "/d/"+room+"/as-update", "", bearer(reader), status, "")
	}
	w.wantAnswer("POST", "/doc/notes/auth", "{}", bearer(writer), 403, "needs admin")
	before := w.count(isJoin)
	w.wantAnswer("GET", "/d/notes/as-update", "", bearer(reader), 200, "")
	frames, _ := w.rooms.Frames()
	last := frames[len(frames)-1]
	for i := len(frames) - 1; last.GetJoin() == nil; i-- {
		last = frames[i]
	}
	if w.count(isJoin) != before+1 || last.GetJoin().GetGrants().GetLevel() != roomsv1.Level_LEVEL_READ || last.GetJoin().GetGrants().GetCreate() {
		t.Errorf("a reader joined as %v", last)
	}
}

// Who can only check tokens says so.
func TestNoInvitationsWithoutASecret(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("pw"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	users := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(users, append([]byte("ann:"), hash...), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *edge.Config) { c.Auth.Method = "basic:" + users })
	ann := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("ann:pw"))}}
	w.wantAnswer("POST", "/doc/notes/auth", "{}", nil, 401, "")
	w.wantAnswer("POST", "/doc/notes/auth", "{}", ann, 501, "can't sign tokens")
	w.wantAnswer("GET", "/d/notes/as-update", "", ann, 200, "")
}
