package room

import "errors"

// ErrDeleted means that the document was deleted since its room was opened.
var ErrDeleted = errors.New("the document was deleted")

// Holding is a room that this process believes to own.
type Holding struct {
	Room  string
	Epoch uint64
}

// Lapse is a room that it doesn't own any more: another process does, or the
// document was deleted.
type Lapse struct {
	Room    string
	Deleted bool
	Err     error
}

// Event is what its room is told.
func (l Lapse) Event() Event {
	if l.Deleted {
		return Event{Kind: Deleted, Err: l.Err}
	}
	return Event{Kind: Fenced, Err: l.Err}
}
