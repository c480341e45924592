// Package session decides what one client in one room may say and is told.
//
// It is pure: no socket, clock, lock or goroutine. Whoever drives a Session
// gives it a client's message or a room's frame, and does what it answers.
//
//	client ── Message ─► FromClient ─► Frame ── link ─► room
//	client ◄─ Message… ─ FromRoom ◄── RoomFrame ─ link ─ room
//
// A client speaks first; until then it is told nothing, since nobody knows what
// it would understand. Its step 1 is answered by the room's step 2 and then,
// once in the session's life, by the room's own step 1. An update needs no
// answer: its echo says "saved". A refused one ends the session.
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
)

// Frame is one thing that a session says to its room. The zero Frame is
// nothing.
type Frame struct {
	Kind FrameKind
	// Bytes is a state vector (Step1), a v1 update (Update, Step2), an
	// awareness update (Awareness) or anything (Relay).
	Bytes []byte
	// Ticket asks for an answer to an Update or Step2, if it isn't 0.
	Ticket uint64
	// ReadOnly goes with Join.
	ReadOnly bool
}

// Config says what a session is to its room. It never changes.
type Config struct {
	Kind     roomsv1.RoomKind
	Traits   dialect.Traits
	ReadOnly bool
	// Unseen: the client's awareness goes to nobody. It sees that of others.
	Unseen bool
}

// Session is one client in one room. It isn't safe for concurrent use.
type Session struct {
	cfg Config

	// asked: our step 1 was sent.
	asked bool
	// waiting counts the client's step 1s that have no reply yet, and vector is
	// the newest one's state vector: a new link must ask it again.
	waiting int
	vector  []byte
	// tickets counts the updates that were given a ticket.
	tickets uint64
}

// New returns the session of a client that has just come.
func New(cfg Config) *Session { return &Session{cfg: cfg} }

// Relays reports whether the room is a relay: then a client's frames go whole
// through RawFrame, and FromClient isn't used.
func (s *Session) Relays() bool { return s.cfg.Kind == roomsv1.RoomKind_ROOM_KIND_RELAY }

// RawFrame returns what a client's frame becomes in a relay room.
func (s *Session) RawFrame(data []byte) Frame { return Frame{Kind: Relay, Bytes: data} }

// FromClient returns what a client's message becomes, the zero Frame if it is
// for nobody. The frame's bytes alias the message.
func (s *Session) FromClient(m dialect.Message) Frame {
	switch m.Kind {
	case dialect.Step1:
		s.waiting++
		s.vector = append(s.vector[:0], m.Body...)
		return Frame{Kind: Step1, Bytes: m.Body}
	case dialect.Step2:
		return s.update(Step2, m.Body)
	case dialect.Update:
		return s.update(Update, m.Body)
	case dialect.Awareness:
		if s.cfg.Unseen {
			return Frame{}
		}
		return Frame{Kind: Awareness, Bytes: m.Body}
	case dialect.QueryAwareness:
		return Frame{Kind: QueryAwareness}
	default:
		// A client that denies us access changes nothing here.
		return Frame{}
	}
}

// update forwards an update unless it says nothing and nobody waits for its
// answer: each newcomer answers our step 1, and most have nothing to add.
func (s *Session) update(kind FrameKind, body []byte) Frame {
	if !s.cfg.Traits.Acks {
		if emptyUpdate(body) {
			return Frame{}
		}
		return Frame{Kind: kind, Bytes: body}
	}
	s.tickets++
	return Frame{Kind: kind, Bytes: body, Ticket: s.tickets}
}

// emptyUpdate reports whether body is the v1 update of no structs and no
// deletions.
func emptyUpdate(body []byte) bool { return len(body) == 2 && body[0] == 0 && body[1] == 0 }

// FromRoom appends to out what a room's frame tells the client. A Close instead
// ends the session. The messages alias the frame.
func (s *Session) FromRoom(f *roomsv1.RoomFrame, out []dialect.Message) ([]dialect.Message, *Close) {
	switch body := f.GetBody().(type) {
	case *roomsv1.RoomFrame_SyncReply:
		return s.syncReply(body.SyncReply, out), nil
	case *roomsv1.RoomFrame_Broadcast:
		return append(out, dialect.Message{Kind: dialect.Update, Body: body.Broadcast.GetUpdate()}), nil
	case *roomsv1.RoomFrame_Awareness:
		return append(out, dialect.Message{Kind: dialect.Awareness, Body: body.Awareness}), nil
	case *roomsv1.RoomFrame_Relayed:
		return append(out, dialect.Message{Kind: dialect.Raw, Body: body.Relayed.GetData()}), nil
	case *roomsv1.RoomFrame_Result:
		return s.result(body.Result, out)
	case *roomsv1.RoomFrame_Ended:
		return out, refused(body.Ended.GetRefusal(), body.Ended.GetMessage())
	default:
		return out, nil
	}
}

// syncReply answers the client's step 1, and asks back the first time. A
// read-only client is never asked: whatever it answered would be refused.
func (s *Session) syncReply(r *roomsv1.SyncReply, out []dialect.Message) []dialect.Message {
	if s.waiting > 0 {
		s.waiting--
	}
	if s.waiting == 0 {
		s.vector = nil
	}
	step2 := dialect.Message{Kind: dialect.Step2, Body: r.GetUpdate()}
	if s.cfg.ReadOnly || (s.asked && !s.cfg.Traits.Step1First) {
		return append(out, step2)
	}
	s.asked = true
	step1 := dialect.Message{Kind: dialect.Step1, Body: r.GetStateVector()}
	if s.cfg.Traits.Step1First {
		return append(out, step1, step2)
	}
	return append(out, step2, step1)
}

// result is a room's answer to an update.
func (s *Session) result(r *roomsv1.UpdateResult, out []dialect.Message) ([]dialect.Message, *Close) {
	refusal := r.GetRefusal()
	if s.cfg.Traits.Acks && r.GetTicket() != 0 {
		if refusal == roomsv1.Refusal_REFUSAL_UNSPECIFIED {
			return append(out, dialect.Message{Kind: dialect.Saved}), nil
		}
		return append(out, dialect.Message{Kind: dialect.Refused, Body: []byte(r.GetMessage())}), nil
	}
	if refusal == roomsv1.Refusal_REFUSAL_UNSPECIFIED {
		return out, nil
	}
	return out, refused(refusal, r.GetMessage())
}

// Resumed appends what tells the client that the room is there again after a
// break: our step 1, since what the client sent meanwhile may be lost. A client
// that has never synchronised is asked in its turn, after its step 2. With
// askPresence it is also asked who is here, or everybody would look gone until
// the clients' next heartbeat, which may be 15 s away.
func (s *Session) Resumed(stateVector []byte, askPresence bool, out []dialect.Message) []dialect.Message {
	if s.Relays() || (!s.asked && !s.cfg.ReadOnly) {
		return out
	}
	if s.asked {
		out = append(out, dialect.Message{Kind: dialect.Step1, Body: stateVector})
	}
	if askPresence {
		out = append(out, dialect.Message{Kind: dialect.QueryAwareness})
	}
	return out
}

// Rejoin appends what a new link must hear of this session: that it joins, and
// the step 1 to which no reply came.
func (s *Session) Rejoin(out []Frame) []Frame {
	out = append(out, s.Joining())
	if s.waiting > 0 {
		s.waiting = 1
		out = append(out, Frame{Kind: Step1, Bytes: s.vector})
	}
	return out
}

// Joining returns the session's first frame.
func (s *Session) Joining() Frame { return Frame{Kind: Join, ReadOnly: s.cfg.ReadOnly} }
