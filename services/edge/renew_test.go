package edge_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
)

const (
	askedAgain = "02 00"
	asksWho    = "03"
)

// enters opens a document with a token and goes through the handshake.
func (w *world) enters(token string) *peer {
	w.t.Helper()
	p := w.carry("/")
	p.send(name("doc") + says(token))
	p.send(name("doc") + stepOne)
	p.want(name("doc")+granted, name("doc")+stepOne, name("doc")+noStep2)
	p.send(name("doc") + stepTwo)
	p.want(name("doc")+"00 02 02 00 00", name("doc")+saved)
	return p
}

func isGrants(level roomsv1.Level) func(*roomsv1.EdgeFrame) bool {
	return func(f *roomsv1.EdgeFrame) bool { return f.GetGrants() != nil && f.GetGrants().GetLevel() == level }
}

// A second token on the same session counts from then on.
func TestSecondToken(t *testing.T) {
	w := newWorld(t, withTokens(t))
	soon := time.Now().Add(time.Hour)
	p := w.enters(token(t, soon, grant("id", "doc", "rw", true)))
	p.send(name("doc") + says(token(t, soon, grant("id", "doc", "r", false))))
	p.want(name("doc") + reads)
	if f := w.until("fewer grants", isGrants(roomsv1.Level_LEVEL_READ)); f.GetGrants().GetPresence() {
		t.Errorf("%v, want no presence", f)
	}
	p.send(name("doc") + "05 02 6869")
	p.want(name("doc") + reads)
	p.send(name("doc") + "01 06 01 2a 01 02 7b7d") // goes nowhere
	p.send(name("doc") + says(token(t, soon, grant("id", "doc", "rw", true))))
	p.want(name("doc")+granted, name("doc")+stepOne) // is asked for what was refused
	w.until("more grants", isGrants(roomsv1.Level_LEVEL_WRITE))
	p.send(name("doc") + stepTwo)
	p.send(name("doc") + anUpdate)
	p.want(name("doc")+"00 02 02 00 00", name("doc")+anUpdate, name("doc")+saved)
	if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetAwareness() != nil || f.GetRelay() != nil }); n != 0 {
		t.Errorf("rooms heard %d times what it mustn't", n)
	}
}

// Whoever says something untrue of itself loses the document, and no other.
func TestSecondTokenThatIsWorthNothing(t *testing.T) {
	soon := time.Now().Add(time.Hour)
	for what, bad := range map[string]string{
		"malformed": "x.y.z",
		"expired":   token(t, time.Now().Add(-time.Hour), grant("id", "doc", "rw", true)),
		"elsewhere": token(t, soon, grant("id", "other", "rw", true)),
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t, withTokens(t))
			p := w.enters(token(t, soon, grant("id", "doc", "rw", true)))
			p.send(name("doc") + says(bad))
			p.want(name("doc") + refusal)
			w.until("leave", func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil })
			p.send(name("doc") + anUpdate)
			p.send(name("other") + says(token(t, soon, grant("id", "other", "rw", true))))
			p.want(name("other") + granted)
			if n := w.count(isRoomUpdate); n != 1 {
				t.Errorf("rooms saw %d updates, want the first", n)
			}
		})
	}
}

// A client that has words for it is asked for another token when its own expires,
// and goes on with that.
func TestTokenIsAskedForWhenItExpires(t *testing.T) {
	change := withTokens(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, change)
		start := time.Now()
		p := w.enters(token(t, start.Add(5*time.Second), grant("id", "doc", "rw", true)))
		p.want(name("doc") + askedAgain)
		if asked := time.Since(start); asked != 5*time.Second {
			t.Errorf("asked after %s", asked)
		}
		p.send(name("doc") + says(token(t, start.Add(90*time.Second), grant("id", "doc", "rw", true))))
		p.want(name("doc") + granted)
		until := func(frame string) {
			_ = p.conn.SetReadDeadline(start.Add(time.Hour))
			for {
				_, data, err := p.conn.ReadMessage()
				if err != nil {
					t.Fatal(err)
				}
				if string(data) == string(dialecttest.Bytes(t, frame)) {
					return
				}
			}
		}
		until(name("doc") + askedAgain)
		if asked := time.Since(start); asked != 90*time.Second {
			t.Errorf("asked again after %s", asked)
		}
		// One that can't answer is closed when the leeway is over.
		var err error
		for err == nil {
			_, _, err = p.conn.ReadMessage()
		}
		if !websocket.IsCloseError(err, 4401) || time.Since(start) != 120*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

// Who was put out because its token was taken back may come back with another, and
// nothing is lost.
func TestRevokedDocumentAsksForAToken(t *testing.T) {
	w := newWorld(t, withTokens(t))
	soon := time.Now().Add(time.Hour)
	p := w.enters(token(t, soon, grant("id", "doc", "rw", true)))
	w.putOut("doc")
	p.want(name("doc") + askedAgain)
	p.send(name("doc") + "00 02 01 07") // goes nowhere
	w.rooms.Append("doc", []byte{9})    // goes to others only
	other := w.joinAs("doc", token(t, soon, grant("id", "doc", "r", true)))
	defer other.conn.Close()
	p.send(name("doc") + says(token(t, soon, grant("id", "doc", "rw", true))))
	p.want(name("doc")+granted, name("doc")+"00 00 03 01 01 02", name("doc")+"00 01 03 00 00 09", name("doc")+asksWho)
	p.send(name("doc") + "00 01 01 07")
	p.want(name("doc")+"00 02 01 07", name("doc")+saved) // the update that went nowhere
	p.send(name("doc") + anUpdate)
	p.want(name("doc")+anUpdate, name("doc")+saved)
	if n := w.count(func(f *roomsv1.EdgeFrame) bool { return f.GetJoin() != nil }); n != 3 {
		t.Errorf("%d joins, want three", n)
	}
}

func TestRevokedTokenIsOfNoUse(t *testing.T) {
	w := newWorld(t, withTokens(t))
	ann := token(t, time.Now().Add(time.Hour), grant("id", "doc", "rw", true))
	p := w.enters(ann)
	w.rooms.Revoke(&roomsv1.Revocation{Subject: "ann"})
	w.eventually("the edge knows", func() bool {
		_, response, err := w.dial(request{path: "/doc", header: bearer(ann)})
		return err != nil && response.StatusCode == http.StatusUnauthorized
	})
	w.putOut("doc")
	p.want(name("doc") + askedAgain)
	p.send(name("doc") + says(ann))
	p.want(name("doc") + refusal)
}

// Where the edge doesn't know yet that a token is revoked, and rooms puts it out
// again, it isn't asked for for ever.
func TestPutOutTwice(t *testing.T) {
	w := newWorld(t, withTokens(t))
	ann := token(t, time.Now().Add(time.Hour), grant("id", "doc", "rw", true))
	p := w.enters(ann)
	w.putOut("doc")
	p.want(name("doc") + askedAgain)
	p.send(name("doc") + says(ann))
	p.want(name("doc")+granted, name("doc")+"00 00 03 01 01 01", name("doc")+"00 01 02 00 00", name("doc")+asksWho)
	w.putOut("doc")
	if got := p.next(); got[8:12] != "0201" {
		t.Errorf("%s, want denied", got)
	}
}

func TestRevokedClientThatDoesNotAnswer(t *testing.T) {
	change := withTokens(t)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, change)
		p := w.enters(token(t, time.Now().Add(time.Hour), grant("id", "doc", "rw", true)))
		w.putOut("doc")
		p.want(name("doc") + askedAgain)
		start := time.Now()
		p.want(name("doc") + refusal)
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("denied after %s", took)
		}
		_ = p.conn.Close()
	})
}
