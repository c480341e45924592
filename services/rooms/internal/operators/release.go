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
)

// Quarantine is the hand on what storage keeps in quarantine.
type Quarantine interface {
	Export(ctx context.Context, name, id string) (*journal.Patient, error)
	Rebuild(ctx context.Context, name, id string, p *journal.Patient) (seq uint64, err error)
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
	// A log that is no room's holds no document: one made of it would take its place.
	if err := roomname.Default(name); err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("%w: it can be exported and dropped, not restored", err))
	}
	// One at a time: each takes several times a whole document.
	select {
	case h.restoring <- struct{}{}:
		defer func() { <-h.restoring }()
	case <-ctx.Done():
		return nil, connect.NewError(connect.CodeDeadlineExceeded, fmt.Errorf("another release is under way: %w", ctx.Err()))
	}
	patient, err := h.quarantine.Export(ctx, name, id)
	switch {
	case errors.Is(err, journal.ErrUnreadable):
		return nil, connect.NewError(connect.CodeFailedPrecondition, err)
	case err != nil:
		return nil, err
	case patient.Damaged:
		// What can be read takes the damaged room's place in one step: whatever ends
		// this call, storage has the one or the other, and it can be made again.
		records := patient.Records
		seq, err := h.quarantine.Rebuild(ctx, name, id, patient)
		return &roomsv1.ReleaseResponse{Seq: seq, Records: uint64(records)}, err
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

// applyPatience is how long apply tries: longer than a room stays dead.
const applyPatience = 10 * time.Second

// apply adds an update to a room, which may turn everybody away for a moment: this
// one may just have broken it.
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
