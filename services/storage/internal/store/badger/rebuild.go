package badger

import (
	"context"
	"io"

	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// rebuildOp puts a snapshot in the place of all that a damaged room holds.
type rebuildOp struct {
	snapshotOp // its snap has the seq at which the room goes on
	seen       store.Head
	lost       lost
}

func (o *rebuildOp) size() (entries, bytes int) {
	n := 5 + len(o.lost.blobs)
	return n, len(o.small) + n*(len(o.snap.Room)+64)
}

func (o *rebuildOp) stage(b *batch) (err error) {
	if o.small == nil {
		defer func() {
			if err != nil {
				b.refused = append(b.refused, garbage{blob: o.blob()})
			}
		}()
	}
	e, err := b.headOnDisk(o.snap.Room)
	if err == nil {
		err = e.Unmoved(o.seen)
	} else {
		err = isLost(err, o.seen)
		e = entry{}
	}
	if err != nil {
		return err
	}
	if err := b.space.lets(snapshotShare, 0); err != nil {
		return err
	}
	before := e.Head
	if e.Epoch > 0 {
		err = b.sweepUnder(o.snap.Room, e, e.Last)
	} else {
		before, err = o.lost.head(), o.lost.sweep(b, o.snap.Room)
	}
	if err != nil {
		return err
	}
	if err := o.write(b); err != nil {
		return err
	}
	return b.setHead(o.snap.Room, entry{Head: before.Rebuild(o.snap.Size), snapshotID: o.id, snapshotSum: o.sum})
}

// Rebuild implements [store.Store]. Until its one transaction the room is what it
// was, and what was uploaded for it is nobody's.
func (s *Store) Rebuild(ctx context.Context, r store.Rebuilt, body io.Reader) (store.Seq, error) {
	snap := store.Snapshot{Room: r.Room, Size: r.Size}
	if err := s.opt.Limits.CheckSnapshot(snap); err != nil {
		return 0, err
	}
	lost, err := s.findLost(r.Room)
	if err != nil {
		return 0, err
	}
	before := r.Seen
	if before == (store.Head{}) {
		before = lost.head()
	}
	snap.Seq = before.Rebuild(r.Size).SnapshotSeq
	o := &rebuildOp{snapshotOp: snapshotOp{snap: snap}, seen: r.Seen, lost: lost}
	if err := s.fill(ctx, &o.snapshotOp, body); err != nil {
		return 0, err
	}
	if err := s.place(ctx, o, o.blob()); err != nil {
		return 0, err
	}
	return snap.Seq, o.err
}
