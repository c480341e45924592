package badger

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// errCompare sends a large record's caller back: its seq holds a record already,
// and comparing megabytes is not the committer's work.
var errCompare = errors.New("compare with the record that is there")

// appendLarge stores a record that is too large for one value: chunks first.
func (s *Store) appendLarge(ctx context.Context, item store.Item) store.Result {
	for {
		head, done, err := s.precheckLarge(ctx, item)
		if done || err != nil {
			return store.Result{Head: head, Err: err}
		}
		large := &record{epoch: item.Epoch, large: true, size: uint64(len(item.Data)), id: newBlobID()}
		o := &appendOp{item: item, large: large}
		key := appendRecordKey(nil, item.Room, item.Seq)
		sum := recordSum(key, appendRecord(nil, key, *large))
		large.sum, err = s.upload(ctx, o.blob(), large.size, bytes.NewReader(item.Data), sum, 1)
		if err != nil {
			return store.Result{Head: head, Err: err}
		}
		if err := s.place(ctx, o, o.blob()); err != nil {
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
		if err := readBlob(ctx, txn, e, blob{kind: kindRecordChunk, room: item.Room, seq: item.Seq, id: old.id}, old.size, same.add); err != nil && !errors.Is(err, errDiffer) {
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
	_, _ = rand.Read(id[:]) // never fails since Go 1.24
	return binary.BigEndian.Uint64(id[:])
}
