package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

const (
	// snapshotChunk is the size of the messages that carry a snapshot.
	snapshotChunk = 256 << 10
	// snapshotTimeout bounds one try: a snapshot of the largest document fits.
	snapshotTimeout = 2 * time.Minute
	// encoders is how many snapshots are compacted at a time.
	encoders = 2
)

// PutSnapshot compacts a snapshot, if that is wanted, then tries once to have it
// stored, and tells how it went. A failure loses nothing: the records are still
// there, and a later one will do. compacted is called at most once, before done.
func (j *Journal) PutSnapshot(name string, s room.Snapshot, compacted func(*yjs.Document), done func(error)) {
	j.mu.Lock()
	closed := j.closed
	if !closed {
		j.running.Go(func() { done(j.trySnapshot(name, s, compacted)) })
	}
	j.mu.Unlock()
	if closed {
		done(ErrClosed)
	}
}

func (j *Journal) trySnapshot(name string, s room.Snapshot, compacted func(*yjs.Document)) error {
	ctx, span := j.tracer.Begin(j.ctx, "snapshot", name)
	data, err := j.encode(s, compacted)
	if err == nil {
		span.Count("bytes", len(data))
		err = j.putSnapshot(ctx, name, s, data)
	}
	span.End(err)
	outcome := "stored"
	if err != nil {
		outcome = "failed"
		j.log.Warn("snapshot not stored; its records stay", "seq", s.Seq, "bytes", len(s.State), "error", err)
	}
	if err == nil {
		j.metrics.snapshotted.Add(float64(len(data)))
		j.metrics.reclaimed.Add(float64(s.Replaces))
	}
	j.metrics.snapshots.WithLabelValues(outcome).Inc()
	return err
}

// encode makes what is to be stored. Snapshots wait for one another here: each
// takes several times its document in memory, and a core.
func (j *Journal) encode(s room.Snapshot, compacted func(*yjs.Document)) ([]byte, error) {
	select {
	case j.encoders <- struct{}{}:
	case <-j.ctx.Done():
		return nil, ErrClosed
	}
	defer func() { <-j.encoders }()
	data, document, err := j.encodeOnce(s)
	if errors.Is(err, errPanic) {
		// It would do so again, and the log grow for ever: stored as it is, then.
		s.Compact = nil
		data, document, err = j.encodeOnce(s)
	}
	if err == nil && document != nil {
		compacted(document)
	}
	return data, err
}

var errPanic = errors.New("panic while compacting")

// encodeOnce keeps what makes the engine panic to this snapshot.
func (j *Journal) encodeOnce(s room.Snapshot) (data []byte, compacted *yjs.Document, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			j.log.Error("panic while compacting a snapshot", "panic", cause, "stack", string(debug.Stack()))
			data, compacted, err = nil, nil, fmt.Errorf("%w: %v", errPanic, cause)
		}
	}()
	return s.Encode()
}

func (j *Journal) putSnapshot(ctx context.Context, name string, s room.Snapshot, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	stream := j.storage.PutSnapshot(ctx)
	header := &storagev1.SnapshotHeader{Room: name, Epoch: s.Epoch, Seq: s.Seq, Size: uint64(len(data))}
	err := stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Header{Header: header}})
	if err == nil {
		sendChunks(data, func(chunk []byte) error {
			return stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Chunk{Chunk: chunk}})
		})
	}
	_, err = stream.CloseAndReceive()
	return err
}

// sendChunks sends data piece by piece until send fails: why it did is told by the
// answer, which may come before all is sent.
func sendChunks(data []byte, send func([]byte) error) {
	for len(data) > 0 {
		n := min(len(data), snapshotChunk)
		if send(data[:n]) != nil {
			return
		}
		data = data[n:]
	}
}
