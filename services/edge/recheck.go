package edge

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// recheck asks again, within Config.Recheck each time, whether what somebody was let
// in with still holds: a webhook may think otherwise by now, and an htpasswd file may
// name others.
//
//	asked ── the same, or other grants ─► asked again
//	  ├── not any more ─► ended as one who comes now
//	  └── nobody knows ─► asked again sooner; ended once that has gone on for as long
//
// It is a timer, and a goroutine while it asks, which stop waits for. Of those only
// maxRechecks ask at a time, and the others wait.
type recheck struct {
	every time.Duration
	// ask asks, and acts upon the answer. Its error is that nobody knows.
	ask func(ctx context.Context) error
	// lose ends what nobody could tell about for too long. It doesn't block.
	lose func()

	ctx    context.Context // ends with stop
	cancel context.CancelFunc

	mu      sync.Mutex // guards following
	timer   *time.Timer
	stopped bool
	asking  sync.WaitGroup
	// unknown is since when nobody knows; zero while somebody does.
	unknown time.Time
}

// recheck begins to ask. The function that it returns ends that.
func (e *Edge) recheck(ask func(context.Context) error, lose func()) (stop func()) {
	if e.cfg.Recheck == 0 {
		return func() {}
	}
	r := &recheck{every: e.cfg.Recheck, ask: ask, lose: lose}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waitLocked(r.every)
	return r.stop
}

// waitLocked has the next turn come after most of pause: those who came together
// don't ask together.
func (r *recheck) waitLocked(pause time.Duration) {
	r.timer = time.AfterFunc(pause-rand.N(max(pause/4, 1)), r.turn)
}

func (r *recheck) turn() {
	r.mu.Lock()
	if r.stopped {
		r.mu.Unlock()
		return
	}
	r.asking.Add(1)
	r.mu.Unlock()
	defer r.asking.Done()
	err := r.ask(r.ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.stopped:
	case err == nil:
		r.unknown = time.Time{}
		r.waitLocked(r.every)
	case r.unknown.IsZero():
		r.unknown = time.Now()
		r.waitLocked(r.every / 4)
	case time.Since(r.unknown) < r.every:
		r.waitLocked(r.every / 4)
	default:
		r.lose()
	}
}

func (r *recheck) stop() {
	r.mu.Lock()
	r.stopped = true
	r.timer.Stop()
	r.mu.Unlock()
	r.cancel()
	r.asking.Wait()
}

// lost closes the socket of somebody of whom nobody knows any more who it is.
func (c *client) lost() {
	c.socket.Close(session.CloseLater, "who you are cannot be known now, come back")
}

// askAgain asks whether the client may still be in the URL's room.
func (c *client) askAgain(ctx context.Context, own *attendee) error {
	defer c.caught()
	if !own.joined() { // yet; or it chose documents
		return nil
	}
	claims, g, err := c.again(ctx, own.room, "")
	switch {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, auth.ErrUnavailable):
		return err
	case err != nil:
		c.edge.refusedInBand(own.room, err)
		c.edge.rechecks.WithLabelValues("ended").Inc()
		code := session.CloseForbidden
		if errors.Is(err, auth.ErrUnauthenticated) {
			code = session.CloseUnauthenticated
		}
		own.End(&session.Close{Code: code, Reason: err.Error()})
		return nil
	}
	c.expireAt(claims.Expires)
	f, changed := own.regrant(g)
	c.edge.rechecked(changed)
	if changed {
		own.member.Send(own.stop, f)
	}
	return nil
}

// again asks, when it is its turn, what lets the client into a room that it is in.
// Whether the room is there is asked of newcomers only: it is as long as somebody is in
// it, and rooms that are away put nobody out.
func (c *client) again(ctx context.Context, room, token string) (auth.Claims, *session.Grants, error) {
	e := c.edge
	select {
	case e.rechecking <- struct{}{}:
	case <-ctx.Done():
		return auth.Claims{}, nil, ctx.Err()
	}
	defer func() { <-e.rechecking }()
	claims, access, err := c.pass.inBand.Admit(ctx, room, token)
	if err == nil {
		err = e.revoked.check(room, claims)
	}
	if ctx.Err() == nil && errors.Is(err, auth.ErrUnavailable) {
		e.rechecks.WithLabelValues("unavailable").Inc()
	}
	return claims, grants(claims, access), err
}

// regrant changes what the client may do, tells it, and returns what the room must
// hear; or that nothing has changed.
func (a *attendee) regrant(g *session.Grants) (f session.Frame, changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended || a.session.Granted() == *g {
		return f, false
	}
	f, messages := a.session.Regrant(g, nil)
	a.tellLocked(messages, &dialect.Delivery{})
	return f, true
}

// askAgain asks whether the client may still have the document, by the token that let
// it in last. Tokens that come meanwhile wait: the newest has the last word.
func (d *document) askAgain(ctx context.Context) error {
	defer d.client.caught()
	r := &d.renewal
	d.mu.Lock()
	if d.ended || r.running || r.suspended {
		d.mu.Unlock()
		return nil
	}
	r.running = true
	text := r.token
	d.mu.Unlock()
	defer d.renew(d.ctx) // those tokens
	claims, g, err := d.client.again(ctx, d.room, text)
	switch {
	case ctx.Err() != nil || d.renewing():
		return nil
	case errors.Is(err, auth.ErrUnavailable):
		return err
	case err != nil:
		d.client.edge.rechecks.WithLabelValues("ended").Inc()
		d.renewalFailed(err)
		return nil
	}
	frames := d.stay(claims, g)
	d.client.edge.rechecked(frames != nil)
	for _, f := range frames {
		d.member.Send(d.stop, f)
	}
	return nil
}

// renewing reports whether the client is asked for another token, or has given one
// that wasn't looked at: what was asked about is out of date.
func (d *document) renewing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.renewal.suspended || d.renewal.next != nil
}

// stay lets the session stay, as long as the claims hold, and returns what the room
// must hear if it may do other things than before.
func (d *document) stay(claims auth.Claims, g *session.Grants) []session.Frame {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.ended || d.renewal.suspended:
		return nil
	case d.session.Granted() != *g:
		return d.regrantLocked(claims, g)
	}
	d.expireLocked(claims)
	return nil
}

// rechecked counts an answer that lets somebody stay.
func (e *Edge) rechecked(changed bool) {
	result := "same"
	if changed {
		result = "changed"
	}
	e.rechecks.WithLabelValues(result).Inc()
}

func newRechecks() *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fjord_edge_rechecks_total",
		Help: "How often it was asked again whether sessions may stay, by what became of them.",
	}, []string{"result"})
	for _, result := range []string{"same", "changed", "ended", "unavailable"} {
		v.WithLabelValues(result)
	}
	return v
}
