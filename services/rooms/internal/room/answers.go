package room

import (
	"fmt"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// A question of a few bytes may have the whole document for an answer: a step 1,
// a query of who is here, a link that resumes. Answers are therefore given at the
// pace at which they leave: MaxAnswerBytes, and the answer that passes it, in one
// step; the same held for storage; and none to an attachment whose link is
// crowded. Meanwhile the question alone waits in line. If all were answered at
// once, a crowd that joins a big document, or an edge that returns to many, would
// overflow its link again and again, and one client that asks in a loop would
// fill the memory.

// asker is who waits in line.
type asker struct {
	attachment *attachment
	session    *session // nil: the attachment waits to be let in
}

// question is what a session wants to know. One that is asked again before it
// was answered has one answer, to the newest.
type question struct {
	// state: what the session lacks beside vector.
	state  bool
	vector []byte
	// who: the presence of everybody.
	who bool
}

// encoded keeps what many ask for, until the next change or until nobody has
// asked for a while: it doubles what the document takes.
type encoded struct {
	state, vector []byte
	used          time.Time
}

const keepEncoded = 30 * time.Second

func (r *Room) onStep1(a *attachment, s *session, stateVector []byte) {
	if r.config.Kind == Relay {
		r.end(s, roomsv1.Refusal_REFUSAL_NOT_ALLOWED, "a relay room has no document to synchronise with")
		return
	}
	inLine := s.question.state || s.question.who
	s.question.state, s.question.vector = true, stateVector
	if !inLine {
		r.ask(asker{a, s})
	}
}

func (r *Room) onQueryAwareness(a *attachment, s *session) {
	inLine := s.question.state || s.question.who
	s.question.who = true
	if !inLine {
		r.ask(asker{a, s})
	}
}

// ask answers at once if nobody is before, and that may be.
func (r *Room) ask(who asker) {
	if len(r.line) == 0 && r.mayAnswer(who.attachment) {
		r.answer(who)
		return
	}
	r.line = append(r.line, who)
}

// answerLine answers those in line as far as may be. An attachment that is
// crowded doesn't hold up the others.
func (r *Room) answerLine() {
	waiting := r.line[:0]
	for _, who := range r.line {
		switch {
		case r.gone(who):
		case r.mayAnswer(who.attachment):
			r.answer(who)
		default:
			waiting = append(waiting, who)
		}
	}
	clear(r.line[len(waiting):])
	r.line = waiting
}

func (r *Room) gone(who asker) bool {
	a, s := who.attachment, who.session
	return r.attachments[a.id] != a || (s != nil && a.sessions[s.id.Number] != s)
}

func (r *Room) mayAnswer(a *attachment) bool {
	return !a.crowded && r.given < r.config.MaxAnswerBytes && r.log.answers() < r.config.MaxAnswerBytes
}

// Asked reports whether a step without events would answer somebody.
func (r *Room) Asked() bool {
	if r.log.answers() >= r.config.MaxAnswerBytes {
		return false // Stored makes room
	}
	for _, who := range r.line {
		if !who.attachment.crowded && !r.gone(who) {
			return true
		}
	}
	return false
}

func (r *Room) answer(who asker) {
	s := who.session
	if s == nil {
		r.letIn(who.attachment)
		return
	}
	q := s.question
	s.question = question{}
	if q.state && !r.syncReply(s, q.vector) {
		return
	}
	if q.who {
		// At once: presence doesn't rest on what is stored.
		frame := presenceFrame(s.id.Number, r.presence.all())
		r.given += len(frame.GetAwareness())
		r.send(s.id.Attachment, frame)
	}
}

// syncReply answers a step 1. The answer is held until what it rests on is
// stored: made then, it would rest on later updates. It returns false if the
// session was put out instead.
func (r *Room) syncReply(s *session, stateVector []byte) bool {
	var update []byte
	if hasNothing(stateVector) {
		update = r.encodedState()
	} else {
		var err error
		if update, err = r.document.EncodeStateAsUpdate(stateVector); err != nil {
			r.end(s, refusal(err), fmt.Sprintf("state vector: %v", err))
			return false
		}
	}
	r.sendAnswer(s.id.Attachment, &roomsv1.RoomFrame{
		Session: s.id.Number,
		Body: &roomsv1.RoomFrame_SyncReply{SyncReply: &roomsv1.SyncReply{
			Update:      update,
			StateVector: r.encodedVector(),
			Seq:         r.log.restsOn(),
		}},
	}, len(update))
	if s.greeted {
		return true
	}
	// Who is here, behind the reply: synchronising comes first.
	s.greeted = true
	if r.presence.present() > 0 {
		frame := presenceFrame(s.id.Number, r.presence.all())
		r.sendAnswer(s.id.Attachment, frame, len(frame.GetAwareness()))
	}
	return true
}

// hasNothing reports whether a state vector is that of an empty document.
func hasNothing(stateVector []byte) bool {
	return len(stateVector) == 0 || (len(stateVector) == 1 && stateVector[0] == 0)
}

// sendAnswer is sendWhenStored for an answer of so many bytes.
func (r *Room) sendAnswer(to AttachmentID, frame *roomsv1.RoomFrame, bytes int) {
	if b := r.log.last(); b != nil {
		b.answers += bytes
	} else {
		r.given += bytes
	}
	r.sendWhenStored(to, frame, 0)
}

// encodedState returns the whole document, encoded once between two changes: a
// crowd that joins together costs one encoding.
func (r *Room) encodedState() []byte {
	if r.encoded.state == nil {
		state, err := r.document.EncodeStateAsUpdate(nil)
		if err != nil {
			panic("room: encoding without a state vector cannot fail: " + err.Error())
		}
		r.encoded.state = state
	}
	r.encoded.used = r.now
	return r.encoded.state
}

func (r *Room) encodedVector() []byte {
	if r.encoded.vector == nil {
		r.encoded.vector = r.document.StateVector()
	}
	return r.encoded.vector
}
