package auth

import (
	"strings"
	"time"
)

// Level is how much a grant lets somebody do; a higher one includes the lower.
type Level uint8

// The levels.
const (
	// Read sees everything and changes nothing.
	Read Level = iota + 1
	// Write changes the document.
	Write
	// Admin is Write, and what operators may do where something asks for it.
	Admin
)

// Claims say who somebody is and what they may do.
type Claims struct {
	// Subject names them for machines: the JWT's sub, the htpasswd user. Empty
	// if nobody knows.
	Subject string
	// Display is what the token says about them for people, such as name and
	// color. Never nil in claims of a JWT or webhook.
	Display map[string]string
	// Expires is when the claims cease to hold, leeway included. Zero: never.
	Expires time.Time
	// TokenID is the token's own name (jti), by which it can be taken back.
	TokenID string
	Grants  []Grant
}

// Renew returns when the token expires by its own word, a while before the claims
// cease to hold: when to ask for another. Zero: never.
func (c Claims) Renew() time.Time {
	if c.Expires.IsZero() {
		return time.Time{}
	}
	return c.Expires.Add(-leeway)
}

func (c Claims) expired(now time.Time) bool { return !c.Expires.IsZero() && !now.Before(c.Expires) }

// Grant lets somebody into one room, or into all whose names begin alike.
type Grant struct {
	// Room is the room's whole name. Used if Prefix is nil.
	Room string
	// Prefix, if not nil, is how the rooms' names begin; "" begins all.
	Prefix *string
	Level  Level
	// Presence lets them show themselves to the others (awareness).
	Presence bool
	// Create lets them come into a room that isn't there, and so make it.
	Create bool
}

func (g Grant) covers(room string) bool {
	if g.Prefix != nil {
		return strings.HasPrefix(room, *g.Prefix)
	}
	return room == g.Room
}

// Everywhere is the grant of a level and presence in all rooms; who may write may
// make them.
func Everywhere(level Level) Grant {
	return Grant{Prefix: new(string), Level: level, Presence: true, Create: level >= Write}
}

// Access is what somebody may do in one room.
type Access struct {
	Level    Level
	Presence bool
	Create   bool
}

// ReadOnly reports whether updates are to be refused.
func (a Access) ReadOnly() bool { return a.Level < Write }

// For returns what the claims' grants come to in a room: grants add up, so that
// their order means nothing, and none takes away what another gives. ok is false
// if no grant covers the room.
func (c Claims) For(room string) (access Access, ok bool) {
	for _, g := range c.Grants {
		if g.Level < Read || !g.covers(room) {
			continue
		}
		ok = true
		access.Level = max(access.Level, g.Level)
		access.Presence = access.Presence || g.Presence
		access.Create = access.Create || g.Create
	}
	return access, ok
}
