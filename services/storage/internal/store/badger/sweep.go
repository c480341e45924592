package badger

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// garbage is what one sweep entry stands for: the chunks of blob, or, if it has
// no kind, the records of room above from and up to to.
type garbage struct {
	blob     blob
	room     string
	from, to store.Seq
}

// sweepKey returns the key of g's sweep entry.
func (g garbage) sweepKey() []byte {
	if g.blob.kind != 0 {
		return appendBlobSweepKey(nil, g.blob)
	}
	return appendTrimSweepKey(nil, g.room, g.to)
}

// maxSweepQueue bounds the garbage that waits in memory. What overflows has its
// sweep entry on disk and is found by the next Open.
const maxSweepQueue = 64 << 10

// maxSweepKeys is how many keys one sweep op deletes: few, since it rides in the
// transactions of appends that people wait for.
const maxSweepKeys = 256

// sweepPause is how long the sweeper waits when the disk is full even for it.
const sweepPause = 10 * time.Second

// sweeper is the queue of garbage.
type sweeper struct {
	wake  chan struct{} // buffered: one token says that queue isn't empty
	mu    sync.Mutex    // guards queue
	queue []garbage
}

func newSweeper() sweeper { return sweeper{wake: make(chan struct{}, 1)} }

func (w *sweeper) push(gs ...garbage) {
	if len(gs) == 0 {
		return
	}
	w.mu.Lock()
	if room := maxSweepQueue - len(w.queue); len(gs) > room {
		gs = gs[:room]
	}
	w.queue = append(w.queue, gs...)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *sweeper) take() []garbage {
	w.mu.Lock()
	defer w.mu.Unlock()
	gs := w.queue
	w.queue = nil
	return gs
}

// sweepLoop is the sweeper's goroutine: first what old shows, then what comes.
func (s *Store) sweepLoop(old *badger.Txn) {
	run := &sweepRun{s: s}
	err := s.sweepOld(run, old)
	old.Discard()
	for err == nil {
		if err = run.flush(); err != nil {
			break
		}
		select {
		case <-s.closing:
			return
		case <-s.sweeper.wake:
		}
		for _, g := range s.sweeper.take() {
			if err = s.sweep(run, g); err != nil {
				break
			}
		}
	}
	if store.KindOf(err) != store.Closed {
		s.log.Warn("the sweeper has ended: garbage stays until the next start", "err", err)
	}
}

// sweepOld sweeps what the sweep entries in old say.
func (s *Store) sweepOld(run *sweepRun, old *badger.Txn) error {
	it := old.NewIterator(badger.IteratorOptions{Prefix: []byte{kindSweep}})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		value, err := it.Item().ValueCopy(nil)
		if err != nil {
			return err
		}
		g, err := parseSweep(it.Item().Key(), value)
		if err != nil {
			s.log.Warn("a sweep entry is damaged: its garbage stays", "key", it.Item().KeyCopy(nil), "err", err)
			continue
		}
		if inUse(old, g) {
			s.log.Error("a sweep entry names what is in use: the directory was damaged once; nothing is deleted", "key", it.Item().KeyCopy(nil))
			if err := run.remove(it.Item().KeyCopy(nil)); err != nil {
				return err
			}
			continue
		}
		if err := s.sweep(run, g); err != nil {
			return err
		}
	}
	return nil
}

// inUse reports whether a head points at what g stands for. No transaction leaves it
// so; a directory that was damaged, and whose loss was accepted, can have the entry
// and not its removal. A head that can't be read points at nothing.
func inUse(txn *badger.Txn, g garbage) bool {
	room := g.room
	if g.blob.kind != 0 {
		room = g.blob.room
	}
	e, err := readHead(txn, room)
	switch {
	case err != nil:
		return false
	case g.blob.kind == 0:
		return g.to > e.Base
	case g.blob.kind == kindSnapshotChunk:
		return e.SnapshotSeq == g.blob.seq && e.snapshotID == g.blob.id
	case g.blob.seq <= e.Base || g.blob.seq > e.Last:
		return false
	}
	r, err := readRecord(txn, e, room, g.blob.seq)
	return err == nil && r.large && r.id == g.blob.id
}

// sweep deletes all keys of g, then its sweep entry.
func (s *Store) sweep(run *sweepRun, g garbage) error {
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	if g.blob.kind != 0 {
		if err := run.removeRange(txn, appendBlobPrefix(nil, g.blob), nil, nil); err != nil {
			return err
		}
		return run.remove(g.sweepKey())
	}
	for _, kind := range []byte{kindRecord, kindRecordChunk} {
		prefix := appendRangePrefix(nil, kind, g.room)
		first := binary.BigEndian.AppendUint64(bytes.Clone(prefix), uint64(g.from)+1)
		last := binary.BigEndian.AppendUint64(bytes.Clone(prefix), uint64(g.to))
		if err := run.removeRange(txn, prefix, first, last); err != nil {
			return err
		}
	}
	return run.remove(g.sweepKey())
}

// sweepRun gathers keys to delete into ops for the committer.
type sweepRun struct {
	s    *Store
	keys [][]byte
}

// removeRange removes the keys that begin with prefix, from first (if not nil) to
// those that begin with last (if not nil).
func (r *sweepRun) removeRange(txn *badger.Txn, prefix, first, last []byte) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	if first == nil {
		it.Rewind()
	} else {
		it.Seek(first)
	}
	for ; it.Valid(); it.Next() {
		key := it.Item().Key()
		if last != nil && bytes.Compare(key[:len(last)], last) > 0 {
			return nil
		}
		if err := r.remove(bytes.Clone(key)); err != nil {
			return err
		}
	}
	return nil
}

func (r *sweepRun) remove(key []byte) error {
	r.keys = append(r.keys, key)
	if len(r.keys) < maxSweepKeys {
		return nil
	}
	return r.flush()
}

// flush deletes the gathered keys: their order is kept, so that a sweep entry
// never goes before what it stands for.
func (r *sweepRun) flush() error {
	if len(r.keys) == 0 {
		return nil
	}
	for {
		o := &sweepOp{keys: r.keys}
		if err := r.s.submit(context.Background(), o); err != nil {
			return err
		}
		if store.KindOf(o.err) != store.NoSpace {
			r.keys = nil
			return o.err
		}
		select {
		case <-time.After(sweepPause):
		case <-r.s.closing:
			return errClosed()
		}
	}
}

// sweepOp deletes keys that no head points at.
type sweepOp struct {
	keys [][]byte
	err  error
}

func (o *sweepOp) size() (entries, bytes int) {
	for _, key := range o.keys {
		bytes += len(key) + 32
	}
	return len(o.keys), bytes
}

func (o *sweepOp) stage(b *batch) error {
	if err := b.space.lets(deleteShare, 0); err != nil {
		return err
	}
	for _, key := range o.keys {
		if err := b.remove(key); err != nil {
			return err
		}
	}
	return nil
}

func (o *sweepOp) settle(err error) { o.err = err }
