package badger

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// appendOp stores one record. For a large one, large names its chunks.
type appendOp struct {
	item  store.Item
	large *record
	head  store.Head // the answer
	err   error
}

func (o *appendOp) size() (entries, bytes int) {
	bytes = 2*len(o.item.Room) + 128
	if o.large != nil {
		return 3, bytes + len(o.item.Room) + 64
	}
	return 2, bytes + len(o.item.Data)
}

func (o *appendOp) stage(b *batch) (err error) {
	if o.large != nil {
		defer func() {
			if err != nil {
				b.refused = append(b.refused, garbage{blob: o.blob()})
			}
		}()
	}
	e, err := b.head(o.item.Room)
	if err != nil {
		return err
	}
	o.head = e.Head
	if noDedup && o.large == nil && o.item.Seq <= e.Last {
		o.item.Seq = e.Last + 1
	}
	next, again, err := e.Append(o.item.Epoch, o.item.Seq)
	switch {
	case err != nil:
		return err
	case again && o.large != nil:
		return errCompare
	case again:
		return compareSmall(b.txn, e, o.item)
	}
	if err := b.space.lets(1, 0); err != nil {
		return err
	}
	o.head, e.Head = next, next
	if err := o.write(b); err != nil {
		return err
	}
	return b.setHead(o.item.Room, e)
}

// write adds the record entry, and takes a large one's sweep entry away.
func (o *appendOp) write(b *batch) error {
	start := len(b.buf)
	b.buf = appendRecordKey(b.buf, o.item.Room, o.item.Seq)
	key := b.since(start)
	start = len(b.buf)
	if o.large != nil {
		b.buf = appendRecord(b.buf, key, *o.large)
	} else {
		b.buf = appendRecord(b.buf, key, record{epoch: o.item.Epoch, data: o.item.Data})
	}
	if err := b.set(key, b.since(start)); err != nil || o.large == nil {
		return err
	}
	start = len(b.buf)
	b.buf = appendBlobSweepKey(b.buf, o.blob())
	return b.remove(b.since(start))
}

func (o *appendOp) blob() blob {
	return blob{kind: kindRecordChunk, room: o.item.Room, seq: o.item.Seq, id: o.large.id}
}

func (o *appendOp) settle(err error) { o.err = err }

// compareSmall answers a retry: nil if item is the record at its seq.
func compareSmall(txn *badger.Txn, e entry, item store.Item) error {
	old, err := readRecord(txn, e, item.Room, item.Seq)
	if err != nil {
		return err
	}
	if old.large || old.epoch != item.Epoch || !bytes.Equal(old.data, item.Data) {
		return e.Taken(item.Seq)
	}
	return nil
}

// Append implements [store.Store].
func (s *Store) Append(ctx context.Context, items []store.Item) []store.Result {
	results := make([]store.Result, len(items))
	repeats := store.MarkRepeats(items)
	ops := make([]appendOp, 0, len(items))
	var small []int // the items that ops are for
	var large sync.WaitGroup
	defer large.Wait()
	for i, item := range items {
		switch err := s.opt.Limits.CheckItem(item); {
		case err != nil:
			results[i].Err = err
		case repeats[i]:
			results[i].Err = store.ErrRepeat()
		case len(item.Data) > maxChunk:
			large.Go(func() { results[i] = s.appendLarge(ctx, item) })
		default:
			ops = append(ops, appendOp{item: item})
			small = append(small, i)
		}
	}
	err := s.appendSmall(ctx, ops)
	for n, i := range small {
		if err != nil {
			results[i].Err = err // ops are the committer's
		} else {
			results[i] = store.Result{Head: ops[n].head, Err: ops[n].err}
		}
	}
	return results
}

func (s *Store) appendSmall(ctx context.Context, ops []appendOp) error {
	if len(ops) == 0 {
		return nil
	}
	call := make([]op, len(ops))
	for i := range ops {
		call[i] = &ops[i]
	}
	return s.submit(ctx, call...)
}

// readRecord returns the entry of a record that the head says is there.
func readRecord(txn *badger.Txn, e entry, room string, seq store.Seq) (record, error) {
	var key [2 + store.MaxRoomLen + 8]byte
	item, err := txn.Get(appendRecordKey(key[:0], room, seq))
	if err != nil {
		return record{}, corrupt(e.Head, "record %d cannot be read: %w", seq, err)
	}
	var r record
	err = item.Value(func(value []byte) (err error) {
		r, err = parseRecord(value)
		r.data = slices.Clone(r.data)
		return err
	})
	if err != nil {
		return record{}, corrupt(e.Head, "record %d: %w", seq, err)
	}
	return r, nil
}
