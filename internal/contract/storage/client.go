package storage

import (
	"context"
	"errors"
	"fmt"
	"io"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
)

// FromClient returns the store behind a Connect client. It checks what the
// service's streams promise too: their order, and that the head says what comes.
func FromClient(client storagev1connect.StorageServiceClient) Store {
	return remote{client}
}

type remote struct {
	client storagev1connect.StorageServiceClient
}

func (r remote) Claim(ctx context.Context, room string) (Position, error) {
	resp, err := r.client.Claim(ctx, connect.NewRequest(&storagev1.ClaimRequest{Room: room, Owner: "contract"}))
	if err != nil {
		return Position{}, fromConnect(err)
	}
	return Position{Epoch: resp.Msg.GetEpoch(), Last: resp.Msg.GetLastSeq(), SnapshotSeq: resp.Msg.GetSnapshotSeq()}, nil
}

var outcomes = map[storagev1.AppendStatus]Outcome{
	storagev1.AppendStatus_APPEND_STATUS_STORED:   Stored,
	storagev1.AppendStatus_APPEND_STATUS_FENCED:   Fenced,
	storagev1.AppendStatus_APPEND_STATUS_CONFLICT: Conflict,
	storagev1.AppendStatus_APPEND_STATUS_DELETED:  Deleted,
	storagev1.AppendStatus_APPEND_STATUS_INVALID:  Invalid,
	storagev1.AppendStatus_APPEND_STATUS_UNKNOWN:  Unknown,
	storagev1.AppendStatus_APPEND_STATUS_NO_SPACE: NoSpace,
	storagev1.AppendStatus_APPEND_STATUS_CORRUPT:  Corrupt,
}

func (r remote) Append(ctx context.Context, items ...Item) ([]Result, error) {
	req := &storagev1.AppendRequest{}
	for _, item := range items {
		req.Items = append(req.Items, &storagev1.AppendItem{Room: item.Room, Epoch: item.Epoch, Seq: item.Seq, Data: item.Data})
	}
	resp, err := r.client.Append(ctx, connect.NewRequest(req))
	if err != nil {
		return nil, fromConnect(err)
	}
	results := make([]Result, 0, len(items))
	for _, got := range resp.Msg.GetResults() {
		outcome, ok := outcomes[got.GetStatus()]
		if !ok {
			return nil, fmt.Errorf("a result has the status %v", got.GetStatus())
		}
		results = append(results, Result{Outcome: outcome, HeadEpoch: got.GetHeadEpoch(), HeadLast: got.GetHeadSeq(), Message: got.GetMessage()})
	}
	return results, nil
}

func (r remote) Load(ctx context.Context, room string, epoch uint64) (Room, error) {
	stream, err := r.client.Load(ctx, connect.NewRequest(&storagev1.LoadRequest{Room: room, Epoch: epoch}))
	if err != nil {
		return Room{}, fromConnect(err)
	}
	defer stream.Close()
	var l loading
	for stream.Receive() {
		if err := l.add(stream.Msg()); err != nil {
			return Room{}, err
		}
	}
	if err := stream.Err(); err != nil {
		return Room{}, fromConnect(err)
	}
	return l.end()
}

// loading puts a Load's messages together.
type loading struct {
	head *storagev1.LoadHead
	room Room
}

func (l *loading) add(msg *storagev1.LoadResponse) error {
	switch part := msg.GetPart().(type) {
	case *storagev1.LoadResponse_Head:
		if l.head != nil {
			return errors.New("Load sent a second head")
		}
		l.head = part.Head
		l.room.Position = Position{Epoch: l.head.GetEpoch(), Last: l.head.GetLastSeq(), SnapshotSeq: l.head.GetSnapshotSeq()}
	case *storagev1.LoadResponse_SnapshotChunk:
		if l.head == nil || len(l.room.Records) > 0 {
			return errors.New("Load sent a chunk before the head or after records")
		}
		l.room.Snapshot = append(l.room.Snapshot, part.SnapshotChunk...)
	case *storagev1.LoadResponse_Records:
		if l.head == nil {
			return errors.New("Load sent records before the head")
		}
		for _, rec := range part.Records.GetRecords() {
			l.room.Records = append(l.room.Records, Record{Seq: rec.GetSeq(), Data: rec.GetData()})
		}
	default:
		return fmt.Errorf("Load sent a message with %T", part)
	}
	return nil
}

func (l *loading) end() (Room, error) {
	switch {
	case l.head == nil:
		return Room{}, errors.New("Load sent no head")
	case uint64(len(l.room.Snapshot)) != l.head.GetSnapshotSize():
		return Room{}, fmt.Errorf("Load sent a snapshot of %d bytes, its head says %d", len(l.room.Snapshot), l.head.GetSnapshotSize())
	case l.head.GetSnapshotSeq() > 0 && l.head.GetSnapshotSeq() != l.head.GetBaseSeq():
		return Room{}, fmt.Errorf("the head's snapshot is at %d, its records begin after %d", l.head.GetSnapshotSeq(), l.head.GetBaseSeq())
	}
	next := l.head.GetBaseSeq() + 1
	for _, record := range l.room.Records {
		if record.Seq != next {
			return Room{}, fmt.Errorf("Load sent record %d where %d belongs", record.Seq, next)
		}
		next++
	}
	if next != l.head.GetLastSeq()+1 {
		return Room{}, fmt.Errorf("Load sent records up to %d, its head says %d", next-1, l.head.GetLastSeq())
	}
	return l.room, nil
}

// putChunk is a size that divides no other.
const putChunk = 100_003

func (r remote) PutSnapshot(ctx context.Context, s Snapshot) (uint64, error) {
	if s.Size == 0 {
		s.Size = uint64(len(s.Data))
	}
	stream := r.client.PutSnapshot(ctx)
	header := &storagev1.SnapshotHeader{Room: s.Room, Epoch: s.Epoch, Seq: s.Seq, Size: s.Size}
	err := stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Header{Header: header}})
	for data := s.Data; err == nil && len(data) > 0; {
		n := min(len(data), putChunk)
		err = stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Chunk{Chunk: data[:n]}})
		data = data[n:]
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fromConnect(err)
	}
	// io.EOF means that the server has answered already: an error says why.
	resp, err := stream.CloseAndReceive()
	if err != nil {
		return 0, fromConnect(err)
	}
	return resp.Msg.GetTrimmedRecords(), nil
}

func (r remote) Delete(ctx context.Context, room string, epoch uint64) (bool, error) {
	resp, err := r.client.Delete(ctx, connect.NewRequest(&storagev1.DeleteRequest{Room: room, Epoch: epoch}))
	if err != nil {
		return false, fromConnect(err)
	}
	return resp.Msg.GetExisted(), nil
}

func (r remote) List(ctx context.Context, prefix, after string, limit int) (Listing, error) {
	resp, err := r.client.List(ctx, connect.NewRequest(&storagev1.ListRequest{Prefix: prefix, After: after, Limit: uint32(limit)}))
	if err != nil {
		return Listing{}, fromConnect(err)
	}
	l := Listing{More: resp.Msg.GetMore()}
	for _, info := range resp.Msg.GetRooms() {
		l.Rooms = append(l.Rooms, Info{
			Room:         info.GetRoom(),
			Position:     Position{Epoch: info.GetEpoch(), Last: info.GetLastSeq(), SnapshotSeq: info.GetSnapshotSeq()},
			SnapshotSize: info.GetSnapshotSize(),
		})
	}
	return l, nil
}

var reasons = map[storagev1.ErrorReason]struct {
	outcome Outcome
	code    connect.Code
}{
	storagev1.ErrorReason_ERROR_REASON_FENCED:   {Fenced, connect.CodeFailedPrecondition},
	storagev1.ErrorReason_ERROR_REASON_DELETED:  {Deleted, connect.CodeFailedPrecondition},
	storagev1.ErrorReason_ERROR_REASON_CONFLICT: {Conflict, connect.CodeFailedPrecondition},
	storagev1.ErrorReason_ERROR_REASON_CORRUPT:  {Corrupt, connect.CodeDataLoss},
	storagev1.ErrorReason_ERROR_REASON_NO_SPACE: {NoSpace, connect.CodeResourceExhausted},
}

// fromConnect reads an error's code and detail, which must agree.
func fromConnect(err error) error {
	connectErr, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return err
	}
	for _, detail := range connectErr.Details() {
		msg, detailErr := detail.Value()
		if detailErr != nil {
			return errors.Join(err, detailErr)
		}
		d, ok := msg.(*storagev1.ErrorDetail)
		if !ok {
			continue
		}
		reason, ok := reasons[d.GetReason()]
		if !ok || reason.code != connectErr.Code() {
			return fmt.Errorf("the reason %v comes with the code %v: %w", d.GetReason(), connectErr.Code(), err)
		}
		return &Error{Outcome: reason.outcome, HeadEpoch: d.GetHeadEpoch(), HeadLast: d.GetHeadSeq(), Text: connectErr.Message()}
	}
	switch connectErr.Code() {
	case connect.CodeInvalidArgument:
		return &Error{Outcome: Invalid, Text: connectErr.Message()}
	case connect.CodeUnavailable, connect.CodeCanceled, connect.CodeDeadlineExceeded:
		return &Error{Outcome: Unknown, Text: connectErr.Message()}
	}
	return err
}
