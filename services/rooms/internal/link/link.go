// Package link joins edges to the rooms of this process: one stream each,
// shared by all rooms.
//
//	          reader goroutine                 room loops
//	edge ══▶ LinkRequest ─▶ Attachment.Post ─▶ inbox ─▶ …
//	edge ◀══ LinkResponse ◀─ outbox ◀────────── Deliver ◀─ …
//	          handler goroutine
//
// The handler goroutine is the stream's only sender: one that sends while its
// handler returns would race with the stream's end. The reader never waits for a
// room, so that a room that stalls doesn't stall its neighbours.
package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/rescue"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
)

// LimitQueue is the name of the limit on what waits for one edge: that of its flag,
// and a label of a counter.
const LimitQueue = "max-edge-queue"

// Handler serves LinkService.
type Handler struct {
	registry *registry.Registry
	revoked  *revocations.List
	stored   Stored // nil if nothing is stored
	log      *slog.Logger
	metrics  metrics
	// maxQueued bounds the bytes that wait for one edge.
	maxQueued int
	// reached is told the name of a limit when an edge goes over it.
	reached func(limit string)
	readers sync.WaitGroup
	rescuer *rescue.Rescuer
}

// NewHandler returns the service over a registry, for edges that are to know what is
// revoked. stored may be nil if rooms are not durable. maxQueued bounds the bytes
// that wait for one edge; beyond it the link is dropped and the edge resumes.
func NewHandler(r *registry.Registry, revoked *revocations.List, stored Stored, maxQueued int, reached func(limit string), log *slog.Logger, registerer prometheus.Registerer) *Handler {
	rescuer, err := rescue.New(log, registerer, "fjord_rooms_link_panics_total", "link")
	if err != nil {
		panic(err) // as prometheus' MustRegister does
	}
	return &Handler{registry: r, revoked: revoked, stored: stored, log: log, metrics: newMetrics(registerer), maxQueued: maxQueued, reached: reached, rescuer: rescuer}
}

// Wait returns when the readers of all links have ended. Call it after the
// server that carries the streams is shut down.
func (h *Handler) Wait() { h.readers.Wait() }

// stream is what a link needs of its connect stream.
type stream = connect.BidiStream[roomsv1.LinkRequest, roomsv1.LinkResponse]

// Link serves one edge until either side ends the stream.
func (h *Handler) Link(ctx context.Context, s *stream) error {
	first, err := s.Receive()
	if err != nil {
		return connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("first message: %w", err))
	}
	if first.GetHello() == nil {
		return connect.NewError(connect.CodeInvalidArgument, errors.New("the first message has no hello; want one that names the edge"))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l := &link{
		handler:     h,
		edge:        first.GetHello().GetEdge(),
		outbox:      newOutbox(h.maxQueued),
		attachments: make(map[uint64]*attachment),
		cancel:      cancel,
	}
	h.metrics.links.Inc()
	defer h.metrics.links.Dec()
	h.log.Info("edge linked", "edge", l.edge)
	h.readers.Go(func() { cancel(l.read(s, first)) })
	err = l.write(ctx, s)
	l.detachAll()
	h.log.Info("edge gone", "edge", l.edge, "reason", err)
	return err
}

// link is one edge's stream.
type link struct {
	handler *Handler
	edge    string
	outbox  *outbox
	cancel  context.CancelCauseFunc

	mu          sync.Mutex // guards what follows
	attachments map[uint64]*attachment
	ended       bool
}

// read takes the edge's frames to their rooms until the stream ends.
func (l *link) read(s *stream, first *roomsv1.LinkRequest) (err error) {
	defer func() { l.caught(recover(), &err) }()
	for request, err := first, error(nil); ; request, err = s.Receive() {
		if err != nil {
			return err
		}
		l.handler.metrics.received.Add(float64(len(request.GetFrames())))
		for _, frame := range request.GetFrames() {
			if err := l.take(frame); err != nil {
				return connect.NewError(connect.CodeInvalidArgument, err)
			}
		}
	}
}

// caught makes a panic the end of its link alone.
func (l *link) caught(panicked any, err *error) {
	l.handler.rescuer.Caught("link", panicked, func() {
		*err = connect.NewError(connect.CodeInternal, rescue.ErrPanic)
	})
}

// write sends what gathers in the outbox, and is the stream's only sender.
func (l *link) write(ctx context.Context, s *stream) (err error) {
	defer func() { l.caught(recover(), &err) }()
	select {
	case <-l.handler.revoked.Loaded():
	case <-ctx.Done():
		return reason(context.Cause(ctx))
	}
	watch := l.handler.revoked.Watch()
	defer watch.Close()
	// At once, so that the edge knows that the link stands.
	if err := s.Send(&roomsv1.LinkResponse{Revocations: watch.Take()}); err != nil {
		return err
	}
	late := newDeadline(ctx)
	for {
		select {
		case <-ctx.Done():
			return reason(context.Cause(ctx))
		case <-watch.C:
			if revoked := watch.Take(); revoked != nil {
				if err := late.bound(func() error { return s.Send(&roomsv1.LinkResponse{Revocations: revoked}) }); err != nil {
					return err
				}
			}
			continue
		case <-l.outbox.wake:
		}
		for {
			frames, err := l.outbox.take()
			if err != nil {
				l.handler.reached(LimitQueue)
				return connect.NewError(connect.CodeResourceExhausted, err)
			}
			if len(frames) == 0 {
				break
			}
			err = late.bound(func() error { return s.Send(&roomsv1.LinkResponse{Frames: frames}) })
			if err != nil {
				return err
			}
			l.handler.metrics.sent.Add(float64(len(frames)))
			l.handler.metrics.messages.Inc()
		}
	}
}

// reason turns the end of a link into what the edge is told.
func reason(cause error) error {
	var wire *connect.Error
	if errors.As(cause, &wire) {
		return cause
	}
	return connect.NewError(connect.CodeUnavailable, errors.New("the link ends; link again"))
}
