package badger

import (
	"context"
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// op is one change of one room, carried out by the committer.
type op interface {
	// stage decides, and adds writes to b if the answer is yes. An error is the
	// op's own outcome; b has nothing of it then.
	stage(b *batch) error
	// settle is told the outcome, once: nil when the writes are on disk.
	settle(err error)
	// size is at least what stage writes: how many entries and bytes.
	size() (entries, bytes int)
}

// call is some ops whose caller waits for all of them.
type call struct {
	ops  []op
	open int           // ops without an outcome; owned by the committer
	done chan struct{} // closed when open is 0
}

// Bounds of a transaction. Badger's own are 15 % of MemTableSize in bytes (2.4
// MiB) and a 96th of that in entries.
const (
	maxBatchOps     = 512
	maxBatchEntries = 8 << 10
	maxBatchBytes   = 2 << 20
)

// submit hands ops to the committer and waits until all are settled. With an
// error, the ops still belong to the committer and may yet be carried out.
func (s *Store) submit(ctx context.Context, ops ...op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.Err(); err != nil {
		return err
	}
	c := &call{ops: ops, open: len(ops), done: make(chan struct{})}
	select {
	case s.calls <- c:
	case <-s.closing:
		return errClosed()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return store.Errorf(store.Unknown, store.Head{}, "the call ended before its outcome was known: try the same again: %w", ctx.Err())
	case <-s.ended:
	}
	// The committer may have settled the call just before it ended, or never
	// have seen it.
	select {
	case <-c.done:
		return nil
	default:
		return errClosed()
	}
}

// commitLoop is the committer's goroutine.
func (s *Store) commitLoop() {
	defer close(s.ended)
	b := newBatch(s)
	for {
		select {
		case c := <-s.calls:
			s.carryOut(b, c)
			continue
		case <-s.closing:
		}
		select {
		case c := <-s.calls:
			s.carryOut(b, c)
		default:
			return
		}
	}
}

// carryOut commits c and the calls that wait behind it, in as few transactions
// as the bounds allow. Nobody waits for company: what came during the last sync
// is the company.
func (s *Store) carryOut(b *batch, c *call) {
	b.begin()
	for c != nil {
		for _, o := range c.ops {
			if !b.fits(o) {
				b.end()
				b.begin()
			}
			b.add(c, o)
		}
		select {
		case c = <-s.calls:
		default:
			c = nil
		}
	}
	b.end()
}

// batch is one transaction in the making. It is owned by the committer, which
// uses the same one again and again.
type batch struct {
	s       *Store
	txn     *badger.Txn
	heads   map[string]entry // heads as this batch leaves them
	staged  []staged
	garbage []garbage // of no use once the batch is committed
	refused []garbage // of no use whatever becomes of the batch
	buf     []byte    // keys and values of the transaction
	dirty   bool      // the transaction writes something
	entries int
	bytes   int // by op.size, for the bounds
	free    uint64
}

type staged struct {
	call *call
	op   op
	err  error // from stage
}

func newBatch(s *Store) *batch {
	return &batch{s: s, heads: make(map[string]entry)}
}

func (b *batch) begin() {
	b.txn = b.s.db.NewTransaction(true)
	clear(b.heads)
	clear(b.staged)
	b.staged, b.garbage, b.refused, b.buf = b.staged[:0], b.garbage[:0], b.refused[:0], b.buf[:0]
	b.entries, b.bytes, b.dirty = 0, 0, false
	b.free = b.s.free()
}

// fits reports whether o may join the batch; the first one always may.
func (b *batch) fits(o op) bool {
	entries, bytes := o.size()
	return len(b.staged) == 0 ||
		len(b.staged) < maxBatchOps && b.entries+entries <= maxBatchEntries && b.bytes+bytes <= maxBatchBytes
}

func (b *batch) add(c *call, o op) {
	err := b.s.Err()
	if err == nil {
		err = o.stage(b)
	}
	entries, bytes := o.size()
	b.entries += entries
	b.bytes += bytes
	b.staged = append(b.staged, staged{call: c, op: o, err: err})
}

// end commits and settles. An op that was refused is settled here too, and as
// unknown if the commit fails: its refusal may rest on a head that this very
// batch has moved.
func (b *batch) end() {
	err := b.commit()
	for i := range b.staged {
		st := &b.staged[i]
		if err != nil {
			st.op.settle(err)
		} else {
			st.op.settle(st.err)
		}
		if st.call.open--; st.call.open == 0 {
			close(st.call.done)
		}
	}
	if err == nil {
		b.s.sweeper.push(b.garbage...)
		b.s.sweeper.push(b.refused...)
	}
}

func (b *batch) commit() error {
	defer b.txn.Discard()
	if err := b.s.Err(); err != nil || !b.dirty {
		return err // with an error, an op may be in the transaction by half
	}
	start := time.Now()
	err := b.s.commit(b.txn)
	took := time.Since(start)
	if err != nil {
		err = b.s.fail(err)
	}
	if b.s.opt.Committed != nil {
		b.s.opt.Committed(b.describe(took, err))
	}
	return err
}

func (b *batch) describe(took time.Duration, err error) Commit {
	c := Commit{Bytes: len(b.buf), Took: took, Err: err}
	for _, st := range b.staged {
		if st.err != nil {
			continue
		}
		c.Ops++
		if o, ok := st.op.(*appendOp); ok {
			c.Records++
			c.RecordBytes += len(o.item.Data)
		}
	}
	return c
}

// head returns room's head as this batch has it so far.
func (b *batch) head(room string) (entry, error) {
	if e, ok := b.heads[room]; ok {
		return e, nil
	}
	e, err := readHead(b.txn, room)
	if err == nil {
		b.heads[room] = e
	}
	return e, err
}

func (b *batch) setHead(room string, e entry) error {
	start := len(b.buf)
	b.buf = appendHeadKey(b.buf, room)
	key := b.since(start)
	start = len(b.buf)
	b.buf = appendHead(b.buf, room, e)
	if err := b.set(key, b.since(start)); err != nil {
		return err
	}
	b.heads[room] = e
	return nil
}

// since returns what was appended to buf from start on, so that nothing can be
// appended to it: Badger keeps keys and values until the commit.
func (b *batch) since(start int) []byte {
	return b.buf[start:len(b.buf):len(b.buf)]
}

// set and remove fail only when the bounds of a transaction are wrong: a part of
// an op may be in the transaction then, so no part of the batch may be committed.
func (b *batch) set(key, value []byte) error {
	b.dirty = true
	return b.must(b.txn.Set(key, value))
}

func (b *batch) remove(key []byte) error {
	b.dirty = true
	return b.must(b.txn.Delete(key))
}

func (b *batch) must(err error) error {
	if err != nil {
		return b.s.fail(err)
	}
	return nil
}

// readHead returns room's head, the zero entry if it has none.
func readHead(txn *badger.Txn, room string) (entry, error) {
	var key [1 + store.MaxRoomLen]byte
	item, err := txn.Get(appendHeadKey(key[:0], room))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return entry{}, checkNever(txn, room)
	}
	if err != nil {
		return entry{}, corrupt(store.Head{}, "the head cannot be read: %w", err)
	}
	var e entry
	err = item.Value(func(value []byte) (err error) {
		e, err = parseHead(room, value)
		return err
	})
	if err != nil {
		return entry{}, corrupt(store.Head{}, "%w", err)
	}
	return e, nil
}

// checkNever makes sure that a room without a head has never had one. Badger
// calls a key missing whose block it can't read, and an empty document in place
// of a damaged one would be the end of it.
func checkNever(txn *badger.Txn, room string) error {
	for _, kind := range []byte{kindRecord, kindSnapshotChunk} {
		it := txn.NewIterator(badger.IteratorOptions{Prefix: appendRangePrefix(nil, kind, room)})
		it.Rewind()
		found := it.Valid()
		it.Close()
		if found {
			return corrupt(store.Head{}, "there are bytes of the room but no head")
		}
	}
	return nil
}

func corrupt(head store.Head, format string, args ...any) error {
	const prefix = "the room's bytes on disk are damaged, and nothing of them may be used: "
	return store.Errorf(store.Corrupt, head, prefix+format, args...)
}
