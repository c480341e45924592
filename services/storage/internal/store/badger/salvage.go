package badger

import (
	"context"

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
