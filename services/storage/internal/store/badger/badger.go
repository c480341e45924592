package badger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Options says how to open a [Store]. Dir and Limits are required.
type Options struct {
	// Dir is the data directory: made if it isn't there, used by one process.
	Dir    string
	Limits store.Limits
	// MinFree is the free space in bytes below which appends are refused;
	// snapshots go on to a half of it and everything else to an eighth.
	MinFree uint64
	// Free returns the bytes that are free for this process on dir's file system;
	// nil asks the operating system.
	Free func(dir string) (uint64, error)
	// AcceptLoss opens a directory that is damaged by more than single bits, with
	// what can be read of it, after copies of the damaged files were set aside.
	// Owners that live must be started again too, since epochs may be handed out
	// twice.
	AcceptLoss bool
	// CloseTime is how long Close waits; 0 is 10 s.
	CloseTime time.Duration
	// Log gets Badger's own words too: its warnings and errors as they are, its
	// chatter at debug. nil discards them.
	Log *slog.Logger
	// Committed is called after every transaction of the committer, by it; nil is
	// allowed.
	Committed func(Commit)

	tune func(*badger.Options) // tests make tables small
}

// Commit describes one transaction of the committer.
type Commit struct {
	// Ops is the number of claims, records, snapshots, deletions and sweeps that
	// it carried out; Records is how many records are among them, those that were
	// there already included, and RecordBytes what they hold.
	Ops, Records, RecordBytes int
	// Bytes is what was written, keys and values, before Badger's own overhead.
	Bytes int
	// Took is the time from Commit until the sync was done.
	Took time.Duration
	Err  error
}

// Store is a [store.Store] in a Badger directory. Make one with Open.
type Store struct {
	// Immutable after Open.
	db     *badger.DB
	lock   *dirLock
	synced *syncedFile
	opt    Options
	log    *slog.Logger
	commit func(*badger.Txn) error // (*badger.Txn).Commit; tests make it fail

	calls   chan *call    // to the committer
	closing chan struct{} // closed when Close begins
	ended   chan struct{} // closed when the committer has ended
	uploads chan struct{} // one token per upload under way
	chunks  atomic.Int64  // transactions of uploads whose outcome isn't known yet
	sweeper sweeper
	ballast *ballast
	workers sync.WaitGroup // committer, sweeper and watcher
	failed  atomic.Pointer[error]
	failure chan struct{} // closed when failed is set

	gate      sync.RWMutex // held for reading by whoever uses db outside of workers
	closed    bool         // guarded by gate
	closeOnce sync.Once
	closeErr  error
}

const (
	// callBacklog is how many calls wait for the committer before the next ones
	// wait in their own goroutines.
	callBacklog = 256
	// maxUploads bounds the buffers of uploads: each has one of uploadBuffer.
	maxUploads = 8
)

// Open opens the directory, making it if need be, and starts the workers.
func Open(ctx context.Context, opt Options) (_ *Store, err error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Free == nil {
		opt.Free = freeBytes
	}
	if opt.CloseTime == 0 {
		opt.CloseTime = 10 * time.Second
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	warnOfFaults(opt.Log)
	lock, err := lockDir(opt.Dir)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, lock.release())
		}
	}()
	ballast := newBallast(opt)
	if err := ballast.prepare(opt); err != nil {
		return nil, err
	}
	before, err := prepareDir(ctx, opt)
	if err != nil {
		return nil, err
	}
	db, err := badger.Open(badgerOptions(opt))
	if err != nil {
		return nil, fmt.Errorf("data directory %q cannot be opened: %w", opt.Dir, err)
	}
	now, err := checkFormat(db, before)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %q: %w", opt.Dir, err), closeInTime(db, opt))
	}
	s := &Store{
		db:      db,
		synced:  openSynced(opt, now),
		lock:    lock,
		opt:     opt,
		log:     opt.Log,
		commit:  (*badger.Txn).Commit,
		calls:   make(chan *call, callBacklog),
		closing: make(chan struct{}),
		ended:   make(chan struct{}),
		uploads: make(chan struct{}, maxUploads),
		sweeper: newSweeper(),
		ballast: ballast,
		failure: make(chan struct{}),
	}
	// What an earlier process left is read as it is now, before any new upload
	// writes a sweep entry that looks just the same.
	old := db.NewTransaction(false)
	s.workers.Go(s.commitLoop)
	s.workers.Go(func() { s.sweepLoop(old) })
	s.workers.Go(s.watchLoop)
	return s, nil
}

// prepareDir reads all that Badger is about to read, and mends what can be mended,
// so that Badger finds nothing that would make it panic, or forget. It returns what
// the file SYNCED says.
func prepareDir(ctx context.Context, opt Options) (synced, error) {
	before, err := readSynced(opt)
	if err != nil {
		return before, err
	}
	if err := mendFiles(opt, before.upto); err != nil {
		return before, err
	}
	if err := refuseDamage(ctx, opt, before); err != nil {
		return before, err
	}
	if err := replaceUnused(opt); err != nil {
		return before, err
	}
	if err := removeEmpty(opt.Dir); err != nil {
		return before, err
	}
	return before, syncLogs(opt.Dir)
}

// badgerOptions are chosen for many small synced transactions and little memory:
// at most NumMemtables × 10 MiB of heap for memtables, no caches (the tables are
// mapped: the page cache holds them), and no values in the value log. Memtables
// decide about the rest too: under load Badger keeps up to eight buffers of about
// twice their size for the tables that it builds, and lets go of them when idle.
func badgerOptions(opt Options) badger.Options {
	o := badger.DefaultOptions(opt.Dir)
	o.SyncWrites = !noSync
	o.DetectConflicts = false // the committer is the only one that moves heads
	o.MemTableSize = 8 << 20  // a transaction may have 15 % of it: see maxBatchBytes
	o.NumMemtables = 3
	o.NumCompactors = 2
	o.ValueLogFileSize = 1 << 20 // the smallest allowed: unused, and synced with each commit
	o.Compression = options.None // needs the block cache, and updates compress badly in 4 KiB blocks
	o.BlockCacheSize = 0
	o.IndexCacheSize = 0
	// Without it Badger reads flipped bits as if nothing were. checkTables has
	// read all tables once at Open.
	o.ChecksumVerificationMode = options.OnBlockRead
	o.MetricsEnabled = false
	o.BypassLockGuard = true // dirLock holds the same lock, from before the log scan on
	o.Logger = badgerLog{opt.Log}
	if opt.tune != nil {
		opt.tune(&o)
	}
	return o
}

// checkFormat reads the directory's format entry, and writes it in a new one. It
// writes it again where SYNCED doesn't say the newest transaction: then an older build
// may have made those above what it says, or a kill came before it was written. So now
// begins with a transaction that leaves a mark; before is what SYNCED said.
func checkFormat(db *badger.DB, before synced) (now synced, err error) {
	now.since = lastTransaction(db)
	marked := before.upto > 0 && before.upto == now.since
	if marked {
		now.since = before.since
	}
	err = db.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(formatKey())
		if errors.Is(err, badger.ErrKeyNotFound) {
			if !emptyDB(txn) {
				return errors.New("it is a Badger directory without Fjord's format entry: give a new directory, or the one that Fjord wrote")
			}
			return markTransaction(txn)
		}
		if err != nil {
			return fmt.Errorf("its format entry cannot be read: %w", err)
		}
		if err := item.Value(checkVersion); err != nil || marked {
			return err
		}
		return markTransaction(txn)
	})
	now.upto = lastTransaction(db)
	return now, err
}

// closeInTime closes a database that couldn't be used: see [Store.Close] for why it may
// take for ever, where the disk has failed.
func closeInTime(db *badger.DB, opt Options) error {
	ended := make(chan error, 1)
	go func() { ended <- db.Close() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(opt.CloseTime):
		return fmt.Errorf("nor has the database closed within %v", opt.CloseTime)
	}
}

func checkVersion(value []byte) error {
	version, err := parseFormat(value)
	switch {
	case err != nil:
		return errors.New("its format entry is not Fjord's: give a new directory, or the one that Fjord wrote")
	case version != formatVersion:
		return fmt.Errorf("it has format %d, and this build reads format %d: use the build that wrote it, or a newer one", version, formatVersion)
	}
	return nil
}

// lastTransaction returns the timestamp of the newest transaction that is done with,
// and waits for those that aren't.
func lastTransaction(db *badger.DB) uint64 {
	txn := db.NewTransaction(false)
	defer txn.Discard()
	return txn.ReadTs()
}

func emptyDB(txn *badger.Txn) bool {
	it := txn.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	it.Rewind()
	return !it.Valid()
}

// Err implements [store.Store]: it returns the commit error that ended it.
func (s *Store) Err() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// Failed implements [store.Store].
func (s *Store) Failed() <-chan struct{} { return s.failure }

// fail ends the store: see doc.go, Durability.
func (s *Store) fail(err error) error {
	wrapped := store.Errorf(store.Unknown, store.Head{}, "a commit failed, and nothing is certain until the storage service is started again: %w", err)
	var first error = wrapped
	if s.failed.CompareAndSwap(nil, &first) {
		close(s.failure)
		s.log.Error("commit failed: every call is refused from now on; start the storage service again", "err", err)
	}
	return wrapped
}

// enter lets the caller use db until it calls leave.
func (s *Store) enter() (leave func(), err error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	select {
	case <-s.closing: // or RLock would wait for Close, and with it for slow Loads
		return nil, errClosed()
	default:
	}
	s.gate.RLock()
	if s.closed {
		s.gate.RUnlock()
		return nil, errClosed()
	}
	return s.gate.RUnlock, nil
}

func errClosed() error {
	return store.Errorf(store.Closed, store.Head{}, "the store is closing: try again later")
}

// noteSynced writes how far all is synced. Badger counts a transaction as done with
// when it has failed, and that is known a moment later: so while an upload's is under
// way nothing is written, and the next one says it.
func (s *Store) noteSynced() {
	last := lastTransaction(s.db)
	if s.chunks.Load() == 0 && s.Err() == nil {
		s.synced.reached(last)
	}
}

// Close implements [store.Store]. Calls that the committer has begun are carried
// out; Loads and uploads under way are waited for, so end their contexts first.
//
// Badger flushes what it has in memory, and where it can't (its directory was removed,
// its disk has failed) tries again for ever, in a way that nobody can end. So Close
// returns after CloseTime, with an error, and the process should end: the lock is held
// until then. What was committed stands in Badger's log as after a SIGKILL.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		close(s.closing)
		ended := make(chan error, 1)
		go func() { ended <- s.end() }()
		select {
		case s.closeErr = <-ended:
		case <-time.After(s.opt.CloseTime):
			s.closeErr = fmt.Errorf("the database in %q has not closed within %v: what was acknowledged is in its log, which the next start reads; see that the directory is there and can be written", s.opt.Dir, s.opt.CloseTime)
		}
	})
	return s.closeErr
}

// end waits for what is under way, and gives up the directory.
func (s *Store) end() error {
	s.gate.Lock()
	s.closed = true
	s.gate.Unlock()
	s.workers.Wait()
	s.noteSynced()
	return errors.Join(s.db.Close(), s.synced.close(), s.lock.release())
}
