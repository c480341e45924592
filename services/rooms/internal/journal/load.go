package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/cenkalti/backoff/v5"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// openPatience is how long joiners are kept waiting for a storage that doesn't
// answer, as while it restarts, or says nothing, before they are told. A document
// that comes slowly is waited for.
const openPatience = 10 * time.Second

var errSilent = fmt.Errorf("storage has said nothing for %v", openPatience)

// Open claims a room and loads its document. It tries again while storage can't
// be reached; bytes that can't be read are an error at once.
func (j *Journal) Open(ctx context.Context, name string) (load *room.Load, err error) {
	ctx, span := j.tracer.Begin(ctx, "load", name)
	defer func() {
		if load != nil {
			span.Count("records", load.Records)
			span.Count("bytes", load.Bytes)
		}
		span.End(err)
	}()
	return backoff.Retry(ctx, func() (*room.Load, error) {
		load, err := j.open(ctx, name)
		if err != nil && !passing(err) {
			return nil, backoff.Permanent(err)
		}
		return load, err
	}, backoff.WithBackOff(retryPolicy()), backoff.WithMaxElapsedTime(openPatience))
}

// Read builds a document from what is stored, whoever owns its room, and takes the
// room from nobody. It tries once.
func (j *Journal) Read(ctx context.Context, name string) (*room.Load, error) {
	return j.around(name, func(around unusable) (*room.Load, error) { return j.read(ctx, name, around) })
}

func (j *Journal) read(ctx context.Context, name string, around unusable) (*room.Load, error) {
	stream, err := j.storage.Load(ctx, connectRequest(&storagev1.LoadRequest{Room: name}))
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer stream.Close()
	l := loading{document: yjs.NewDocument(), around: around}
	for stream.Receive() {
		if err := l.take(stream.Msg()); err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
	}
	if err := stream.Err(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return l.finish(l.head.GetEpoch())
}

// Exists reports whether something is stored in a room.
func (j *Journal) Exists(ctx context.Context, name string) (bool, error) {
	// The first name that begins with this one is this one, if it is there.
	r, err := j.storage.List(ctx, connectRequest(&storagev1.ListRequest{Prefix: name, Limit: 1}))
	if err != nil {
		return false, fmt.Errorf("list: %w", err)
	}
	return len(r.Msg.GetRooms()) > 0 && r.Msg.GetRooms()[0].GetRoom() == name, nil
}

// passing reports whether an error may go away by itself: storage couldn't be
// reached, or another claim came between our own and the load.
func passing(err error) bool {
	switch connect.CodeOf(err) {
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded, connect.CodeAborted, connect.CodeFailedPrecondition:
		return true
	case connect.CodeUnknown:
		var wire *connect.Error
		return errors.As(err, &wire) // the connection broke
	default:
		return false
	}
}

func (j *Journal) open(ctx context.Context, name string) (*room.Load, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(openPatience, func() { cancel(errSilent) })
	defer silence.Stop()
	heard := func() { silence.Reset(openPatience) }
	load, err := j.around(name, func(around unusable) (*room.Load, error) {
		load, err := j.claimAndLoad(ctx, name, around, heard)
		if err != nil {
			return nil, err
		}
		return load, j.isolate(ctx, name, around)
	})
	if err != nil && errors.Is(context.Cause(ctx), errSilent) {
		return nil, fmt.Errorf("%w: %w", errSilent, err)
	}
	return load, err
}

// claimAndLoad calls heard whenever storage has said something.
func (j *Journal) claimAndLoad(ctx context.Context, name string, around unusable, heard func()) (*room.Load, error) {
	claim, err := j.storage.Claim(ctx, connectRequest(&storagev1.ClaimRequest{Room: name, Owner: j.owner}))
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	heard()
	stream, err := j.storage.Load(ctx, connectRequest(&storagev1.LoadRequest{Room: name, Epoch: claim.Msg.GetEpoch()}))
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	defer stream.Close()
	l := loading{document: yjs.NewDocument(), around: around}
	for stream.Receive() {
		heard()
		if err := l.take(stream.Msg()); err != nil {
			return nil, fmt.Errorf("load: %w", err)
		}
	}
	if err := stream.Err(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	load, err := l.finish(claim.Msg.GetEpoch())
	if err == nil {
		l.document.Prepare() // or the room's loop would, for the first who writes
	}
	return load, err
}

// loading builds a document from what Load streams, and checks that nothing is
// missing: a hole in the log must not become a document.
type loading struct {
	document *yjs.Document
	head     *storagev1.LoadHead
	snapshot []byte
	// next is the seq that the next record must have; 0 until the snapshot is in.
	next    uint64
	records int
	bytes   int
	around  unusable
}

func (l *loading) take(m *storagev1.LoadResponse) error {
	switch part := m.Part.(type) {
	case *storagev1.LoadResponse_Head:
		if l.head != nil {
			return errors.New("a second head")
		}
		l.head = part.Head
	case *storagev1.LoadResponse_SnapshotChunk:
		if l.head == nil || l.next > 0 {
			return errors.New("a snapshot chunk out of place")
		}
		l.snapshot = append(l.snapshot, part.SnapshotChunk...)
		if uint64(len(l.snapshot)) > l.head.GetSnapshotSize() {
			return fmt.Errorf("snapshot is longer than its %d bytes", l.head.GetSnapshotSize())
		}
	case *storagev1.LoadResponse_Records:
		if err := l.applySnapshot(); err != nil {
			return err
		}
		for _, record := range part.Records.GetRecords() {
			if err := l.takeRecord(record); err != nil {
				return err
			}
		}
	default:
		return errors.New("a part of unknown kind")
	}
	return nil
}

func (l *loading) takeRecord(record *storagev1.Record) error {
	if record.GetSeq() != l.next {
		return fmt.Errorf("record %d where %d belongs", record.GetSeq(), l.next)
	}
	l.next++
	l.records++
	l.bytes += len(record.GetData())
	at := place{seq: record.GetSeq()}
	err := room.ReadRecord(record.GetData(), func(update []byte) error {
		at.index++
		return l.around.apply(l.document.Load, at, update)
	})
	if err != nil {
		return fmt.Errorf("record %d: %w", record.GetSeq(), err)
	}
	return nil
}

// applySnapshot does so when all its chunks are in; it may be called again.
func (l *loading) applySnapshot() error {
	switch {
	case l.head == nil:
		return errors.New("no head")
	case l.next > 0:
		return nil
	case uint64(len(l.snapshot)) != l.head.GetSnapshotSize():
		return fmt.Errorf("snapshot has %d of %d bytes", len(l.snapshot), l.head.GetSnapshotSize())
	case l.head.GetSnapshotSeq() > 0 && len(l.snapshot) == 0:
		return fmt.Errorf("no snapshot, which should stand for records up to %d", l.head.GetSnapshotSeq())
	case l.head.GetSnapshotSeq() == 0 && len(l.snapshot) > 0:
		return errors.New("a snapshot that stands for no records")
	case l.head.GetSnapshotSeq() > 0 && l.head.GetSnapshotSeq() != l.head.GetBaseSeq():
		return fmt.Errorf("the snapshot stands for records up to %d, but they begin after %d", l.head.GetSnapshotSeq(), l.head.GetBaseSeq())
	}
	l.next = l.head.GetBaseSeq() + 1
	if len(l.snapshot) == 0 {
		return nil
	}
	update, err := room.ReadSnapshot(l.snapshot)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	if err := l.document.Load(update); err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	l.snapshot = nil
	return nil
}

func (l *loading) finish(epoch uint64) (*room.Load, error) {
	if err := l.applySnapshot(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if l.next != l.head.GetLastSeq()+1 {
		return nil, fmt.Errorf("load: the log ends before record %d; its head is at %d", l.next, l.head.GetLastSeq())
	}
	return &room.Load{
		Document: l.document,
		Epoch:    epoch,
		Seq:      l.head.GetLastSeq(),
		Records:  l.records,
		Bytes:    l.bytes,
	}, nil
}
