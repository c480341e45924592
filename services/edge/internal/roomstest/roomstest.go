// Package roomstest is a stand-in for a rooms process: it keeps the contract of
// link.proto over real Connect and HTTP/2, understands no Yjs, and breaks on
// demand. It is for tests only. internal/contract/link proves it against rooms; what
// grants allow, and presence that goes with its session, it doesn't keep.
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
