package session

import (
	"bytes"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/yjs/lib0"
)

// FromRoom appends to out what a room's frame tells the client. A Close instead
// ends the session. The messages alias the frame.
func (s *Session) FromRoom(f *roomsv1.RoomFrame, out []dialect.Message) ([]dialect.Message, *Close) {
	switch body := f.GetBody().(type) {
	case *roomsv1.RoomFrame_SyncReply:
		return s.syncReply(body.SyncReply, out), nil
	case *roomsv1.RoomFrame_Broadcast:
		return append(out, dialect.Message{Kind: dialect.Update, Body: body.Broadcast.GetUpdate()}), nil
	case *roomsv1.RoomFrame_Awareness:
		return s.presence(f.GetSession() != 0, body.Awareness, out), nil
	case *roomsv1.RoomFrame_Relayed:
		if s.Relays() {
			return append(out, dialect.Message{Kind: dialect.Raw, Body: body.Relayed.GetData()}), nil
		}
		return heard(body.Relayed.GetData(), out), nil
	case *roomsv1.RoomFrame_Result:
		return s.result(body.Result, out)
	case *roomsv1.RoomFrame_Access:
		return s.may(body.Access.GetLevel(), body.Access.GetPresence(), out), nil
	case *roomsv1.RoomFrame_Ended:
		return out, refused(body.Ended.GetRefusal(), body.Ended.GetMessage())
	default:
		return out, nil
	}
}

// gone is how an awareness update ends whose last client is gone. No other can
// end so: a state is JSON, and the length before the null would be a control
// character in it.
var gone = []byte("\x04null")

// presence tells who is here. What is for this session alone and ends in a null
// is the room's word that the client itself is thought to be gone: it came back
// with the clock that it had.
func (s *Session) presence(alone bool, body []byte, out []dialect.Message) []dialect.Message {
	out = append(out, dialect.Message{Kind: dialect.Awareness, Body: body})
	if alone && s.cfg.Traits.MustBeAsked && bytes.HasSuffix(body, gone) {
		out = append(out, dialect.Message{Kind: dialect.QueryAwareness})
	}
	return out
}

// syncReply answers the client's step 1, and asks back the first time, or each
// time where the dialect counts on it. A read-only client is asked only if it
// waits for the answer to its own: what it answered with would be refused.
func (s *Session) syncReply(r *roomsv1.SyncReply, out []dialect.Message) []dialect.Message {
	how := asked
	if len(s.questions) > 0 {
		how = s.questions[0]
		s.questions = append(s.questions[:0], s.questions[1:]...)
	}
	if len(s.questions) == 0 {
		s.questions, s.vector = nil, nil
	}
	s.synced = true
	traits := s.cfg.Traits
	step1 := dialect.Message{Kind: dialect.Step1, Body: r.GetStateVector()}
	step2 := dialect.Message{Kind: dialect.Step2, Body: r.GetUpdate()}
	asks := (!s.ReadOnly() || traits.Acks) && (!s.owed.hasAsked() || traits.Step1First)
	switch {
	case how == again:
		s.owed.ask(true)
		out = append(out, step1, step2, dialect.Message{Kind: dialect.QueryAwareness})
	case how == crossed:
		body := lib0.AppendVarBytes(nil, r.GetStateVector())
		body = lib0.AppendVarBytes(body, r.GetUpdate())
		s.owed.ask(false)
		out = append(out, dialect.Message{Kind: dialect.Cross, Body: body})
	case !asks:
		out = append(out, step2)
	case traits.Step1First:
		s.owed.ask(false)
		out = append(out, step1, step2)
	default:
		s.owed.ask(false)
		out = append(out, step2, step1)
	}
	if traits.TellsAccess && s.ReadOnly() && !s.told {
		s.told = true
		out = append(out, s.Access())
	}
	return out
}

// result is a room's answer to an update.
func (s *Session) result(r *roomsv1.UpdateResult, out []dialect.Message) ([]dialect.Message, *Close) {
	refusal := r.GetRefusal()
	stored := refusal == roomsv1.Refusal_REFUSAL_UNSPECIFIED
	if s.cfg.Traits.Acks && r.GetTicket() != 0 {
		answer := dialect.Message{Kind: dialect.Saved}
		if !stored {
			answer = dialect.Message{Kind: dialect.Refused, Body: []byte(r.GetMessage())}
		}
		for range s.owed.result(r.GetTicket()) {
			out = append(out, answer)
		}
		return out, nil
	}
	switch {
	case stored:
		return s.owed.passed(r.GetTicket(), out), nil
	case refusal == roomsv1.Refusal_REFUSAL_READ_ONLY && s.cfg.Traits.TellsAccess:
		return append(out, s.Access()), nil
	default:
		return out, refused(refusal, r.GetMessage())
	}
}

// Resumed appends what tells the client that the room is there again after a
// break: our step 1, since what the client sent meanwhile may be lost. A client
// that has never synchronised is asked in its turn, after its step 2. With
// askPresence it is also asked who is here, or everybody would look gone until
// the clients' next heartbeat, which may be 15 s away.
func (s *Session) Resumed(stateVector []byte, askPresence bool, out []dialect.Message) []dialect.Message {
	reader := s.ReadOnly() && !s.cfg.Traits.Acks
	if s.Relays() || (!s.owed.hasAsked() && !reader) {
		return out
	}
	if s.owed.hasAsked() {
		s.owed.ask(true)
		out = append(out, dialect.Message{Kind: dialect.Step1, Body: stateVector})
	}
	if askPresence {
		out = append(out, dialect.Message{Kind: dialect.QueryAwareness})
	}
	return out
}
