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

// spaceFor says whether free bytes are enough for a write of size bytes that
// goes on until MinFree/share.
func (s *Store) spaceFor(free uint64, share uint64, size uint64) error {
	if need := s.opt.MinFree/share + size; free < need {
		return store.Errorf(store.NoSpace, store.Head{}, "the disk of the storage service has %d MiB left and needs %d: free some, or give it a larger one", free>>20, need>>20)
	}
	return nil
}

// free returns the free bytes on the data directory's disk. An error counts as
// none: a file system that can't be asked is no place to write to.
func (s *Store) free() uint64 {
	free, err := s.opt.Free(s.opt.Dir)
	if err != nil {
		s.log.Error("free space on the data directory's disk is unknown: nothing is written", "dir", s.opt.Dir, "err", err)
		return 0
	}
	return free
}

// Space implements [store.Store].
func (s *Store) Space() error { return s.spaceFor(s.free(), 1, 0) }

// SpaceFor says whether size bytes may be written beside the database, as late as
// deletions may.
func (s *Store) SpaceFor(size uint64) error { return s.spaceFor(s.free(), deleteShare, size) }

// FreeBytes returns the free bytes on the data directory's disk, 0 if it can't be
// asked.
func (s *Store) FreeBytes() uint64 { return s.free() }
