package badger

import (
	"context"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// deleteOp empties a room.
type deleteOp struct {
	room    string
	epoch   store.Epoch
	existed bool // the answer
	err     error
}

func (o *deleteOp) size() (entries, bytes int) { return 3, 3 * (len(o.room) + 64) }

func (o *deleteOp) stage(b *batch) error {
	e, err := b.head(o.room)
	if err != nil {
		return err
	}
	next, existed, err := e.Delete(o.epoch)
	if err != nil || !existed {
		return err
	}
	if err := b.space.lets(deleteShare, 0); err != nil {
		return err
	}
	if err := b.sweepUnder(o.room, e, e.Last); err != nil {
		return err
	}
	o.existed = true
	return b.setHead(o.room, entry{Head: next})
}

func (o *deleteOp) settle(err error) { o.err = err }

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, room string, epoch store.Epoch) (bool, error) {
	if err := store.CheckRoom(room); err != nil {
		return false, err
	}
	o := &deleteOp{room: room, epoch: epoch}
	if err := s.submit(ctx, o); err != nil {
		return false, err
	}
	return o.existed, o.err
}
