package room

import "github.com/fjord-sync/fjord/yjs"

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
// takes 20 to 100 ms for each MiB of small structs and, for a while, ten to twenty
// times the document in memory, so it isn't for the room's loop, which only copies the
// document.
func (s *Snapshot) Encode() (data []byte, compacted *yjs.Document, err error) {
	state := s.State
	if s.Compact != nil {
		c := Copy{State: s.State, Compact: s.Compact}
		if compacted, err = c.Compacted(); err != nil {
			return nil, nil, err
		}
		if state, err = compacted.EncodeStateAsUpdate(nil); err != nil {
			return nil, nil, err
		}
	}
	return AppendSnapshot(make([]byte, 0, 1+len(state)), state), compacted, nil
}
