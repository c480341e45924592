package badger

import (
	"context"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// List implements [store.Store].
func (s *Store) List(ctx context.Context, page store.Page) (rooms []store.Info, more bool, err error) {
	leave, err := s.enter()
	if err != nil {
		return nil, false, err
	}
	defer leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	it := txn.NewIterator(badger.IteratorOptions{Prefix: appendHeadKey(nil, page.Prefix)})
	defer it.Close()
	for it.Seek(appendHeadKey(nil, max(page.Prefix, page.After))); it.Valid(); it.Next() {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		info, ok := s.readInfo(it.Item(), page.After)
		if !ok {
			continue
		}
		if len(rooms) == page.Limit {
			return rooms, true, nil
		}
		rooms = append(rooms, info)
	}
	return rooms, false, nil
}

// readInfo reads a head for a listing. A damaged one is listed with epoch 0: one
// room's damage must not hide the others, nor be hidden by them.
func (s *Store) readInfo(item *badger.Item, after string) (info store.Info, ok bool) {
	room, err := parseHeadKey(item.Key())
	if err != nil {
		s.log.Warn("a head entry has a damaged key", "key", item.KeyCopy(nil))
		return store.Info{}, false
	}
	if room <= after {
		return store.Info{}, false
	}
	var e entry
	err = item.Value(func(value []byte) (err error) {
		e, err = parseHead(item.Key(), value)
		return err
	})
	if err != nil {
		s.log.Warn("a room's head entry is damaged", "room", room, "err", err)
		return store.Info{Room: room}, true
	}
	return store.Info{Room: room, Head: e.Head}, e.Holds()
}
