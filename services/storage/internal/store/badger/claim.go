package badger

import (
	"context"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// claimOp raises a room's epoch.
type claimOp struct {
	room string
	head store.Head // the answer
	err  error
}

func (o *claimOp) size() (entries, bytes int) { return 1, 2*len(o.room) + 64 }

func (o *claimOp) stage(b *batch) error {
	e, err := b.head(o.room)
	if err != nil {
		return err
	}
	if err := b.space.lets(deleteShare, 0); err != nil {
		return err
	}
	e.Head = e.Claim()
	o.head = e.Head
	return b.setHead(o.room, e)
}

func (o *claimOp) settle(err error) { o.err = err }

// Claim implements [store.Store].
func (s *Store) Claim(ctx context.Context, room string) (store.Head, error) {
	if err := store.CheckRoom(room); err != nil {
		return store.Head{}, err
	}
	o := &claimOp{room: room}
	if err := s.submit(ctx, o); err != nil {
		return store.Head{}, err
	}
	return o.head, o.err
}
