package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Scrap implements [store.Store].
func (s *Store) Scrap(ctx context.Context, room string, seen store.Head) error {
	if err := store.CheckRoom(room); err != nil {
		return err
	}
	lost, err := s.findLost(room)
	if err != nil {
		return err
	}
	o := &scrapOp{deleteOp: deleteOp{room: room}, seen: seen, lost: lost}
	if err := s.submit(ctx, o); err != nil {
		return err
	}
	return o.err
}

// scrapOp empties a room, whatever state it is in.
type scrapOp struct {
	deleteOp
	seen store.Head
	lost lost
}

func (o *scrapOp) size() (entries, bytes int) {
	n := 3 + len(o.lost.blobs)
	return n, n * (len(o.room) + 64)
}

func (o *scrapOp) stage(b *batch) error {
	e, err := b.headOnDisk(o.room)
	if err == nil {
		if err := e.Unmoved(o.seen); err != nil {
			return err
		}
		return o.deleteOp.stage(b)
	}
	if err := isLost(err, o.seen); err != nil {
		return err
	}
	if err := b.space.lets(deleteShare, 0); err != nil {
		return err
	}
	if err := o.lost.sweep(b, o.room); err != nil {
		return err
	}
	next := o.lost.head()
	next.Deleted = true
	return b.setHead(o.room, entry{Head: next})
}

// isLost returns nil if err, of reading a head, is what whoever saw no head saw.
func isLost(err error, seen store.Head) error {
	if store.KindOf(err) == store.Corrupt && seen == (store.Head{}) {
		return nil
	}
	return err
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

// lostSeqs is how far the seq jumps past what is known of a log without a head:
// records of which nothing is left may have had higher ones.
const lostSeqs = 1 << 32

// head returns an empty one in place of the lost. Nobody knows which epochs were
// handed out; there were fewer than there have been milliseconds.
func (l lost) head() store.Head {
	last := l.last + lostSeqs
	return store.Head{Epoch: store.Epoch(time.Now().UnixMilli()), Last: last, Base: last}
}

// sweep adds the sweep entries for all there is of the room.
func (l lost) sweep(b *batch, room string) error {
	for _, old := range l.blobs {
		start := len(b.buf)
		b.buf = appendBlobSweepKey(b.buf, old)
		if err := b.set(b.since(start), nil); err != nil {
			return err
		}
		b.garbage = append(b.garbage, garbage{blob: old})
	}
	return b.sweepUnder(room, entry{}, l.last)
}
