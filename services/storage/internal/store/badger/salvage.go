package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Salvage implements [store.Store]. A snapshot is passed on only if its checksum
// is right, which takes the head; records have their own.
func (s *Store) Salvage(ctx context.Context, room string, to store.Sink) error {
	if err := store.CheckRoom(room); err != nil {
		return err
	}
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	e, err := readHead(txn, room)
	head := e.Head
	switch {
	case err == nil:
	case store.KindOf(err) != store.Corrupt:
		return err
	default:
		head, e = store.Head{}, entry{Head: store.Head{Epoch: maxEpoch}}
	}
	if err := to.Head(head); err != nil {
		return err
	}
	// Twice: what has gone to the sink can't be taken back.
	err = loadSnapshot(ctx, txn, room, e, discardSink{})
	switch {
	case err == nil:
		if err := loadSnapshot(ctx, txn, room, e, to); err != nil {
			return err
		}
	case store.KindOf(err) != store.Corrupt:
		return err // it may be whole: nobody may take the rest for all there is
	}
	return salvageRecords(ctx, txn, room, e, to)
}

// maxEpoch is for records whose head is gone: any epoch will do.
const maxEpoch = ^store.Epoch(0)

func salvageRecords(ctx context.Context, txn *badger.Txn, room string, e entry, to store.Sink) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: appendRangePrefix(nil, kindRecord, room)})
	defer it.Close()
	for it.Seek(appendRecordKey(nil, room, e.Base+1)); it.Valid(); it.Next() {
		_, seq, err := parseRecordKey(it.Item().Key())
		if err != nil {
			continue
		}
		err = loadRecord(ctx, txn, it.Item(), room, e, seq, to)
		if err != nil && store.KindOf(err) != store.Corrupt {
			return err
		}
	}
	return nil
}

// discardSink is a store.Sink that keeps nothing.
type discardSink struct{}

func (discardSink) Head(store.Head) error      { return nil }
func (discardSink) SnapshotChunk([]byte) error { return nil }
func (discardSink) Record(store.Record) error  { return nil }

// Scrap implements [store.Store].
func (s *Store) Scrap(ctx context.Context, room string) error {
	if err := store.CheckRoom(room); err != nil {
		return err
	}
	lost, err := s.findLost(room)
	if err != nil {
		return err
	}
	o := &scrapOp{deleteOp: deleteOp{room: room}, lost: lost}
	if err := s.submit(ctx, o); err != nil {
		return err
	}
	return o.err
}

// lost is what there is of a room whose head can't be read. Nothing is written to
// such a room, so it stays true until the committer uses it.
type lost struct {
	blobs []blob // of snapshots
	last  store.Seq
}

// maxLostBlobs bounds what one transaction sweeps: a room has one snapshot, and
// more only if a crash left them.
const maxLostBlobs = 64

func (s *Store) findLost(room string) (l lost, err error) {
	leave, err := s.enter()
	if err != nil {
		return l, err
	}
	defer leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	for _, kind := range []byte{kindRecord, kindRecordChunk, kindSnapshotChunk} {
		prefix := appendRangePrefix(nil, kind, room)
		it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
		for it.Rewind(); it.Valid(); it.Next() {
			key := it.Item().Key()
			if len(key) < len(prefix)+8 {
				continue
			}
			l.last = max(l.last, store.Seq(binary.BigEndian.Uint64(key[len(prefix):])))
			b, _, err := parseChunkKey(bytes.Clone(key))
			if err != nil || kind != kindSnapshotChunk || len(l.blobs) == maxLostBlobs {
				continue
			}
			if n := len(l.blobs); n == 0 || l.blobs[n-1] != b {
				l.blobs = append(l.blobs, b)
			}
		}
		it.Close()
	}
	return l, nil
}

// scrapOp empties a room, whatever state it is in.
type scrapOp struct {
	deleteOp
	lost lost
}

func (o *scrapOp) size() (entries, bytes int) {
	n := 3 + len(o.lost.blobs)
	return n, n * (len(o.room) + 64)
}

// lostSeqs is how far the seq jumps past what is known of a log without a head:
// records of which nothing is left may have had higher ones.
const lostSeqs = 1 << 32

func (o *scrapOp) stage(b *batch) error {
	err := o.deleteOp.stage(b)
	if store.KindOf(err) != store.Corrupt {
		return err
	}
	if err := b.space.lets(deleteShare, 0); err != nil {
		return err
	}
	for _, old := range o.lost.blobs {
		start := len(b.buf)
		b.buf = appendBlobSweepKey(b.buf, old)
		if err := b.set(b.since(start), nil); err != nil {
			return err
		}
		b.garbage = append(b.garbage, garbage{blob: old})
	}
	if err := b.sweepUnder(o.room, entry{}, o.lost.last); err != nil {
		return err
	}
	// Nobody knows which epochs were handed out; there were fewer than there have
	// been milliseconds.
	last := o.lost.last + lostSeqs
	return b.setHead(o.room, entry{Head: store.Head{
		Epoch: store.Epoch(time.Now().UnixMilli()), Last: last, Base: last, Deleted: true,
	}})
}
