package room

import (
	"errors"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/yjs"
)

// onUpdate applies an update and has it stored; its broadcast and its ack wait
// until it is (law 4). A refused one changes nothing (law 8).
func (r *Room) onUpdate(s *session, e *Event) {
	switch {
	case r.config.Kind == Relay:
		r.refuse(s, e.Ticket, roomsv1.Refusal_REFUSAL_NOT_ALLOWED, "a relay room has no document to update")
		return
	case r.heldUp():
		// Whatever the update is worth, its answer would have to wait as well.
		r.putOffUntilStored(r.attachments[s.id.Attachment])
		return
	case len(e.Data) > r.config.MaxUpdateBytes:
		r.tooLargef(s, e, LimitUpdate, "an update of %d bytes; want at most %d", len(e.Data), r.config.MaxUpdateBytes)
		return
	case yjs.IsEmptyUpdate(e.Data):
		r.acknowledge(s, e.Ticket)
		return
	}
	// A step 2 often holds nothing new: the client couldn't know. Anything else
	// is new but for rare repetitions, which may as well be stored twice.
	known := (e.Step2 || s.level < Write) && r.document.Contains(e.Data)
	switch {
	case known:
		r.echo(s, e)
	case s.level < Write:
		r.ready.Denied.Updates++
		r.refuse(s, e.Ticket, roomsv1.Refusal_REFUSAL_READ_ONLY, readOnly)
	case r.weight.exceeds(r.document, r.config.MaxDocumentBytes, len(e.Data)):
		r.tooLargef(s, e, LimitDocument, "the document has %d bytes and may have %d", r.weight.size, r.config.MaxDocumentBytes)
	case r.full(len(e.Data)):
		r.reached(LimitUnsaved)
		r.putOffUntilStored(r.attachments[s.id.Attachment])
	case r.floods(e.Data):
		r.tooLargef(s, e, LimitPending, "updates of %d bytes wait for others that have not arrived; at most %d may", r.backlog.bytes, r.config.MaxPendingBytes)
	default:
		r.apply(s, e)
	}
}

// updateCost is what an update takes in its record beside its bytes: its length,
// at most. Many tiny updates must not make a record that storage can't take.
const updateCost = 4

// full reports whether an update of n bytes must not be taken now. One update
// always fits when nothing waits, however large it is.
func (r *Room) full(n int) bool {
	unsaved := r.log.unsavedBytes()
	return unsaved > 0 && unsaved+n+updateCost > r.config.MaxUnsavedBytes
}

// putOffUntilStored ends an attachment because of what waits for storage. Its
// clients still have what they said: they are asked for it when their edge comes
// back.
func (r *Room) putOffUntilStored(a *attachment) {
	r.putOff(a, "too much waits to be stored; come back when storage has caught up")
}

func (r *Room) apply(s *session, e *Event) {
	r.suspect = e
	err := r.config.Apply(r.document, e.Data)
	r.suspect = nil
	if err != nil {
		r.refuse(s, e.Ticket, refusal(err), err.Error())
		return
	}
	r.encoded = encoded{}
	r.weight.grow(r.document, len(e.Data))
	r.lack.unseen = true
	frame := &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Broadcast{
		Broadcast: &roomsv1.Broadcast{Update: e.Data},
	}}
	r.log.compaction.note(e.Data)
	if r.config.Kind == Durable {
		waiting := &r.log.waiting
		waiting.updates = append(waiting.updates, e.Data)
		waiting.bytes += len(e.Data) + updateCost
		waiting.hold(effect{all: true, frame: frame}, 0)
	} else {
		r.log.records++
		r.log.bytes += len(e.Data) + updateCost
		r.log.changed = r.now
		r.sendAll(frame)
	}
	r.acknowledge(s, e.Ticket)
}

// echo answers an update that says nothing new: nobody else need hear it, but
// its sender may wait to see it come back.
func (r *Room) echo(s *session, e *Event) {
	r.sendWhenStored(s.id.Attachment, &roomsv1.RoomFrame{
		Session: s.id.Number,
		Body:    &roomsv1.RoomFrame_Broadcast{Broadcast: &roomsv1.Broadcast{Update: e.Data}},
	}, len(e.Data))
	r.acknowledge(s, e.Ticket)
}

// refusal classifies an engine's error for the wire.
func refusal(err error) roomsv1.Refusal {
	if errors.Is(err, yjs.ErrLimit) {
		return roomsv1.Refusal_REFUSAL_TOO_LARGE
	}
	return roomsv1.Refusal_REFUSAL_MALFORMED
}

// acknowledge tells a session that its update, and all before it, are stored.
func (r *Room) acknowledge(s *session, ticket uint64) {
	if ticket == 0 {
		return
	}
	r.sendWhenStored(s.id.Attachment, &roomsv1.RoomFrame{
		Session: s.id.Number,
		Body: &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{
			Ticket: ticket,
			Seq:    r.log.restsOn(),
		}},
	}, 0)
}

// refuse tells a session that its update went nowhere. It waits its turn among
// the session's acks, so that they can be counted.
func (r *Room) refuse(s *session, ticket uint64, why roomsv1.Refusal, message string) {
	r.sendWhenStored(s.id.Attachment, &roomsv1.RoomFrame{
		Session: s.id.Number,
		Body: &roomsv1.RoomFrame_Result{Result: &roomsv1.UpdateResult{
			Ticket:  ticket,
			Refusal: why,
			Message: message,
		}},
	}, len(message))
}

// end puts a session out.
func (r *Room) end(s *session, why roomsv1.Refusal, message string) {
	r.send(s.id.Attachment, &roomsv1.RoomFrame{
		Session: s.id.Number,
		Body:    &roomsv1.RoomFrame_Ended{Ended: &roomsv1.Ended{Refusal: why, Message: message}},
	})
	if a := r.attachments[s.id.Attachment]; a != nil {
		r.leave(a, s)
	}
}

// onRelay passes bytes on as they are: at once, since nothing of them is kept. A
// reader's go nowhere: nobody here knows what the others make of them.
func (r *Room) onRelay(s *session, data []byte) {
	if s.level < Write {
		r.ready.Denied.Relayed++
		if r.config.Kind == Relay {
			r.end(s, roomsv1.Refusal_REFUSAL_READ_ONLY, readOnly)
		} else {
			r.tellAccess(s)
		}
		return
	}
	for _, a := range r.order {
		if !a.welcomed {
			continue
		}
		relayed := &roomsv1.Relayed{Data: data}
		if a.id == s.id.Attachment {
			relayed.FromSession = s.id.Number
		}
		r.send(a.id, &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Relayed{Relayed: relayed}})
	}
}
