package edge

import (
	"bytes"
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

// carry makes the client one that names its documents. The function that it
// returns ends them all.
func (c *client) carry() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	c.ctx = ctx
	c.documents = make(map[string]*document)
	c.admitted = make(chan struct{})
	c.socket.LimitFrames(c.edge.cfg.Limits.EarlyFrame, "max-early-frame")
	c.waiters.Go(func() {
		defer cancel()
		late := time.NewTimer(c.edge.cfg.Limits.FirstMessage)
		defer late.Stop()
		select {
		case <-c.admitted:
		case <-late.C:
			c.silent()
		case <-c.socket.Leaving():
		}
		<-c.socket.Leaving()
	})
	return func() {
		cancel()
		for _, d := range c.documents {
			c.forget(d)
		}
		c.waiters.Wait()
	}
}

// toDocument gives a message to the document that it names.
func (c *client) toDocument(m dialect.Message) {
	if m.Address == "" {
		return // a pong
	}
	d := c.documents[m.Address]
	if d != nil && (m.Kind == dialect.Leave || (m.Kind == dialect.Token && d.closed())) {
		c.forget(d)
		d = nil
	}
	if m.Kind == dialect.Leave {
		return
	}
	if d == nil {
		if d = c.knock(m.Address); d == nil {
			return
		}
	}
	switch d.hold(m) {
	case heldUp:
	case free:
		d.say(m)
	case tooMuch:
		c.edge.reached.Hit(d.heldLimit())
		c.socket.Close(session.CloseTooLarge, "too much was said before a document let the client in")
	case mustWait:
		<-d.done
		d.say(m)
	}
}

// knock begins with a document, or closes the socket if too many are asked for.
func (c *client) knock(address string) *document {
	knocking := 0
	for _, d := range c.documents {
		if d.closed() {
			c.forget(d)
		} else if !d.isAdmitted() {
			knocking++
		}
	}
	limits := &c.edge.cfg.Limits
	switch {
	case knocking >= limits.EarlyDocuments:
		c.edge.reached.Hit("max-early-documents")
		c.socket.Close(session.CloseTooLarge, "too many documents were asked for at once")
		return nil
	case len(c.documents) >= limits.Documents:
		c.edge.reached.Hit("max-documents")
		c.socket.Close(session.CloseTooLarge, "too many documents on one socket")
		return nil
	}
	ctx, cancel := context.WithCancel(c.ctx)
	d := &document{
		attendee: attendee{client: c, address: address, room: dialect.Room(address), stop: ctx.Done()},
		ctx:      ctx,
		cancel:   cancel,
		tokens:   make(chan token, 2),
		done:     make(chan struct{}),
	}
	c.documents[address] = d
	c.waiters.Go(func() {
		defer close(d.done)
		defer c.caught()
		d.enter(ctx)
	})
	return d
}

// forget leaves a document.
func (c *client) forget(d *document) {
	d.cancel()
	<-d.done
	d.renewal.busy.Wait()
	d.mu.Lock()
	d.ended = true
	d.releaseLocked()
	d.renewal.stopLocked()
	d.mu.Unlock()
	if d.member != nil {
		d.member.Leave()
	}
	delete(c.documents, d.address)
}

// tell says m to the client outside of any session.
func (c *client) tell(m dialect.Message) {
	if frame := c.dialect.Append(nil, m); len(frame) > 0 {
		c.socket.Push(frame)
	}
}

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
	d.join(c.dialect, g)
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

// verdict is what becomes of a message to a document.
type verdict uint8

const (
	free     verdict = iota // the document is open: say it
	heldUp                  // it is held, or for nobody
	mustWait                // it must be said when the document is open
	tooMuch                 // more than a stranger may say
)

// hold keeps a message for a document that isn't open yet.
func (d *document) hold(m dialect.Message) verdict {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return heldUp
	}
	if m.Kind == dialect.Token {
		if d.session != nil {
			d.renewLocked(string(m.Body))
		} else {
			d.knockLocked(token{text: string(m.Body)})
		}
		return heldUp
	}
	if d.opened {
		return free
	}
	if m.Kind == dialect.Step1 && !d.asked {
		d.knockLocked(token{absent: true})
	}
	c := d.client
	size := int64(len(m.Body))
	if c.heldBytes.Load()+size > int64(c.edge.cfg.Limits.EarlyBytes) || c.heldMessages.Load() >= int64(c.edge.cfg.Limits.EarlyMessages) {
		if d.admitted {
			return mustWait
		}
		return tooMuch
	}
	m.Body = bytes.Clone(m.Body)
	d.held = append(d.held, m)
	d.heldBytes += len(m.Body)
	c.heldBytes.Add(size)
	c.heldMessages.Add(1)
	return heldUp
}

// heldLimit names the limit that hold found reached.
func (d *document) heldLimit() string {
	if d.client.heldMessages.Load() >= int64(d.client.edge.cfg.Limits.EarlyMessages) {
		return "max-early-messages"
	}
	return "max-early-bytes"
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

// release returns what is held. If that is nothing, the document is open.
func (d *document) release() []dialect.Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = len(d.held) == 0
	return d.releaseLocked()
}

func (d *document) releaseLocked() []dialect.Message {
	held := d.held
	d.client.heldBytes.Add(-int64(d.heldBytes))
	d.client.heldMessages.Add(-int64(len(held)))
	d.held, d.heldBytes = nil, 0
	return held
}
