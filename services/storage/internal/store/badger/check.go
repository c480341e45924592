package badger

import (
	"context"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Check implements [store.Store]. It reads what is on disk, and so says nothing of
// a claim whose transaction is not synced yet: its caller doesn't know either.
func (s *Store) Check(ctx context.Context, holdings []store.Holding) []error {
	lost := make([]error, len(holdings))
	leave, err := s.enter()
	if err != nil {
		for i := range lost {
			lost[i] = err
		}
		return lost
	}
	defer leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	for i, held := range holdings {
		if lost[i] = ctx.Err(); lost[i] != nil {
			continue
		}
		if lost[i] = store.CheckRoom(held.Room); lost[i] != nil {
			continue
		}
		e, err := readHead(txn, held.Room)
		if err == nil {
			err = e.Owner(held.Epoch)
		}
		lost[i] = err
	}
	return lost
}
