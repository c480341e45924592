package session

import (
	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// Grants say who a client is and what it may do in the room. The room enforces
// them; what a session knows of them saves the way there, and tells the client.
// They don't change.
type Grants struct {
	Level roomsv1.Level
	// Presence lets the client show itself to the others.
	Presence bool
	// Create lets it into a room that isn't there.
	Create bool
	// Subject is who it is, TokenID by which token: empty if nobody knows.
	Subject, TokenID string
}

// nothing is known of a session that has no grants, and nothing is granted.
var nothing = &Grants{}

// emptyVector is that of a client that has nothing: an answer to it says all.
var emptyVector = []byte{0}

// ReadOnly reports whether the client may change nothing now.
func (s *Session) ReadOnly() bool { return s.level < roomsv1.Level_LEVEL_WRITE }

// reads reports whether what the client wants to change is refused here already.
func (s *Session) reads() bool { return s.ReadOnly() || s.lowered }

// Access returns the message that tells what the session may do.
func (s *Session) Access() dialect.Message {
	if s.reads() {
		return dialect.Message{Kind: dialect.ReadOnly}
	}
	return dialect.Message{Kind: dialect.ReadWrite}
}

// may notes what the client may do now, and appends what it is told of it. Who
// may write again is asked for what was refused meanwhile.
func (s *Session) may(level roomsv1.Level, presence bool, out []dialect.Message) []dialect.Message {
	read := s.ReadOnly()
	s.level, s.shown = level, presence
	if s.Relays() {
		return out
	}
	traits := s.cfg.Traits
	if traits.TellsAccess || traits.Addressed {
		s.told = true
		out = append(out, s.Access())
	}
	switch {
	case !read && s.ReadOnly() && !traits.TellsAccess && !traits.Addressed:
		// The only word that y-websocket has. Its clients note it and go on.
		out = append(out, dialect.Message{Kind: dialect.Denied, Body: []byte("read-only from now on")})
	case read && !s.ReadOnly() && s.synced:
		s.owed.ask(true)
		out = append(out, dialect.Message{Kind: dialect.Step1, Body: emptyVector})
	}
	return out
}

// Granted returns what the session was granted last.
func (s *Session) Granted() Grants { return *s.cfg.Grants }

// Regrant changes what the client may do, and returns what the room must hear of
// it. It appends to out what the client is told.
func (s *Session) Regrant(g *Grants, out []dialect.Message) (Frame, []dialect.Message) {
	s.cfg.Grants = g
	return Frame{Kind: Regrant, Grants: g}, s.may(g.Level, g.Presence, out)
}

// Return appends the frames with which a session that the room has put out comes
// back, with new grants. What the client has missed meanwhile, it is told; and it
// is asked for what the room has missed.
func (s *Session) Return(g *Grants, out []Frame) []Frame {
	s.cfg.Grants = g
	out = append(s.Rejoin(out), Frame{Kind: Step1, Bytes: emptyVector})
	s.questions = append(s.questions, again)
	if s.vector == nil {
		s.vector = emptyVector
	}
	return out
}
