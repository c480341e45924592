package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/auth"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect/spoken"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// The parts of authentication that a Config names.
type (
	// Auth chooses how it is known who somebody is: by Method, as --auth says it, with
	// Audiences and Issuer for tokens.
	Auth = auth.Config
	// Hook looks at a request before anybody is authenticated, and refuses it or
	// returns nil: func(Request) *Refusal. It may be called from many goroutines, and
	// holds up its own request only.
	Hook = auth.Hook
	// Request is what a Hook sees: Method, Host, Path and Room; Remote, the client's
	// address; Origin and UserAgent; Cookie and Token, whose Reveal tells them.
	Request = auth.Request
	// Refusal is what a Hook answers: Status, 400 to 599, Text for people, and Header,
	// which may be nil.
	Refusal = auth.Refusal
)

// pass is what a client was let in with.
type pass struct {
	grants *session.Grants
	// expires is when the socket is closed. Zero: never.
	expires time.Time
	// inBand decides about the documents that messages name.
	inBand *auth.InBand
	// protocol is the websocket subprotocol that was chosen, "" for none.
	protocol string
}

func newAuth(cfg Config) (auth.Authenticator, error) {
	if cfg.Auth.Logger == nil {
		cfg.Auth.Logger = cfg.Logger
	}
	return auth.New(cfg.Auth)
}

// authorize decides whether a request may come into room. Whom nothing lets in, it
// refuses before any rooms process was asked: that they can't tell a room that is
// there from one that isn't, by no answer and by no time. Who has a grant, but may
// not make the room, is refused in the same words when it isn't there.
//
// Where messages name the documents, only the hooks are asked: the tokens come
// in messages too.
func (e *Edge) authorize(r *http.Request, w spoken.Way) (pass, *auth.Refusal) {
	p, _, refusal := e.identify(r, w)
	return p, refusal
}

// identify is authorize, and says who it is: a socket doesn't keep that.
func (e *Edge) identify(r *http.Request, w spoken.Way) (pass, auth.Claims, *auth.Refusal) {
	room := w.Room
	request, protocol, err := auth.NewRequest(r, room)
	if err != nil {
		return pass{}, auth.Claims{}, e.refused(room, "malformed", &auth.Refusal{Status: http.StatusBadRequest, Text: err.Error()})
	}
	request.Remote = e.proxies.client(r)
	if refusal := auth.Ask(e.cfg.Hooks, request); refusal != nil {
		return pass{}, auth.Claims{}, e.refused(room, "hook", refusal)
	}
	p := pass{protocol: protocol, inBand: auth.NewInBand(e.auth, request)}
	if w.Addressed() {
		e.admissions.WithLabelValues("allowed").Inc()
		return p, auth.Claims{}, nil
	}
	claims, access, err := auth.Admit(r.Context(), e.auth, request)
	if err == nil {
		err = e.allow(r.Context(), room, claims, access)
	}
	if err != nil {
		return pass{}, auth.Claims{}, e.refused(room, admission(err), auth.Refuse(e.auth, err))
	}
	e.admissions.WithLabelValues("allowed").Inc()
	p.grants, p.expires = grants(claims, access), claims.Expires
	return p, claims, nil
}

// allow returns why what somebody was granted isn't enough, or is no longer: nil, or
// an error of one of auth's kinds.
func (e *Edge) allow(ctx context.Context, room string, claims auth.Claims, access auth.Access) error {
	if err := e.revoked.check(room, claims); err != nil {
		return err
	}
	if access.Create {
		return nil // nobody needs to know whether the room is there
	}
	exists, err := e.link(room).Exists(ctx, room)
	switch {
	case err != nil:
		e.cfg.Logger.Debug("it can't be known whether a room is there", "room", link.Loggable(room), "error", err)
		return errRoomsAway
	case !exists:
		return auth.ErrNoAccess
	default:
		return nil
	}
}

var errRoomsAway = fmt.Errorf("%w: rooms cannot be reached", auth.ErrUnavailable)

// levels are those of the wire.
var levels = map[auth.Level]roomsv1.Level{
	auth.Read:  roomsv1.Level_LEVEL_READ,
	auth.Write: roomsv1.Level_LEVEL_WRITE,
	auth.Admin: roomsv1.Level_LEVEL_ADMIN,
}

// grants returns what a room is told of somebody.
func grants(claims auth.Claims, access auth.Access) *session.Grants {
	return &session.Grants{
		Level:    levels[access.Level],
		Presence: access.Presence,
		Create:   access.Create,
		Subject:  claims.Subject,
		TokenID:  claims.TokenID,
	}
}

// refused counts a refusal, and notes it for who looks closely.
func (e *Edge) refused(room, result string, refusal *auth.Refusal) *auth.Refusal {
	e.admissions.WithLabelValues(result).Inc()
	e.cfg.Logger.Debug("not let in", "room", link.Loggable(room), "result", result, "status", refusal.Status, "why", refusal.Text)
	return refusal
}

// refusedInBand counts a refusal by message.
func (e *Edge) refusedInBand(room string, err error) {
	e.admissions.WithLabelValues(admission(err)).Inc()
	e.cfg.Logger.Debug("not let in by message", "room", link.Loggable(room), "error", err)
}

// admission names an error's kind for the metric.
func admission(err error) string {
	switch {
	case errors.Is(err, auth.ErrUnauthenticated):
		return "unauthenticated"
	case errors.Is(err, auth.ErrForbidden):
		return "forbidden"
	default:
		return "unavailable"
	}
}

func newAdmissions() *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fjord_edge_admissions_total",
		Help: "Websocket upgrades, and requests for documents, that were let in, or refused for their credentials, by result.",
	}, []string{"result"})
	for _, result := range []string{"allowed", "malformed", "hook", "unauthenticated", "forbidden", "unavailable"} {
		v.WithLabelValues(result)
	}
	return v
}

// refuse answers a request instead of the upgrade.
func refuse(w http.ResponseWriter, refusal *auth.Refusal) {
	for name, values := range refusal.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	http.Error(w, refusal.Text, refusal.Status)
}

// expire closes the socket when what it was let in with ceases to hold. The
// function that it returns ends that.
func (c *client) expire() (forget func()) {
	c.expireAt(c.pass.expires)
	return func() { c.expireAt(time.Time{}) }
}

// expiry is when a socket is closed.
type expiry struct {
	mu    sync.Mutex // guards timer
	timer *time.Timer
}

// expireAt closes the socket then, and not when it was said before; never at the zero
// time.
func (c *client) expireAt(at time.Time) {
	e := &c.expiry
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
	if at.IsZero() {
		return
	}
	e.timer = time.AfterFunc(time.Until(at), func() {
		c.socket.Close(session.CloseUnauthenticated, "the token has expired")
	})
}
