// Package operators lets operators look at the rooms that are open here, end the
// quarantine of what storage has found unusable, and take back what people were
// granted.
package operators

import (
	"context"
	"fmt"

	"connectrpc.com/connect"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// Handler serves RoomsService.
type Handler struct {
	registry   *registry.Registry
	revoked    *revocations.List
	quarantine Quarantine // nil if nothing is stored
	applier    Applier
	restoring  chan struct{} // holds a token while something is restored
}

// NewHandler returns the service over a registry and what is revoked. quarantine may
// be nil if rooms are not durable.
func NewHandler(r *registry.Registry, revoked *revocations.List, quarantine Quarantine, applier Applier) *Handler {
	return &Handler{registry: r, revoked: revoked, quarantine: quarantine, applier: applier, restoring: make(chan struct{}, 1)}
}

// ListRooms returns a page of open rooms.
func (h *Handler) ListRooms(ctx context.Context, r *connect.Request[roomsv1.ListRoomsRequest]) (*connect.Response[roomsv1.ListRoomsResponse], error) {
	limit, err := limit(r.Msg.GetLimit())
	if err != nil {
		return nil, err
	}
	response := &roomsv1.ListRoomsResponse{}
	err = h.registry.Inspect(ctx, r.Msg.GetPrefix(), r.Msg.GetAfter(), func(name string, s room.Status) bool {
		if len(response.Rooms) == limit {
			response.More = true
			return false
		}
		response.Rooms = append(response.Rooms, openRoom(name, s))
		return true
	})
	if err != nil {
		return nil, connect.NewError(connect.CodeDeadlineExceeded, err)
	}
	return connect.NewResponse(response), nil
}

// limit reads the length of a page.
func limit(asked uint32) (int, error) {
	switch {
	case asked == 0:
		return defaultLimit, nil
	case asked > maxLimit:
		return 0, connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("limit %d; want 1 to %d, or 0 for %d", asked, maxLimit, defaultLimit))
	default:
		return int(asked), nil
	}
}

func openRoom(name string, s room.Status) *roomsv1.OpenRoom {
	return &roomsv1.OpenRoom{
		Room:           name,
		Kind:           s.Kind.Proto(),
		Epoch:          s.Epoch,
		Seq:            s.Seq,
		Attachments:    uint32(s.Attachments),
		Sessions:       uint32(s.Sessions),
		Present:        uint32(s.Present),
		UnsavedBytes:   uint64(s.UnsavedBytes),
		DocumentBytes:  uint64(s.DocumentBytes),
		PendingStructs: uint64(s.Pending),
		PendingBytes:   uint64(s.PendingBytes),
	}
}
