package badger

import (
	"context"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Load implements [store.Store]: a read transaction sees the room as it is at one
// moment, and only what has been synced.
func (s *Store) Load(ctx context.Context, room string, epoch store.Epoch, to store.Sink) error {
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
	if err != nil {
		return err
	}
	if err := e.Read(epoch); err != nil {
		return err
	}
	if err := to.Head(e.Head); err != nil {
		return err
	}
	if err := loadSnapshot(ctx, txn, room, e, to); err != nil {
		return err
	}
	return loadRecords(ctx, txn, room, e, to)
}

func loadSnapshot(ctx context.Context, txn *badger.Txn, room string, e entry, to store.Sink) error {
	if e.SnapshotSeq == 0 {
		return nil
	}
	b := e.snapshot(room)
	sum := snapshotSum(b)
	err := readBlob(ctx, txn, e, b, e.SnapshotSize, func(chunk []byte) error {
		sum = addSum(sum, chunk)
		return to.SnapshotChunk(chunk)
	})
	if err != nil {
		return err
	}
	if sum != e.snapshotSum {
		return corrupt(e.Head, "the snapshot at seq %d has a wrong checksum", e.SnapshotSeq)
	}
	return nil
}

// loadRecords passes on the records above the head's base. They must be there
// without a hole, up to the head's last and no further.
func loadRecords(ctx context.Context, txn *badger.Txn, room string, e entry, to store.Sink) error {
	// Values are in the tables beside their keys: Badger's prefetching would only
	// add a goroutine for each.
	it := txn.NewIterator(badger.IteratorOptions{Prefix: appendRangePrefix(nil, kindRecord, room)})
	defer it.Close()
	next := e.Base + 1
	for it.Seek(appendRecordKey(nil, room, next)); it.Valid(); it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, seq, err := parseRecordKey(it.Item().Key())
		if err != nil || seq != next || seq > e.Last {
			return corrupt(e.Head, "record %d comes where %d was expected, of %d to %d", seq, next, e.Base+1, e.Last)
		}
		if err := loadRecord(ctx, txn, it.Item(), room, e, seq, to); err != nil {
			return err
		}
		next++
	}
	if next != e.Last+1 {
		return corrupt(e.Head, "the log ends before record %d, the head says %d", next, e.Last)
	}
	return nil
}

func loadRecord(ctx context.Context, txn *badger.Txn, item *badger.Item, room string, e entry, seq store.Seq, to store.Sink) error {
	var stop error // the sink's
	err := item.Value(func(value []byte) error {
		r, err := parseRecord(value)
		if err != nil {
			return err
		}
		data := r.data
		if r.large {
			b := blob{kind: kindRecordChunk, room: room, seq: seq, id: r.id}
			if err := readBlob(ctx, txn, e, b, r.size, func(chunk []byte) error {
				data = append(data, chunk...)
				return nil
			}); err != nil {
				return err
			}
		}
		if addSum(recordSum(item.Key(), value), data) != r.sum || r.epoch > e.Epoch {
			return errDamaged
		}
		stop = to.Record(store.Record{Seq: seq, Data: data})
		return nil
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case store.KindOf(err) == store.Corrupt:
		return err
	case err != nil:
		return corrupt(e.Head, "record %d: %w", seq, err)
	}
	return stop
}
