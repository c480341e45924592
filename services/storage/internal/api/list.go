package api

import (
	"context"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

const (
	defaultPage = 100
	maxPage     = 1000
)

// List implements the RPC.
func (h *Handler) List(ctx context.Context, req *connect.Request[storagev1.ListRequest]) (*connect.Response[storagev1.ListResponse], error) {
	page := store.Page{Prefix: req.Msg.GetPrefix(), After: req.Msg.GetAfter(), Limit: int(req.Msg.GetLimit())}
	if page.Limit == 0 {
		page.Limit = defaultPage
	}
	var rooms []store.Info
	var more bool
	var err error
	if page.Limit > maxPage {
		err = store.Errorf(store.Invalid, store.Head{}, "limit %d is above %d: read page by page, with after", page.Limit, maxPage)
	} else {
		rooms, more, err = h.list(ctx, page)
	}
	if err := h.finish(ctx, "list", "", err); err != nil {
		return nil, err
	}
	infos := make([]*storagev1.RoomInfo, len(rooms))
	for i, room := range rooms {
		infos[i] = &storagev1.RoomInfo{
			Room:         room.Room,
			Epoch:        uint64(room.Head.Epoch),
			LastSeq:      uint64(room.Head.Last),
			SnapshotSeq:  uint64(room.Head.SnapshotSeq),
			SnapshotSize: room.Head.SnapshotSize,
		}
	}
	return connect.NewResponse(&storagev1.ListResponse{Rooms: infos, More: more}), nil
}

// list reads a page. What services keep beside rooms isn't among them, unless the
// prefix says that the caller looks for it: no room's name begins as those do. A page
// is filled up with what follows, since after comes from a page's last name.
func (h *Handler) list(ctx context.Context, page store.Page) (rooms []store.Info, more bool, err error) {
	limit := page.Limit
	for {
		found, more, err := h.store.List(ctx, page)
		if err != nil {
			return nil, false, err
		}
		for _, room := range found {
			if page.Prefix != "" || !roomname.Internal(room.Room) {
				rooms = append(rooms, room)
			}
		}
		if !more || len(rooms) >= limit {
			return rooms, more, nil
		}
		page.After, page.Limit = found[len(found)-1].Room, limit-len(rooms)
	}
}
