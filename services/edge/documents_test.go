package edge_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// says spells the Auth message of a token.
func says(token string) string {
	frame := lib0.AppendVarString([]byte{2, 0}, token)
	return fmt.Sprintf("%x", lib0.AppendVarString(frame, "4.5.0"))
}

// opens is the Auth message of somebody who may come into all rooms.
func opens(t *testing.T, perm string) string {
	t.Helper()
	return says(token(t, time.Now().Add(time.Hour), grant("prefix", "", perm, true)))
}

// name spells an address as a frame begins with it.
func name(address string) string { return fmt.Sprintf("%02x%x ", len(address), address) }

const (
	granted  = "02 02 0a 726561642d7772697465"
	reads    = "02 02 08 726561646f6e6c79"
	refusal  = "02 01 11 7065726d697373696f6e2d64656e696564"
	tokenRW  = "02 00 02 7277 05 342e352e30"
	stepOne  = "00 00 01 00"
	stepTwo  = "00 01 02 00 00"
	noStep2  = "00 01 00" // the stand-in's empty log
	anUpdate = "00 02 01 05"
	saved    = "08 01"
	refused  = "08 00"
)

// carry opens a socket for documents.
func (w *world) carry(path string) *peer {
	w.t.Helper()
	conn, _, err := w.dial(request{path: path})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: w.t, conn: conn}
}

func isRoomUpdate(f *roomsv1.EdgeFrame) bool { return f.GetUpdate() != nil }

// The conversation of wire.md, section 3: everything is sent without waiting.
func TestDocumentHandshake(t *testing.T) {
	for _, path := range []string{"/", "/collaboration", "/-/hocuspocus", "/-/hocuspocus/any"} {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t, nil)
			p := w.carry(path)
			doc := name("doc")
			p.send(doc + tokenRW)
			p.send(doc + stepOne)
			p.send(doc + "01 06 01 2a 00 02 7b7d")
			p.want(doc+granted, doc+stepOne, doc+noStep2, doc+"01 06 01 2a 00 02 7b7d")
			p.send(doc + stepTwo)
			p.want(doc+"00 02 02 00 00", doc+saved) // the stand-in doesn't know what is empty
			p.send(doc + anUpdate)
			p.send(doc + anUpdate)
			p.want(doc+anUpdate, doc+saved, doc+anUpdate, doc+saved)
		})
	}
}

func TestDocumentsShareASocket(t *testing.T) {
	w := newWorld(t, nil)
	p := w.carry("/")
	for _, address := range []string{"a", "b", "a\x00s1", "a\x00s2"} {
		p.send(name(address) + tokenRW)
		p.send(name(address) + stepOne)
		p.want(name(address)+granted, name(address)+stepOne, name(address)+noStep2)
	}
	other := w.sync("b")
	other.send(anUpdate)
	other.want(anUpdate)
	p.want(name("b") + anUpdate)
	p.send(name("a\x00s1") + anUpdate)
	// Once for each session in the room, in the order in which they joined.
	p.want(name("a")+anUpdate, name("a\x00s1")+anUpdate, name("a\x00s2")+anUpdate, name("a\x00s1")+saved)
	p.send(name("a") + "07")
	w.until("leave", func(f *roomsv1.EdgeFrame) bool { return f.GetLeave() != nil })
	p.send(name("a\x00s2") + anUpdate)
	p.want(name("a\x00s1")+anUpdate, name("a\x00s2")+anUpdate, name("a\x00s2")+saved)
	// And in again.
	p.send(name("a") + tokenRW)
	p.want(name("a") + granted)
}

func TestDeniedDocumentLeavesTheOthers(t *testing.T) {
	w := newWorld(t, withTokens(t))
	p := w.carry("/")
	p.send(name("bad") + says("x"))
	p.send(name("bad") + stepOne)
	p.want(name("bad") + refusal)
	p.send(name("bad") + anUpdate)
	p.send(name("good") + opens(t, "rw"))
	p.want(name("good") + granted)
	p.send(name("good") + stepOne)
	p.want(name("good")+stepOne, name("good")+noStep2)
	p.send(name("bad") + opens(t, "rw")) // a better token
	p.want(name("bad") + granted)
	if n := w.count(isRoomUpdate); n != 0 {
		t.Errorf("rooms saw %d updates of a stranger", n)
	}
}

func TestRoomNameRuleHoldsForDocuments(t *testing.T) {
	w := newWorld(t, nil)
	p := w.carry("/")
	p.send(name("a\nb") + tokenRW)
	p.want(name("a\nb") + refusal)
}

// Version 2 says nothing of itself if it has no token.
func TestDocumentWithoutAToken(t *testing.T) {
	w := newWorld(t, nil)
	p := w.carry("/")
	p.send(name("doc") + stepOne)
	p.want(name("doc")+stepOne, name("doc")+noStep2)
}

func TestAwarenessBeforeTheTokenIsHeld(t *testing.T) {
	w := newWorld(t, withTokens(t))
	p := w.carry("/")
	p.send(name("doc") + "01 06 01 2a 01 02 7b7d")
	p.send(name("doc") + stepOne) // without a token it isn't let in, and waits
	p.send(name("doc") + opens(t, "rw"))
	p.want(name("doc")+granted, name("doc")+"01 06 01 2a 01 02 7b7d", name("doc")+stepOne, name("doc")+noStep2)
}

func TestReaderIsToldItsAccess(t *testing.T) {
	w := newWorld(t, withTokens(t))
	w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
		if f.GetUpdate() == nil {
			return false
		}
		l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession(), Body: &roomsv1.RoomFrame_Result{
			Result: &roomsv1.UpdateResult{Ticket: f.GetUpdate().GetTicket(), Refusal: roomsv1.Refusal_REFUSAL_READ_ONLY, Message: "no"},
		}})
		return true
	})
	p := w.carry("/")
	doc := name("doc")
	p.send(doc + opens(t, "r"))
	p.send(doc + stepOne)
	p.want(doc+reads, doc+stepOne, doc+noStep2)
	if w.until("join", isJoin).GetJoin().GetGrants().GetLevel() != roomsv1.Level_LEVEL_READ {
		t.Error("joined as a writer")
	}
	p.send(doc + anUpdate)
	p.want(doc + refused)
}

func TestTokenMustComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, withTokens(t))
		p := w.carry("/")
		start := time.Now()
		p.send(name("doc") + stepOne)
		p.want(name("doc") + refusal)
		if waited := time.Since(start); waited != 5*time.Second {
			t.Errorf("denied after %s, want 5s", waited)
		}
		_ = p.conn.Close()
	})
}

func TestSocketWithoutADocumentIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		p := w.carry("/")
		start := time.Now()
		_ = p.conn.SetReadDeadline(start.Add(2 * time.Minute))
		if _, _, err := p.conn.ReadMessage(); err == nil || !strings.Contains(err.Error(), "1013") || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
	})
}

func TestStrangersAreBounded(t *testing.T) {
	big := func(address string) []byte {
		head := dialecttest.Bytes(t, name(address)+"00 02 80 80 40") // 1 MiB
		return append(head, make([]byte, 1<<20)...)
	}
	for what, flood := range map[string]func(p *peer){
		"bytes": func(p *peer) {
			for range 6 {
				p.sendBytes(big("doc"))
			}
		},
		"messages": func(p *peer) {
			for range 1001 {
				p.send(name("doc") + "03")
			}
		},
		"documents": func(p *peer) {
			for i := range 101 {
				p.send(name(fmt.Sprint("doc", i)) + "03")
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t, withTokens(t))
			p := w.carry("/")
			flood(p)
			p.wantClosed(4413, "")
		})
	}
}

// A client that was let in may send what it likes before the room has loaded.
func TestAdmittedClientWaitsForItsRoom(t *testing.T) {
	w := newWorld(t, nil)
	hold := make(chan struct{})
	go func() {
		<-hold
		w.rooms.SetHook(nil)
		w.rooms.Break()
	}()
	w.rooms.SetHook(func(_ *roomstest.Link, f *roomsv1.EdgeFrame) bool { return f.GetAttach() != nil })
	p := w.carry("/")
	p.send(name("doc") + tokenRW)
	p.want(name("doc") + granted)
	w.until("attach", func(f *roomsv1.EdgeFrame) bool { return f.GetAttach() != nil })
	for range 1000 {
		p.send(name("doc") + anUpdate)
	}
	close(hold)
	for range 10 {
		p.send(name("doc") + anUpdate)
	}
	for range 1010 {
		p.want(name("doc")+anUpdate, name("doc")+saved)
	}
}

func TestServerMessagesFromAClientCloseTheDocument(t *testing.T) {
	for _, frame := range []string{"06 02 6869", "04 00 01 00"} {
		w := newWorld(t, nil)
		p := w.carry("/")
		p.send(name("doc") + tokenRW)
		p.want(name("doc") + granted)
		p.send(name("doc") + frame)
		if got := p.next(); !strings.HasPrefix(got, strings.ReplaceAll(name("doc"), " ", "")+"0201") {
			t.Errorf("%s: %s, want denied", frame, got)
		}
		p.send(name("other") + tokenRW)
		p.want(name("other") + granted)
	}
}

func TestStatelessReachesTheOthers(t *testing.T) {
	w := newWorld(t, nil)
	a, b, yws := w.carry("/"), w.carry("/"), w.sync("doc")
	for _, p := range []*peer{a, b} {
		p.send(name("doc") + tokenRW)
		p.send(name("doc") + stepOne)
		p.want(name("doc")+granted, name("doc")+stepOne, name("doc")+noStep2)
	}
	a.send(name("doc") + "05 02 6869")
	b.want(name("doc") + "05 02 6869")
	b.send(name("doc") + anUpdate)
	a.want(name("doc") + anUpdate)
	yws.want(anUpdate) // and no word of the other before
}

// What was unanswered when the link broke is answered, each once, when the
// client has said again what it alone has; and that answer isn't counted.
func TestAcksSurviveABreak(t *testing.T) {
	w := newWorld(t, nil)
	p := w.carry("/")
	doc := name("doc")
	p.send(doc + tokenRW)
	p.send(doc + stepOne)
	p.want(doc+granted, doc+stepOne, doc+noStep2)
	p.send(doc + stepTwo)
	p.want(doc+"00 02 02 00 00", doc+saved)
	// Rooms swallows two updates, and breaks.
	w.rooms.SetHook(func(_ *roomstest.Link, f *roomsv1.EdgeFrame) bool { return f.GetUpdate() != nil })
	p.send(doc + "00 02 01 07")
	p.send(doc + "00 02 01 08")
	w.eventually("rooms has seen both", func() bool { return w.count(isRoomUpdate) == 3 })
	w.rooms.SetHook(nil)
	w.rooms.Break()
	p.want(doc+"00 00 03 01 01 01", doc+"03")
	p.send(doc + "00 01 02 07 08")
	p.want(doc+"00 02 02 07 08", doc+saved, doc+saved)
	p.send(doc + "00 02 01 09")
	p.want(doc+"00 02 01 09", doc+saved)
}

func TestDocumentKeepalive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		p := w.carry("/")
		p.send(name("doc") + tokenRW)
		p.want(name("doc") + granted)
		p.wantNextWithin(21*time.Second, name("doc")+"01 01 00")
		_ = p.conn.Close()
	})
}

func TestRelayRoomTakesNoDocuments(t *testing.T) {
	w := newRelay(t)
	p := w.carry("/")
	p.send(name("relay-1") + tokenRW)
	p.want(name("relay-1") + granted)
	if got := p.next(); !strings.Contains(got, "0201") {
		t.Errorf("%s, want denied", got)
	}
}

// A token in the URL serves those whose messages hold none.
func TestTokenOfTheURLCountsForDocuments(t *testing.T) {
	w := newWorld(t, withTokens(t))
	p := w.carry("/?token=" + token(t, time.Now().Add(time.Hour), grant("id", "doc", "rw", true)))
	p.send(name("doc") + says(""))
	p.want(name("doc") + granted)
	p.send(name("other") + says(""))
	p.want(name("other") + refusal)
}

func TestDocumentsTokenExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, withTokens(t))
		p := w.carry("/")
		p.send(name("doc") + says(token(t, time.Now().Add(10*time.Second), grant("id", "doc", "rw", true))))
		p.want(name("doc") + granted)
		_ = p.conn.SetReadDeadline(time.Now().Add(2 * time.Minute))
		for {
			_, _, err := p.conn.ReadMessage()
			if err == nil {
				continue // the keepalive
			}
			if !websocket.IsCloseError(err, 4401) {
				t.Error(err)
			}
			return
		}
	})
}
