package room

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

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
// owns no client yet may take over one, alone in its update and with a higher
// clock: that is a user who came back before the old connection was found dead.
// With the same clock it may be that, or a client that shows nothing of itself and
// echoes what it hears: it only has a claim, and says more when the owner has gone.
// Nobody else may touch the clients of others: a peer's timeout for a silent
// friend, or its echo of a friend's old state, changes nothing.
//
// What doesn't fit stays unseen: whoever finds the room full can still work, and
// its client, which renews its state, is seen when there is a place.
type presence struct {
	maxPresent    int
	maxOfOne      int
	maxStateBytes int
	// clients are those who are present, and those who have gone as long as they
	// are remembered: at most maxPresent together.
	clients map[uint64]*client
	// owned counts the live clients of each session that has any.
	owned map[SessionID]int
	live  int
}

type client struct {
	clock uint64
	// state is nil when the client is gone.
	state []byte
	owner SessionID
	// claimant is the last one with a claim; its Number is 0 if there is none.
	claimant SessionID
	seen     time.Time
}

// claim is what a session is told of a client that it has a claim to: null at the
// clock that is known, which makes the user raise it and an echo nothing.
type claim struct {
	of   SessionID
	null awareness.Entry
}

func newPresence(config Config) presence {
	return presence{
		maxPresent:    config.MaxPresent,
		maxOfOne:      config.MaxPresentOfOne,
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
	// unseen: a client found no place.
	unseen bool
}

// take judges what a session announces. It fails without any change if a state
// is too large or no JSON, which would throw in every peer's parser.
func (p *presence) take(now time.Time, from SessionID, entries []awareness.Entry) (verdict, error) {
	for i := range entries {
		e := &entries[i]
		// Else " null" were a state here and none to the peers.
		e.State = bytes.TrimSpace(e.State)
		if len(e.State) > p.maxStateBytes {
			return verdict{}, fmt.Errorf("presence of client %d: %d bytes; want at most %d", e.Client, len(e.State), p.maxStateBytes)
		}
		if !json.Valid(e.State) {
			return verdict{}, fmt.Errorf("%w: presence of client %d is not JSON", errMalformed, e.Client)
		}
	}
	var v verdict
	newcomer := p.owned[from] == 0
	returning := newcomer && len(entries) == 1
	for _, e := range entries {
		c := p.clients[e.Client]
		switch {
		case c == nil || c.state == nil:
			p.takeAbsent(now, from, newcomer, e, c, &v)
		case c.owner == from && (e.Clock > c.clock || (e.Clock == c.clock && e.Gone())):
			p.accept(now, from, e, c, &v)
		case c.owner != from && returning && !e.Gone() && e.Clock > c.clock:
			p.accept(now, from, e, c, &v)
		case c.owner != from && returning && !e.Gone() && e.Clock == c.clock:
			c.claimant = from
		}
	}
	return v, nil
}

// takeAbsent judges an entry about a client that isn't here; c is what is
// remembered of it, nil if nothing is.
func (p *presence) takeAbsent(now time.Time, from SessionID, newcomer bool, e awareness.Entry, c *client, v *verdict) {
	switch {
	case e.Gone():
	case c != nil && e.Clock <= c.clock:
		if newcomer {
			v.stale = append(v.stale, awareness.Entry{Client: e.Client, Clock: c.clock, State: awareness.Null})
		}
	case p.live >= p.maxPresent || p.owned[from] >= p.maxOfOne:
		v.unseen = true
	case c == nil:
		if len(p.clients) >= p.maxPresent {
			p.forget(func(*client) bool { return true })
		}
		c = &client{}
		p.clients[e.Client] = c
		p.accept(now, from, e, c, v)
	default:
		p.accept(now, from, e, c, v)
	}
}

// accept makes an entry the client's state.
func (p *presence) accept(now time.Time, from SessionID, e awareness.Entry, c *client, v *verdict) {
	c.clock, c.seen = e.Clock, now
	state := e.State
	if e.Gone() {
		state = nil
	}
	p.set(c, from, state)
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
	c.owner, c.state, c.claimant = owner, state, SessionID{}
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
func (p *presence) sessionGone(s SessionID) (gone []awareness.Entry, claims []claim) {
	if p.owned[s] == 0 {
		return nil, nil // sessions may come and go faster than clients can be searched
	}
	return p.remove(func(c *client) bool { return c.owner == s })
}

func (p *presence) attachmentGone(a AttachmentID) (gone []awareness.Entry, claims []claim) {
	return p.remove(func(c *client) bool { return c.owner.Attachment == a })
}

// expire takes away clients that have been silent for too long.
func (p *presence) expire(now time.Time) (gone []awareness.Entry, claims []claim) {
	p.forget(func(c *client) bool { return now.Sub(c.seen) >= remembered })
	return p.remove(func(c *client) bool { return now.Sub(c.seen) >= outdated })
}

func (p *presence) remove(leaves func(*client) bool) (gone []awareness.Entry, claims []claim) {
	for id, c := range p.clients {
		if c.state == nil || !leaves(c) {
			continue
		}
		null := awareness.Entry{Client: id, Clock: c.clock, State: awareness.Null}
		if c.claimant.Number != 0 {
			claims = append(claims, claim{c.claimant, null})
		}
		p.set(c, c.owner, nil)
		gone = append(gone, null)
	}
	slices.SortFunc(claims, func(a, b claim) int { return cmp.Compare(a.null.Client, b.null.Client) })
	return sorted(gone), claims
}

// forget drops what is remembered of clients that have gone.
func (p *presence) forget(which func(*client) bool) {
	for id, c := range p.clients {
		if c.state == nil && which(c) {
			delete(p.clients, id)
		}
	}
}

func sorted(entries []awareness.Entry) []awareness.Entry {
	slices.SortFunc(entries, func(a, b awareness.Entry) int { return cmp.Compare(a.Client, b.Client) })
	return entries
}
