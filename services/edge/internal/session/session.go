// Package session decides what one client in one room may say and is told.
//
// It is pure: no socket, clock, lock or goroutine. Whoever drives a Session
// gives it a client's message or a room's frame, and does what it answers.
//
//	client ── Message ─► FromClient ─► Frame ── link ─► room
//	client ◄─ Message… ─ FromRoom ◄── RoomFrame ─ link ─ room
//
// A client speaks first; until then it is told nothing, since nobody knows what
// it would understand. Its step 1 is answered by the room's step 2 and by the
// room's own step 1, in the order and as often as its dialect wants. Where an
// update needs no answer, its echo says "saved", and a refused one ends the
// session; else each is answered once (see owed).
package session

import (
	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// FrameKind tells the frames for a room apart. They are the bodies of EdgeFrame
// in link.proto.
type FrameKind uint8

// The frames that a session sends to its room.
const (
	Join FrameKind = iota + 1
	Leave
	Step1
	Update
	Step2
	Awareness
	QueryAwareness
	Relay
	Regrant
)

// Frame is one thing that a session says to its room. The zero Frame is
// nothing.
type Frame struct {
	Kind FrameKind
	// Bytes is a state vector (Step1), a v1 update (Update, Step2), an
	// awareness update (Awareness) or anything (Relay).
	Bytes []byte
	// Head comes before the Bytes of a Relay.
	Head []byte
	// Ticket asks for an answer to an Update or Step2, if it isn't 0.
	Ticket uint64
	// Grants go with Join and Regrant.
	Grants *Grants
}

// Config says what a session is to its room. Only Speak, Regrant and Return change
// it.
type Config struct {
	Kind   roomsv1.RoomKind
	Traits dialect.Traits
	// Grants are what the room is told of the client. nil: nothing is granted.
	Grants *Grants
}

// Session is one client in one room. It isn't safe for concurrent use.
type Session struct {
	cfg Config

	// level and shown are what the client may do by the room's last word.
	level roomsv1.Level
	shown bool

	// questions are the client's step 1s that have no reply yet, and vector is
	// the newest one's state vector: a new link must ask it again.
	questions []question
	vector    []byte
	owed      owed
	// lowered: the client wants to write no more.
	lowered bool
	// told: the client knows its access.
	told bool
	// synced: a reply has gone to the client.
	synced bool
	// name is what the head of relayed data says of its sender.
	name []byte
}

// question says how a step 1 is answered.
type question uint8

const (
	asked   question = iota
	crossed          // by a Cross
	again            // the client doesn't know that it was asked for it
)

// New returns the session of a client that has just come.
func New(cfg Config) *Session {
	if cfg.Grants == nil {
		cfg.Grants = nothing
	}
	return &Session{cfg: cfg, level: cfg.Grants.Level, shown: cfg.Grants.Presence}
}

// Speak changes the dialect in the middle of a session.
func (s *Session) Speak(t dialect.Traits) { s.cfg.Traits = t }

// Relays reports whether the room is a relay: then a client's frames go whole
// through RawFrame, and FromClient isn't used.
func (s *Session) Relays() bool { return s.cfg.Kind == roomsv1.RoomKind_ROOM_KIND_RELAY }

// RawFrame returns what a client's frame becomes in a relay room.
func (s *Session) RawFrame(data []byte) Frame { return Frame{Kind: Relay, Bytes: data} }

// FromClient returns what a client's message becomes, the zero Frame if it is
// for nobody, and what the client is told at once, the zero Message if nothing.
// A Close ends the session. The frame's bytes alias the message.
func (s *Session) FromClient(m dialect.Message) (f Frame, tell dialect.Message, why *Close) {
	switch m.Kind {
	case dialect.Step1, dialect.Cross:
		how := asked
		if m.Kind == dialect.Cross {
			how = crossed
		}
		s.questions = append(s.questions, how)
		s.vector = append(s.vector[:0], m.Body...)
		return Frame{Kind: Step1, Bytes: m.Body}, tell, nil
	case dialect.Step2:
		return s.update(Step2, m.Body)
	case dialect.Update:
		return s.update(Update, m.Body)
	case dialect.Barrier:
		if s.answerPending() {
			s.owed.unsettled = true
		}
		f, why = s.owed.barrier(m.Body)
		return f, tell, why
	case dialect.Awareness:
		if !s.shown {
			return f, tell, nil
		}
		return Frame{Kind: Awareness, Bytes: m.Body}, tell, nil
	case dialect.QueryAwareness:
		return Frame{Kind: QueryAwareness}, tell, nil
	case dialect.ReadOnly, dialect.ReadWrite:
		s.lowered = m.Kind == dialect.ReadOnly
		return f, s.Access(), nil
	case dialect.Stateless, dialect.Data, dialect.ID:
		if s.reads() && m.Kind != dialect.ID {
			// The others' programs act on what they are told.
			return f, s.Access(), nil
		}
		f, why = s.aside(m)
		return f, tell, why
	case dialect.Illegal:
		return f, tell, &Close{CloseMalformed, string(m.Body)}
	default:
		// A client that denies us access changes nothing here.
		return f, tell, nil
	}
}

// answerPending reports whether the client has never answered us and will: what
// it wrote before it came is in that answer, and to it that is said already.
func (s *Session) answerPending() bool {
	return !s.reads() && s.owed.heard == 0 && (s.owed.hasAsked() || len(s.questions) > 0)
}

// update forwards an update unless it says nothing and nobody waits for its
// answer: each newcomer answers our step 1, and most have nothing to add.
func (s *Session) update(kind FrameKind, body []byte) (f Frame, tell dialect.Message, why *Close) {
	fresh, extra := false, false
	if kind == Step2 {
		fresh, extra = s.owed.answered()
	}
	if s.lowered && !emptyUpdate(body) {
		return f, s.Access(), nil
	}
	f = Frame{Kind: kind, Bytes: body}
	switch {
	case s.cfg.Traits.Acks:
		f.Ticket = s.owed.update(fresh, extra)
	case fresh && s.owed.barred():
		f.Ticket = s.owed.settling()
	case emptyUpdate(body):
		return Frame{}, tell, nil
	}
	return f, tell, nil
}

// emptyUpdate reports whether body is the v1 update of no structs and no
// deletions.
func emptyUpdate(body []byte) bool { return len(body) == 2 && body[0] == 0 && body[1] == 0 }

// Rejoin appends what a new link must hear of this session: that it joins, and
// the step 1 to which no reply came.
func (s *Session) Rejoin(out []Frame) []Frame {
	s.owed.broke()
	// The room says once more if it is less.
	s.level, s.shown = s.cfg.Grants.Level, s.cfg.Grants.Presence
	out = append(out, s.Joining())
	if n := len(s.questions); n > 0 {
		s.questions = append(s.questions[:0], s.questions[n-1])
		out = append(out, Frame{Kind: Step1, Bytes: s.vector})
	}
	return out
}

// Joining returns the session's first frame.
func (s *Session) Joining() Frame { return Frame{Kind: Join, Grants: s.cfg.Grants} }
