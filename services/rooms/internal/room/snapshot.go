package room

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs"
	"github.com/fjord-sync/fjord/yjs/content"
)

// Snapshot replaces the records up to Seq.
type Snapshot struct {
	Epoch, Seq uint64
	// State is the whole document as a v1 update. The room goes on with the same
	// bytes: nobody may change them.
	State []byte
	// Compact drops what is deleted from a copy of the document, first; nil if that
	// is to be kept.
	Compact func(*yjs.Document)
	// Replaces is how many bytes of records it stands for.
	Replaces int
}

// Encode returns what is to be stored, in the format of AppendSnapshot, and the
// document that it has compacted, which is the caller's; nil without Compact. It
// takes some 20 ms for each MiB of small structs and, for a while, ten times the
// document in memory, so it isn't for the room's loop, which only copies the
// document.
func (s *Snapshot) Encode() (data []byte, compacted *yjs.Document, err error) {
	state := s.State
	if s.Compact != nil {
		compacted = yjs.NewDocument()
		if err := compacted.Load(state); err != nil {
			return nil, nil, fmt.Errorf("a document's own state: %w", err)
		}
		s.Compact(compacted)
		if state, err = compacted.EncodeStateAsUpdate(nil); err != nil {
			return nil, nil, err
		}
		compacted.Prepare() // or the room's loop would
	}
	return AppendSnapshot(make([]byte, 0, 1+len(state)), state), compacted, nil
}

// Collect drops from a document all that Yjs drops. That takes a view: of a document
// that none can be made of (types that nest too deep, or what was made to be slow)
// it drops what DropDeleted does.
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

// compactor returns how a snapshot of so many bytes is to be compacted.
func (r *Room) compactor(size int) func(*yjs.Document) {
	switch {
	case r.config.KeepDeleted:
		return nil
	case size > r.config.MaxCollectBytes:
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
// what the document has heard meanwhile.
func (r *Room) onCompacted(compacted *yjs.Document) {
	c := r.log.compaction
	r.log.compaction = compaction{}
	if r.dead || !c.running {
		return
	}
	for _, update := range c.since {
		// Not Load, after which the next update would have to wait for Prepare.
		if err := compacted.ApplyUpdate(update); err != nil {
			return // the document itself took it, and stays
		}
	}
	r.document = compacted
	r.encoded = encoded{}
}
