package documents

import (
	"context"
	"fmt"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
)

// read answers from storage.
func (h *Handler) read(ctx context.Context, r *roomsv1.GetDocumentRequest) (*connect.Response[roomsv1.GetDocumentResponse], error) {
	if err := roomname.Default(r.GetRoom()); err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	select {
	case h.reads <- struct{}{}:
		defer func() { <-h.reads }()
	case <-ctx.Done():
		return nil, connect.NewError(connect.CodeDeadlineExceeded, fmt.Errorf("%d documents are being read from storage: %w", maxReads, ctx.Err()))
	}
	load, err := h.reader.Read(ctx, r.GetRoom())
	if err != nil {
		return nil, unreadable(err)
	}
	update, err := load.Document.EncodeStateAsUpdate(r.GetStateVector())
	if err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("state vector: %w", err))
	}
	return connect.NewResponse(&roomsv1.GetDocumentResponse{
		Update:      update,
		StateVector: load.Document.StateVector(),
		Seq:         load.Seq,
	}), nil
}

// unreadable keeps the codes that tell the caller whether to come back.
func unreadable(err error) error {
	code := connect.CodeInternal
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeCanceled, connect.CodeDataLoss, connect.CodeResourceExhausted:
		code = connect.CodeOf(err)
	}
	return connect.NewError(code, fmt.Errorf("the document couldn't be read: %w", err))
}
