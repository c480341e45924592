package badger

import (
	"context"
	"errors"
	"io"

	"github.com/dgraph-io/badger/v4"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// uploadBuffer is how much of an upload is in memory at once, and in one of its
// transactions.
const uploadBuffer = 4 * maxChunk

// upload writes size bytes from body as the chunks of b, in transactions of
// their own, and returns sum updated with them. share is the guard's, for this
// kind of value. After an error, what was written is swept.
//
// The transaction that moves the head must remove b's sweep entry.
func (s *Store) upload(ctx context.Context, b blob, size uint64, body io.Reader, sum uint32, share uint64) (_ uint32, err error) {
	leave, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	case <-s.closing:
		return 0, errClosed()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	var index uint32
	defer func() {
		if err != nil && index > 0 {
			s.sweeper.push(garbage{blob: b})
		}
	}()
	body = store.NewBody(body, size)
	buf := make([]byte, min(size, uploadBuffer))
	for last := false; !last; {
		n, err := io.ReadFull(body, buf)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			last = true // Body has made sure that this is the end
		case err != nil:
			return 0, err
		}
		if n == 0 {
			break
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := s.space().lets(share, size); err != nil {
			return 0, err
		}
		sum = addSum(sum, buf[:n])
		if index, err = s.commitChunks(b, index, buf[:n]); err != nil {
			return 0, err
		}
	}
	return sum, nil
}

// place submits o, which points at the uploaded b. If o never reaches the committer,
// which would refuse b or use it, b is swept here: else it stayed until the next Open.
func (s *Store) place(ctx context.Context, o op, b blob) error {
	err := s.submit(ctx, o)
	if err != nil && store.KindOf(err) == 0 {
		s.sweeper.push(garbage{blob: b})
	}
	return err
}

// commitChunks writes data as b's chunks from index on, in one transaction; the
// first one has the sweep entry too. It returns the next index.
func (s *Store) commitChunks(b blob, index uint32, data []byte) (uint32, error) {
	s.chunks.Add(1)
	defer s.chunks.Add(-1) // after fail: see noteSynced
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	if err := markTransaction(txn); err != nil {
		return index, s.fail(err)
	}
	if index == 0 {
		if err := txn.Set(appendBlobSweepKey(nil, b), nil); err != nil {
			return index, s.fail(err)
		}
	}
	next := index
	for ; len(data) > 0; next++ {
		n := min(len(data), maxChunk)
		if err := txn.Set(appendChunkKey(nil, b, next), data[:n:n]); err != nil {
			return index, s.fail(err)
		}
		data = data[n:]
	}
	if err := s.commit(txn); err != nil {
		return index, s.fail(err)
	}
	return next, nil
}

// readBlob passes b's chunks to add, in order. Chunks that are missing, short or
// too many are damage; the caller compares the checksum. An error of add ends it
// and is returned as it is.
func readBlob(ctx context.Context, txn *badger.Txn, e entry, b blob, size uint64, add func([]byte) error) error {
	prefix := appendBlobPrefix(nil, b)
	it := txn.NewIterator(badger.IteratorOptions{Prefix: prefix})
	defer it.Close()
	var index uint32
	var n uint64
	for it.Rewind(); it.Valid(); it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		_, at, err := parseChunkKey(it.Item().Key())
		if err != nil || at != index || n >= size {
			return corrupt(e.Head, "chunk %d of the value at seq %d is not where it should be", index, b.seq)
		}
		want := min(size-n, maxChunk)
		var stop error
		err = it.Item().Value(func(chunk []byte) error {
			if uint64(len(chunk)) != want {
				return errDamaged
			}
			stop = add(chunk)
			return nil
		})
		if err != nil {
			return corrupt(e.Head, "chunk %d of the value at seq %d: %w", index, b.seq, err)
		}
		if stop != nil {
			return stop
		}
		n += want
		index++
	}
	if n != size {
		return corrupt(e.Head, "the value at seq %d ends after %d of %d bytes", b.seq, n, size)
	}
	return nil
}
