package registry

import (
	"sync/atomic"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// Sink takes an attachment's frames, in order. Deliver is called by the room's
// loop: it must not block, and the frame is its own. After a Detached frame
// nothing follows.
type Sink interface {
	Deliver(frame *roomsv1.RoomFrame)
}

// Attachment is a hold on an open room. Its methods may be called from one
// goroutine at a time; they never block.
type Attachment struct {
	id   room.AttachmentID
	open *openRoom
	sink Sink
	// ended is set once the room has let go of the attachment, or it of the room.
	ended atomic.Bool
}

// Post hands an event to the room; its Session.Attachment is filled in here. If
// too much waits in the room's inbox the attachment ends instead: the sink is
// told to come back, and the room's other attachments go on.
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
		a.Detach()
		a.sink.Deliver(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Detached{Detached: &roomsv1.Detached{
			Reason:  roomsv1.DetachReason_DETACH_REASON_OVERLOADED,
			Message: "too much waits for this room; come back soon",
		}}})
	}
}

// Detach lets go of the room. Frames that are on their way may still be
// delivered.
func (a *Attachment) Detach() {
	if a.ended.Swap(true) {
		return
	}
	a.open.post(item{event: room.Event{
		Kind:    room.Detach,
		Session: room.SessionID{Attachment: a.id},
	}}, unbounded)
}
