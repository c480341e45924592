package operators

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/cenkalti/backoff/v5"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/rooms/internal/journal"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// Quarantine is the hand on what storage keeps in quarantine.
type Quarantine interface {
	Export(ctx context.Context, name, id string) (*journal.Patient, error)
	Isolate(ctx context.Context, name string, s room.Suspect) (id string, err error)
	Discard(ctx context.Context, name, id string) error
	Read(ctx context.Context, name string) (*room.Load, error)
}

// Applier adds an update to a room as any client would, and answers when it is
// stored.
type Applier interface {
	ApplyUpdate(context.Context, *connect.Request[roomsv1.ApplyUpdateRequest]) (*connect.Response[roomsv1.ApplyUpdateResponse], error)
}

var errNothingKept = errors.New("rooms are not durable here: nothing is in quarantine")

// Release ends a quarantine.
func (h *Handler) Release(ctx context.Context, r *connect.Request[roomsv1.ReleaseRequest]) (*connect.Response[roomsv1.ReleaseResponse], error) {
	if h.quarantine == nil {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errNothingKept)
	}
	response := &roomsv1.ReleaseResponse{}
	var err error
	switch r.Msg.GetAction() {
	case roomsv1.ReleaseAction_RELEASE_ACTION_DROP:
		err = h.quarantine.Discard(ctx, r.Msg.GetRoom(), r.Msg.GetId())
	case roomsv1.ReleaseAction_RELEASE_ACTION_RESTORE:
		response, err = h.restore(ctx, r.Msg.GetRoom(), r.Msg.GetId())
	default:
		err = connect.NewError(connect.CodeInvalidArgument, errors.New("no action; want RELEASE_ACTION_RESTORE or RELEASE_ACTION_DROP"))
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(response), nil
}

func (h *Handler) restore(ctx context.Context, name, id string) (*roomsv1.ReleaseResponse, error) {
	// A log that is no room's would be emptied before the room refuses what was in it.
	if err := roomname.Default(name); err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("%w: it can be exported and dropped, not restored", err))
	}
	patient, err := h.quarantine.Export(ctx, name, id)
	if err != nil {
		return nil, err
	}
	if patient.Damaged {
		return h.rebuild(ctx, name, id, patient)
	}
	// On a copy first: what made one room panic would do so again.
	load, err := h.quarantine.Read(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("the room: %w", err)
	}
	if err := try(load.Document.ApplyUpdate, patient.Update); err != nil {
		return nil, connect.NewError(connect.CodeFailedPrecondition, fmt.Errorf("the update can't be applied now either, and stays in quarantine: %w", err))
	}
	seq, err := h.apply(ctx, name, patient.Update)
	if err != nil {
		return nil, err
	}
	return &roomsv1.ReleaseResponse{Seq: seq}, h.quarantine.Discard(ctx, name, id)
}

// rebuild makes a room of what can be read of a damaged one. What that is goes
// into quarantine itself before the room is emptied: whatever ends this call then,
// it is there, to be released.
func (h *Handler) rebuild(ctx context.Context, name, id string, patient *journal.Patient) (*roomsv1.ReleaseResponse, error) {
	document := yjs.NewDocument()
	if len(patient.Snapshot) > 0 {
		update, err := room.ReadSnapshot(patient.Snapshot)
		if err == nil {
			err = try(document.Load, update)
		}
		if err != nil {
			return nil, connect.NewError(connect.CodeFailedPrecondition, fmt.Errorf("the snapshot can't be applied; export the room, and drop it: %w", err))
		}
	}
	response := &roomsv1.ReleaseResponse{}
	for _, record := range patient.Records {
		// A record that can't be used is what is lost.
		if err := room.ReadRecord(record, func(update []byte) error { return try(document.Load, update) }); err == nil {
			response.Records++
		}
	}
	state, err := document.EncodeStateAsUpdate(nil)
	if err != nil {
		return nil, connect.NewError(connect.CodeInternal, err)
	}
	kept, err := h.quarantine.Isolate(ctx, name, room.Suspect{
		Update: state, Reason: "what could be read of the damaged room", Who: "Release",
	})
	if err != nil {
		return nil, err
	}
	if err := h.quarantine.Discard(ctx, name, id); err != nil {
		return nil, err
	}
	if response.Seq, err = h.apply(ctx, name, state); err != nil {
		// Of a wrapped error the wire would tell the inside only.
		return nil, connect.NewError(connect.CodeOf(err), fmt.Errorf("the damaged room is gone, and what could be read of it is in quarantine as %s: %w", kept, err))
	}
	return response, h.quarantine.Discard(ctx, name, kept)
}

// applyPatience is how long apply tries: longer than a room stays dead.
const applyPatience = 10 * time.Second

// apply adds an update to a room. Clients knock at a room that is in quarantine all
// the time, and after each knock it turns everybody away for a moment.
func (h *Handler) apply(ctx context.Context, name string, update []byte) (seq uint64, err error) {
	policy := backoff.NewExponentialBackOff()
	policy.InitialInterval, policy.MaxInterval = 50*time.Millisecond, time.Second
	return backoff.Retry(ctx, func() (uint64, error) {
		response, err := h.applier.ApplyUpdate(ctx, connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: name, Update: update}))
		switch connect.CodeOf(err) {
		case connect.CodeInternal, connect.CodeUnavailable:
			return 0, err
		}
		if err != nil {
			return 0, backoff.Permanent(err)
		}
		return response.Msg.GetSeq(), nil
	}, backoff.WithBackOff(policy), backoff.WithMaxElapsedTime(applyPatience))
}

// try calls apply, whose panic is an error.
func try(apply func([]byte) error, update []byte) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v", cause)
		}
	}()
	return apply(update)
}
