package link

import (
	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// deliver hands one frame to whom it is for. Frames of rooms that were left
// meanwhile are for nobody.
func (l *Link) deliver(f *roomsv1.RoomFrame) {
	if d := f.GetDetached(); d != nil {
		l.detached(f.GetAttachment(), d)
		return
	}
	l.mu.Lock()
	a := l.numbers[f.GetAttachment()]
	l.mu.Unlock()
	if a == nil {
		return
	}
	if attached := f.GetAttached(); attached != nil {
		l.attached(a, f.GetAttachment(), attached)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.number == f.GetAttachment() {
		a.deliverLocked(f)
	}
}

// deliverLocked gives a frame to one member, or to all who have joined.
func (a *attachment) deliverLocked(f *roomsv1.RoomFrame) {
	var d dialect.Delivery
	if id := f.GetSession(); id != 0 {
		m := a.find(id)
		if m == nil || !m.joined {
			return
		}
		if f.GetEnded() != nil {
			m.leftLocked()
		}
		m.ears.Deliver(f, &d)
		return
	}
	except := f.GetRelayed().GetFromSession()
	for _, m := range a.members {
		if m.joined && m.id != except {
			m.ears.Deliver(f, &d)
		}
	}
	// Only now: what a panic kept from somebody must be asked for again.
	a.seq = max(a.seq, f.GetBroadcast().GetSeq())
}

// maxAsked is the number of a room's sessions up to which each is asked who is
// present when the room comes back. A client answers with all whom it knows, so
// a crowd's answers grow with its square; it waits for the clients' heartbeats.
const maxAsked = 50

// attached notes that the room is open. After a break, its sessions are asked
// for what they alone have.
func (l *Link) attached(a *attachment, number uint64, f *roomsv1.Attached) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.number != number {
		return
	}
	a.pauses = nil
	switch {
	case !a.known:
		a.known, a.kind, a.seq = true, f.GetKind(), f.GetSeq()
	case a.kind != f.GetKind():
		a.queue.add(func(chunk []byte) []byte { return appendDetach(chunk, number) })
		l.endLocked(a, kindChanged)
		return
	default:
		// seq isn't raised: what lies between is about to be broadcast, and
		// must be asked for again if the link breaks first. A room whose log
		// is shorter than what we saw has begun anew.
		a.seq = min(a.seq, f.GetSeq())
		present := len(a.members) <= maxAsked
		for _, m := range a.members {
			if m.joined {
				m.ears.Resumed(f.GetStateVector(), present)
			}
		}
	}
	a.signalLocked()
}

// detached ends a room, or attaches it again after a pause.
func (l *Link) detached(number uint64, f *roomsv1.Detached) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.numbers[number]
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(l.numbers, number)
	l.cfg.Logger.Warn("room detached", "rooms", l.name, "room", Loggable(a.room),
		"reason", f.GetReason().String(), "message", Loggable(f.GetMessage()))
	why := session.Detached(f)
	if why == nil && a.relays() {
		why = relayBroke
	}
	if why != nil {
		l.endLocked(a, why)
		return
	}
	a.waitLocked()
	l.retryLocked(a)
}

// maxLogged is how much of a text that others chose goes into a log.
const maxLogged = 128

// Loggable cuts what others chose to what a log line should hold.
func Loggable(s string) string {
	if len(s) > maxLogged {
		return s[:maxLogged]
	}
	return s
}
