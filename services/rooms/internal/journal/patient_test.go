package journal_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/journal"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// hospital is a storage that exports what a test says, and keeps what it is given.
type hospital struct {
	scripted

	parts []*storagev1.ExportResponse

	mu      sync.Mutex // guards what follows
	kept    []*storagev1.QuarantineRequest
	rebuilt *storagev1.RebuildHeader
	data    []byte
	largest int // of the chunks
}

func (h *hospital) Export(_ context.Context, _ *connect.Request[storagev1.ExportRequest], stream *connect.ServerStream[storagev1.ExportResponse]) error {
	for _, part := range h.parts {
		if err := stream.Send(part); err != nil {
			return err
		}
	}
	return nil
}

func (h *hospital) Quarantine(_ context.Context, r *connect.Request[storagev1.QuarantineRequest]) (*connect.Response[storagev1.QuarantineResponse], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, r.Msg)
	return connect.NewResponse(&storagev1.QuarantineResponse{Id: "1"}), nil
}

func (h *hospital) Rebuild(_ context.Context, stream *connect.ClientStream[storagev1.RebuildRequest]) (*connect.Response[storagev1.RebuildResponse], error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for stream.Receive() {
		if header := stream.Msg().GetHeader(); header != nil {
			h.rebuilt = header
		}
		h.data = append(h.data, stream.Msg().GetChunk()...)
		h.largest = max(h.largest, len(stream.Msg().GetChunk()))
	}
	return connect.NewResponse(&storagev1.RebuildResponse{Seq: 8}), stream.Err()
}

func exported(kind storagev1.QuarantineKind) *storagev1.ExportResponse {
	return &storagev1.ExportResponse{Part: &storagev1.ExportResponse_Item{Item: &storagev1.QuarantineItem{Kind: kind}}}
}

var (
	damagedRoom = exported(storagev1.QuarantineKind_QUARANTINE_KIND_ROOM)
	keptUpdate  = exported(storagev1.QuarantineKind_QUARANTINE_KIND_UPDATE)
	itsHead     = &storagev1.LoadHead{Epoch: 3, LastSeq: 7, SnapshotSeq: 2, BaseSeq: 2, SnapshotSize: 5}
)

func exportedHead() *storagev1.ExportResponse {
	return &storagev1.ExportResponse{Part: &storagev1.ExportResponse_Head{Head: itsHead}}
}

func exportedSnapshot(data []byte) *storagev1.ExportResponse {
	return &storagev1.ExportResponse{Part: &storagev1.ExportResponse_SnapshotChunk{SnapshotChunk: data}}
}

func exportedRecord(seq uint64, data []byte) *storagev1.ExportResponse {
	records := []*storagev1.Record{{Seq: seq, Data: data}}
	return &storagev1.ExportResponse{Part: &storagev1.ExportResponse_Records{Records: &storagev1.LoadRecords{Records: records}}}
}

func exportedUpdate(data []byte) *storagev1.ExportResponse {
	return &storagev1.ExportResponse{Part: &storagev1.ExportResponse_UpdateChunk{UpdateChunk: data}}
}

// text is an update by which a client types once, so much.
func text(client byte, size int) []byte {
	update := lib0.AppendVarBytes([]byte{1, 1, client, 0, 4, 1, 1, 't'}, bytes.Repeat([]byte{'x'}, size))
	return append(update, 0)
}

// TestRebuildOfAPatient: what can be read of a room goes to storage piece by piece,
// with the head that it was read with; what can't be applied goes into quarantine.
func TestRebuildOfAPatient(t *testing.T) {
	const size = 20 << 20 // more than any message may have
	snapshot := room.AppendSnapshot(nil, text(1, size))
	h := &hospital{parts: []*storagev1.ExportResponse{
		damagedRoom, exportedHead(), exportedSnapshot(snapshot[:1<<20]),
	}}
	for rest := snapshot[1<<20:]; len(rest) > 0; rest = rest[min(len(rest), 1<<20):] {
		h.parts = append(h.parts, exportedSnapshot(rest[:min(len(rest), 1<<20)]))
	}
	h.parts = append(h.parts,
		exportedRecord(3, room.AppendRecord(nil, [][]byte{text(2, 1), []byte("no update")})),
		exportedRecord(7, room.AppendRecord(nil, [][]byte{text(3, 1)})))
	j, _ := openHandler(t, h)
	patient, err := j.Export(t.Context(), "doc", "9")
	if err != nil || !patient.Damaged || patient.Records != 2 {
		t.Fatalf("exported %+v, %v", patient, err)
	}
	seq, err := j.Rebuild(t.Context(), "doc", "9", patient)
	if err != nil || seq != 8 {
		t.Fatalf("rebuilt at %d, %v", seq, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if r := h.rebuilt; r.GetRoom() != "doc" || r.GetId() != "9" || r.GetHead().String() != itsHead.String() || r.GetSize() != uint64(len(h.data)) || h.largest > 1<<20 {
		t.Errorf("storage was told %v, and got %d bytes, at most %d at a time", r, len(h.data), h.largest)
	}
	if len(h.kept) != 1 || string(h.kept[0].GetData()) != "no update" || h.kept[0].GetSeq() != 3 {
		t.Errorf("in quarantine: %v", h.kept)
	}
	update, err := room.ReadSnapshot(h.data)
	if err != nil {
		t.Fatal(err)
	}
	d := yjs.NewDocument()
	if err := d.Load(update); err != nil {
		t.Fatal(err)
	}
	for _, client := range []uint64{1, 2, 3} {
		if !d.Has(yjs.ID{Client: client}) {
			t.Errorf("what client %d typed is gone", client)
		}
	}
	if !d.Has(yjs.ID{Client: 1, Clock: size - 1}) {
		t.Error("the end of a long text is gone")
	}
}

// TestExportThatIsNone: what storage found whole and can't be used is never left out
// in silence, and what isn't an export is none.
func TestExportThatIsNone(t *testing.T) {
	newer := func(seq uint64) *storagev1.ExportResponse { return exportedRecord(seq, []byte{2, 0}) }
	var bad [][]byte
	for range 17 {
		bad = append(bad, []byte("no update"))
	}
	for name, c := range map[string]struct {
		parts      []*storagev1.ExportResponse
		unreadable bool
	}{
		"nothing":                   {nil, false},
		"no item":                   {[]*storagev1.ExportResponse{exportedHead()}, false},
		"two items":                 {[]*storagev1.ExportResponse{damagedRoom, damagedRoom}, false},
		"a room without a head":     {[]*storagev1.ExportResponse{damagedRoom}, false},
		"an empty part":             {[]*storagev1.ExportResponse{damagedRoom, exportedHead(), {}}, false},
		"an update with a record":   {[]*storagev1.ExportResponse{keptUpdate, exportedRecord(1, []byte{1, 0})}, false},
		"an update with a snapshot": {[]*storagev1.ExportResponse{keptUpdate, exportedSnapshot([]byte{1, 0, 0})}, false},
		"a newer build's record":    {[]*storagev1.ExportResponse{damagedRoom, exportedHead(), newer(3)}, true},
		"a newer build's snapshot":  {[]*storagev1.ExportResponse{damagedRoom, exportedHead(), exportedSnapshot([]byte{2, 0, 0})}, true},
		"a snapshot of no update":   {[]*storagev1.ExportResponse{damagedRoom, exportedHead(), exportedSnapshot([]byte("\x01no update"))}, true},
		"too much that isn't one":   {[]*storagev1.ExportResponse{damagedRoom, exportedHead(), exportedRecord(3, room.AppendRecord(nil, bad))}, true},
	} {
		t.Run(name, func(t *testing.T) {
			j, _ := openHandler(t, &hospital{parts: c.parts})
			p, err := j.Export(t.Context(), "doc", "9")
			if err == nil || errors.Is(err, journal.ErrUnreadable) != c.unreadable {
				t.Errorf("%+v, %v; want an error, unreadable %v", p, err, c.unreadable)
			}
		})
	}
	j, _ := openHandler(t, &hospital{parts: []*storagev1.ExportResponse{keptUpdate, exportedUpdate([]byte("up")), exportedUpdate([]byte("date"))}})
	if p, err := j.Export(t.Context(), "doc", "9"); err != nil || p.Damaged || string(p.Update) != "update" {
		t.Errorf("an update: %+v, %v", p, err)
	}
}
