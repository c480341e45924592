package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/revocation"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/edge/internal/auth"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
	"github.com/fjord-sync/fjord/services/edge/internal/gate"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
	"github.com/fjord-sync/fjord/services/edge/internal/socket"
)

// door is the edge, as a dialect's plain requests see it.
type door struct{ edge *Edge }

var _ dialect.Door = door{}

// visitor is who sends such a request: a session like any other, which says one
// thing. So rooms holds it to its grants.
type visitor struct {
	edge   *Edge
	ticket *gate.Ticket
	room   string
	claims auth.Claims
	grants *session.Grants
}

// HTTPS reports whether the sender surely speaks TLS.
func (d door) HTTPS(r *http.Request) bool { return d.edge.proxies.https(r) }

// Enter asks of r what ServeHTTP asks of an upgrade.
func (d door) Enter(w http.ResponseWriter, r *http.Request, room string) (dialect.Guest, bool) {
	e := d.edge
	if err := e.cfg.RoomNames(room); err != nil {
		http.Error(w, err.Error(), nameStatus(err))
		return nil, false
	}
	if !e.origins.allows(r.Header["Origin"], r.Host, e.proxies.https(r)) {
		http.Error(w, "this origin is not allowed here", http.StatusForbidden)
		return nil, false
	}
	ticket, refusal := e.admit(r)
	if refusal != nil {
		refuse(w, refusal)
		return nil, false
	}
	v := &visitor{edge: e, ticket: ticket, room: room}
	if refusal = v.introduce(r); refusal != nil {
		v.Leave()
		refuse(w, refusal)
		return nil, false
	}
	return v, true
}

// introduce finds out who the visitor is.
func (v *visitor) introduce(r *http.Request) *auth.Refusal {
	p, claims, refusal := v.edge.identify(r, spoken.Way{Room: v.room})
	if refusal == nil {
		v.claims, v.grants = claims, p.grants
	}
	return refusal
}

// Leave ends the visit.
func (v *visitor) Leave() { v.edge.upgraded(v.ticket, nil) }

// Read returns the document.
func (v *visitor) Read(ctx context.Context) ([]byte, error) {
	f, err := v.ask(ctx, session.Frame{Kind: session.Step1, Bytes: []byte{0}})
	return f.GetSyncReply().GetUpdate(), err
}

// Write adds an update, which is held to what frames of a socket are held to.
func (v *visitor) Write(ctx context.Context, r io.Reader) error {
	most := v.edge.cfg.Limits.Frame
	update, free, err := v.edge.socketConf.Inbound.Read(r, most)
	defer free()
	switch {
	case errors.Is(err, socket.ErrTooLarge):
		v.edge.reached.Hit("max-frame")
		return &dialect.GuestError{Status: http.StatusRequestEntityTooLarge, Text: fmt.Sprintf("the body is larger than %d bytes", most)}
	case errors.Is(err, socket.ErrNoRoom):
		v.edge.reached.Hit("max-inbound")
		return &dialect.GuestError{Status: http.StatusServiceUnavailable, Text: err.Error()}
	case err != nil:
		return &dialect.GuestError{Status: http.StatusBadRequest, Text: "the body ends early"}
	}
	_, err = v.ask(ctx, session.Frame{Kind: session.Update, Bytes: update, Ticket: 1})
	return err
}

// Invite signs a token for somebody else.
func (v *visitor) Invite(i dialect.Invitation) (string, error) {
	if v.edge.revoked.find(v.room, v.claims) != revocation.Nothing {
		// Or else somebody whose right to write was taken back could give it to
		// somebody else, who is nobody yet.
		return "", &dialect.GuestError{Status: http.StatusForbidden, Text: auth.ErrForbidden.Error()}
	}
	token, err := auth.Sign(v.edge.auth, v.claims, auth.Pass{Subject: i.Subject, Room: v.room, ReadOnly: i.ReadOnly, Holds: i.Holds})
	switch {
	case err == nil:
		return token, nil
	case errors.Is(err, auth.ErrForbidden):
		return "", &dialect.GuestError{Status: http.StatusForbidden, Text: err.Error()}
	case errors.Is(err, auth.ErrNoKey), errors.Is(err, auth.ErrReadOnly):
		return "", &dialect.GuestError{Status: http.StatusNotImplemented, Text: err.Error()}
	default:
		return "", &dialect.GuestError{Status: http.StatusBadRequest, Text: err.Error()}
	}
}

// ask joins the room, says one thing, waits for the answer and leaves.
func (v *visitor) ask(ctx context.Context, f session.Frame) (*roomsv1.RoomFrame, error) {
	q := &question{frame: f, answer: make(chan *roomsv1.RoomFrame, 1), ended: make(chan *session.Close, 1)}
	ctx, span := v.edge.cfg.Tracer.Begin(ctx, "visit", v.room)
	defer span.End(nil)
	member, why := v.edge.link(v.room).Open(ctx.Done(), v.room, trace.Parent(ctx), q)
	if why != nil {
		span.Fail(why.Reason)
		return nil, ending(why)
	}
	defer member.Leave()
	if member.Kind() == roomsv1.RoomKind_ROOM_KIND_RELAY {
		return nil, &dialect.GuestError{Status: http.StatusConflict, Text: "a relay room has no document"}
	}
	q.begin(session.New(session.Config{Kind: member.Kind(), Grants: v.grants}))
	member.Join(ctx.Done(), q.session.Joining())
	member.Send(ctx.Done(), f)
	select {
	case answer := <-q.answer:
		return answer, nil
	case why := <-q.ended:
		span.Fail(why.Reason)
		return nil, ending(why)
	case <-ctx.Done():
		return nil, &dialect.GuestError{Status: http.StatusServiceUnavailable, Text: "the room hasn't answered; an update may be stored or not"}
	}
}

// ending returns the HTTP status that says what a close code does.
func ending(why *session.Close) *dialect.GuestError {
	status, ok := map[int]int{
		session.CloseMalformed:       http.StatusBadRequest,
		session.CloseUnauthenticated: http.StatusUnauthorized,
		session.CloseForbidden:       http.StatusForbidden,
		session.CloseTooLarge:        http.StatusRequestEntityTooLarge,
	}[why.Code]
	if !ok {
		status = http.StatusServiceUnavailable
	}
	return &dialect.GuestError{Status: status, Text: why.Reason}
}

// question is what a visitor wants to know, on its way. The link calls its
// methods.
type question struct {
	frame  session.Frame
	answer chan *roomsv1.RoomFrame
	ended  chan *session.Close

	mu      sync.Mutex // guards session
	session *session.Session
}

func (q *question) begin(s *session.Session) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.session = s
}

// Deliver keeps the answer. Its bytes are copied, since the link's are used again.
func (q *question) Deliver(f *roomsv1.RoomFrame, _ *dialect.Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, why := q.session.FromRoom(f, nil); why != nil {
		q.endLocked(why)
		return
	}
	var answer *roomsv1.RoomFrame
	switch {
	case f.GetSyncReply() != nil:
		answer = &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_SyncReply{SyncReply: &roomsv1.SyncReply{Update: bytes.Clone(f.GetSyncReply().GetUpdate())}}}
	case f.GetResult() != nil:
		answer = &roomsv1.RoomFrame{}
	default:
		return
	}
	select {
	case q.answer <- answer:
	default: // asked twice, because the way broke
	}
}

// Rejoin asks again: what was said when the way broke may be lost, and an update
// that is stored twice changes nothing.
func (q *question) Rejoin(out []session.Frame) []session.Frame {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append(out, q.session.Joining(), q.frame)
}

// Resumed has nothing to ask.
func (q *question) Resumed([]byte, bool) {}

// End keeps why.
func (q *question) End(why *session.Close) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.endLocked(why)
}

func (q *question) endLocked(why *session.Close) {
	select {
	case q.ended <- why:
	default:
	}
}

// routed is a dialect whose clients ask over plain HTTP too.
type routed interface {
	Routes(mux *http.ServeMux, door dialect.Door)
}

// newRoutes returns what dialects answer that is no websocket.
func newRoutes(e *Edge) *http.ServeMux {
	mux := http.NewServeMux()
	for _, d := range spoken.All {
		if d, ok := d.(routed); ok {
			d.Routes(mux, door{e})
		}
	}
	return mux
}
