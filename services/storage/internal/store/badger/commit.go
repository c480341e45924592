package badger

import (
	"context"

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

// Bounds of a transaction. Badger's own are 15 % of MemTableSize in bytes (1.2
// MiB) and a 96th of that in entries.
const (
	maxBatchOps     = 512
	maxBatchEntries = 8 << 10
	maxBatchBytes   = 1 << 20
)

// maxKnownHeads is how many heads the committer remembers: about 200 bytes each.
// A Get costs Badger 3 µs, since it has to look into every level for a newer
// version: a third of what an append costs when many share a sync.
const maxKnownHeads = 16 << 10

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
