package api

import (
	"context"
	"errors"
	"io"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// loadMessage is about how many bytes one message of a Load carries: a larger
// record has one of its own, since a record is never divided.
const loadMessage = 256 << 10

// Load implements the RPC.
func (h *Handler) Load(ctx context.Context, req *connect.Request[storagev1.LoadRequest], stream *connect.ServerStream[storagev1.LoadResponse]) error {
	s := &sender{stream: stream}
	err := h.store.Load(ctx, req.Msg.GetRoom(), store.Epoch(req.Msg.GetEpoch()), s)
	if err == nil {
		err = s.flush()
	}
	return h.finish(ctx, "load", req.Msg.GetRoom(), err)
}

// sender is the store.Sink of a Load: it gathers records into messages.
type sender struct {
	stream  *connect.ServerStream[storagev1.LoadResponse]
	records []*storagev1.Record
	buf     []byte // the records' data, one after the other
}

func (s *sender) Head(head store.Head) error {
	return s.stream.Send(&storagev1.LoadResponse{Part: &storagev1.LoadResponse_Head{Head: wireHead(head)}})
}

func wireHead(head store.Head) *storagev1.LoadHead {
	return &storagev1.LoadHead{
		Epoch:        uint64(head.Epoch),
		LastSeq:      uint64(head.Last),
		SnapshotSeq:  uint64(head.SnapshotSeq),
		SnapshotSize: head.SnapshotSize,
		BaseSeq:      uint64(head.Base),
	}
}

func (s *sender) SnapshotChunk(chunk []byte) error {
	for len(chunk) > 0 {
		n := min(len(chunk), loadMessage)
		part := &storagev1.LoadResponse_SnapshotChunk{SnapshotChunk: chunk[:n]}
		if err := s.stream.Send(&storagev1.LoadResponse{Part: part}); err != nil {
			return err
		}
		chunk = chunk[n:]
	}
	return nil
}

func (s *sender) Record(r store.Record) error {
	if len(s.buf) > 0 && len(s.buf)+len(r.Data) > loadMessage || len(s.records) == maxLoadRecords {
		if err := s.flush(); err != nil {
			return err
		}
	}
	start := len(s.buf)
	s.buf = append(s.buf, r.Data...)
	s.records = append(s.records, &storagev1.Record{Seq: uint64(r.Seq), Data: s.buf[start:len(s.buf):len(s.buf)]})
	return nil
}

// maxLoadRecords bounds a message of small records, whose own bytes are less
// than what goes around them.
const maxLoadRecords = 4096

func (s *sender) flush() error {
	if len(s.records) == 0 {
		return nil
	}
	part := &storagev1.LoadResponse_Records{Records: &storagev1.LoadRecords{Records: s.records}}
	err := s.stream.Send(&storagev1.LoadResponse{Part: part})
	s.records, s.buf = s.records[:0], s.buf[:0]
	return err
}

// PutSnapshot implements the RPC.
func (h *Handler) PutSnapshot(ctx context.Context, stream *connect.ClientStream[storagev1.PutSnapshotRequest]) (*connect.Response[storagev1.PutSnapshotResponse], error) {
	snap, trimmed, err := h.putSnapshot(ctx, stream)
	if err := h.finish(ctx, "put_snapshot", snap.Room, err); err != nil {
		return nil, err
	}
	return connect.NewResponse(&storagev1.PutSnapshotResponse{TrimmedRecords: trimmed}), nil
}

func (h *Handler) putSnapshot(ctx context.Context, stream *connect.ClientStream[storagev1.PutSnapshotRequest]) (snap store.Snapshot, trimmed uint64, err error) {
	m, err := first(stream)
	if err != nil {
		return snap, 0, err
	}
	header := m.GetHeader()
	if header == nil {
		return snap, 0, errNoHeader()
	}
	snap = store.Snapshot{
		Room:  header.GetRoom(),
		Epoch: store.Epoch(header.GetEpoch()),
		Seq:   store.Seq(header.GetSeq()),
		Size:  header.GetSize(),
	}
	trimmed, err = h.store.PutSnapshot(ctx, snap, &chunks[storagev1.PutSnapshotRequest]{stream: stream, chunk: snapshotChunk})
	return snap, trimmed, err
}

// first returns the first message of a stream.
func first[M any](stream *connect.ClientStream[M]) (*M, error) {
	switch {
	case stream.Receive():
		return stream.Msg(), nil
	case stream.Err() != nil:
		return nil, stream.Err()
	default:
		return nil, store.Errorf(store.Invalid, store.Head{}, "the stream is empty: begin with the header")
	}
}

func errNoHeader() error {
	return store.Errorf(store.Invalid, store.Head{}, "the first message is not the header: begin with it, then send the chunks")
}

func snapshotChunk(m *storagev1.PutSnapshotRequest) ([]byte, bool) {
	_, ok := m.GetPart().(*storagev1.PutSnapshotRequest_Chunk)
	return m.GetChunk(), ok
}

// chunks reads the chunks of a stream, whose first message was its header, as one
// body.
type chunks[M any] struct {
	stream *connect.ClientStream[M]
	// chunk returns what a message carries, false if it isn't a chunk.
	chunk func(*M) ([]byte, bool)
	left  []byte // of the chunk received last
}

// Read implements io.Reader.
func (c *chunks[M]) Read(p []byte) (int, error) {
	for len(c.left) == 0 {
		if !c.stream.Receive() {
			if err := c.stream.Err(); err != nil && !errors.Is(err, io.EOF) {
				return 0, err
			}
			return 0, io.EOF
		}
		var ok bool
		if c.left, ok = c.chunk(c.stream.Msg()); !ok {
			return 0, store.Errorf(store.Invalid, store.Head{}, "a message after the header is not a chunk: send one header, then chunks")
		}
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}
