package edge_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

// recorded returns the transcripts of d's clients.
func recorded(t *testing.T, d dialect.Dialect) []dialecttest.Transcript {
	t.Helper()
	folder := filepath.Base(reflect.TypeOf(d).PkgPath())
	return dialecttest.Transcripts(t, filepath.Join("internal", "dialect", folder, "testdata"))
}

// recordedWorld is one in which the transcripts' readers only read.
func recordedWorld(t *testing.T, tr dialecttest.Transcript) *world {
	t.Helper()
	if !tr.Reader() {
		return newWorld(t, nil)
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(dialecttest.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *edge.Config) { c.Auth.Method = "jwt:" + secret })
	w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
		update := f.GetUpdate()
		if update == nil || bytes.Equal(update.GetUpdate(), []byte{0, 0}) {
			return false
		}
		l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession(), Body: &roomsv1.RoomFrame_Result{
			Result: &roomsv1.UpdateResult{Ticket: update.GetTicket(), Refusal: roomsv1.Refusal_REFUSAL_READ_ONLY, Message: "no"},
		}})
		return true
	})
	return w
}

// A recorded client is told what it was told when it was recorded, whatever of
// it doesn't depend on what is in the document: which messages, of which
// documents, and how the socket ended.
func TestRecordedClientsAreAnsweredAlike(t *testing.T) {
	for _, d := range spoken.All {
		for _, tr := range recorded(t, d) {
			t.Run(tr.Name, func(t *testing.T) { replay(t, d, tr) })
		}
	}
}

func replay(t *testing.T, d dialect.Dialect, tr dialecttest.Transcript) {
	w := recordedWorld(t, tr)
	p := w.open(tr.Path)
	var heard, want []string
	await := func() {
		t.Helper()
		for len(missing(want, heard)) > 0 {
			_ = p.conn.SetReadDeadline(time.Now().Add(patience))
			_, frame, err := p.conn.ReadMessage()
			if err != nil {
				t.Fatalf("%v before %v", err, missing(want, heard))
			}
			if word, counts := said(t, d, frame); counts {
				heard = append(heard, word)
			}
		}
	}
	for _, l := range tr.Lines {
		switch l.Side {
		case dialecttest.Client:
			await()
			p.sendBytes(l.Frame)
		case dialecttest.Server:
			if word, counts := said(t, d, l.Frame); counts {
				want = append(want, word)
			}
		case dialecttest.Closed:
			await()
			p.wantClosed(l.Code, "")
			return // what the client says afterwards, it says to nobody
		}
	}
	await()
	more := slices.DeleteFunc(missing(heard, want), func(word string) bool {
		// The stand-in says who is here after each step 2, and who leaves may
		// hear its own goodbye or not.
		_, presence, ok := strings.Cut(word, dialect.Awareness.String())
		return ok && slices.ContainsFunc(want, func(w string) bool { return strings.HasSuffix(w, dialect.Awareness.String()+presence) })
	})
	if len(more) > 0 {
		t.Errorf("said %v too", more)
	}
}

// said says what a frame of ours is, and whether it is counted: the visitor who
// was there when the client was recorded isn't here, and the stand-in for rooms
// doesn't know an empty update from another.
func said(t *testing.T, d dialect.Dialect, frame []byte) (word string, counts bool) {
	t.Helper()
	if d.Traits().Addressed {
		if word, ok := access(frame); ok {
			return word, true
		}
	}
	messages, err := d.Decode(nil, frame)
	if err != nil {
		return fmt.Sprintf("%x", frame), true // only servers say it
	}
	m := messages[0]
	switch {
	case m.Kind == dialect.Awareness && bytes.HasPrefix(m.Body, []byte{1, 7}), // the visitor
		m.Kind == dialect.Update && (bytes.Equal(m.Body, []byte{0, 0}) || bytes.HasPrefix(m.Body, []byte{1, 1, 7})):
		return "", false
	case m.Kind == dialect.Awareness, m.Kind == dialect.Update:
		return fmt.Sprintf("%q %v %x", m.Address, m.Kind, m.Body), true
	default:
		return fmt.Sprintf("%q %v", m.Address, m.Kind), true
	}
}

// access reads "you may".
func access(frame []byte) (string, bool) {
	for _, scope := range []string{"readonly", "read-write"} {
		if bytes.HasSuffix(frame, []byte(scope)) {
			return scope, true
		}
	}
	return "", false
}

// missing returns what is in a and not in b.
func missing(a, b []string) []string {
	rest := slices.Clone(b)
	var left []string
	for _, word := range a {
		if i := slices.Index(rest, word); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
		} else {
			left = append(left, word)
		}
	}
	return left
}

// shout is a fifth dialect: SYNC, and CHANGE or PRESENCE with what follows.
type shout struct{ dialect.Dialect }

func (shout) Name() string            { return "shout" }
func (shout) Traits() dialect.Traits  { return dialect.Traits{} }
func (shout) Keepalive(string) []byte { return nil }
func (shout) Opens(frame []byte) bool { return bytes.HasPrefix(frame, []byte("SYNC")) }
func (shout) Append(dst []byte, m dialect.Message) []byte {
	switch m.Kind {
	case dialect.Update, dialect.Step2:
		return append(append(dst, "CHANGE"...), m.Body...)
	default:
		return dst
	}
}

func (shout) Decode(dst []dialect.Message, frame []byte) ([]dialect.Message, error) {
	if string(frame) == "SYNC" {
		return append(dst, dialect.Message{Kind: dialect.Step1, Body: []byte{0}}), nil
	}
	body, ok := bytes.CutPrefix(frame, []byte("CHANGE"))
	if !ok {
		return dst, fmt.Errorf("%q: want SYNC or CHANGE", frame)
	}
	return append(dst, dialect.Message{Kind: dialect.Update, Body: body}), nil
}

// A fifth dialect needs a line in the list: it is found by path, subprotocol and
// first frame, meets the others in a room, and is refused in its own words.
func TestAFifthDialect(t *testing.T) {
	before := spoken.All
	spoken.All = append(slices.Clone(before), shout{})
	t.Cleanup(func() { spoken.All = before })
	w := newWorld(t, nil)
	text := func(s string) string { return fmt.Sprintf("%x", s) }
	yws := w.sync("doc")
	for _, p := range []*peer{w.open("/-/shout/doc"), w.open("/doc", "shout"), w.open("/doc")} {
		p.send(text("SYNC"))
		first := p.next()
		if !strings.HasPrefix(first, text("CHANGE")) {
			t.Fatalf("%s, want the document", first)
		}
		p.send(text("CHANGE") + "05")
		p.want(text("CHANGE") + "05")
		yws.want(anUpdate)
		p.send(text("what?"))
		p.wantClosed(4400, "want SYNC or CHANGE")
	}
}
