package api

import (
	"context"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/storage/internal/quarantine"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Discard implements the RPC.
func (h *Handler) Discard(ctx context.Context, req *connect.Request[storagev1.DiscardRequest]) (*connect.Response[storagev1.DiscardResponse], error) {
	err := h.discard(ctx, req.Msg.GetRoom(), req.Msg.GetId())
	if err := h.finish(ctx, "discard", req.Msg.GetRoom(), notFound(err)); err != nil {
		return nil, err
	}
	h.log.InfoContext(ctx, "discarded from quarantine", "room", req.Msg.GetRoom(), "id", req.Msg.GetId())
	return connect.NewResponse(&storagev1.DiscardResponse{}), nil
}

func (h *Handler) discard(ctx context.Context, room, id string) error {
	item, _, err := h.ward.Read(room, id)
	if err != nil {
		return err
	}
	if item.Kind == quarantine.Room {
		head, damaged, err := h.damage(ctx, room)
		if err == nil && damaged {
			err = h.store.Scrap(ctx, room, head)
		}
		if err != nil {
			return err
		}
	}
	return h.ward.Drop(room, id)
}

// damage says whether a room in quarantine is damaged, and where it stands. It may
// not be any more: a Discard or a Rebuild that a crash cut off may have come as far
// as the room, which holds what was said since; or its bits were turned back.
func (h *Handler) damage(ctx context.Context, room string) (head store.Head, damaged bool, err error) {
	var found glance
	err = h.store.Load(ctx, room, 0, &found)
	switch store.KindOf(err) {
	case store.Corrupt:
		return found.head, true, nil
	case store.Deleted:
		err = nil
	}
	if err == nil {
		h.log.WarnContext(ctx, "a room in quarantine can be read, and keeps what it holds", "room", room)
	}
	return found.head, false, err
}

// glance is a store.Sink that keeps the head.
type glance struct{ head store.Head }

func (g *glance) Head(head store.Head) error {
	g.head = head
	return nil
}

func (g *glance) SnapshotChunk([]byte) error { return nil }
func (g *glance) Record(store.Record) error  { return nil }

// Rebuild implements the RPC.
func (h *Handler) Rebuild(ctx context.Context, stream *connect.ClientStream[storagev1.RebuildRequest]) (*connect.Response[storagev1.RebuildResponse], error) {
	m, err := first(stream)
	var seq store.Seq
	header := m.GetHeader()
	switch {
	case err != nil:
	case header == nil:
		err = errNoHeader()
	default:
		seq, err = h.rebuild(ctx, header, &chunks[storagev1.RebuildRequest]{stream: stream, chunk: rebuildChunk})
	}
	if err := h.finish(ctx, "rebuild", header.GetRoom(), notFound(err)); err != nil {
		return nil, err
	}
	return connect.NewResponse(&storagev1.RebuildResponse{Seq: uint64(seq)}), nil
}

func rebuildChunk(m *storagev1.RebuildRequest) ([]byte, bool) {
	_, ok := m.GetPart().(*storagev1.RebuildRequest_Chunk)
	return m.GetChunk(), ok
}

// rebuild makes the room whole before it lets go of the item: after a crash in
// between the same call finds a room that can be read.
func (h *Handler) rebuild(ctx context.Context, header *storagev1.RebuildHeader, body *chunks[storagev1.RebuildRequest]) (store.Seq, error) {
	room, id := header.GetRoom(), header.GetId()
	item, _, err := h.ward.Read(room, id)
	if err != nil {
		return 0, err
	}
	if item.Kind != quarantine.Room {
		return 0, store.Errorf(store.Invalid, store.Head{}, "the item is an update: a damaged room can be rebuilt")
	}
	head, damaged, err := h.damage(ctx, room)
	if err != nil {
		return 0, err
	}
	if !damaged {
		return head.Last, h.ward.Drop(room, id)
	}
	seen := readHead(header.GetHead())
	seq, err := h.store.Rebuild(ctx, store.Rebuilt{Room: room, Seen: seen, Size: header.GetSize()}, body)
	if err != nil {
		return 0, err
	}
	h.log.InfoContext(ctx, "a damaged room is rebuilt", "room", room, "id", id, "bytes", header.GetSize(), "seq", seq)
	return seq, h.ward.Drop(room, id)
}

// readHead is the inverse of wireHead. A damaged room is never a deleted one.
func readHead(head *storagev1.LoadHead) store.Head {
	return store.Head{
		Epoch:        store.Epoch(head.GetEpoch()),
		Last:         store.Seq(head.GetLastSeq()),
		Base:         store.Seq(head.GetBaseSeq()),
		SnapshotSeq:  store.Seq(head.GetSnapshotSeq()),
		SnapshotSize: head.GetSnapshotSize(),
	}
}
