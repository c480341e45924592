package edge

import (
	"context"
	"time"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

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
	if d.renewal.stopRecheck != nil {
		d.renewal.stopRecheck()
	}
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
