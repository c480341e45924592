package badger

import (
	"context"
	"encoding/binary"
	"io"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// snapshotOp moves a room's head past the records that a snapshot stands for.
type snapshotOp struct {
	snap store.Snapshot
	id   uint64
	sum  uint32
	// small is the whole snapshot if it rides in the same transaction; nil if it
	// was uploaded.
	small   []byte
	trimmed uint64 // the answer
	err     error
}

func (o *snapshotOp) blob() blob {
	return blob{kind: kindSnapshotChunk, room: o.snap.Room, seq: o.snap.Seq, id: o.id}
}

func (o *snapshotOp) size() (entries, bytes int) {
	return 5, len(o.small) + 5*(len(o.snap.Room)+64)
}

func (o *snapshotOp) stage(b *batch) (err error) {
	if o.small == nil {
		defer func() {
			if err != nil || o.trimmed == 0 {
				b.refused = append(b.refused, garbage{blob: o.blob()})
			}
		}()
	}
	e, err := b.head(o.snap.Room)
	if err != nil {
		return err
	}
	next, trimmed, again, err := e.Snapshot(o.snap)
	switch {
	case err != nil:
		return err
	case again && e.snapshotSum != o.sum:
		return e.OtherSnapshot(o.snap.Seq)
	case again:
		return nil
	}
	if err := b.space.lets(snapshotShare, 0); err != nil {
		return err
	}
	if err := b.sweepUnder(o.snap.Room, e, o.snap.Seq); err != nil {
		return err
	}
	if err := o.write(b); err != nil {
		return err
	}
	o.trimmed = trimmed
	return b.setHead(o.snap.Room, entry{Head: next, snapshotID: o.id, snapshotSum: o.sum})
}

// write adds a small snapshot's chunk, or takes a large one's sweep entry away.
func (o *snapshotOp) write(b *batch) error {
	start := len(b.buf)
	if o.small == nil {
		b.buf = appendBlobSweepKey(b.buf, o.blob())
		return b.remove(b.since(start))
	}
	b.buf = appendChunkKey(b.buf, o.blob(), 0)
	return b.set(b.since(start), o.small)
}

func (o *snapshotOp) settle(err error) { o.err = err }

// sweepUnder adds the sweep entries for what a head of e leaves behind when its
// log begins above seq from now on: e's snapshot, and records up to seq.
func (b *batch) sweepUnder(room string, e entry, seq store.Seq) error {
	if e.SnapshotSeq > 0 {
		old := e.snapshot(room)
		start := len(b.buf)
		b.buf = appendBlobSweepKey(b.buf, old)
		if err := b.set(b.since(start), nil); err != nil {
			return err
		}
		b.garbage = append(b.garbage, garbage{blob: old})
	}
	if seq == e.Base {
		return nil
	}
	start := len(b.buf)
	b.buf = appendTrimSweepKey(b.buf, room, seq)
	key := b.since(start)
	start = len(b.buf)
	b.buf = binary.BigEndian.AppendUint64(b.buf, uint64(e.Base))
	if err := b.set(key, b.since(start)); err != nil {
		return err
	}
	b.garbage = append(b.garbage, garbage{room: room, from: e.Base, to: seq})
	return nil
}

// PutSnapshot implements [store.Store].
func (s *Store) PutSnapshot(ctx context.Context, snap store.Snapshot, body io.Reader) (uint64, error) {
	if err := s.opt.Limits.CheckSnapshot(snap); err != nil {
		return 0, err
	}
	if err := s.precheckSnapshot(snap); err != nil {
		return 0, err
	}
	o := &snapshotOp{snap: snap}
	if err := s.fill(ctx, o, body); err != nil {
		return 0, err
	}
	if err := s.place(ctx, o, o.blob()); err != nil {
		return 0, err
	}
	return o.trimmed, o.err
}

// fill reads o's snapshot: a small one into o, a large one onto the disk.
func (s *Store) fill(ctx context.Context, o *snapshotOp, body io.Reader) (err error) {
	o.id = newBlobID()
	o.sum = snapshotSum(o.blob())
	if o.snap.Size > maxChunk {
		o.sum, err = s.upload(ctx, o.blob(), o.snap.Size, body, o.sum, snapshotShare)
		return err
	}
	if o.small, err = store.ReadSnapshot(o.snap, body); err == nil {
		o.sum = addSum(o.sum, o.small)
	}
	return err
}

// precheckSnapshot spares a refused snapshot its upload. A repeated one is taken
// in again: it is rare, and needs no code of its own that way.
func (s *Store) precheckSnapshot(snap store.Snapshot) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	e, err := readHead(txn, snap.Room)
	if err != nil {
		return err
	}
	_, _, _, err = e.Snapshot(snap)
	return err
}
