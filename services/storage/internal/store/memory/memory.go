// Package memory keeps rooms in memory: for tests, and for servers whose rooms
// may end with the process. It keeps every rule of a store but that of the disk.
//
// There are no goroutines; one mutex guards everything and is never held while
// a sink or a body is called.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Store is a [store.Store] in memory. Make one with New.
type Store struct {
	limits store.Limits

	mu     sync.Mutex // guards what follows
	rooms  map[string]*room
	closed bool
}

// room is one room's state. Record data and snapshots are never changed once
// they are in it, so a Load may read them without the mutex.
type room struct {
	head     store.Head
	records  []record // seqs head.Base+1 … head.Last
	snapshot []byte
}

type record struct {
	epoch store.Epoch
	data  []byte
}

// New returns an empty store.
func New(limits store.Limits) *Store {
	return &Store{limits: limits, rooms: make(map[string]*room)}
}

// Claim implements [store.Store].
func (s *Store) Claim(ctx context.Context, name string) (store.Head, error) {
	if err := store.CheckRoom(name); err != nil {
		return store.Head{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return store.Head{}, err
	}
	defer unlock()
	r := s.roomLocked(name)
	r.head = r.head.Claim()
	return r.head, nil
}

// roomLocked returns the room, which it makes if there is none.
func (s *Store) roomLocked(name string) *room {
	r := s.rooms[name]
	if r == nil {
		r = &room{}
		s.rooms[strings.Clone(name)] = r
	}
	return r
}

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, items []store.Item) []store.Result {
	results := make([]store.Result, len(items))
	unlock, err := s.lock(ctx)
	if err != nil {
		for i := range results {
			results[i].Err = err
		}
		return results
	}
	defer unlock()
	repeats := store.MarkRepeats(items)
	for i, item := range items {
		if repeats[i] {
			results[i].Err = store.ErrRepeat()
			continue
		}
		results[i].Head, results[i].Err = s.appendLocked(item)
	}
	return results
}

func (s *Store) appendLocked(item store.Item) (store.Head, error) {
	if err := s.limits.CheckItem(item); err != nil {
		return store.Head{}, err
	}
	r := s.rooms[item.Room]
	if r == nil {
		_, _, err := store.Head{}.Append(item.Epoch, item.Seq)
		return store.Head{}, err
	}
	next, again, err := r.head.Append(item.Epoch, item.Seq)
	switch {
	case err != nil:
		return r.head, err
	case again:
		old := r.records[item.Seq-r.head.Base-1]
		if old.epoch != item.Epoch || !bytes.Equal(old.data, item.Data) {
			return r.head, r.head.Taken(item.Seq)
		}
		return r.head, nil
	}
	r.records = append(r.records, record{epoch: item.Epoch, data: bytes.Clone(item.Data)})
	r.head = next
	return r.head, nil
}

// Load implements [store.Store].
func (s *Store) Load(ctx context.Context, name string, epoch store.Epoch, to store.Sink) error {
	if err := store.CheckRoom(name); err != nil {
		return err
	}
	r, err := s.view(ctx, name)
	if err != nil {
		return err
	}
	if err := r.head.Read(epoch); err != nil {
		return err
	}
	if err := to.Head(r.head); err != nil {
		return err
	}
	if len(r.snapshot) > 0 {
		if err := to.SnapshotChunk(r.snapshot); err != nil {
			return err
		}
	}
	for i, rec := range r.records {
		if err := ctx.Err(); err != nil {
			return err
		}
		seq := r.head.Base + 1 + store.Seq(i)
		if err := to.Record(store.Record{Seq: seq, Data: rec.data}); err != nil {
			return err
		}
	}
	return nil
}

// view returns the room as it is now; an append to its records afterwards goes
// past the end of the slice that is returned, or to a new array.
func (s *Store) view(ctx context.Context, name string) (room, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return room{}, err
	}
	defer unlock()
	if r := s.rooms[name]; r != nil {
		return *r, nil
	}
	return room{}, nil
}

// PutSnapshot implements [store.Store].
func (s *Store) PutSnapshot(ctx context.Context, snap store.Snapshot, body io.Reader) (uint64, error) {
	if err := s.limits.CheckSnapshot(snap); err != nil {
		return 0, err
	}
	before, err := s.view(ctx, snap.Room)
	if err != nil {
		return 0, err
	}
	if _, _, _, err := before.head.Snapshot(snap); err != nil {
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
	r := s.rooms[snap.Room] // it has a head with an epoch, so it is there for good
	next, trimmed, again, err := r.head.Snapshot(snap)
	switch {
	case err != nil:
		return 0, err
	case again && !bytes.Equal(r.snapshot, data):
		return 0, r.head.OtherSnapshot(snap.Seq)
	case again:
		return 0, nil
	}
	r.records = slices.Clone(r.records[trimmed:]) // lets the trimmed ones go
	r.snapshot = data
	r.head = next
	return trimmed, nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, name string, epoch store.Epoch) (bool, error) {
	if err := store.CheckRoom(name); err != nil {
		return false, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return false, err
	}
	defer unlock()
	r := s.rooms[name]
	if r == nil {
		_, _, err := store.Head{}.Delete(epoch)
		return false, err
	}
	next, existed, err := r.head.Delete(epoch)
	if err == nil && existed {
		*r = room{head: next}
	}
	return existed, err
}

// Check implements [store.Store].
func (s *Store) Check(ctx context.Context, holdings []store.Holding) []error {
	lost := make([]error, len(holdings))
	unlock, err := s.lock(ctx)
	if err != nil {
		for i := range lost {
			lost[i] = err
		}
		return lost
	}
	defer unlock()
	for i, held := range holdings {
		var head store.Head
		if r := s.rooms[held.Room]; r != nil {
			head = r.head
		}
		lost[i] = head.Owner(held.Epoch)
	}
	return lost
}

// Space implements [store.Store]: memory has no guard.
func (s *Store) Space() error { return nil }

// List implements [store.Store]. It sorts all names for each page: fine for what
// fits in memory, and keeps the hot path free of a second index.
func (s *Store) List(ctx context.Context, page store.Page) ([]store.Info, bool, error) {
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	var rooms []store.Info
	for name, r := range s.rooms {
		if r.head.Holds() && strings.HasPrefix(name, page.Prefix) && name > page.After {
			rooms = append(rooms, store.Info{Room: name, Head: r.head})
		}
	}
	slices.SortFunc(rooms, func(a, b store.Info) int { return cmp.Compare(a.Room, b.Room) })
	if len(rooms) > page.Limit {
		return rooms[:page.Limit:page.Limit], true, nil
	}
	return rooms, false, nil
}

// Err implements [store.Store]: memory does not fail.
func (s *Store) Err() error { return nil }

// Failed implements [store.Store].
func (s *Store) Failed() <-chan struct{} { return nil }

// Close implements [store.Store]: all rooms are gone.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.rooms = nil
	return nil
}

// lock takes the mutex if ctx still stands and the store is open.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, store.Errorf(store.Closed, store.Head{}, "the store is closed: try again later")
	}
	return s.mu.Unlock, nil
}
