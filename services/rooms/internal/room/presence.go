package room

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

const (
	// A client renews its state every 15 s, and its peers drop it after 30 s
	// (y-protocols). So does the room.
	outdated = 30 * time.Second
	// A client that is gone is remembered for a while, so that a peer that
	// lagged behind can't bring it back with an old clock.
	remembered = 2 * outdated
)

var errMalformed = errors.New("malformed")

// presence is who is here, and who may say so (law 7).
//
// A client ID belongs to the session that last raised its clock. A session that
// owns no client yet may take one over: that is a user who came back before the
// old connection was found dead. One that owns a client may not touch those of
// others: a peer's timeout for a silent friend, or its echo of a friend's old
// state, changes nothing.
type presence struct {
	maxPresent    int
	maxStateBytes int
	clients       map[uint64]*client
	// owned counts the live clients of each session that has any.
	owned map[SessionID]int
	live  int
}

type client struct {
	clock uint64
	// state is nil when the client is gone.
	state []byte
	owner SessionID
	seen  time.Time
}

func newPresence(config Config) presence {
	return presence{
		maxPresent:    config.MaxPresent,
		maxStateBytes: config.MaxStateBytes,
		clients:       make(map[uint64]*client),
		owned:         make(map[SessionID]int),
	}
}

func (p *presence) present() int { return p.live }

// verdict is what an awareness update came to.
type verdict struct {
	// news goes to everybody.
	news []awareness.Entry
	// stale goes back to the sender only: clients of its own that it believes
	// to be alive and that everybody else was told are gone. y-protocols answers
	// such a null by raising the clock, so that it is seen again at once.
	stale []awareness.Entry
}

// take judges what a session announces. It fails without any change if an entry
// is over a limit or no JSON, which would throw in every peer's parser.
func (p *presence) take(now time.Time, from SessionID, entries []awareness.Entry) (verdict, error) {
	added := 0
	for _, e := range entries {
		if len(e.State) > p.maxStateBytes {
			return verdict{}, fmt.Errorf("presence of client %d: %d bytes; want at most %d", e.Client, len(e.State), p.maxStateBytes)
		}
		if !json.Valid(e.State) {
			return verdict{}, fmt.Errorf("%w: presence of client %d is not JSON", errMalformed, e.Client)
		}
		if p.clients[e.Client] == nil {
			added++
		}
	}
	if len(p.clients)+added > p.maxPresent {
		p.purge(now)
		if len(p.clients)+added > p.maxPresent {
			return verdict{}, fmt.Errorf("more than %d clients present", p.maxPresent)
		}
	}
	var v verdict
	newcomer := p.owned[from] == 0
	for _, e := range entries {
		p.takeEntry(now, from, newcomer, e, &v)
	}
	return v, nil
}

func (p *presence) takeEntry(now time.Time, from SessionID, newcomer bool, e awareness.Entry, v *verdict) {
	c := p.clients[e.Client]
	switch {
	case c == nil:
		if e.Gone() {
			return
		}
		c = &client{}
		p.clients[e.Client] = c
	case c.state == nil: // gone, but remembered
		if e.Gone() {
			return
		}
		if e.Clock <= c.clock {
			if newcomer {
				v.stale = append(v.stale, awareness.Entry{Client: e.Client, Clock: c.clock, State: awareness.Null})
			}
			return
		}
	case c.owner == from:
		if e.Clock < c.clock || (e.Clock == c.clock && !e.Gone()) {
			return
		}
	case newcomer && !e.Gone() && e.Clock >= c.clock:
		// A returning user: the client moves to the new session, so that the old
		// one's end doesn't erase it.
		if e.Clock == c.clock {
			p.set(c, from, c.state)
			c.seen = now
			return
		}
	default:
		return
	}
	c.clock, c.seen = e.Clock, now
	if e.Gone() {
		p.set(c, from, nil)
	} else {
		p.set(c, from, e.State)
	}
	v.news = append(v.news, e)
}

// set changes a client's state and owner, and the counts with them.
func (p *presence) set(c *client, owner SessionID, state []byte) {
	if c.state != nil {
		p.live--
		if p.owned[c.owner]--; p.owned[c.owner] == 0 {
			delete(p.owned, c.owner)
		}
	}
	c.owner, c.state = owner, state
	if c.state != nil {
		p.live++
		p.owned[c.owner]++
	}
}

// all returns everybody who is here, in the order of their IDs.
func (p *presence) all() []awareness.Entry {
	entries := make([]awareness.Entry, 0, p.live)
	for id, c := range p.clients {
		if c.state != nil {
			entries = append(entries, awareness.Entry{Client: id, Clock: c.clock, State: c.state})
		}
	}
	return sorted(entries)
}

// sessionGone takes away the clients of a session that has left and returns
// what to tell the others: null at the same clock. A higher one would hide a
// returning user until its own clock has passed it.
func (p *presence) sessionGone(s SessionID) []awareness.Entry {
	return p.remove(func(c *client) bool { return c.owner == s })
}

func (p *presence) attachmentGone(a AttachmentID) []awareness.Entry {
	return p.remove(func(c *client) bool { return c.owner.Attachment == a })
}

// expire takes away clients that have been silent for too long.
func (p *presence) expire(now time.Time) []awareness.Entry {
	p.purge(now)
	return p.remove(func(c *client) bool { return now.Sub(c.seen) >= outdated })
}

func (p *presence) remove(leaves func(*client) bool) []awareness.Entry {
	var gone []awareness.Entry
	for id, c := range p.clients {
		if c.state != nil && leaves(c) {
			p.set(c, c.owner, nil)
			gone = append(gone, awareness.Entry{Client: id, Clock: c.clock, State: awareness.Null})
		}
	}
	return sorted(gone)
}

// purge forgets clients that went long ago.
func (p *presence) purge(now time.Time) {
	for id, c := range p.clients {
		if c.state == nil && now.Sub(c.seen) >= remembered {
			delete(p.clients, id)
		}
	}
}

func sorted(entries []awareness.Entry) []awareness.Entry {
	slices.SortFunc(entries, func(a, b awareness.Entry) int {
		switch {
		case a.Client < b.Client:
			return -1
		case a.Client > b.Client:
			return 1
		default:
			return 0
		}
	})
	return entries
}

func (r *Room) onAwareness(now time.Time, s *session, update []byte) {
	entries, err := awareness.Decode(update)
	if err != nil {
		r.end(s, roomsv1.Refusal_REFUSAL_MALFORMED, err.Error())
		return
	}
	v, err := r.presence.take(now, s.id, entries)
	switch {
	case errors.Is(err, errMalformed):
		r.end(s, roomsv1.Refusal_REFUSAL_MALFORMED, err.Error())
		return
	case err != nil:
		r.end(s, roomsv1.Refusal_REFUSAL_TOO_LARGE, err.Error())
		return
	}
	r.announceAll(v.news)
	if len(v.stale) > 0 {
		r.send(s.id.Attachment, presenceFrame(s.id.Number, v.stale))
	}
}

// announceAll tells everybody, the sender included: its echo is what keeps a
// client's watchdog quiet.
func (r *Room) announceAll(entries []awareness.Entry) {
	if len(entries) > 0 {
		r.sendAll(presenceFrame(0, entries))
	}
}

// greet tells a session who is here, if anybody is, behind the sync reply that it
// was just given: synchronising comes first.
func (r *Room) greet(s *session) {
	s.greeted = true
	if entries := r.presence.all(); len(entries) > 0 {
		r.sendWhenStored(s.id.Attachment, presenceFrame(s.id.Number, entries))
	}
}

// onQueryAwareness answers at once: presence doesn't rest on what is stored.
func (r *Room) onQueryAwareness(s *session) {
	r.send(s.id.Attachment, presenceFrame(s.id.Number, r.presence.all()))
}

func presenceFrame(session uint64, entries []awareness.Entry) *roomsv1.RoomFrame {
	return &roomsv1.RoomFrame{
		Session: session,
		Body:    &roomsv1.RoomFrame_Awareness{Awareness: awareness.Append(nil, entries...)},
	}
}
