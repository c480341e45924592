package badger

import (
	"errors"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// readHead returns room's head, the zero entry if it has none.
func readHead(txn *badger.Txn, room string) (entry, error) {
	var key [1 + store.MaxRoomLen]byte
	item, err := txn.Get(appendHeadKey(key[:0], room))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return entry{}, checkNever(txn, room)
	}
	if err != nil {
		return entry{}, corrupt(store.Head{}, "the head cannot be read: %w", err)
	}
	var e entry
	err = item.Value(func(value []byte) (err error) {
		e, err = parseHead(item.Key(), value)
		return err
	})
	if err != nil {
		return entry{}, corrupt(store.Head{}, "%w", err)
	}
	return e, nil
}

// checkNever makes sure that a room without a head has never had one. Badger
// calls a key missing whose block it can't read, and an empty document in place
// of a damaged one would be the end of it.
func checkNever(txn *badger.Txn, room string) error {
	for _, kind := range []byte{kindRecord, kindSnapshotChunk} {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: appendRangePrefix(nil, kind, room)})
		it.Rewind()
		found := it.Valid()
		it.Close()
		if found {
			return corrupt(store.Head{}, "there are bytes of the room but no head")
		}
	}
	return nil
}

func corrupt(head store.Head, format string, args ...any) error {
	const prefix = "the room's bytes on disk are damaged, and nothing of them may be used: "
	return store.Errorf(store.Corrupt, head, prefix+format, args...)
}
