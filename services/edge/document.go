package edge

import (
	"context"
	"errors"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/auth"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// document is one that a client asked for by name. What the client says to it
// before it is open is held: clients say who they are and go on at once.
//
//	knocking ── Token, or step 1 without ─► Authorize ─► admitted ─► open
//	    └── 5 s without a good token ──────────────┴──► denied
type document struct {
	attendee
	ctx    context.Context // ends when the client leaves the document
	cancel context.CancelFunc
	// tokens takes one token, and one attempt without.
	tokens chan token
	// done is closed when enter has ended: the document is open, or denied.
	done chan struct{}

	// guarded by mu
	held      []dialect.Message
	heldBytes int
	asked     bool // a token was given, or an attempt without made
	admitted  bool
	opened    bool // what was held has been said; the reader goes on
	renewal   renewal
}

// token is what a client says of itself.
type token struct {
	text string
	// absent: the client gave none so far, and may still do.
	absent bool
}

// denied is all that a client is told: "no such room" and "no access" look the
// same.
const denied = "permission-denied"

// enter waits for who the client is and lets it in, or doesn't.
func (d *document) enter(ctx context.Context) {
	late := time.NewTimer(d.client.edge.cfg.Limits.Token)
	defer late.Stop()
	for {
		select {
		case t := <-d.tokens:
			claims, access, err := d.authorize(ctx, t.text)
			if err != nil && t.absent {
				continue
			}
			if err != nil {
				d.refuse(err)
				return
			}
			if refusal := d.client.ticket.Name(claims.Subject); refusal != nil {
				d.client.edge.reached.Hit(refusal.Limit)
				d.deny(refusal.Text)
				return
			}
			d.mu.Lock()
			d.expireLocked(claims)
			d.mu.Unlock()
			d.admit(ctx, t, grants(claims, access))
			return
		case <-late.C:
			d.client.edge.reached.Hit("max-token-wait")
			d.deny(denied)
			return
		case <-ctx.Done():
			return
		}
	}
}

// authorize asks whether whoever has the token may enter.
func (d *document) authorize(ctx context.Context, text string) (auth.Claims, auth.Access, error) {
	if err := d.client.edge.cfg.RoomNames(d.room); err != nil {
		return auth.Claims{}, auth.Access{}, err
	}
	claims, access, err := d.client.pass.inBand.Admit(ctx, d.room, text)
	if err == nil {
		err = d.client.edge.allow(ctx, d.room, claims, access)
	}
	return claims, access, err
}

// refuse tells that somebody isn't let in. Who may come later must lose the
// socket for it: a document that is denied is never asked for again.
func (d *document) refuse(err error) {
	c := d.client
	c.edge.refusedInBand(d.room, err)
	if errors.Is(err, auth.ErrUnavailable) {
		c.socket.Close(session.CloseLater, "who you are cannot be known now, come back")
		return
	}
	d.deny(denied)
}

// admit opens the document and says to it what was held.
func (d *document) admit(ctx context.Context, t token, g *session.Grants) {
	c := d.client
	c.admit.Do(func() {
		c.socket.LimitFrames(c.edge.cfg.Limits.Frame, "max-frame")
		c.socket.SetKeepalive(c.dialect.Keepalive(d.address))
		close(c.admitted)
	})
	if !t.absent {
		scope := dialect.Message{Kind: dialect.ReadWrite, Address: d.address}
		if g.Level < roomsv1.Level_LEVEL_WRITE {
			scope.Kind = dialect.ReadOnly
		}
		c.tell(scope)
	}
	d.mu.Lock()
	d.admitted = true
	d.mu.Unlock()
	if why := d.open(); why != nil {
		if why == link.RoomFull {
			d.deny(why.Reason)
		} else if ctx.Err() == nil { // or else the client has left, and may stay for others
			d.End(why)
		}
		return
	}
	if d.member.Kind() == roomsv1.RoomKind_ROOM_KIND_RELAY {
		d.deny("relay rooms take no documents: name the room in the URL")
		return
	}
	d.put = d.suspendLocked
	d.keep(t.text)
	d.join(c.dialect, g)
	d.renewal.stopRecheck = c.edge.recheck(d.askAgain, c.lost)
	for {
		held := d.release()
		if held == nil {
			return
		}
		for _, m := range held {
			if !d.say(m) {
				return
			}
		}
	}
}

// deny closes the document to the client.
func (d *document) deny(reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return
	}
	d.ended = true
	d.releaseLocked()
	d.denyLocked(reason)
}

// closed reports whether the document was closed to the client.
func (d *document) closed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

func (d *document) isAdmitted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.admitted
}

// knockLocked gives enter a token. One that comes when it has two, or has let
// the client in, changes nothing.
func (d *document) knockLocked(t token) {
	d.asked = true
	select {
	case d.tokens <- t:
	default:
	}
}
