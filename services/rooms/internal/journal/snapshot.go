package journal

import (
	"context"
	"time"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

const (
	// snapshotChunk is the size of the messages that carry a snapshot.
	snapshotChunk = 256 << 10
	// snapshotTimeout bounds one try: a snapshot of the largest document fits.
	snapshotTimeout = 2 * time.Minute
)

// PutSnapshot tries once to have a snapshot stored and tells how it went. A
// failure loses nothing: the records are still there, and a later one will do.
func (j *Journal) PutSnapshot(name string, s room.Snapshot, done func(error)) {
	j.mu.Lock()
	closed := j.closed
	if !closed {
		j.running.Go(func() { done(j.trySnapshot(name, s)) })
	}
	j.mu.Unlock()
	if closed {
		done(ErrClosed)
	}
}

func (j *Journal) trySnapshot(name string, s room.Snapshot) error {
	ctx, cancel := context.WithTimeout(j.ctx, snapshotTimeout)
	defer cancel()
	err := j.putSnapshot(ctx, name, s)
	outcome := "stored"
	if err != nil {
		outcome = "failed"
		j.log.Warn("snapshot not stored; its records stay", "seq", s.Seq, "bytes", len(s.Data), "error", err)
	}
	if err == nil {
		j.metrics.snapshotted.Add(float64(len(s.Data)))
		j.metrics.reclaimed.Add(float64(s.Replaces))
	}
	j.metrics.snapshots.WithLabelValues(outcome).Inc()
	return err
}

func (j *Journal) putSnapshot(ctx context.Context, name string, s room.Snapshot) error {
	stream := j.storage.PutSnapshot(ctx)
	header := &storagev1.SnapshotHeader{Room: name, Epoch: s.Epoch, Seq: s.Seq, Size: uint64(len(s.Data))}
	err := stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Header{Header: header}})
	for rest := s.Data; err == nil && len(rest) > 0; {
		n := min(len(rest), snapshotChunk)
		err = stream.Send(&storagev1.PutSnapshotRequest{Part: &storagev1.PutSnapshotRequest_Chunk{Chunk: rest[:n]}})
		rest = rest[n:]
	}
	// Why a send failed is told by the answer.
	_, err = stream.CloseAndReceive()
	return err
}
