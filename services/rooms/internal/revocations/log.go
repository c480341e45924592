package revocations

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/roomname"
)

// maxLog bounds the bytes of the log that are read: far more than the list may
// hold.
const maxLog = 256 << 20

var (
	// errStale: another process was faster. Begin anew.
	errStale   = errors.New("another process has changed the revocations")
	errTooLong = fmt.Errorf("the log of revocations has more than %d bytes", maxLog)
)

// log is the hand on the log in storage. One goroutine at a time uses it.
type log struct {
	storage storagev1connect.StorageServiceClient
	owner   string
	// records counts those behind the snapshot.
	records int
}

// claim makes it ours to append, and returns the seq of the newest record.
func (l *log) claim(ctx context.Context) (epoch, seq uint64, err error) {
	r, err := l.storage.Claim(ctx, connect.NewRequest(&storagev1.ClaimRequest{Room: roomname.Revocations, Owner: l.owner}))
	if err != nil {
		return 0, 0, fmt.Errorf("claim: %w", err)
	}
	return r.Msg.GetEpoch(), r.Msg.GetLastSeq(), nil
}

// last returns the seq of the newest record, 0 if there is none.
func (l *log) last(ctx context.Context) (uint64, error) {
	r, err := l.storage.List(ctx, connect.NewRequest(&storagev1.ListRequest{Prefix: roomname.Revocations, Limit: 1}))
	if err != nil {
		return 0, fmt.Errorf("list: %w", err)
	}
	for _, room := range r.Msg.GetRooms() {
		if room.GetRoom() == roomname.Revocations {
			return room.GetLastSeq(), nil
		}
	}
	return 0, nil
}

// load reads the log into a table, and returns the seq of the newest record.
func (l *log) load(ctx context.Context) (table, uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := l.storage.Load(ctx, connect.NewRequest(&storagev1.LoadRequest{Room: roomname.Revocations}))
	if err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	defer stream.Close()
	r := reading{table: make(table)}
	for stream.Receive() {
		if err := r.take(stream.Msg()); err != nil {
			return nil, 0, fmt.Errorf("load: %w", err)
		}
	}
	if err := stream.Err(); err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	if err := r.finish(); err != nil {
		return nil, 0, fmt.Errorf("load: %w", err)
	}
	l.records = r.records
	return r.table, r.head.GetLastSeq(), nil
}

// reading builds a table from what Load streams.
type reading struct {
	table    table
	head     *storagev1.LoadHead
	snapshot []byte
	bytes    int
	next     uint64 // the seq that the next record must have, 0 until the snapshot is in
	records  int
}

var errOrder = errors.New("storage says things in the wrong order")

func (r *reading) take(m *storagev1.LoadResponse) error {
	if (m.GetHead() != nil) == (r.head != nil) {
		return errOrder
	}
	switch part := m.Part.(type) {
	case *storagev1.LoadResponse_Head:
		r.head = part.Head
		return nil
	case *storagev1.LoadResponse_SnapshotChunk:
		r.bytes += len(part.SnapshotChunk)
		if r.bytes > maxLog {
			return errTooLong
		}
		r.snapshot = append(r.snapshot, part.SnapshotChunk...)
		return nil
	case *storagev1.LoadResponse_Records:
		if err := r.restore(); err != nil {
			return err
		}
		for _, record := range part.Records.GetRecords() {
			if err := r.record(record); err != nil {
				return fmt.Errorf("record %d: %w", record.GetSeq(), err)
			}
		}
		return nil
	default:
		return errOrder
	}
}

// restore takes the snapshot in, if there is one.
func (r *reading) restore() error {
	if r.next != 0 {
		return nil
	}
	r.next = r.head.GetBaseSeq() + 1
	if uint64(len(r.snapshot)) != r.head.GetSnapshotSize() {
		return fmt.Errorf("snapshot: %d bytes of %d", len(r.snapshot), r.head.GetSnapshotSize())
	}
	if len(r.snapshot) == 0 {
		return nil
	}
	all, err := readRecord(r.snapshot)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	r.table.apply(all)
	return nil
}

func (r *reading) record(record *storagev1.Record) error {
	if record.GetSeq() != r.next {
		return fmt.Errorf("want record %d", r.next)
	}
	r.bytes += len(record.GetData())
	if r.bytes > maxLog {
		return errTooLong
	}
	change, err := readRecord(record.GetData())
	if err != nil {
		return err
	}
	r.table.apply(change)
	r.next++
	r.records++
	return nil
}

// finish checks that nothing is missing.
func (r *reading) finish() error {
	if r.head == nil {
		return errOrder
	}
	if err := r.restore(); err != nil {
		return err
	}
	if r.next != r.head.GetLastSeq()+1 {
		return fmt.Errorf("the log ends at record %d; want %d", r.next-1, r.head.GetLastSeq())
	}
	return nil
}

// append stores a record. errStale means that it isn't stored.
func (l *log) append(ctx context.Context, epoch, seq uint64, record []byte) error {
	item := &storagev1.AppendItem{Room: roomname.Revocations, Epoch: epoch, Seq: seq, Data: record}
	r, err := l.storage.Append(ctx, connect.NewRequest(&storagev1.AppendRequest{Items: []*storagev1.AppendItem{item}}))
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if len(r.Msg.GetResults()) != 1 {
		return fmt.Errorf("append: %d results; want one", len(r.Msg.GetResults()))
	}
	switch result := r.Msg.GetResults()[0]; result.GetStatus() {
	case storagev1.AppendStatus_APPEND_STATUS_STORED:
		l.records++
		return nil
	case storagev1.AppendStatus_APPEND_STATUS_FENCED, storagev1.AppendStatus_APPEND_STATUS_CONFLICT,
		storagev1.AppendStatus_APPEND_STATUS_DELETED:
		return errStale
	default:
		return fmt.Errorf("append: storage says %v: %s", result.GetStatus(), result.GetMessage())
	}
}

// compact replaces the records up to seq by one that says all.
func (l *log) compact(ctx context.Context, epoch, seq uint64, all []byte) error {
	stream := l.storage.PutSnapshot(ctx)
	header := &storagev1.SnapshotHeader{Room: roomname.Revocations, Epoch: epoch, Seq: seq, Size: uint64(len(all))}
	err := stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Header{Header: header}})
	const chunk = 1 << 20
	for rest := all; err == nil && len(rest) > 0; {
		n := min(len(rest), chunk)
		err = stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Chunk{Chunk: rest[:n]}})
		rest = rest[n:]
	}
	// Why a Send failed, the answer says.
	if _, answered := stream.CloseAndReceive(); answered != nil {
		return fmt.Errorf("put snapshot: %w", answered)
	}
	if err != nil {
		return fmt.Errorf("put snapshot: %w", err)
	}
	l.records = 0
	return nil
}
