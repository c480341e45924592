package edge_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/dialecttest"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
)

// open opens a websocket at a path, with subprotocols.
func (w *world) open(path string, protocols ...string) *peer {
	w.t.Helper()
	d := websocket.Dialer{NetDialContext: w.front, HandshakeTimeout: patience, Subprotocols: protocols}
	conn, response, err := d.Dial("ws://edge.test"+path, http.Header{})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(protocols) > 0 && response.Header.Get("Sec-Websocket-Protocol") == "" {
		w.t.Error("no subprotocol was chosen: a browser gives up")
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: w.t, conn: conn}
}

// However a client is recognized, its room is the same, and each hears it in its
// own words.
func TestAllDialectsInOneRoom(t *testing.T) {
	w := newWorld(t, nil)
	doc := name("doc")
	plain := []*peer{
		w.open("/doc"), w.open("/-/y-websocket/doc"), w.open("/doc", "x", "y-websocket"),
		w.open("/-/elva/doc"), w.open("/doc", "elva"), w.open("/-/y-sweet/doc"), w.open("/d/doc/ws/doc?token=x"),
	}
	for _, p := range plain {
		p.send(stepOne)
		p.want(noStep2, stepOne) // step 2 first, and nothing before it
	}
	named := []*peer{w.open("/"), w.open("/-/hocuspocus"), w.open("/doc", "hocuspocus"), w.open("/elsewhere")}
	for _, p := range named {
		p.send(doc + tokenRW)
		p.send(doc + stepOne)
		p.want(doc+granted, doc+stepOne, doc+noStep2)
	}
	plain[0].send(anUpdate)
	for _, p := range plain {
		p.want(anUpdate)
	}
	for _, p := range named {
		p.want(doc + anUpdate)
	}
	named[0].send(doc + "01 06 01 2a 07 02 7b 7d")
	for _, p := range plain {
		p.want("01 06 01 2a 07 02 7b 7d")
	}
	for _, p := range named {
		p.want(doc + "01 06 01 2a 07 02 7b 7d")
	}
}

// Several dialects open alike; the first word of one's own decides.
func TestDialectIsFoundLater(t *testing.T) {
	w := newWorld(t, nil)
	elva, sweet, yws := w.sync("doc"), w.sync("doc"), w.sync("doc")
	elva.send("49 44 02 6d 65") // I am "me"
	elva.send("44 01 01 78")    // to nobody who would understand it yet
	elva.send("52 57 00")
	elva.want("52 57 00")
	sweet.send("00 01 02 00 00") // the answer to our step 1, which its first question waits for
	sweet.send("66 01 07")
	sweet.want("00 02 02 00 00", "66 01 07")
	yws.want("00 02 02 00 00")
	elva.want("00 02 02 00 00")
	other := w.open("/-/elva/doc")
	other.send(stepOne)
	_, _ = other.next(), other.next()
	elva.send("44 01 01 79")
	other.want("49 44 02 6d 65", "44 01 01 79")
	other.send("44 02 00")
	elva.want("44 02 00")
	yws.send("03 ff")
	yws.want("01 00")
}

func TestCrossIsAnsweredInKind(t *testing.T) {
	w := newWorld(t, nil)
	w.rooms.Append("doc", []byte{0xaa})
	p := w.open("/-/elva/doc")
	p.send("00 03 05 01 00 02 00 00") // nothing, and what do you have?
	p.want("00 03 06 03 01 01 01 01 aa")
	p.send("00 03 04 01 00 01 bb")
	p.want("00 02 01 bb", "00 03 07 03 01 01 02 02 aa bb")
}

func TestELVAReaderIsTold(t *testing.T) {
	w := newWorld(t, withTokens(t))
	w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
		if f.GetUpdate() == nil {
			return false
		}
		l.Send(&roomsv1.RoomFrame{Attachment: f.GetAttachment(), Session: f.GetSession(), Body: &roomsv1.RoomFrame_Result{
			Result: &roomsv1.UpdateResult{Refusal: roomsv1.Refusal_REFUSAL_READ_ONLY, Message: "no"},
		}})
		return true
	})
	p := w.open("/-/elva/doc?token=" + token(t, time.Now().Add(time.Hour), grant("id", "doc", "r", true)))
	p.send(stepOne)
	p.want(noStep2, "52 4f 00")
	p.send("52 57 00")
	p.want("52 4f 00")
	p.send(anUpdate)
	p.want("52 4f 00")
}

// A y-sweet client hears its question back when all before it is stored, and not
// while something is under way.
func TestSyncStatusWaitsForStorage(t *testing.T) {
	w := newWorld(t, nil)
	p := w.sync("doc")
	var asked *roomsv1.EdgeFrame
	var link *roomstest.Link
	seen := make(chan struct{})
	w.rooms.SetHook(func(l *roomstest.Link, f *roomsv1.EdgeFrame) bool {
		if f.GetUpdate().GetTicket() == 0 {
			return f.GetUpdate() != nil
		}
		asked, link = f, l
		close(seen)
		return true
	})
	p.send("00 01 02 00 00")
	p.send(anUpdate)
	p.send("66 02 ab cd")
	<-seen
	p.send("01 06 01 2a 07 02 7b 7d")
	p.want("01 06 01 2a 07 02 7b 7d")
	link.Send(&roomsv1.RoomFrame{Attachment: asked.GetAttachment(), Session: asked.GetSession(), Body: &roomsv1.RoomFrame_Result{
		Result: &roomsv1.UpdateResult{Ticket: asked.GetUpdate().GetTicket()},
	}})
	p.want("66 02 ab cd")
}

// Data goes to those who are there and speak ELVA, each of the four messages; a
// newcomer finds none of it, and too much of it ends its sender.
func TestDataIsBoundedAndKeptNowhere(t *testing.T) {
	w := newWorld(t, nil)
	ada, bea, yws := w.open("/-/elva/doc"), w.open("/-/elva/doc"), w.sync("doc")
	for _, p := range []*peer{ada, bea} {
		p.send(stepOne)
		p.want(noStep2, stepOne)
	}
	ada.send("44 01 01 61" + "49 44 02 6d 65" + "44 02 01 62" + "44 03 01 63" + "44 04 01 64")
	bea.want("44 01 01 61", "49 44 02 6d 65", "44 02 01 62", "49 44 02 6d 65", "44 03 01 63", "49 44 02 6d 65", "44 04 01 64")
	newcomer := w.open("/-/elva/doc")
	newcomer.send(stepOne)
	newcomer.want(noStep2, stepOne)
	ada.send(anUpdate)
	for _, p := range []*peer{ada, bea, yws, newcomer} {
		p.want(anUpdate) // and nothing before it
	}
	ada.sendBytes(append(dialecttest.Bytes(t, "44 04 81 80 40"), make([]byte, 1<<20+1)...))
	ada.wantClosed(4413, "data is larger")
	bea.send("49 44 fb 01" + strings.Repeat("61", 251))
	bea.wantClosed(4413, "id is larger")
	if n := w.count(isRoomUpdate); n != 1 {
		t.Errorf("rooms was given %d updates, want 1", n)
	}
}
