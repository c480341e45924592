package room

import (
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// maxEarly bounds the events that wait on one attachment for the room to load.
const maxEarly = 10_000

// step takes one event. What sessions say before their attachment has been told
// Attached waits there, in order: until the document is here, and until what
// Attached rests on is stored.
func (r *Room) step(now time.Time, e *Event) {
	switch e.Kind {
	case Loaded:
		r.onLoaded(e.Load)
	case LoadFailed:
		r.endAll(roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED, "the room couldn't be loaded: "+e.Err.Error())
	case Fenced:
		r.endAll(roomsv1.DetachReason_DETACH_REASON_FENCED, "another process owns the room now: "+e.Err.Error())
	case Drain:
		r.detachAll(roomsv1.DetachReason_DETACH_REASON_DRAINING, "the server is going; come back soon")
	case Stored:
		r.onStored(e.Seq)
	case SnapshotStored:
		r.onSnapshotStored()
	case SnapshotFailed:
		r.onSnapshotFailed()
	case Tick:
		r.announceAll(r.presence.expire(now))
	case Attach:
		r.onAttach(e)
	case Detach:
		r.onDetach(e.Session.Attachment)
	default:
		r.fromSession(now, e)
	}
	r.admit(now)
}

// admit lets those in who waited on attachments that have now been welcomed.
func (r *Room) admit(now time.Time) {
	for len(r.welcomed) > 0 {
		a := r.welcomed[0]
		r.welcomed = r.welcomed[1:]
		early := a.early
		a.early = nil
		for i := range early {
			r.fromSession(now, &early[i])
		}
	}
}

// fromSession takes an event that a session caused.
func (r *Room) fromSession(now time.Time, e *Event) {
	a := r.attachments[e.Session.Attachment]
	if a == nil {
		return // the attachment has ended; what it sent before it knew is void
	}
	if !a.welcomed {
		a.early = append(a.early, *e)
		a.earlyBytes += len(e.Data)
		if a.earlyBytes > r.config.MaxUnsavedBytes || len(a.early) > maxEarly {
			r.putOff(a, roomsv1.DetachReason_DETACH_REASON_OVERLOADED, "too much waits for the room to load; come back soon")
		}
		return
	}
	if e.Kind == Join {
		a.sessions[e.Session.Number] = &session{id: e.Session, readOnly: e.ReadOnly}
		return
	}
	s := a.sessions[e.Session.Number]
	if s == nil {
		return // it has left, or was ended
	}
	switch e.Kind {
	case Leave:
		r.leave(a, s)
	case Step1:
		r.onStep1(s, e.Data)
	case Update:
		r.onUpdate(s, e)
	case Awareness:
		r.onAwareness(now, s, e.Data)
	case QueryAwareness:
		r.onQueryAwareness(s)
	case RelayData:
		r.onRelay(s, e.Data)
	default:
		panic("room: unknown event kind")
	}
}

func (r *Room) onLoaded(load *Load) {
	r.loaded = true
	r.document = load.Document
	r.epoch = load.Epoch
	r.log.seq = load.Seq
	r.log.records = load.Records
	r.log.bytes = load.Bytes
	for _, a := range r.order {
		r.welcome(a)
	}
}

func (r *Room) onAttach(e *Event) {
	a := &attachment{
		id:       e.Session.Attachment,
		resume:   e.Resume,
		sessions: make(map[uint64]*session),
	}
	if r.dead {
		r.send(a.id, detached(r.last.reason, r.last.message))
		return
	}
	r.attachments[a.id] = a
	r.order = append(r.order, a)
	if r.loaded {
		r.welcome(a)
	}
}

// welcome tells an attachment that the room is open, and a resumed one what it
// has missed. Both rest on stored updates only (law 4): when some are on their
// way, the words wait for them.
func (r *Room) welcome(a *attachment) {
	attached := &roomsv1.Attached{Kind: r.config.Kind.Proto(), Epoch: r.epoch, Seq: r.log.restsOn()}
	if r.config.Kind == Relay {
		r.send(a.id, &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Attached{Attached: attached}})
		return
	}
	attached.StateVector = r.document.StateVector()
	r.sendWhenStored(a.id, &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Attached{Attached: attached}})
	if a.resume == nil || (*a.resume == attached.Seq && r.config.Kind == Durable) {
		return
	}
	// Which updates came after that seq isn't known here any more; a document
	// says all of them again, and a client takes only what it lacks.
	missed := &roomsv1.Broadcast{Seq: attached.Seq, Update: r.encodeState()}
	r.sendWhenStored(a.id, &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{Broadcast: missed}})
}

func (r *Room) onDetach(id AttachmentID) {
	a := r.attachments[id]
	if a == nil {
		return
	}
	r.forget(a)
	r.announceAll(r.presence.attachmentGone(id))
}

func (r *Room) leave(a *attachment, s *session) {
	delete(a.sessions, s.id.Number)
	r.announceAll(r.presence.sessionGone(s.id))
}

// forget removes an attachment with its sessions, without a word to it.
func (r *Room) forget(a *attachment) {
	delete(r.attachments, a.id)
	for i, other := range r.order {
		if other == a {
			r.order = append(r.order[:i], r.order[i+1:]...)
			break
		}
	}
}

// putOff ends one attachment, which is to come back.
func (r *Room) putOff(a *attachment, reason roomsv1.DetachReason, message string) {
	r.send(a.id, detached(reason, message))
	r.forget(a)
	r.announceAll(r.presence.attachmentGone(a.id))
}

func (r *Room) detachAll(reason roomsv1.DetachReason, message string) {
	for len(r.order) > 0 {
		a := r.order[0]
		r.send(a.id, detached(reason, message))
		r.forget(a)
	}
	r.presence = newPresence(r.config)
}

// endAll is detachAll for a room that can't go on.
func (r *Room) endAll(reason roomsv1.DetachReason, message string) {
	r.detachAll(reason, message)
	r.dead = true
	r.last.reason, r.last.message = reason, message
}

func detached(reason roomsv1.DetachReason, message string) *roomsv1.RoomFrame {
	return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Detached{
		Detached: &roomsv1.Detached{Reason: reason, Message: message},
	}}
}

// send has a frame delivered to one attachment now. The frame becomes that
// attachment's own.
func (r *Room) send(to AttachmentID, frame *roomsv1.RoomFrame) {
	if _, welcome := frame.Body.(*roomsv1.RoomFrame_Attached); welcome {
		a := r.attachments[to]
		a.welcomed = true
		r.welcomed = append(r.welcomed, a)
	}
	r.ready.Frames = append(r.ready.Frames, Frame{To: to, Message: frame})
}

// sendAll has a frame delivered now to every attachment that has been welcomed;
// another is told all when it is. Each gets a frame of its own around the same
// body.
func (r *Room) sendAll(frame *roomsv1.RoomFrame) {
	for _, a := range r.order {
		if !a.welcomed {
			continue
		}
		r.send(a.id, &roomsv1.RoomFrame{Session: frame.GetSession(), Body: frame.Body})
	}
}
