package roomstest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

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

func (l *Link) removeLocked(attachment, session uint64) {
	l.members[attachment] = slices.DeleteFunc(l.members[attachment], func(id uint64) bool { return id == session })
}
