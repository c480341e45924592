package edge

import (
	"context"
	"time"

	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// waves is the number of groups in which Drain closes sockets. Clients come
// back within 100 ms: the spread is what the other edges feel.
const waves = 20

// Drain turns new sockets away and closes the others with 1012, in waves over
// DrainSpread or half of what ctx leaves, whichever is shorter. It returns nil
// when all are gone, or ctx's error. Close must still be called.
func (e *Edge) Drain(ctx context.Context) error {
	spread := e.cfg.DrainSpread
	if deadline, ok := ctx.Deadline(); ok {
		spread = min(spread, time.Until(deadline)/2)
	}
	e.mu.Lock()
	e.draining = true
	if e.left == nil {
		e.left = make(chan struct{})
		if len(e.clients)+e.upgrading == 0 {
			close(e.left)
		}
	}
	left := e.left
	e.mu.Unlock()

	for wave := range waves {
		e.closeSome(waves - wave)
		select {
		case <-left:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(spread / waves):
		}
	}
	select {
	case <-left:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// closeSome closes the share 1/of of the clients that aren't closing yet.
func (e *Edge) closeSome(of int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	staying := make([]*client, 0, len(e.clients))
	for c := range e.clients {
		if !c.closing() {
			staying = append(staying, c)
		}
	}
	for _, c := range staying[:(len(staying)+of-1)/of] {
		c.socket.Close(session.CloseLeaving, "server is leaving, come back")
	}
}

// patience is how long Close waits for clients to take leave.
const patience = time.Second

// Close ends all sockets and links, and returns when all goroutines have ended.
// It is for after Drain, and takes leave of whoever is left in a hurry.
func (e *Edge) Close() {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	e.closeSome(1)
	gone := make(chan struct{})
	go func() {
		e.readers.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(patience):
		e.abortAll()
		<-gone
	}
	for _, l := range e.links {
		l.Close()
	}
	e.auth.Close()
	if c, ok := e.cfg.HTTPClient.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (e *Edge) abortAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.clients {
		c.socket.Abort()
	}
}
