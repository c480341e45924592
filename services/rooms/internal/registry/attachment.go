package registry

import (
	"sync/atomic"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// Sink is where an attachment's frames go. It is called by the room's loop and
// must not block.
type Sink interface {
	// Deliver takes the next frame, which is its own. After a Detached frame
	// nothing follows.
	Deliver(frame *roomsv1.RoomFrame)
	// Crowded reports whether so much waits already that what can wait in the room
	// had better. If so relieved is called, once, when that is over; it doesn't
	// block.
	Crowded(relieved func()) bool
}

// Attachment is a hold on an open room. Its methods may be called from one
// goroutine at a time; they never block.
type Attachment struct {
	id   room.AttachmentID
	open *openRoom
	// ended is set once the room has let go of the attachment, or it of the room.
	ended atomic.Bool
}

// Post hands an event to the room; its Session.Attachment is filled in here. If
// too much waits in the room's inbox the attachment ends instead: behind what it
// has said already the room tells its sink to come back, and the room's other
// attachments go on.
func (a *Attachment) Post(e room.Event) {
	if a.ended.Load() {
		return
	}
	e.Session.Attachment = a.id
	switch a.open.post(item{event: e}, a.open.registry.config.MaxInboxBytes) {
	case posted:
	case closed:
		// The room ended and has told the sink so.
		a.ended.Store(true)
	case full:
		a.end(room.PutOff)
	}
}

// Detach lets go of the room. Frames that are on their way may still be
// delivered.
func (a *Attachment) Detach() { a.end(room.Detach) }

func (a *Attachment) end(how room.EventKind) {
	if a.ended.Swap(true) {
		return
	}
	a.open.post(item{event: room.Event{
		Kind:    how,
		Session: room.SessionID{Attachment: a.id},
	}}, unbounded)
}
