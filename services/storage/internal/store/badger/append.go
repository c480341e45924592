package badger

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"slices"
	"sync"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// claimOp raises a room's epoch.
type claimOp struct {
	room string
	head store.Head // the answer
	err  error
}

func (o *claimOp) size() (entries, bytes int) { return 1, 2*len(o.room) + 64 }

func (o *claimOp) stage(b *batch) error {
	e, err := b.head(o.room)
	if err != nil {
		return err
	}
	if err := b.s.spaceFor(b.free, deleteShare, 0); err != nil {
		return err
	}
	e.Head = e.Claim()
	o.head = e.Head
	return b.setHead(o.room, e)
}

func (o *claimOp) settle(err error) { o.err = err }

// Claim implements [store.Store].
func (s *Store) Claim(ctx context.Context, room string) (store.Head, error) {
	if err := store.CheckRoom(room); err != nil {
		return store.Head{}, err
	}
	o := &claimOp{room: room}
	if err := s.submit(ctx, o); err != nil {
		return store.Head{}, err
	}
	return o.head, o.err
}

// errCompare sends a large record's caller back: its seq holds a record already,
// and comparing megabytes is not the committer's work.
var errCompare = errors.New("compare with the record that is there")

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
	next, again, err := e.Append(o.item.Epoch, o.item.Seq)
	switch {
	case err != nil:
		return err
	case again && o.large != nil:
		return errCompare
	case again:
		return compareSmall(b.txn, e, o.item)
	}
	if err := b.s.spaceFor(b.free, 1, 0); err != nil {
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
		b.buf = appendRecord(b.buf, *o.large)
	} else {
		sum := addSum(recordSum(o.item.Room, o.item.Epoch, o.item.Seq), o.item.Data)
		b.buf = appendRecord(b.buf, record{epoch: o.item.Epoch, sum: sum, data: o.item.Data})
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
	ops := make([]appendOp, len(items))
	call := make([]op, 0, len(items))
	var large sync.WaitGroup
	for i := range items {
		o := &ops[i]
		o.item = items[i]
		switch err := s.opt.Limits.CheckItem(items[i]); {
		case err != nil:
			results[i].Err = err
		case repeats[i]:
			results[i].Err = store.ErrRepeat()
		case len(items[i].Data) > maxChunk:
			large.Go(func() { results[i] = s.appendLarge(ctx, items[i]) })
		default:
			call = append(call, o)
		}
	}
	if len(call) > 0 {
		err := s.submit(ctx, call...)
		for i := range ops {
			switch o := &ops[i]; {
			case results[i].Err != nil || len(o.item.Data) > maxChunk || repeats[i]:
			case err != nil:
				results[i].Err = err
			default:
				results[i] = store.Result{Head: o.head, Err: o.err}
			}
		}
	}
	large.Wait()
	return results
}

// appendLarge stores a record that is too large for one value: chunks first.
func (s *Store) appendLarge(ctx context.Context, item store.Item) store.Result {
	for {
		head, done, err := s.precheckLarge(ctx, item)
		if done || err != nil {
			return store.Result{Head: head, Err: err}
		}
		o := &appendOp{item: item, large: &record{epoch: item.Epoch, large: true, size: uint64(len(item.Data)), id: newBlobID()}}
		o.large.sum, err = s.upload(ctx, o.blob(), uint64(len(item.Data)), bytes.NewReader(item.Data), recordSum(item.Room, item.Epoch, item.Seq), 1)
		if err != nil {
			return store.Result{Head: head, Err: err}
		}
		if err := s.submit(ctx, o); err != nil {
			return store.Result{Head: head, Err: err}
		}
		if !errors.Is(o.err, errCompare) {
			return store.Result{Head: o.head, Err: o.err}
		}
	}
}

// precheckLarge spares a refused record its upload, and answers a retry.
func (s *Store) precheckLarge(ctx context.Context, item store.Item) (head store.Head, done bool, err error) {
	leave, err := s.enter()
	if err != nil {
		return store.Head{}, false, err
	}
	defer leave()
	txn := s.db.NewTransaction(false)
	defer txn.Discard()
	e, err := readHead(txn, item.Room)
	if err != nil {
		return store.Head{}, false, err
	}
	_, again, err := e.Append(item.Epoch, item.Seq)
	if err != nil || !again {
		return e.Head, false, err
	}
	old, err := readRecord(txn, e, item.Room, item.Seq)
	if err != nil {
		return e.Head, false, err
	}
	same := &sameBytes{want: item.Data}
	if old.epoch == item.Epoch && old.size == uint64(len(item.Data)) {
		if _, err := readBlob(ctx, txn, e, blob{kind: kindRecordChunk, room: item.Room, seq: item.Seq, id: old.id}, old.size, same.add); err != nil && !errors.Is(err, errDiffer) {
			return e.Head, false, err
		}
	}
	if len(same.want) > 0 {
		return e.Head, false, e.Taken(item.Seq)
	}
	return e.Head, true, nil
}

// sameBytes compares bytes that come in pieces with want, which shrinks to
// nothing if they are the same.
type sameBytes struct{ want []byte }

var errDiffer = errors.New("the bytes differ")

func (s *sameBytes) add(piece []byte) error {
	if !bytes.HasPrefix(s.want, piece) {
		return errDiffer
	}
	s.want = s.want[len(piece):]
	return nil
}

func newBlobID() uint64 {
	var id [8]byte
	rand.Read(id[:]) // never fails since Go 1.24
	return binary.BigEndian.Uint64(id[:])
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
