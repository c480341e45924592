package journal

import (
	"context"
	"errors"
	"fmt"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// ErrUnreadable means that bytes of a damaged room which storage found whole can't be
// used here: a newer build may have written them.
var ErrUnreadable = errors.New("what is whole of the damaged room can't be used; export the room, and drop it, or use the build that wrote it")

// Patient is what is known of an item in quarantine.
type Patient struct {
	Damaged bool // a whole room, else one update
	Update  []byte
	// Document is what can be read of a damaged room, beside the updates that can't
	// be applied; Records is how many records are in it.
	Document *yjs.Document
	Records  int

	head     *storagev1.LoadHead
	snapshot []byte // until it is applied
	left     unusable
}

// Export reads an item out of quarantine. A damaged room is applied as it comes: in
// memory are its document and, until that is applied, its snapshot.
func (j *Journal) Export(ctx context.Context, name, id string) (p *Patient, err error) {
	_, err = j.around(name, func(left unusable) (*room.Load, error) {
		p, err = j.export(ctx, name, id, left)
		return nil, err
	})
	if errors.Is(err, errTooMany) {
		err = fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	return p, err
}

func (j *Journal) export(ctx context.Context, name, id string, left unusable) (*Patient, error) {
	stream, err := j.storage.Export(ctx, connectRequest(&storagev1.ExportRequest{Room: name, Id: id}))
	if err != nil {
		return nil, err
	}
	defer stream.Close()
	var p *Patient
	for stream.Receive() {
		item := stream.Msg().GetItem()
		switch {
		case item != nil && p == nil:
			p = &Patient{Damaged: item.GetKind() == storagev1.QuarantineKind_QUARANTINE_KIND_ROOM, left: left}
			if p.Damaged {
				p.Document = yjs.NewDocument()
			}
		case item != nil || p == nil:
			return nil, errors.New("storage's export doesn't begin with its item")
		default:
			err = p.take(stream.Msg())
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case stream.Err() != nil:
		return nil, stream.Err()
	case p == nil:
		return nil, errors.New("storage's export is empty")
	case p.Damaged && p.head == nil:
		return nil, errors.New("storage's export of a room has no head")
	}
	return p, p.applySnapshot()
}

func (p *Patient) take(m *storagev1.ExportResponse) error {
	switch part := m.Part.(type) {
	case *storagev1.ExportResponse_UpdateChunk:
		p.Update = append(p.Update, part.UpdateChunk...)
	case *storagev1.ExportResponse_Head:
		p.head = part.Head
	case *storagev1.ExportResponse_SnapshotChunk:
		p.snapshot = append(p.snapshot, part.SnapshotChunk...)
	case *storagev1.ExportResponse_Records:
		if err := p.applySnapshot(); err != nil {
			return err
		}
		for _, record := range part.Records.GetRecords() {
			if err := p.takeRecord(record); err != nil {
				return err
			}
		}
	default:
		return errors.New("storage's export has a part of unknown kind")
	}
	return nil
}

// takeRecord applies a record. Others may be missing before it: what rests on them
// waits in the document, as it would if they had never arrived.
func (p *Patient) takeRecord(record *storagev1.Record) error {
	if !p.Damaged {
		return errors.New("storage's export of an update has a record")
	}
	at := place{seq: record.GetSeq()}
	err := room.ReadRecord(record.GetData(), func(update []byte) error {
		at.index++
		return p.left.apply(p.Document.Load, at, update)
	})
	switch {
	case err == nil:
		p.Records++
	case !errors.Is(err, errPanicked) && !errors.Is(err, errTooMany):
		err = fmt.Errorf("%w: record %d: %w", ErrUnreadable, record.GetSeq(), err)
	}
	return err
}

// applySnapshot does so when all its chunks are in; it may be called again.
func (p *Patient) applySnapshot() (err error) {
	if len(p.snapshot) == 0 {
		return nil
	}
	if !p.Damaged {
		return errors.New("storage's export of an update has a snapshot")
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%w: snapshot: panic: %v", ErrUnreadable, cause)
		}
	}()
	update, err := room.ReadSnapshot(p.snapshot)
	if err == nil {
		err = p.Document.Load(update)
	}
	if err != nil {
		return fmt.Errorf("%w: snapshot: %w", ErrUnreadable, err)
	}
	p.snapshot = nil
	return nil
}

// Rebuild has storage put what could be read of a damaged room in the room's place,
// and returns the seq that it stands for. Its updates that can't be applied are in
// quarantine by then. The patient is used up: its document goes when it is encoded.
func (j *Journal) Rebuild(ctx context.Context, name, id string, p *Patient) (seq uint64, err error) {
	if err := j.isolate(ctx, name, p.left); err != nil {
		return 0, err
	}
	state, err := p.Document.EncodeStateAsUpdate(nil)
	if err != nil {
		return 0, fmt.Errorf("what can be read of the room can't be encoded: %w", err)
	}
	p.Document = nil
	begin := room.AppendSnapshot(nil, nil) // beside the state, which may be large
	stream := j.storage.Rebuild(ctx)
	header := &storagev1.RebuildHeader{Room: name, Id: id, Head: p.head, Size: uint64(len(begin) + len(state))}
	send := func(chunk []byte) error {
		return stream.Send(&storagev1.RebuildRequest{Part: &storagev1.RebuildRequest_Chunk{Chunk: chunk}})
	}
	if stream.Send(&storagev1.RebuildRequest{Part: &storagev1.RebuildRequest_Header{Header: header}}) == nil {
		sendChunks(begin, send)
		sendChunks(state, send)
	}
	response, err := stream.CloseAndReceive()
	if err != nil {
		return 0, err
	}
	return response.Msg.GetSeq(), nil
}
