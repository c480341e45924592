package registry

import (
	"fmt"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

const (
	// deadFor is how long a room that died turns everybody away before it may be
	// opened anew: those who come back at once, all together, would have it loaded
	// again and again, and two owners that fence each other would do so at the
	// speed of their edges.
	deadFor = time.Second
	// A room that panics does so for something that a client says, and the client
	// will say it again when it comes back: each time the room stays away twice as
	// long, up to maxDeadFor, until it has been well for calmAfter.
	maxDeadFor = time.Minute
	calmAfter  = 10 * time.Minute
)

// broke ends the room after a panic. Its state may be anything, so nothing of it is
// used again: what it had not stored was not acknowledged, its sessions come back
// with it, and its document is loaded from storage for them.
func (o *openRoom) broke(cause any, stack []byte) {
	o.registry.panicked(o, cause, stack)
	suspect, known := o.room.Suspect()
	if known {
		// Its sender is put out and hasn't to be waited for.
		o.pause = deadFor
		o.isolate(suspect, cause, stack)
	} else {
		o.pause = o.registry.nextPause(o.name)
	}
	sinks := o.sinks
	o.sinks = make(map[room.AttachmentID]*hold)
	o.room = o.registry.newRoom(o.name)
	o.room.Step(time.Now(), room.Event{Kind: room.Broke, Err: fmt.Errorf("panic: %v", cause)})
	for _, h := range sinks {
		h.dismiss(o.room.Farewell())
	}
}

// isolate puts the update that broke the room into quarantine, and its sender out:
// the others come back, and go on from what is stored.
func (o *openRoom) isolate(s room.Suspect, cause any, stack []byte) {
	s.Reason = fmt.Sprintf("panic: %v\n%s", cause, stack)
	if o.registry.config.Room.Kind == room.Durable {
		o.registry.journal.Quarantine(o.name, s)
	}
	h := o.sinks[s.Session.Attachment]
	if h == nil {
		return
	}
	h.deliver(&roomsv1.RoomFrame{Session: s.Session.Number, Body: &roomsv1.RoomFrame_Ended{Ended: &roomsv1.Ended{
		Refusal: roomsv1.Refusal_REFUSAL_MALFORMED,
		Message: "an update of this session can't be applied",
	}}})
}

// dismiss tells a sink of the end.
func (h *hold) dismiss(why *roomsv1.Detached) {
	h.deliver(&roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Detached{Detached: why}})
}

// deliver outlives a sink that panics.
func (h *hold) deliver(frame *roomsv1.RoomFrame) {
	defer func() { _ = recover() }()
	h.sink.Deliver(frame)
}

// panicked tells operators.
func (r *Registry) panicked(o *openRoom, cause any, stack []byte) {
	r.panics.Inc()
	r.config.Logger.Error("room panicked; it is closed and will be loaded again",
		"room", shorten(o.name), "panic", fmt.Sprint(cause), "stack", string(stack))
}

// trouble is what is remembered of a room that panicked.
type trouble struct {
	pause time.Duration
	last  time.Time
}

// nextPause returns how long a room that has just panicked is to stay away.
func (r *Registry) nextPause(name string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for other, t := range r.troubled {
		if now.Sub(t.last) >= calmAfter {
			delete(r.troubled, other)
		}
	}
	t := trouble{pause: deadFor, last: now}
	if before, again := r.troubled[name]; again {
		t.pause = min(2*before.pause, maxDeadFor)
	}
	r.troubled[name] = t
	return t.pause
}
