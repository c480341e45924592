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
		r.die(roomsv1.DetachReason_DETACH_REASON_LOAD_FAILED, "the room couldn't be loaded: "+e.Err.Error())
	case Fenced:
		r.die(roomsv1.DetachReason_DETACH_REASON_FENCED, "this process had to let go of the room: "+e.Err.Error())
	case Deleted:
		r.die(roomsv1.DetachReason_DETACH_REASON_DELETED, "the document was deleted")
	case Broke:
		// Its edges are to keep their sessions and come back.
		r.die(roomsv1.DetachReason_DETACH_REASON_BROKEN, "the room broke and is loaded again: "+e.Err.Error())
	case Drain:
		r.dismiss(roomsv1.DetachReason_DETACH_REASON_DRAINING, "the server is going; come back soon")
	case Stored:
		r.onStored(e.Seq)
	case Compacted:
		r.onCompacted(e.Document)
	case SnapshotStored:
		r.onSnapshotStored()
	case SnapshotFailed:
		r.onSnapshotFailed()
	case Reconsider:
		r.reconsiderAll()
	case Tick:
		r.depart(r.presence.expire(now))
		r.askForMissing(now)
		r.compactAtRest(now)
		if now.Sub(r.encoded.used) >= keepEncoded {
			r.encoded = encoded{}
		}
	case Crowded, Relieved:
		if a := r.attachments[e.Session.Attachment]; a != nil {
			a.crowded = e.Kind == Crowded
		}
	case Attach:
		r.onAttach(e)
	case Detach:
		r.onDetach(e.Session.Attachment)
	case PutOff:
		if a := r.attachments[e.Session.Attachment]; a != nil {
			r.putOff(a, "too much waits for this room; come back soon")
		}
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
			r.putOff(a, "too much waits for the room to load; come back soon")
		}
		return
	}
	s := a.sessions[e.Session.Number]
	if s == nil && e.Kind == Join {
		r.onJoin(a, e)
		return
	}
	if s == nil {
		return // it has left, or was ended
	}
	switch e.Kind {
	case Join: // once is enough, and its grants are those of the first time
	case Regrant:
		r.onRegrant(s, e.Grants)
	case Leave:
		r.leave(a, s)
	case Step1:
		r.onStep1(a, s, e.Data)
	case Update:
		r.onUpdate(s, e)
	case Awareness:
		r.onAwareness(now, s, e.Data)
	case QueryAwareness:
		r.onQueryAwareness(a, s)
	case RelayData:
		r.onRelay(s, e.Data)
	default:
		panic("room: unknown event kind")
	}
}

func (r *Room) onLoaded(load *Load) {
	if r.dead {
		return
	}
	r.loaded = true
	r.document = load.Document
	r.weight.weigh(r.document)
	r.epoch = load.Epoch
	r.lack.unseen = true
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
		crowded:  e.Crowded,
		sessions: make(map[uint64]*session),
	}
	if r.farewell != nil {
		r.send(a.id, detached(r.farewell))
		return
	}
	r.attachments[a.id] = a
	r.order = append(r.order, a)
	switch {
	case r.heldUp():
		r.putOffUntilStored(a)
	case r.loaded:
		r.welcome(a)
	}
}

// welcome lets an attachment in, in its turn if that takes more than a word.
func (r *Room) welcome(a *attachment) {
	if a.resume == nil || r.config.Kind == Relay {
		r.letIn(a)
	} else {
		r.ask(asker{attachment: a})
	}
}

// letIn tells an attachment that the room is open, and a resumed one what it has
// missed. Both rest on stored updates only (law 4): when some are on their way,
// the words wait for them.
func (r *Room) letIn(a *attachment) {
	attached := &roomsv1.Attached{Kind: r.config.Kind.Proto(), Epoch: r.epoch, Seq: r.log.restsOn()}
	frame := &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Attached{Attached: attached}}
	if r.config.Kind == Relay {
		r.send(a.id, frame)
		return
	}
	attached.StateVector = r.encodedVector()
	r.sendWhenStored(a.id, frame, 0)
	if a.resume == nil || (*a.resume == attached.Seq && r.config.Kind == Durable) {
		return
	}
	// Which updates came after that seq isn't known here any more; a document
	// says all of them again, and a client takes only what it lacks.
	missed := &roomsv1.Broadcast{Seq: attached.Seq, Update: r.encodedState()}
	frame = &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{Broadcast: missed}}
	r.sendAnswer(a.id, frame, len(missed.Update))
}

func (r *Room) onDetach(id AttachmentID) {
	a := r.attachments[id]
	if a == nil {
		return
	}
	r.forget(a)
	r.depart(r.presence.attachmentGone(id))
}

func (r *Room) leave(a *attachment, s *session) {
	delete(a.sessions, s.id.Number)
	r.depart(r.presence.sessionGone(s.id))
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
func (r *Room) putOff(a *attachment, why string) {
	r.send(a.id, detached(&roomsv1.Detached{
		Reason:  roomsv1.DetachReason_DETACH_REASON_OVERLOADED,
		Message: why,
	}))
	r.forget(a)
	r.depart(r.presence.attachmentGone(a.id))
}

// dismiss ends all attachments, now and from now on.
func (r *Room) dismiss(reason roomsv1.DetachReason, message string) {
	r.farewell = &roomsv1.Detached{Reason: reason, Message: message}
	for len(r.order) > 0 {
		a := r.order[0]
		r.send(a.id, detached(r.farewell))
		r.forget(a)
	}
	r.presence = newPresence(r.config)
}

// die is dismiss for a room that can't go on.
func (r *Room) die(reason roomsv1.DetachReason, message string) {
	r.dismiss(reason, message)
	r.dead = true
}

func detached(d *roomsv1.Detached) *roomsv1.RoomFrame {
	return &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Detached{Detached: d}}
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
