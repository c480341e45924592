package api

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// answer is what one kind of store error becomes on the wire.
type answer struct {
	code   connect.Code
	reason storagev1.ErrorReason
	status storagev1.AppendStatus
}

var answers = map[store.Kind]answer{
	store.Fenced:   {connect.CodeFailedPrecondition, storagev1.ErrorReason_ERROR_REASON_FENCED, storagev1.AppendStatus_APPEND_STATUS_FENCED},
	store.Deleted:  {connect.CodeFailedPrecondition, storagev1.ErrorReason_ERROR_REASON_DELETED, storagev1.AppendStatus_APPEND_STATUS_DELETED},
	store.Conflict: {connect.CodeFailedPrecondition, storagev1.ErrorReason_ERROR_REASON_CONFLICT, storagev1.AppendStatus_APPEND_STATUS_CONFLICT},
	store.Invalid:  {connect.CodeInvalidArgument, storagev1.ErrorReason_ERROR_REASON_UNSPECIFIED, storagev1.AppendStatus_APPEND_STATUS_INVALID},
	store.NoSpace:  {connect.CodeResourceExhausted, storagev1.ErrorReason_ERROR_REASON_NO_SPACE, storagev1.AppendStatus_APPEND_STATUS_NO_SPACE},
	store.Corrupt:  {connect.CodeDataLoss, storagev1.ErrorReason_ERROR_REASON_CORRUPT, storagev1.AppendStatus_APPEND_STATUS_CORRUPT},
	store.Unknown:  {connect.CodeUnavailable, storagev1.ErrorReason_ERROR_REASON_UNSPECIFIED, storagev1.AppendStatus_APPEND_STATUS_UNKNOWN},
	store.Closed:   {connect.CodeUnavailable, storagev1.ErrorReason_ERROR_REASON_UNSPECIFIED, storagev1.AppendStatus_APPEND_STATUS_UNKNOWN},
}

// resultOK is the result of calls and records without an error, in metrics.
const resultOK = "ok"

func resultName(err error) string {
	if err == nil {
		return resultOK
	}
	return store.KindOf(err).String()
}

// appendStatus is the status of an item with this outcome. What is no store error
// is the end of the call's context: nobody knows.
func appendStatus(err error) storagev1.AppendStatus {
	if err == nil {
		return storagev1.AppendStatus_APPEND_STATUS_STORED
	}
	if a, ok := answers[store.KindOf(err)]; ok {
		return a.status
	}
	return storagev1.AppendStatus_APPEND_STATUS_UNKNOWN
}

// finish counts a call and turns its error into a Connect error.
func (h *Handler) finish(ctx context.Context, call, room string, err error) error {
	h.metrics.Call(call, resultName(err))
	if err == nil {
		return nil
	}
	h.report(ctx, call, room, err)
	return connectError(ctx, err)
}

// report logs what an operator must hear of: damage loudly, a full disk too. What
// callers do to each other (fences, conflicts) is theirs to handle.
func (h *Handler) report(ctx context.Context, call, room string, err error) {
	switch store.KindOf(err) {
	case store.Corrupt:
		h.noteDamage(ctx, call, room, err)
	case store.NoSpace:
		h.log.WarnContext(ctx, "disk is nearly full", "call", call, "err", err)
	default:
		h.log.DebugContext(ctx, "refused", "call", call, "room", room, "err", err)
	}
}

func connectError(ctx context.Context, err error) error {
	if already, ok := errors.AsType[*connect.Error](err); ok {
		return already // of the stream itself: its peer is gone, or sent too much
	}
	a, ok := answers[store.KindOf(err)]
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return connect.NewError(connect.CodeDeadlineExceeded, err)
	case errors.Is(err, context.Canceled), ctx.Err() != nil:
		return connect.NewError(connect.CodeCanceled, err)
	case !ok:
		return connect.NewError(connect.CodeInternal, err)
	}
	out := connect.NewError(a.code, err)
	if a.reason == storagev1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		return out
	}
	head := store.HeadOf(err)
	detail, detailErr := connect.NewErrorDetail(&storagev1.ErrorDetail{
		Reason:    a.reason,
		HeadEpoch: uint64(head.Epoch),
		HeadSeq:   uint64(head.Last),
	})
	if detailErr != nil {
		return connect.NewError(connect.CodeInternal, errors.Join(err, detailErr))
	}
	out.AddDetail(detail)
	return out
}
