package room

import (
	"fmt"

	"github.com/fjord-sync/fjord/yjs"
)

// Snapshot replaces the records up to Seq.
type Snapshot struct {
	Epoch, Seq uint64
	// State is the whole document as a v1 update. The room goes on with the same
	// bytes: nobody may change them.
	State []byte
	// Compact is set if what is deleted is to be dropped first.
	Compact bool
	// Replaces is how many bytes of records it stands for.
	Replaces int
}

// Encode returns what is to be stored, in the format of AppendSnapshot, and the
// document that it has compacted, which is the caller's; nil without Compact. It
// takes some 6 ms for each MiB of small structs, so it isn't for the room's loop,
// which only copies the document.
func (s *Snapshot) Encode() (data []byte, compacted *yjs.Document, err error) {
	state := s.State
	if s.Compact {
		compacted = yjs.NewDocument()
		if err := compacted.Load(state); err != nil {
			return nil, nil, fmt.Errorf("a document's own state: %w", err)
		}
		compacted.Compact()
		if state, err = compacted.EncodeStateAsUpdate(nil); err != nil {
			return nil, nil, err
		}
	}
	return AppendSnapshot(make([]byte, 0, 1+len(state)), state), compacted, nil
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
		// Load: it was within the limits when it came.
		if err := compacted.Load(update); err != nil {
			return // the document itself took it, and stays
		}
	}
	r.document = compacted
	r.encoded = encoded{}
}
