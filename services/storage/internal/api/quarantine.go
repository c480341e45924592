package api

import (
	"context"
	"errors"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/storage/internal/quarantine"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// noteDamage puts a room whose bytes were found damaged into quarantine, and says
// so loudly the first time.
func (h *Handler) noteDamage(ctx context.Context, call, room string, err error) {
	if store.CheckRoom(room) != nil {
		return
	}
	id, isNew, putErr := h.ward.Put(quarantine.Item{
		Room: room, Kind: quarantine.Room, Reason: err.Error(), Who: "storage: " + call,
	}, nil)
	if putErr == nil && isNew && h.repaired(ctx, room, store.HeadOf(err)) {
		putErr = h.ward.Drop(room, id)
		isNew = false
	}
	switch {
	case putErr != nil:
		h.log.ErrorContext(ctx, "room is damaged, and couldn't be put into quarantine", "call", call, "room", room, "err", errors.Join(err, putErr))
	case isNew:
		h.log.ErrorContext(ctx, "room is damaged; it is in quarantine", "call", call, "room", room, "err", err)
	default:
		h.log.DebugContext(ctx, "room is damaged", "call", call, "room", room, "err", err)
	}
}

// repaired says whether a room that was read with this head, and found damaged, has
// been repaired meanwhile: reading a large one takes seconds. It is asked after the
// item was put, so that a repair which comes later still takes the item out.
func (h *Handler) repaired(ctx context.Context, room string, seen store.Head) bool {
	holding := store.Holding{Room: room, Epoch: seen.Epoch}
	err := h.store.Check(context.WithoutCancel(ctx), []store.Holding{holding})[0]
	switch store.KindOf(err) {
	case store.Fenced, store.Deleted, store.Invalid: // with the head of now; epoch 0 is invalid
		now := store.HeadOf(err)
		return now.Deleted || now.Base != seen.Base || now.SnapshotSeq != seen.SnapshotSeq
	}
	return false
}

// Quarantine implements the RPC.
func (h *Handler) Quarantine(ctx context.Context, req *connect.Request[storagev1.QuarantineRequest]) (*connect.Response[storagev1.QuarantineResponse], error) {
	m := req.Msg
	id, err := "", store.CheckRoom(m.GetRoom())
	if err == nil {
		id, _, err = h.ward.Put(quarantine.Item{
			Room: m.GetRoom(), Kind: quarantine.Update, Seq: m.GetSeq(), Reason: m.GetReason(), Who: m.GetWho(),
		}, m.GetData())
	}
	if err := h.finish(ctx, "quarantine", m.GetRoom(), err); err != nil {
		return nil, err
	}
	h.log.ErrorContext(ctx, "update put into quarantine", "room", m.GetRoom(), "id", id, "seq", m.GetSeq(), "bytes", len(m.GetData()), "who", m.GetWho(), "reason", m.GetReason())
	return connect.NewResponse(&storagev1.QuarantineResponse{Id: id}), nil
}

// ListQuarantine implements the RPC.
func (h *Handler) ListQuarantine(ctx context.Context, req *connect.Request[storagev1.ListQuarantineRequest]) (*connect.Response[storagev1.ListQuarantineResponse], error) {
	limit := int(req.Msg.GetLimit())
	if limit == 0 {
		limit = defaultPage
	}
	if limit > maxPage {
		err := store.Errorf(store.Invalid, store.Head{}, "limit %d is above %d: read page by page, with after_room and after_id", limit, maxPage)
		return nil, h.finish(ctx, "list_quarantine", "", err)
	}
	items, more := h.ward.List(req.Msg.GetPrefix(), req.Msg.GetAfterRoom(), req.Msg.GetAfterId(), limit)
	response := &storagev1.ListQuarantineResponse{More: more}
	for i := range items {
		response.Items = append(response.Items, wireItem(&items[i]))
	}
	h.metrics.Call("list_quarantine", resultOK)
	return connect.NewResponse(response), nil
}

func wireItem(item *quarantine.Item) *storagev1.QuarantineItem {
	kind := storagev1.QuarantineKind_QUARANTINE_KIND_UPDATE
	if item.Kind == quarantine.Room {
		kind = storagev1.QuarantineKind_QUARANTINE_KIND_ROOM
	}
	return &storagev1.QuarantineItem{
		Room: item.Room, Id: item.ID, Kind: kind, Seq: item.Seq, Size: uint64(item.Size),
		Reason: item.Reason, Who: item.Who, FoundUnixMs: uint64(item.Found.UnixMilli()),
	}
}

// Export implements the RPC.
func (h *Handler) Export(ctx context.Context, req *connect.Request[storagev1.ExportRequest], stream *connect.ServerStream[storagev1.ExportResponse]) error {
	err := h.export(ctx, req.Msg.GetRoom(), req.Msg.GetId(), stream)
	return h.finish(ctx, "export", req.Msg.GetRoom(), notFound(err))
}

func (h *Handler) export(ctx context.Context, room, id string, stream *connect.ServerStream[storagev1.ExportResponse]) error {
	item, data, err := h.ward.Read(room, id)
	if err != nil {
		return err
	}
	first := &storagev1.ExportResponse_Item{Item: wireItem(&item)}
	if err := stream.Send(&storagev1.ExportResponse{Part: first}); err != nil {
		return err
	}
	for len(data) > 0 {
		n := min(len(data), loadMessage)
		if err := stream.Send(&storagev1.ExportResponse{Part: &storagev1.ExportResponse_UpdateChunk{UpdateChunk: data[:n]}}); err != nil {
			return err
		}
		data = data[n:]
	}
	if item.Kind != quarantine.Room {
		return nil
	}
	return h.store.Salvage(ctx, room, &exporter{stream})
}

// exporter is the store.Sink of an Export.
type exporter struct {
	stream *connect.ServerStream[storagev1.ExportResponse]
}

func (e *exporter) Head(head store.Head) error {
	return e.stream.Send(&storagev1.ExportResponse{Part: &storagev1.ExportResponse_Head{Head: wireHead(head)}})
}

func (e *exporter) SnapshotChunk(chunk []byte) error {
	return e.stream.Send(&storagev1.ExportResponse{Part: &storagev1.ExportResponse_SnapshotChunk{SnapshotChunk: chunk}})
}

func (e *exporter) Record(r store.Record) error {
	records := []*storagev1.Record{{Seq: uint64(r.Seq), Data: r.Data}}
	return e.stream.Send(&storagev1.ExportResponse{Part: &storagev1.ExportResponse_Records{Records: &storagev1.LoadRecords{Records: records}}})
}

// notFound gives the missing item its code.
func notFound(err error) error {
	if errors.Is(err, quarantine.ErrNone) {
		return connect.NewError(connect.CodeNotFound, err)
	}
	return err
}
