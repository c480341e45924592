package room

import "fmt"

// Suspect is an update that can't be applied, or that made the engine panic.
type Suspect struct {
	// Seq is that of the record which holds it, 0 if none does.
	Seq    uint64
	Update []byte
	// Reason and Who are for operators.
	Reason, Who string
	// Session sent it; zero if it was stored.
	Session SessionID
}

// Suspect returns the update that was being applied when the room panicked; false
// if it panicked over something else.
func (r *Room) Suspect() (Suspect, bool) {
	if r.suspect == nil {
		return Suspect{}, false
	}
	return Suspect{
		Update:  r.suspect.Data,
		Session: r.suspect.Session,
		Who:     fmt.Sprintf("session %d of attachment %d", r.suspect.Session.Number, r.suspect.Session.Attachment),
	}, true
}
