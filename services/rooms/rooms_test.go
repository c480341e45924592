package rooms_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const url = "http://rooms"

// start serves a rooms service of a kind that needs no storage; the durable kind
// is tested with real storage in cmd/fjord.
func start(t testing.TB, kind string) *http.Client {
	t.Helper()
	return startWith(t, rooms.Config{Kind: kind, Owner: "test"})
}

func startWith(t testing.TB, config rooms.Config) *http.Client {
	t.Helper()
	service, err := rooms.New(config)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	service.Register(mux)
	listener := pipe.Listen()
	server := serve.NewServer(mux, slog.New(slog.DiscardHandler))
	server.Serve(listener)
	client := serve.NewClient(listener.Dial)
	t.Cleanup(func() {
		ctx := context.Background()
		if err := errors.Join(service.Drain(ctx), server.Shutdown(ctx)); err != nil {
			t.Error(err)
		}
		service.Close()
		client.CloseIdleConnections()
	})
	return client
}

// edge is a link as an edge holds it.
type edge struct {
	t      testing.TB
	stream *connect.BidiStreamForClient[roomsv1.LinkRequest, roomsv1.LinkResponse]
	frames []*roomsv1.RoomFrame
	// revoked is what the edge was told last to be revoked.
	revoked *roomsv1.Revocations
}

func link(t testing.TB, client *http.Client) *edge {
	t.Helper()
	e := &edge{t: t, stream: roomsv1connect.NewLinkServiceClient(client, url, connect.WithGRPC()).Link(t.Context())}
	if err := e.stream.Send(&roomsv1.LinkRequest{Hello: &roomsv1.EdgeHello{Edge: t.Name()}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	return e
}

func (e *edge) close() {
	_ = e.stream.CloseRequest()
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
		if response.GetRevocations() != nil {
			e.revoked = response.GetRevocations()
		}
	}
	frame := e.frames[0]
	e.frames = e.frames[1:]
	return frame
}

// said returns what the edge was told last to be revoked, after the first message.
func (e *edge) said() *roomsv1.Revocations {
	e.t.Helper()
	for e.revoked == nil {
		response, err := e.stream.Receive()
		if err != nil {
			e.t.Fatal(err)
		}
		e.frames = append(e.frames, response.GetFrames()...)
		e.revoked = response.GetRevocations()
	}
	return e.revoked
}

func (e *edge) expect(want *roomsv1.RoomFrame) {
	e.t.Helper()
	if got := e.next(); !proto.Equal(got, want) {
		e.t.Fatalf("got  %v\nwant %v", got, want)
	}
}

func attach(number uint64, room string) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Body: &roomsv1.EdgeFrame_Attach{Attach: &roomsv1.Attach{Room: room}}}
}

// writer may do what most sessions may.
var writer = &roomsv1.Grants{Level: roomsv1.Level_LEVEL_WRITE, Presence: true, Create: true}

func join(number, session uint64) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Join{Join: &roomsv1.Join{Grants: writer}}}
}

func step1(number, session uint64) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Step1{Step1: &roomsv1.SyncStep1{}}}
}

func update(number, session, ticket uint64, data []byte) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Update{
		Update: &roomsv1.ClientUpdate{Ticket: ticket, Update: data},
	}}
}

func shows(number, session uint64, entries ...awareness.Entry) *roomsv1.EdgeFrame {
	return &roomsv1.EdgeFrame{Attachment: number, Session: session, Body: &roomsv1.EdgeFrame_Awareness{
		Awareness: awareness.Append(nil, entries...),
	}}
}

// Client 7 types "a", then "b".
var (
	letterA = []byte{1, 1, 7, 0, 4, 1, 1, 't', 1, 'a', 0}
	letterB = []byte{1, 1, 7, 1, 0x84, 7, 0, 1, 'b', 0}
)

func TestTwoEdgesShareARoom(t *testing.T) {
	client := start(t, "volatile")
	a, b := link(t, client), link(t, client)
	a.send(attach(3, "doc"), join(3, 1))
	if f := a.next(); f.GetAttachment() != 3 || f.GetAttached().GetKind() != roomsv1.RoomKind_ROOM_KIND_VOLATILE {
		t.Fatalf("got %v, want Attached 3, volatile", f)
	}
	b.send(attach(9, "doc"), join(9, 1))
	b.next()
	a.send(update(3, 1, 5, letterA))
	broadcast := &roomsv1.RoomFrame_Broadcast{Broadcast: &roomsv1.Broadcast{Update: letterA}}
	a.expect(&roomsv1.RoomFrame{Attachment: 3, Body: broadcast})
	a.expect(&roomsv1.RoomFrame{Attachment: 3, Session: 1, Body: &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{Ticket: 5}}})
	b.expect(&roomsv1.RoomFrame{Attachment: 9, Body: broadcast})

	// A link that breaks takes its sessions' presence along.
	state := awareness.Entry{Client: 8, Clock: 1, State: []byte(`{}`)}
	a.send(shows(3, 1, state))
	b.expect(&roomsv1.RoomFrame{Attachment: 9, Body: &roomsv1.RoomFrame_Awareness{Awareness: awareness.Append(nil, state)}})
	a.close()
	state.State = awareness.Null
	b.expect(&roomsv1.RoomFrame{Attachment: 9, Body: &roomsv1.RoomFrame_Awareness{Awareness: awareness.Append(nil, state)}})
}

func TestOneLinkCarriesManyRooms(t *testing.T) {
	e := link(t, start(t, "volatile"))
	const many = 200
	for i := range uint64(many) {
		e.send(attach(i+1, fmt.Sprintf("room %d", i)), join(i+1, 1), update(i+1, 1, 7, letterA))
	}
	results := 0
	for results < many {
		if f := e.next(); f.GetResult() != nil {
			results++
		}
	}
}

func TestLinkEndsWhereTheContractIsBroken(t *testing.T) {
	client := start(t, "volatile")
	for name, frames := range map[string][]*roomsv1.EdgeFrame{
		"attachment 0": {attach(0, "doc")},
		"in use":       {attach(1, "doc"), attach(1, "other")},
		"session 0":    {attach(1, "doc"), join(1, 0)},
		"unknown kind": {attach(1, "doc"), {Attachment: 1, Session: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			e := link(t, client)
			e.send(frames...)
			var err error
			for err == nil {
				_, err = e.stream.Receive()
			}
			if connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), name) {
				t.Errorf("%v, want InvalidArgument that says %q", err, name)
			}
		})
	}
	t.Run("no hello", func(t *testing.T) {
		stream := roomsv1connect.NewLinkServiceClient(client, url, connect.WithGRPC()).Link(t.Context())
		defer stream.CloseResponse()
		_ = stream.Send(&roomsv1.LinkRequest{})
		if _, err := stream.Receive(); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%v, want InvalidArgument", err)
		}
		_ = stream.CloseRequest()
	})
}

func TestBadRoomNameIsToldInAFrame(t *testing.T) {
	e := link(t, start(t, "volatile"))
	e.send(attach(1, "a\tb"), attach(2, "fine"))
	if f := e.next(); f.GetAttachment() != 1 || f.GetDetached().GetReason() != roomsv1.DetachReason_DETACH_REASON_INVALID {
		t.Errorf("got %v, want Detached INVALID", f)
	}
	if f := e.next(); f.GetAttachment() != 2 || f.GetAttached() == nil {
		t.Errorf("got %v, want the other room attached", f)
	}
}

func TestDocumentsOverRPC(t *testing.T) {
	client := start(t, "volatile")
	e := link(t, client)
	e.send(attach(1, "doc"), join(1, 1))
	e.next()
	documents := roomsv1connect.NewDocumentsServiceClient(client, url)
	for _, u := range [][]byte{letterA, letterB} {
		if _, err := documents.ApplyUpdate(t.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: "doc", Update: u})); err != nil {
			t.Fatal(err)
		}
		e.expect(&roomsv1.RoomFrame{Attachment: 1, Body: &roomsv1.RoomFrame_Broadcast{Broadcast: &roomsv1.Broadcast{Update: u}}})
	}
	document, err := documents.GetDocument(t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{Room: "doc"}))
	if err != nil {
		t.Fatal(err)
	}
	if got := document.Msg.GetStateVector(); string(got) != "\x01\x07\x02" {
		t.Errorf("state vector %x, want client 7 at 2", got)
	}
	if err := yjs.ValidateUpdate(document.Msg.GetUpdate()); err != nil {
		t.Error(err)
	}
	for name, call := range map[string]func() error{
		"garbage": func() error {
			_, err := documents.ApplyUpdate(t.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: "doc", Update: []byte{1, 2, 3}}))
			return err
		},
		"no name": func() error {
			_, err := documents.GetDocument(t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{}))
			return err
		},
		"vector": func() error {
			_, err := documents.GetDocument(t.Context(), connect.NewRequest(&roomsv1.GetDocumentRequest{Room: "doc", StateVector: []byte{0xff}}))
			return err
		},
	} {
		if err := call(); connect.CodeOf(err) != connect.CodeInvalidArgument {
			t.Errorf("%s: %v, want InvalidArgument", name, err)
		}
	}
}

func TestOperatorsSeeOpenRooms(t *testing.T) {
	client := start(t, "volatile")
	e := link(t, client)
	for i, name := range []string{"b", "a/2", "a/1"} {
		e.send(attach(uint64(i)+1, name), join(uint64(i)+1, 1), step1(uint64(i)+1, 1))
		// The answer to its step 1 shows that the session is in.
		for e.next().GetSyncReply() == nil {
		}
	}
	operators := roomsv1connect.NewRoomsServiceClient(client, url)
	page, err := operators.ListRooms(t.Context(), connect.NewRequest(&roomsv1.ListRoomsRequest{Limit: 2}))
	if err != nil {
		t.Fatal(err)
	}
	if got := page.Msg; !got.GetMore() || len(got.GetRooms()) != 2 || got.GetRooms()[0].GetRoom() != "a/1" || got.GetRooms()[0].GetSessions() != 1 {
		t.Errorf("first page %v, want a/1, a/2 and more", got)
	}
	page, err = operators.ListRooms(t.Context(), connect.NewRequest(&roomsv1.ListRoomsRequest{After: "a/2"}))
	if err != nil || len(page.Msg.GetRooms()) != 1 || page.Msg.GetMore() {
		t.Errorf("second page %v (%v), want b only", page, err)
	}
	if _, err := operators.ListRooms(t.Context(), connect.NewRequest(&roomsv1.ListRoomsRequest{Limit: 1001})); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("limit 1001: %v, want InvalidArgument", err)
	}
}

func TestConfigSaysWhatWouldBeRight(t *testing.T) {
	for kind, want := range map[string]string{"eternal": "want durable, volatile or relay", "durable": "storage service"} {
		if _, err := rooms.New(rooms.Config{Kind: kind}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", kind, err, want)
		}
	}
}

// One update in, its broadcast and result out, over Connect and the pipe.
func BenchmarkLinkRoundTrip(b *testing.B) {
	e := link(b, start(b, "volatile"))
	e.send(attach(1, "doc"), join(1, 1))
	e.next()
	frame := update(1, 1, 1, letterA)
	b.ReportAllocs()
	for b.Loop() {
		e.send(frame)
		for e.next().GetResult() == nil {
		}
	}
}

// Many updates gathered into each message, as under load.
func BenchmarkLinkGathered(b *testing.B) {
	e := link(b, start(b, "volatile"))
	e.send(attach(1, "doc"), join(1, 1))
	e.next()
	frames := make([]*roomsv1.EdgeFrame, 64)
	for i := range frames {
		frames[i] = update(1, 1, uint64(i)+1, letterA)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.send(frames...)
		for e.next().GetResult().GetTicket() != 64 {
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64), "ns/update")
}
