// Package documents lets other services read and write documents. A call is a
// session like any other: it attaches to the room, joins, says one thing, waits
// for the room's answer and leaves. So it keeps the room's laws without a line of
// its own. Only GetDocument of a room that isn't open here is no session: it reads
// what is stored, and takes the room from nobody.
package documents

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// Reader builds a document from what is stored, and takes its room from nobody.
type Reader interface {
	Read(ctx context.Context, name string) (*room.Load, error)
}

// maxReads is how many documents are read from storage at once: each is whole in
// memory while it is.
const maxReads = 4

// Handler serves DocumentsService.
type Handler struct {
	registry *registry.Registry
	reader   Reader // nil if nothing is stored
	reads    chan struct{}
}

// NewHandler returns the service over a registry. With a reader, documents whose
// room isn't open here are read from storage: opening it would take it from the
// process that it lives in.
func NewHandler(r *registry.Registry, reader Reader) *Handler {
	return &Handler{registry: r, reader: reader, reads: make(chan struct{}, maxReads)}
}

// GetDocument returns a document, or what a state vector lacks of it.
func (h *Handler) GetDocument(ctx context.Context, r *connect.Request[roomsv1.GetDocumentRequest]) (*connect.Response[roomsv1.GetDocumentResponse], error) {
	if h.reader != nil && !h.registry.Has(r.Msg.GetRoom()) {
		return h.read(ctx, r.Msg)
	}
	answer, err := h.ask(ctx, r.Msg.GetRoom(), room.Event{Kind: room.Step1, Data: r.Msg.GetStateVector()})
	if err != nil {
		return nil, err
	}
	reply := answer.GetSyncReply()
	return connect.NewResponse(&roomsv1.GetDocumentResponse{
		Update:      reply.GetUpdate(),
		StateVector: reply.GetStateVector(),
		Seq:         reply.GetSeq(),
	}), nil
}

// ApplyUpdate adds an update and answers when it is stored.
func (h *Handler) ApplyUpdate(ctx context.Context, r *connect.Request[roomsv1.ApplyUpdateRequest]) (*connect.Response[roomsv1.ApplyUpdateResponse], error) {
	answer, err := h.ask(ctx, r.Msg.GetRoom(), room.Event{Kind: room.Update, Data: r.Msg.GetUpdate(), Ticket: 1})
	if err != nil {
		return nil, err
	}
	result := answer.GetResult()
	if result.GetRefusal() != roomsv1.Refusal_REFUSAL_UNSPECIFIED {
		return nil, refused(result.GetRefusal(), result.GetMessage())
	}
	return connect.NewResponse(&roomsv1.ApplyUpdateResponse{Seq: result.GetSeq()}), nil
}

// visitorGrants are those of whoever reaches the port: all.
var visitorGrants = room.Grants{Level: room.Admin, Visit: true}

// ask says one thing in a room and returns the room's answer to it.
func (h *Handler) ask(ctx context.Context, name string, e room.Event) (*roomsv1.RoomFrame, error) {
	answers := make(visitor, 1)
	a, err := h.registry.Attach(ctx, name, nil, answers)
	switch {
	case errors.Is(err, roomname.ErrInvalid):
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	case err != nil:
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	defer a.Detach()
	const session = 1
	a.Post(room.Event{Kind: room.Join, Session: room.SessionID{Number: session}, Grants: &visitorGrants})
	e.Session.Number = session
	a.Post(e)
	select {
	case frame := <-answers:
		return frame, failure(frame)
	case <-ctx.Done():
		code := connect.CodeDeadlineExceeded
		if errors.Is(ctx.Err(), context.Canceled) {
			code = connect.CodeCanceled
		}
		return nil, connect.NewError(code, fmt.Errorf("the room has not answered; an update may be stored or not: %w", ctx.Err()))
	}
}

// failure returns the error that a frame stands for, if it does.
func failure(frame *roomsv1.RoomFrame) error {
	switch body := frame.Body.(type) {
	case *roomsv1.RoomFrame_Ended:
		return refused(body.Ended.GetRefusal(), body.Ended.GetMessage())
	case *roomsv1.RoomFrame_Detached:
		code := connect.CodeUnavailable
		if body.Detached.GetReason() == roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED {
			code = connect.CodeInternal
		}
		return connect.NewError(code, errors.New(body.Detached.GetMessage()))
	default:
		return nil
	}
}

func refused(why roomsv1.Refusal, message string) error {
	code := connect.CodeInvalidArgument
	switch why {
	case roomsv1.Refusal_REFUSAL_TOO_LARGE, roomsv1.Refusal_REFUSAL_TOO_MANY:
		code = connect.CodeResourceExhausted
	case roomsv1.Refusal_REFUSAL_READ_ONLY:
		code = connect.CodePermissionDenied
	case roomsv1.Refusal_REFUSAL_NOT_ALLOWED:
		code = connect.CodeFailedPrecondition
	}
	return connect.NewError(code, errors.New(message))
}

// visitor is a sink that keeps the first answer to the visitor's own question
// and lets everything else go by.
type visitor chan *roomsv1.RoomFrame

// Crowded is called by the room's loop.
func (v visitor) Crowded(func()) bool { return false }

// Deliver is called by the room's loop.
func (v visitor) Deliver(frame *roomsv1.RoomFrame) {
	switch frame.Body.(type) {
	case *roomsv1.RoomFrame_SyncReply, *roomsv1.RoomFrame_Result, *roomsv1.RoomFrame_Ended, *roomsv1.RoomFrame_Detached:
		select {
		case v <- frame:
		default:
		}
	}
}
