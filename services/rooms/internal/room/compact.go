package room

import (
	"fmt"
	"time"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// A room goes on with a compacted copy of its document, which is made beside it. A
// durable room's copy is a snapshot, which is stored too; a volatile room's is a
// Copy. Both rooms have them made when their log has outgrown the document, which
// a volatile room only counts.

// Copy is a document that is to be compacted beside its room.
type Copy struct {
	// State is the whole document as a v1 update. The room goes on with the same
	// bytes: nobody may change them.
	State []byte
	// Compact drops what is deleted.
	Compact func(*yjs.Document)
}

// Compacted returns the document without what is deleted; it is the caller's. What
// it takes is told at Snapshot.Encode.
func (c *Copy) Compacted() (*yjs.Document, error) {
	d := yjs.NewDocument()
	if err := d.Load(c.State); err != nil {
		return nil, fmt.Errorf("a document's own state: %w", err)
	}
	c.Compact(d)
	d.Prepare() // or the room's loop would
	return d, nil
}

// makeCopy has a volatile room's document compacted as it is now.
func (r *Room) makeCopy() {
	state := r.encodedState()
	l := &r.log
	l.snapshotting, l.compaction, l.copied = true, compaction{running: true}, len(state)
	l.snapshotRecords, l.snapshotBytes = l.records, l.bytes
	r.ready.Compact = &Copy{State: state, Compact: r.compactor()}
}

// restBefore is how long nothing is said before a volatile room in which nobody is
// has its document compacted, though it hasn't grown: it may stay like that for
// an hour, and all of it may have been deleted. Whoever comes and goes, and says a
// word each time, has it compacted no more often than that.
const restBefore = time.Minute

// rests reports whether a volatile room waits for restBefore.
func (r *Room) rests() bool {
	return r.config.Kind == Volatile && !r.config.KeepDeleted && len(r.attachments) == 0 &&
		r.log.records > 0 && !r.log.snapshotting && r.farewell == nil
}

// compactAtRest is told of each Tick.
func (r *Room) compactAtRest(now time.Time) {
	if r.rests() && now.Sub(r.log.changed) >= restBefore {
		r.makeCopy()
	}
}

// Collect drops from a document all that Yjs drops. That takes a view: of a document
// that none can be made of (types in it nest too deep, since they were stored before
// that was refused) it drops what DropDeleted does.
func Collect(d *yjs.Document) {
	if _, err := content.Compact(d); err != nil {
		DropDeleted(d)
	}
}

// DropDeleted drops from a document the content of what clients have said is
// deleted. What is inside a deleted type leaves its place behind, several bytes for
// each letter that was typed alone: a text of paragraphs that come and go stays up
// to twice as large as Yjs would make it, cards that move three times. But it needs
// hardly any memory.
func DropDeleted(d *yjs.Document) { d.Compact() }

// compactor returns how a copy of the document is to be compacted.
func (r *Room) compactor() func(*yjs.Document) {
	switch {
	case r.config.KeepDeleted:
		return nil
	case r.weight.memory > r.config.MaxCollectBytes:
		return DropDeleted
	default:
		return Collect
	}
}

// compaction is what the room remembers while a copy of its document is
// compacted: what has been applied since the copy was made.
type compaction struct {
	running bool
	since   [][]byte
	bytes   int
}

// maxSince bounds what is applied to the compacted document at once, in the loop.
// A room in which more is said meanwhile keeps its document until the next time.
const maxSince = 256 << 10

func (c *compaction) note(update []byte) {
	if !c.running {
		return
	}
	if c.bytes += len(update); c.bytes > maxSince {
		*c = compaction{}
		return
	}
	c.since = append(c.since, update)
}

// onCompacted goes on with the compacted copy of the document, once that has heard
// what the document has heard meanwhile. It is nil if it couldn't be compacted: then
// it is tried again when as much has been said.
func (r *Room) onCompacted(compacted *yjs.Document) {
	c := r.log.compaction
	r.log.compaction = compaction{}
	if r.config.Kind == Volatile {
		r.onSnapshotStored() // nothing is to be stored
	}
	if r.dead || !c.running || compacted == nil {
		return
	}
	for _, update := range c.since {
		// Not Load, after which the next update would have to wait for Prepare.
		if err := compacted.ApplyUpdate(update); err != nil {
			return // the document itself took it, and stays
		}
	}
	r.document = compacted
	r.weight.weigh(compacted)
	r.encoded = encoded{}
}
