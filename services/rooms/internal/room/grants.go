package room

import (
	"maps"
	"slices"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// Level is how much a session may do; a higher one includes the lower.
type Level int

// The levels. Nobody is in a room with Nothing.
const (
	Nothing Level = iota
	// Read sees everything.
	Read
	// Write changes the document, and relays what the room doesn't look at.
	Write
	// Admin is Write, and what operators may do where something asks for it.
	Admin
)

// Proto returns the level as the wire spells it.
func (l Level) Proto() roomsv1.Level {
	return [...]roomsv1.Level{
		roomsv1.Level_LEVEL_UNSPECIFIED, roomsv1.Level_LEVEL_READ,
		roomsv1.Level_LEVEL_WRITE, roomsv1.Level_LEVEL_ADMIN,
	}[l]
}

// Grants say who a session is and what it may do. They don't change.
type Grants struct {
	Level Level
	// Presence lets it show itself to the others.
	Presence bool
	// Create lets it into a room that isn't there, and so make it.
	Create bool
	// Visit lets it into a room that isn't there without making it: it looks, and
	// is gone.
	Visit bool
	// Subject is who it is, TokenID by which token: empty if nobody knows.
	Subject, TokenID string
}

// Denied counts what sessions tried and may not.
type Denied struct {
	// Joins were refused for a lack of grants, Ended are sessions that were put
	// out because theirs were taken back.
	Joins, Ended int
	// Updates, Presence and Relayed are frames that went nowhere.
	Updates, Presence, Relayed int
}

// What sessions are told.
const (
	readOnly = "this session may read but not write"
	revoked  = "access was revoked"
	// noAccess is said by edges as well, to those whom nothing lets in.
	noAccess = "no access to this room"
	noGrants = "a session without grants; is the edge older than rooms?"
)

// onJoin lets a session in, as far as it may.
func (r *Room) onJoin(a *attachment, e *Event) {
	s := &session{id: e.Session, grants: e.Grants}
	switch {
	case e.Grants == nil || e.Grants.Level == Nothing:
		r.turnAway(s, roomsv1.Refusal_REFUSAL_NOT_ALLOWED, noGrants)
		return
	case r.judge(s.grants) == Nothing:
		r.turnAway(s, roomsv1.Refusal_REFUSAL_REVOKED, revoked)
		return
	case r.crowd() >= r.config.MaxSessions:
		r.reached(LimitSessions)
		r.end(s, roomsv1.Refusal_REFUSAL_TOO_MANY, "too many sessions are in the room; come back later")
		return
	// Who was here before the link broke, or rooms did, comes back to a room that
	// may be empty still.
	case !s.grants.Create && !s.grants.Visit && a.resume == nil && !r.Exists():
		r.turnAway(s, roomsv1.Refusal_REFUSAL_NO_ACCESS, noAccess)
		return
	}
	r.made = r.made || s.grants.Create
	a.sessions[s.id.Number] = s
	s.level = min(s.grants.Level, r.judge(s.grants))
	if s.level != s.grants.Level {
		r.tellAccess(s)
	}
}

// turnAway ends a session that isn't in.
func (r *Room) turnAway(s *session, why roomsv1.Refusal, message string) {
	r.ready.Denied.Joins++
	r.end(s, why, message)
}

// Exists reports whether the room is there for those who may not make it: it
// holds something, or somebody has come in who may.
func (r *Room) Exists() bool {
	return r.made || (r.document != nil && (!hasNothing(r.document.StateVector()) || r.document.Pending().Structs > 0))
}

// onRegrant changes what a session may do.
func (r *Room) onRegrant(s *session, grants *Grants) {
	if grants == nil || grants.Level == Nothing {
		r.end(s, roomsv1.Refusal_REFUSAL_NOT_ALLOWED, noGrants)
		return
	}
	// Its edge believes that it may do all of it now.
	s.grants, s.level = grants, grants.Level
	r.made = r.made || grants.Create
	if !grants.Presence {
		r.depart(r.presence.sessionGone(s.id))
	}
	r.reconsider(s)
}

// reconsider asks again what a session may do.
func (r *Room) reconsider(s *session) {
	level := min(s.grants.Level, r.judge(s.grants))
	switch {
	case level == Nothing:
		r.ready.Denied.Ended++
		r.end(s, roomsv1.Refusal_REFUSAL_REVOKED, revoked)
	case level != s.level:
		s.level = level
		r.tellAccess(s)
	}
}

func (r *Room) reconsiderAll() {
	for _, a := range r.order {
		for _, number := range slices.Sorted(maps.Keys(a.sessions)) {
			r.reconsider(a.sessions[number])
		}
	}
}

func (r *Room) judge(g *Grants) Level {
	if r.config.Judge == nil {
		return Admin
	}
	return r.config.Judge(*g)
}

// tellAccess tells a session what it may do now.
func (r *Room) tellAccess(s *session) {
	r.send(s.id.Attachment, &roomsv1.RoomFrame{
		Session: s.id.Number,
		Body: &roomsv1.RoomFrame_Access{Access: &roomsv1.Access{
			Level:    s.level.Proto(),
			Presence: s.grants.Presence,
		}},
	})
}
