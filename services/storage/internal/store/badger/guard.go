package badger

import (
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Badger writes to files that are mapped into memory and longer than what they
// hold. When the disk is full such a write is a SIGBUS that no Go code can
// recover from, and the next Open dies in the same way. So nothing may be written
// once the disk is nearly full. What helps the operator goes on longest:
//
//	free ≥ MinFree       everything
//	free ≥ MinFree / 2   no more records; snapshots, which trim logs
//	free ≥ MinFree / 8   claims (to read rooms), deletions, sweeps
//	below                nothing
//
// The steps are wide because Badger flushes and compacts whenever it likes: up
// to its memtables and the tables of one compaction, some 100 MiB, come without
// being asked for.
const (
	snapshotShare = 2
	deleteShare   = 8
)

// space is what was free when it was measured.
type space struct {
	min  uint64 // Options.MinFree
	free uint64
	err  error // free isn't known
}

// space measures what is free on the data directory's disk.
func (s *Store) space() space {
	free, err := s.opt.Free(s.opt.Dir)
	if err != nil {
		s.log.Error("free space on the data directory's disk is unknown: nothing is written", "dir", s.opt.Dir, "err", err)
		err = store.Errorf(store.NoSpace, store.Head{}, "nothing is written, since it is unknown how much space is left: give the storage service its data directory and its disk back, and start it again: %w", err)
	}
	return space{s.opt.MinFree, free, err}
}

// lets says whether there is enough for a write of size bytes that goes on until
// MinFree/share. What is unknown isn't enough: a file system that can't be asked is no
// place to write to.
func (at space) lets(share, size uint64) error {
	if at.err != nil {
		return at.err
	}
	if need := at.min/share + size; at.free < need {
		return store.Errorf(store.NoSpace, store.Head{}, "the disk of the storage service has %d MiB left and needs %d: free some, or give it a larger one", at.free>>20, need>>20)
	}
	return nil
}

// Space implements [store.Store].
func (s *Store) Space() error { return s.space().lets(1, 0) }

// SpaceFor says whether size bytes may be written beside the database, as late as
// deletions may.
func (s *Store) SpaceFor(size uint64) error { return s.space().lets(deleteShare, size) }

// FreeBytes returns the free bytes on the data directory's disk, 0 if it can't be
// asked.
func (s *Store) FreeBytes() uint64 { return s.space().free }
