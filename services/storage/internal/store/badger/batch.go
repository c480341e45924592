package badger

import (
	"time"

	"github.com/dgraph-io/badger/v4"
)

// batch is one transaction in the making. It is owned by the committer, which
// uses the same one again and again.
type batch struct {
	s       *Store
	txn     *badger.Txn
	heads   map[string]entry // heads that this batch moves
	known   map[string]entry // heads on disk: nobody else moves them
	staged  []staged
	garbage []garbage // of no use once the batch is committed
	refused []garbage // of no use whatever becomes of the batch
	buf     []byte    // keys and values of the transaction
	dirty   bool      // the transaction writes something
	entries int
	bytes   int // by op.size, for the bounds
	space   space
}

type staged struct {
	call *call
	op   op
	err  error // from stage
}

func newBatch(s *Store) *batch {
	return &batch{s: s, heads: make(map[string]entry), known: make(map[string]entry)}
}

func (b *batch) begin() {
	b.txn = b.s.db.NewTransaction(true)
	clear(b.heads)
	clear(b.staged)
	b.staged, b.garbage, b.refused, b.buf = b.staged[:0], b.garbage[:0], b.refused[:0], b.buf[:0]
	b.entries, b.bytes, b.dirty = 0, 0, false
	b.space = b.s.space()
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
	early := b.answersEarly()
	if early {
		b.settle(nil)
		time.Sleep(tooEarly)
	}
	err := b.commit()
	if !early {
		b.settle(err)
	}
	if err == nil {
		if b.dirty {
			b.s.noteSynced()
		}
		for room, e := range b.heads {
			b.remember(room, e)
		}
		b.s.sweeper.push(b.garbage...)
		b.s.sweeper.push(b.refused...)
	}
}

// settle tells the outcome to everybody who waits for this batch.
func (b *batch) settle(err error) {
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
}

func (b *batch) commit() error {
	defer b.txn.Discard()
	if err := b.s.Err(); err != nil || !b.dirty {
		return err // with an error, an op may be in the transaction by half
	}
	if len(b.heads) == 0 {
		if err := b.must(markTransaction(b.txn)); err != nil {
			return err
		}
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
	if e, ok := b.known[room]; ok {
		return e, nil
	}
	e, err := readHead(b.txn, room)
	if err == nil && e.Epoch > 0 {
		b.remember(room, e)
	}
	return e, err
}

// headOnDisk is head for those who repair: what is remembered of a damaged room may
// be better than what anybody can read of it.
func (b *batch) headOnDisk(room string) (entry, error) {
	delete(b.known, room)
	return b.head(room)
}

// remember keeps a head that is on disk. When there are too many, any other makes
// room: an order of use would cost more than reading a head again.
func (b *batch) remember(room string, e entry) {
	if _, ok := b.known[room]; !ok && len(b.known) >= maxKnownHeads {
		for other := range b.known {
			delete(b.known, other)
			break
		}
	}
	b.known[room] = e
}

func (b *batch) setHead(room string, e entry) error {
	start := len(b.buf)
	b.buf = appendHeadKey(b.buf, room)
	key := b.since(start)
	start = len(b.buf)
	b.buf = appendHead(b.buf, key, e)
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
