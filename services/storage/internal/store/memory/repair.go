package memory

import (
	"context"
	"io"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Salvage implements [store.Store]: nothing is ever damaged.
func (s *Store) Salvage(ctx context.Context, name string, to store.Sink) error {
	return s.Load(ctx, name, 0, to)
}

// Scrap implements [store.Store].
func (s *Store) Scrap(ctx context.Context, name string, seen store.Head) error {
	if err := store.CheckRoom(name); err != nil {
		return err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	r := s.roomLocked(name)
	if err := r.head.Unmoved(seen); err != nil {
		return err
	}
	next, existed, err := r.head.Delete(0)
	if err == nil && existed {
		*r = room{head: next}
	}
	return err
}

// Rebuild implements [store.Store].
func (s *Store) Rebuild(ctx context.Context, rebuilt store.Rebuilt, body io.Reader) (store.Seq, error) {
	snap := store.Snapshot{Room: rebuilt.Room, Size: rebuilt.Size}
	if err := s.limits.CheckSnapshot(snap); err != nil {
		return 0, err
	}
	data, err := store.ReadSnapshot(snap, body)
	if err != nil {
		return 0, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer unlock()
	r := s.roomLocked(rebuilt.Room)
	if err := r.head.Unmoved(rebuilt.Seen); err != nil {
		return 0, err
	}
	*r = room{head: r.head.Rebuild(rebuilt.Size), snapshot: data}
	return r.head.Last, nil
}
