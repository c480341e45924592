package edge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fjord-sync/fjord/services/edge/internal/auth"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// renewal is what becomes of a document whose client says again who it is: unasked,
// or because its token has expired or was revoked.
//
//	open ── Token ─► Authorize ─► open, with other grants; or denied
//	open ── exp ──► asked ── Token ─► …; without one the socket is closed
//	open ── put out by the room ─► suspended, asked ── Token ─► joined again; or denied
type renewal struct {
	// next is the newest token that wasn't looked at; nil if there is none.
	next *string
	// running: a goroutine looks at tokens. busy waits for it.
	running bool
	busy    sync.WaitGroup
	// suspended: the room has put the session out, and its client was asked. late
	// denies it when it doesn't answer.
	suspended bool
	late      *time.Timer
	// returned is when it was let in again.
	returned time.Time
	// expiry asks for another token, and then closes the socket.
	expiry *time.Timer
	// token let the client in last. stopRecheck ends that it is asked about again;
	// nil before that begins.
	token       string
	stopRecheck func()
}

// renewLocked has a token of somebody who is in looked at.
func (d *document) renewLocked(text string) {
	r := &d.renewal
	r.next = &text
	if !r.running {
		r.running = true
		r.busy.Go(func() { d.renew(d.ctx) })
	}
}

// renew looks at tokens until there is no newer one.
func (d *document) renew(ctx context.Context) {
	for {
		d.mu.Lock()
		next := d.renewal.next
		d.renewal.next = nil
		if next == nil || d.ended {
			d.renewal.running = false
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		claims, access, err := d.authorize(ctx, *next)
		if ctx.Err() != nil {
			continue // the client has gone, or left the document
		}
		if err != nil {
			d.renewalFailed(err)
			continue
		}
		d.keep(*next)
		for _, f := range d.regrant(claims, grants(claims, access)) {
			d.member.Send(d.stop, f)
		}
	}
}

// keep notes the token that has let the client in.
func (d *document) keep(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.renewal.token = text
}

// renewalFailed closes the document, unless nobody can know now who the client is
// and what it was let in with still holds.
func (d *document) renewalFailed(err error) {
	d.mu.Lock()
	suspended := d.renewal.suspended
	d.mu.Unlock()
	if errors.Is(err, auth.ErrUnavailable) && !suspended {
		d.client.edge.refusedInBand(d.room, err)
		return
	}
	d.refuse(err)
	d.member.Part()
}

// regrant changes what the client may do, tells it, and returns what the room must
// hear.
func (d *document) regrant(claims auth.Claims, g *session.Grants) []session.Frame {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil
	}
	return d.regrantLocked(claims, g)
}

func (d *document) regrantLocked(claims auth.Claims, g *session.Grants) []session.Frame {
	d.expireLocked(claims)
	r := &d.renewal
	var told dialect.Delivery
	if !r.suspended {
		f, messages := d.session.Regrant(g, nil)
		d.tellLocked(messages, &told)
		return []session.Frame{f}
	}
	r.suspended = false
	r.late.Stop()
	r.returned = time.Now()
	frames := d.session.Return(g, nil)
	d.tellLocked([]dialect.Message{d.session.Access()}, &told)
	return frames
}

// suspendLocked asks the client who it is, after its room has put it out because
// what it was let in with was taken back. It returns false if that was asked before,
// and the answer was of no use.
func (d *document) suspendLocked() bool {
	r := &d.renewal
	if r.suspended || time.Since(r.returned) < d.client.edge.cfg.Limits.Token {
		return false
	}
	r.suspended = true
	r.late = time.AfterFunc(d.client.edge.cfg.Limits.Token, func() {
		d.mu.Lock()
		late := d.renewal.suspended
		d.mu.Unlock()
		if late {
			d.client.edge.reached.Hit("max-token-wait")
			d.deny(denied)
		}
	})
	d.askLocked()
	return true
}

// askLocked asks the client for its token.
func (d *document) askLocked() {
	d.client.tell(dialect.Message{Kind: dialect.Token, Address: d.address})
}

// expireLocked asks for another token when that of the claims expires, and closes
// the socket when it ceases to hold: the client comes back with another.
func (d *document) expireLocked(claims auth.Claims) {
	r := &d.renewal
	if r.expiry != nil {
		r.expiry.Stop()
		r.expiry = nil
	}
	if claims.Expires.IsZero() {
		return
	}
	end := func() { d.client.socket.Close(session.CloseUnauthenticated, "the token has expired") }
	ask := time.Until(claims.Renew())
	if ask <= 0 { // it has expired before, and holds for a while only because clocks may differ
		r.expiry = time.AfterFunc(time.Until(claims.Expires), end)
		return
	}
	var asking *time.Timer // guarded by mu, and another one once another token has come
	asking = time.AfterFunc(ask, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.ended || r.expiry != asking || !time.Now().Before(claims.Expires) {
			return
		}
		d.askLocked()
		r.expiry = time.AfterFunc(time.Until(claims.Expires), end)
	})
	r.expiry = asking
}

// stopLocked ends what would happen later.
func (r *renewal) stopLocked() {
	for _, timer := range []*time.Timer{r.expiry, r.late} {
		if timer != nil {
			timer.Stop()
		}
	}
	r.expiry = nil
}
