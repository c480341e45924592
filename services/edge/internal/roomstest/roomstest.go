// Package roomstest is a stand-in for a rooms process: it keeps the contract of
// link.proto over real Connect and HTTP/2, understands no Yjs, and breaks on
// demand. It is for tests only.
//
// A room's log is the list of updates that it was sent; the answer to a step 1
// is all of them in one, which is no update of Yjs but compares well.
package roomstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
)

// Server is a rooms process.
type Server struct {
	http     *http.Server
	listener net.Listener
	serving  sync.WaitGroup

	mu sync.Mutex // guards following
	// kind says what a room is; nil: all are durable.
	kind func(room string) roomsv1.RoomKind
	// hook sees each frame first, and may answer in the room's stead.
	hook  func(l *Link, f *roomsv1.EdgeFrame) (done bool)
	rooms map[string]*room
	links []*Link
	seen  []*roomsv1.EdgeFrame
	// news is closed at every change of seen.
	news chan struct{}
	down bool
	// missing are rooms that aren't there for those who may not make them.
	missing map[string]bool
	// asked counts the questions whether a room is there.
	asked int
	// revoked is what links are told first.
	revoked *roomsv1.Revocations
	// breaches are what edges did against the contract.
	breaches []error
}

// room is what outlives links.
type room struct {
	log      [][]byte
	presence []byte
}

// Link is one edge's stream.
type Link struct {
	Edge   string
	server *Server
	end    context.CancelCauseFunc
	out    chan *roomsv1.RoomFrame
	revoke chan *roomsv1.Revocations

	// guarded by Server.mu
	rooms   map[uint64]string // by attachment
	members map[uint64][]uint64
}

// Start serves on l until Close.
func Start(l net.Listener) *Server {
	s := &Server{listener: l, rooms: make(map[string]*room), news: make(chan struct{})}
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	mux := http.NewServeMux()
	mux.Handle(roomsv1connect.NewLinkServiceHandler(s))
	s.http = &http.Server{Handler: mux, Protocols: protocols}
	s.serving.Go(func() { _ = s.http.Serve(l) })
	return s
}

// Listen starts a Server on a free port and returns it with its URL.
func Listen() (*Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	return Start(l), "http://" + l.Addr().String(), nil
}

// Close ends all links and the server.
func (s *Server) Close() {
	s.SetDown(true)
	_ = s.http.Close()
	s.serving.Wait()
}

// SetKind says what rooms are.
func (s *Server) SetKind(kind func(room string) roomsv1.RoomKind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kind = kind
}

// SetHook lets hook see each frame before the server does. It is called with
// the server locked: it may Send, and nothing else. nil takes it away.
func (s *Server) SetHook(hook func(l *Link, f *roomsv1.EdgeFrame) (done bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hook = hook
}

// SetDown ends all links and refuses new ones, or takes them again.
func (s *Server) SetDown(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
	if down {
		s.Break()
	}
}

var errBroken = errors.New("broken on demand")

// Break ends all links. Rooms keep their logs.
func (s *Server) Break() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.links {
		l.end(errBroken)
	}
	s.links = nil
}

// Revoke tells all edges what is revoked, those that link later too. It doesn't put
// anybody out.
func (s *Server) Revoke(all ...*roomsv1.Revocation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revoked = &roomsv1.Revocations{All: true, Revoked: all}
	for _, l := range s.links {
		l.revoke <- s.revoked
	}
}

// SetMissing says which rooms aren't there for those who may not make them.
func (s *Server) SetMissing(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing = make(map[string]bool)
	for _, name := range names {
		s.missing[name] = true
	}
}

// Asked returns how often somebody has asked whether a room is there.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// Exists answers edges.
func (s *Server) Exists(_ context.Context, r *connect.Request[roomsv1.ExistsRequest]) (*connect.Response[roomsv1.ExistsResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.down {
		return nil, connect.NewError(connect.CodeUnavailable, errBroken)
	}
	return connect.NewResponse(&roomsv1.ExistsResponse{Exists: !s.missing[r.Msg.GetRoom()]}), nil
}

// Append puts an update into a room as another edge's client would, and tells
// the edges.
func (s *Server) Append(name string, update []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.appendLocked(name, update)
}

// Tell sends f to every attachment of the room.
func (s *Server) Tell(name string, f func() *roomsv1.RoomFrame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tellLocked(name, f)
}

// Frames returns all frames that edges have sent, oldest first, and a channel
// that is closed when there is another.
func (s *Server) Frames() ([]*roomsv1.EdgeFrame, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen), s.news
}

// Breaches returns what edges did against the contract of link.proto.
func (s *Server) Breaches() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.breaches)
}

func (s *Server) breach(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaches = append(s.breaches, err)
}

// Forget forgets what edges have sent, for who measures memory.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

// Send queues a frame for the edge. A link that is full fails the test that
// filled it, by ending. An Ended puts its session out. The server is locked.
func (l *Link) Send(f *roomsv1.RoomFrame) {
	if f.GetEnded() != nil {
		l.removeLocked(f.GetAttachment(), f.GetSession())
	}
	select {
	case l.out <- f:
	default:
		l.end(errors.New("too much at once for a stand-in"))
	}
}

// Link serves one edge.
func (s *Server) Link(ctx context.Context, stream *connect.BidiStream[roomsv1.LinkRequest, roomsv1.LinkResponse]) error {
	first, err := stream.Receive()
	if err != nil {
		return err
	}
	if first.GetHello() == nil || len(first.GetFrames()) > 0 {
		s.breach(errors.New("want a hello and nothing else"))
		return connect.NewError(connect.CodeInvalidArgument, errors.New("want a hello and nothing else"))
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	l := &Link{
		Edge: first.GetHello().GetEdge(), server: s, end: end,
		out:    make(chan *roomsv1.RoomFrame, 1<<16),
		revoke: make(chan *roomsv1.Revocations, 16),
		rooms:  make(map[uint64]string), members: make(map[uint64][]uint64),
	}
	s.mu.Lock()
	if s.down {
		s.mu.Unlock()
		return connect.NewError(connect.CodeUnavailable, errBroken)
	}
	s.links = append(s.links, l)
	revoked := s.revoked
	s.mu.Unlock()
	s.serving.Go(func() { l.read(stream) })
	return l.write(ctx, stream, revoked)
}

func (l *Link) read(stream *connect.BidiStream[roomsv1.LinkRequest, roomsv1.LinkResponse]) {
	for {
		request, err := stream.Receive()
		if err != nil {
			l.end(err)
			return
		}
		if request.GetHello() != nil || len(request.GetFrames()) == 0 {
			l.server.breach(fmt.Errorf("a request that says hello again, or nothing: %v", request))
		}
		for _, f := range request.GetFrames() {
			if err := l.server.take(l, f); err != nil {
				l.server.breach(err)
				l.end(connect.NewError(connect.CodeInvalidArgument, err))
				return
			}
		}
	}
}

func (l *Link) write(ctx context.Context, stream *connect.BidiStream[roomsv1.LinkRequest, roomsv1.LinkResponse], revoked *roomsv1.Revocations) error {
	if err := stream.Send(&roomsv1.LinkResponse{Revocations: revoked}); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case r := <-l.revoke:
			if err := stream.Send(&roomsv1.LinkResponse{Revocations: r}); err != nil {
				return err
			}
		case f := <-l.out:
			response := &roomsv1.LinkResponse{Frames: []*roomsv1.RoomFrame{f}}
			for len(l.out) > 0 && len(response.Frames) < 256 {
				response.Frames = append(response.Frames, <-l.out)
			}
			if err := stream.Send(response); err != nil {
				return err
			}
		}
	}
}

// take notes a frame and answers it, or says how it breaks the contract.
func (s *Server) take(l *Link, f *roomsv1.EdgeFrame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, f)
	close(s.news)
	s.news = make(chan struct{})
	if s.hook != nil && s.hook(l, f) {
		return nil
	}
	number, id := f.GetAttachment(), f.GetSession()
	if number == 0 {
		return errors.New("attachment 0")
	}
	if a := f.GetAttach(); a != nil {
		if _, used := l.rooms[number]; used || id != 0 {
			return fmt.Errorf("attach %d: in use, or by session %d", number, id)
		}
		l.rooms[number] = a.GetRoom()
		s.attachLocked(l, number, a)
		return nil
	}
	name, ok := l.rooms[number]
	if !ok {
		return fmt.Errorf("frame for attachment %d, which isn't there", number)
	}
	if f.GetDetach() != nil {
		if n := len(l.members[number]); n > 0 {
			return fmt.Errorf("detach %d with %d sessions in it", number, n)
		}
		delete(l.rooms, number)
		return nil
	}
	if f.GetJoin() != nil {
		if id == 0 || slices.Contains(l.members[number], id) {
			return fmt.Errorf("session %d joins twice, or has no number", id)
		}
		l.members[number] = append(l.members[number], id)
	}
	if !slices.Contains(l.members[number], id) {
		return fmt.Errorf("session %d hasn't joined", id)
	}
	s.answerLocked(l, name, f)
	return nil
}

func (s *Server) attachLocked(l *Link, number uint64, a *roomsv1.Attach) {
	r := s.roomLocked(a.GetRoom())
	l.Send(&roomsv1.RoomFrame{Attachment: number, Body: &roomsv1.RoomFrame_Attached{Attached: &roomsv1.Attached{
		Kind: s.kindLocked(a.GetRoom()), Seq: uint64(len(r.log)), StateVector: r.vector(),
	}}})
	if a.GetResume() == nil {
		return
	}
	for i := a.GetResume().GetSeq(); i < uint64(len(r.log)); i++ {
		f := broadcast(i+1, r.log[i])
		f.Attachment = number
		l.Send(f)
	}
}

func (s *Server) answerLocked(l *Link, name string, f *roomsv1.EdgeFrame) {
	r := s.roomLocked(name)
	reply := func(out *roomsv1.RoomFrame) {
		out.Attachment, out.Session = f.GetAttachment(), f.GetSession()
		l.Send(out)
	}
	switch body := f.GetBody().(type) {
	case *roomsv1.EdgeFrame_Leave:
		l.removeLocked(f.GetAttachment(), f.GetSession())
	case *roomsv1.EdgeFrame_Step1:
		reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_SyncReply{SyncReply: &roomsv1.SyncReply{
			Update: slices.Concat(r.log...), StateVector: r.vector(), Seq: uint64(len(r.log)),
		}}})
		if r.presence != nil {
			reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Awareness{Awareness: r.presence}})
		}
	case *roomsv1.EdgeFrame_QueryAwareness:
		reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Awareness{Awareness: r.presence}})
	case *roomsv1.EdgeFrame_Update:
		s.appendLocked(name, body.Update.GetUpdate())
		if body.Update.GetTicket() != 0 {
			reply(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{Ticket: body.Update.GetTicket()}}})
		}
	case *roomsv1.EdgeFrame_Awareness:
		r.presence = body.Awareness
		s.tellLocked(name, func() *roomsv1.RoomFrame {
			return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Awareness{Awareness: body.Awareness}}
		})
	case *roomsv1.EdgeFrame_Relay:
		s.relayLocked(l, name, f)
	}
}

func (l *Link) removeLocked(attachment, session uint64) {
	l.members[attachment] = slices.DeleteFunc(l.members[attachment], func(id uint64) bool { return id == session })
}

func (s *Server) relayLocked(from *Link, name string, f *roomsv1.EdgeFrame) {
	for _, l := range s.links {
		for number, room := range l.rooms {
			if room != name {
				continue
			}
			relayed := &roomsv1.Relayed{Data: f.GetRelay()}
			if l == from && number == f.GetAttachment() {
				relayed.FromSession = f.GetSession()
			}
			l.Send(&roomsv1.RoomFrame{Attachment: number, Body: &roomsv1.RoomFrame_Relayed{Relayed: relayed}})
		}
	}
}

func (s *Server) appendLocked(name string, update []byte) {
	r := s.roomLocked(name)
	r.log = append(r.log, update)
	seq := uint64(len(r.log))
	s.tellLocked(name, func() *roomsv1.RoomFrame { return broadcast(seq, update) })
}

func (s *Server) tellLocked(name string, f func() *roomsv1.RoomFrame) {
	for _, l := range s.links {
		for number, room := range l.rooms {
			if room == name {
				frame := f()
				frame.Attachment = number
				l.Send(frame)
			}
		}
	}
}

func (s *Server) roomLocked(name string) *room {
	r := s.rooms[name]
	if r == nil {
		r = &room{}
		s.rooms[name] = r
	}
	return r
}

func (s *Server) kindLocked(name string) roomsv1.RoomKind {
	if s.kind == nil {
		return roomsv1.RoomKind_ROOM_KIND_DURABLE
	}
	return s.kind(name)
}

// vector is a state vector of one client, whose clock is the log's length.
func (r *room) vector() []byte {
	if len(r.log) == 0 {
		return []byte{0}
	}
	return []byte{1, 1, byte(len(r.log) & 0x7f)}
}

func broadcast(seq uint64, update []byte) *roomsv1.RoomFrame {
	return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{Broadcast: &roomsv1.Broadcast{Seq: seq, Update: update}}}
}
