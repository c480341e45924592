package rooms_test

import (
	"testing"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

func joinAs(number, session uint64, g *roomsv1.Grants) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Join{Join: &roomsv1.Join{Grants: g}}}
}

func grants(number, session uint64, g *roomsv1.Grants) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Grants{Grants: g}}
}

func relays(number, session uint64, data string) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Relay{Relay: []byte(data)}}
}

var reader = &roomsv1.Grants{Level: roomsv1.Level_LEVEL_READ}

// An edge that lets everything through, by mistake or because somebody has taken it
// over, writes no more than the session that it has let in may.
func TestRoomsTrustNoEdgeWithWrites(t *testing.T) {
	t.Parallel()
	client := start(t, "volatile")
	e := link(t, client)
	ended := func(session uint64, why roomsv1.Refusal) {
		t.Helper()
		if f := e.next(); f.GetSession() != session || f.GetEnded().GetRefusal() != why {
			t.Fatalf("%v, want session %d ended with %v", f, session, why)
		}
	}
	e.send(attach(1, "doc"))
	e.next()
	for session, g := range []*roomsv1.Grants{nil, {}, {Presence: true, Create: true}, {Level: 99, Create: true}} {
		e.send(joinAs(1, uint64(session)+1, g), update(1, uint64(session)+1, 7, letterA))
		ended(uint64(session)+1, roomsv1.Refusal_REFUSAL_NOT_ALLOWED)
	}
	e.send(joinAs(1, 5, reader))
	ended(5, roomsv1.Refusal_REFUSAL_NO_ACCESS)

	e.send(join(1, 6), joinAs(1, 7, reader), shows(1, 6, awareness.Entry{Client: 6, Clock: 1, State: []byte(`{}`)}))
	e.next()
	steal := awareness.Entry{Client: 6, Clock: 2, State: awareness.Null}
	for _, frames := range [][]*roomsv1.EdgeFrame{
		{update(1, 7, 1, letterA)},
		{{Attachment: 1, Session: 7, Body: &roomsv1.EdgeFrame_Update{Update: &roomsv1.ClientUpdate{Ticket: 1, Step2: true, Update: letterA}}}},
		{join(1, 7), update(1, 7, 1, letterA)}, // who joins again doesn't become a writer
		{shows(1, 7, awareness.Entry{Client: 9, Clock: 1, State: []byte(`{}`)}), shows(1, 7, steal), update(1, 7, 1, letterA)},
	} {
		e.send(frames...)
		if f := e.next(); f.GetSession() != 7 || f.GetResult().GetRefusal() != roomsv1.Refusal_REFUSAL_READ_ONLY {
			t.Fatalf("%v is answered by %v, want a refusal", frames, f)
		}
	}
	e.send(relays(1, 7, "words"))
	if f := e.next(); f.GetSession() != 7 || f.GetAccess().GetLevel() != roomsv1.Level_LEVEL_READ {
		t.Fatalf("%v, want to be told what the session may", f)
	}
	e.send(grants(1, 7, writer), update(1, 7, 1, letterA))
	if f := e.next(); f.GetBroadcast() == nil {
		t.Fatalf("%v, want the update of who may write now", f)
	}
	e.next() // its result
	e.send(step1(1, 6))
	if f := e.next(); string(f.GetSyncReply().GetStateVector()) != "\x01\x07\x01" {
		t.Errorf("%v, want one letter of client 7", f)
	}
	if f := e.next(); string(f.GetAwareness()) != string(awareness.Append(nil, awareness.Entry{Client: 6, Clock: 1, State: []byte(`{}`)})) {
		t.Errorf("%v, want client 6 and nobody else", f)
	}
}

func TestRelayTrustsNoEdge(t *testing.T) {
	t.Parallel()
	e := link(t, start(t, "relay"))
	e.send(attach(1, "doc"), join(1, 1), joinAs(1, 2, reader), relays(1, 2, "words"))
	e.next()
	if f := e.next(); f.GetSession() != 2 || f.GetEnded().GetRefusal() != roomsv1.Refusal_REFUSAL_READ_ONLY {
		t.Errorf("%v, want the reader put out", f)
	}
	e.send(relays(1, 2, "more"), relays(1, 1, "mine"))
	if f := e.next(); string(f.GetRelayed().GetData()) != "mine" {
		t.Errorf("%v, want what the writer says", f)
	}
}

// Edges are told whether a room is there, and make none by asking.
func TestExists(t *testing.T) {
	t.Parallel()
	client := start(t, "volatile")
	rooms := roomsv1connect.NewLinkServiceClient(client, url)
	exists := func(room string) bool {
		t.Helper()
		r, err := rooms.Exists(t.Context(), connect.NewRequest(&roomsv1.ExistsRequest{Room: room}))
		if err != nil {
			t.Fatal(err)
		}
		return r.Msg.GetExists()
	}
	if exists("doc") {
		t.Error("a room that nobody has made is there")
	}
	e := link(t, client)
	e.send(attach(1, "doc"))
	e.next()
	if exists("doc") {
		t.Error("a link makes a room")
	}
	e.send(join(1, 1))
	e.in(1, 1)
	if !exists("doc") {
		t.Error("who may make a room is in it, and it isn't there")
	}
	if _, err := rooms.Exists(t.Context(), connect.NewRequest(&roomsv1.ExistsRequest{})); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("no name: %v", err)
	}
}
