package edge

import (
	"net/http"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
	"github.com/fjord-sync/fjord/services/edge/internal/gate"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// admit counts a request in that asks for a websocket, or says why it can't
// have one. Nothing that costs more than counting has happened before.
func (e *Edge) admit(r *http.Request) (*gate.Ticket, *auth.Refusal) {
	if headerSize(r) > e.cfg.Limits.Header {
		return nil, e.full("max-header", http.StatusRequestHeaderFieldsTooLarge, "the request's headers are larger than this server accepts")
	}
	if e.leaving() {
		return nil, comeBack(http.StatusServiceUnavailable, errDraining.Error())
	}
	ticket, refusal := e.gate.Enter(e.proxies.client(r))
	if refusal != nil {
		return nil, e.full(refusal.Limit, refusal.Status, refusal.Text)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining {
		ticket.Leave()
		return nil, comeBack(http.StatusServiceUnavailable, errDraining.Error())
	}
	e.upgrading++
	e.readers.Add(1)
	return ticket, nil
}

// crowded says why somebody who may come in finds no place: there are too many
// of them, or in the room.
func (e *Edge) crowded(ticket *gate.Ticket, w spoken.Way, p pass) *auth.Refusal {
	subject := ""
	if p.grants != nil { // or else messages say who it is
		subject = p.grants.Subject
	}
	if refusal := ticket.Name(subject); refusal != nil {
		return e.full(refusal.Limit, refusal.Status, refusal.Text)
	}
	if !w.Addressed() && e.link(w.Room).Full(w.Room) {
		return e.full("max-sockets-per-room", http.StatusServiceUnavailable, link.RoomFull.Reason)
	}
	return nil
}

// full counts a limit and returns the answer to who reached it.
func (e *Edge) full(limit string, status int, text string) *auth.Refusal {
	e.reached.Hit(limit)
	return comeBack(status, text)
}

// comeBack is an answer that says when to try again.
func comeBack(status int, text string) *auth.Refusal {
	return &auth.Refusal{Status: status, Text: text, Header: http.Header{"Retry-After": {retryAfter}}}
}

// headerSize returns about how many bytes a request's line and headers took.
func headerSize(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}

// HeaderBytes is the size of request headers that the server which carries the
// edge should read: more than the edge takes, so that it can answer and count.
func (e *Edge) HeaderBytes() int { return 2 * e.cfg.Limits.Header }

// leaving reports whether Drain or Close was called.
func (e *Edge) leaving() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.draining
}

// upgraded settles an admitted socket: c is nil if the upgrade failed.
func (e *Edge) upgraded(ticket *gate.Ticket, c *client) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.upgrading--
	if c == nil {
		ticket.Leave()
		e.readers.Done()
		e.leftLocked()
		return
	}
	c.ticket = ticket
	e.clients[c] = struct{}{}
	e.sockets.Inc()
	if e.draining {
		c.socket.Close(session.CloseLeaving, "server is leaving, come back")
	}
}

// gone forgets a client whose socket has ended.
func (e *Edge) gone(c *client) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.clients, c)
	c.ticket.Leave()
	e.sockets.Dec()
	e.leftLocked()
	e.readers.Done()
}

// leftLocked tells Drain when the last client has gone.
func (e *Edge) leftLocked() {
	if e.left == nil || len(e.clients)+e.upgrading > 0 {
		return
	}
	select {
	case <-e.left:
	default:
		close(e.left)
	}
}
