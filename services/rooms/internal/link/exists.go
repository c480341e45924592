package link

import (
	"context"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
)

// Stored knows what is stored of rooms that aren't open here.
type Stored interface {
	Exists(ctx context.Context, name string) (bool, error)
}

// Exists tells whether a room is there for those who may not make it.
func (h *Handler) Exists(ctx context.Context, r *connect.Request[roomsv1.ExistsRequest]) (*connect.Response[roomsv1.ExistsResponse], error) {
	name := r.Msg.GetRoom()
	if err := roomname.Default(name); err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	exists, err := h.registry.Exists(ctx, name)
	if err == nil && !exists && h.stored != nil {
		exists, err = h.stored.Exists(ctx, name)
	}
	if err != nil {
		return nil, connect.NewError(connect.CodeUnavailable, err)
	}
	return connect.NewResponse(&roomsv1.ExistsResponse{Exists: exists}), nil
}
