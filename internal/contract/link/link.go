// Package link is what every rooms process must do on a link, as far as edges rest
// on it, as a test suite: the words and rules are in
// proto/fjord/rooms/v1/link.proto.
//
//	func TestLinkContract(t *testing.T) {
//		link.Run(t, func(t *testing.T) (connect.HTTPClient, string) { … })
//	}
//
// It runs against rooms, and against the stand-in that the edge is tested with: what
// the stand-in does here it does rightly. What needs an understanding of Yjs, of
// presence or of grants, the stand-in leaves out, and so does the suite.
package link

import (
	"bytes"
	"context"
	"testing"
	"time"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
)

// patience is how long an answer may take.
const patience = 20 * time.Second

// Client 7 types "a", then "b"; and client 8 says nothing of itself. With one client
// a state vector is the same bytes wherever it is made.
var (
	letterA  = []byte{1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0}
	letterB  = []byte{1, 1, 7, 1, 0x84, 7, 0, 1, 'b', 0}
	presence = []byte{1, 8, 1, 2, '{', '}'}
)

// Run runs the suite against what open starts: a process whose rooms are durable
// and empty, at a URL, and how to reach it. It ends with the test (t.Cleanup).
func Run(t *testing.T, open func(t *testing.T) (client connect.HTTPClient, url string)) {
	for name, law := range map[string]func(*testing.T, dial){
		"updates are told to all and answered once": updates,
		"presence is told to all and to newcomers":  presences,
		"a link resumes behind what it delivered":   resumes,
		"sessions and attachments come and go":      leaves,
		"nonsense ends the link":                    nonsense,
	} {
		t.Run(name, func(t *testing.T) {
			client, url := open(t)
			law(t, func(t *testing.T) *edge { return begin(t, client, url) })
		})
	}
}

// dial links another edge.
type dial func(t *testing.T) *edge

// edge is a link as an edge holds it.
type edge struct {
	t      *testing.T
	end    context.CancelFunc
	stream *connect.BidiStreamForClient[roomsv1.LinkRequest, roomsv1.LinkResponse]
	frames []*roomsv1.RoomFrame
}

// begin links, and expects the first message, which has no frames.
func begin(t *testing.T, client connect.HTTPClient, url string) *edge {
	t.Helper()
	ctx, end := context.WithTimeout(t.Context(), patience)
	e := &edge{t: t, end: end, stream: roomsv1connect.NewLinkServiceClient(client, url, connect.WithGRPC()).Link(ctx)}
	t.Cleanup(e.close)
	if err := e.stream.Send(&roomsv1.LinkRequest{Hello: &roomsv1.EdgeHello{Edge: t.Name()}}); err != nil {
		t.Fatal(err)
	}
	if first, err := e.stream.Receive(); err != nil || len(first.GetFrames()) > 0 {
		t.Fatalf("%v, %v; want a first message without frames", first, err)
	}
	return e
}

func (e *edge) close() {
	_ = e.stream.CloseRequest()
	e.end()
	_ = e.stream.CloseResponse()
}

func (e *edge) send(frames ...*roomsv1.EdgeFrame) {
	e.t.Helper()
	if err := e.stream.Send(&roomsv1.LinkRequest{Frames: frames}); err != nil {
		e.t.Fatal(err)
	}
}

func (e *edge) next() *roomsv1.RoomFrame {
	e.t.Helper()
	for len(e.frames) == 0 {
		response, err := e.stream.Receive()
		if err != nil {
			e.t.Fatal(err)
		}
		e.frames = response.GetFrames()
	}
	f := e.frames[0]
	e.frames = e.frames[1:]
	return f
}

// attached expects an attachment to open and returns what it was told.
func (e *edge) attached(number uint64) *roomsv1.Attached {
	e.t.Helper()
	f := e.next()
	if f.GetAttachment() != number || f.GetSession() != 0 || f.GetAttached().GetKind() != roomsv1.RoomKind_ROOM_KIND_DURABLE {
		e.t.Fatalf("%v, want Attached %d, durable", f, number)
	}
	return f.GetAttached()
}

// broadcast expects an update for everybody and returns its seq.
func (e *edge) broadcast(number uint64, update []byte) uint64 {
	e.t.Helper()
	f := e.next()
	if f.GetAttachment() != number || f.GetSession() != 0 || !bytes.Equal(f.GetBroadcast().GetUpdate(), update) {
		e.t.Fatalf("%v, want Broadcast %d of % x", f, number, update)
	}
	return f.GetBroadcast().GetSeq()
}

// shows expects the presence of client 8, for everybody or for one session.
func (e *edge) shows(number, session uint64) {
	e.t.Helper()
	f := e.next()
	if f.GetAttachment() != number || f.GetSession() != session || !bytes.Equal(f.GetAwareness(), presence) {
		e.t.Fatalf("%v, want awareness %d %d", f, number, session)
	}
}

func attach(number uint64, room string, resume *roomsv1.Resume) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Body: &roomsv1.EdgeFrame_Attach{Attach: &roomsv1.Attach{Room: room, Resume: resume}}}
}

func join(number, session uint64) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Join{Join: &roomsv1.Join{
		Grants: &roomsv1.Grants{Level: roomsv1.Level_LEVEL_WRITE, Presence: true, Create: true},
	}}}
}

func step1(number, session uint64) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Step1{
		Step1: &roomsv1.SyncStep1{StateVector: []byte{0}},
	}}
}

func update(number, session, ticket uint64, data []byte) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Update{
		Update: &roomsv1.ClientUpdate{Ticket: ticket, Update: data},
	}}
}
