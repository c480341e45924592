package edge

import (
	"context"
	"sync"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// attendee ties a session to its socket and to its room. The link calls
// Deliver, Rejoin, Resumed and End; one goroutine at a time the rest.
type attendee struct {
	// Immutable.
	client  *client
	address string // empty in the URL's room
	room    string
	stop    <-chan struct{} // closed when nobody waits for it any more

	member *link.Member // set by open
	// put, if not nil, is asked with mu held when the room has put the session out
	// because its grants were taken back. If it returns true the session goes on. Set
	// before join.
	put func() bool

	mu sync.Mutex // guards following
	// session is nil until join.
	session *session.Session
	// dialect is nil until the client has spoken one.
	dialect dialect.Dialect
	// ended: the client was told that this document is closed to it.
	ended bool
}

// open attaches the room, or says why it can't.
func (a *attendee) open() *session.Close {
	ctx, span := a.client.edge.cfg.Tracer.Begin(context.Background(), "join", a.room)
	defer span.End(nil)
	member, why := a.client.edge.link(a.room).Open(a.stop, a.room, trace.Parent(ctx), a)
	if why != nil {
		span.Fail(why.Reason)
		return why
	}
	a.member = member
	return nil
}

// join makes the session and lets it into the room. d is nil if nobody knows
// what the client speaks, as in a relay room.
func (a *attendee) join(d dialect.Dialect, g *session.Grants) {
	cfg := session.Config{Kind: a.member.Kind(), Grants: g}
	if d != nil {
		cfg.Traits = d.Traits()
	}
	s := session.New(cfg)
	a.mu.Lock()
	a.session = s
	a.dialect = d
	a.mu.Unlock()
	a.member.Join(a.stop, s.Joining())
}

// joined reports whether the session has joined.
func (a *attendee) joined() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session != nil
}

// speak changes the dialect in which the client is spoken to.
func (a *attendee) speak(d dialect.Dialect) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dialect = d
	a.session.Speak(d.Traits())
}

// readOnly reports whether the client may change nothing now.
func (a *attendee) readOnly() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session.ReadOnly()
}

// say tells the room what a message of the client means to it. It waits while
// the room is away, and returns false if nobody waits for it any more.
func (a *attendee) say(m dialect.Message) bool {
	f, ended := a.means(m)
	if ended {
		a.member.Part()
		return true
	}
	return f.Kind == 0 || a.member.Send(a.stop, f)
}

// means returns what a message of the client is to the room, and whether it ended
// the session. The zero Frame is nothing.
func (a *attendee) means(m dialect.Message) (f session.Frame, ended bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.session == nil { // nobody is there, or not any more
		return f, false
	}
	f, tell, why := a.session.FromClient(m)
	if tell.Kind != 0 {
		var d dialect.Delivery
		a.tellLocked([]dialect.Message{tell}, &d)
	}
	if why != nil {
		a.endLocked(why)
	}
	return f, a.ended
}

// Deliver tells the client what a room's frame means to it.
func (a *attendee) Deliver(f *roomsv1.RoomFrame, d *dialect.Delivery) {
	defer a.caught()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	var few [2]dialect.Message
	messages, why := a.session.FromRoom(f, few[:0])
	if why != nil {
		if a.put != nil && why.Code == session.CloseUnauthenticated && a.put() {
			return
		}
		a.endLocked(why)
		return
	}
	a.tellLocked(messages, d)
}

// Resumed asks the client for what it alone has.
func (a *attendee) Resumed(stateVector []byte, askPresence bool) {
	defer a.caught()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	var few [2]dialect.Message
	var d dialect.Delivery
	a.tellLocked(a.session.Resumed(stateVector, askPresence, few[:0]), &d)
}

func (a *attendee) tellLocked(messages []dialect.Message, d *dialect.Delivery) {
	for _, m := range messages {
		m.Address = a.address
		if frame := d.Frame(a.dialect, m); len(frame) > 0 || m.Kind == dialect.Raw {
			a.client.socket.Push(frame)
		}
	}
}

// Rejoin appends what a new link must hear of the session.
func (a *attendee) Rejoin(out []session.Frame) []session.Frame {
	defer a.caught()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.session.Rejoin(out)
}

// End ends the session.
func (a *attendee) End(why *session.Close) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.endLocked(why)
}

// endLocked closes the socket; but where it carries other documents, and coming
// back wouldn't help this one, only this one is closed.
func (a *attendee) endLocked(why *session.Close) {
	if a.address == "" || !why.Final() {
		a.client.socket.Close(why.Code, why.Reason)
		return
	}
	if !a.ended {
		a.ended = true
		if why.Code == session.CloseForbidden {
			a.denyLocked(denied)
		} else {
			a.denyLocked(why.Reason)
		}
	}
}

// denyLocked tells the client that this document is closed to it.
func (a *attendee) denyLocked(reason string) {
	a.client.tell(dialect.Message{Kind: dialect.Denied, Address: a.address, Body: []byte(reason)})
}

// caught ends the client's socket if what the link called panicked: it concerns
// no other.
func (a *attendee) caught() {
	if p := recover(); p != nil {
		a.client.panicked("session", p)
	}
}
