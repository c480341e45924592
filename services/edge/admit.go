package edge

import (
	"errors"

	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// admit counts a socket in, or refuses it.
func (e *Edge) admit() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.draining {
		return errDraining
	}
	if len(e.clients)+e.upgrading >= e.cfg.Limits.Sockets {
		return errFull
	}
	e.upgrading++
	e.readers.Add(1)
	return nil
}

var errFull = errors.New("edge: too many sockets")

// upgraded settles an admitted socket: c is nil if the upgrade failed.
func (e *Edge) upgraded(c *client) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.upgrading--
	if c == nil {
		e.readers.Done()
		e.leftLocked()
		return
	}
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
