// Package pipe is a network inside one process: a net.Listener whose
// connections are pairs of bounded buffers. The all-in-one command runs its
// services over it, so that they speak the same Connect and HTTP/2 as they do
// across machines, without a socket in between.
//
//	client ── Dial ──▶ Listener ── Accept ──▶ server
//	        half (client → server), half (server → client)
//
// Unlike net.Pipe a connection has a buffer, so that writing a frame doesn't wait
// for its reader to be scheduled; when the buffer is full the writer waits, which
// is the back-pressure that TCP would give. No goroutine belongs to this package.
package pipe

import (
	"context"
	"net"
	"sync"
)

// Listener hands dialled connections to its Accept. The zero value is not
// usable; Listen makes one.
type Listener struct {
	conns chan net.Conn
	done  chan struct{}
	close sync.Once
}

// Listen returns a listener that is reached by its own Dial only.
func Listen() *Listener {
	return &Listener{conns: make(chan net.Conn), done: make(chan struct{})}
}

// Dial connects to the listener; its signature is that of
// http.Transport.DialContext, and it ignores the address. It fails with
// net.ErrClosed once the listener is closed.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := newConnPair()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: addr{}, Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "pipe", Addr: addr{}, Err: ctx.Err()}
	}
}

// Accept waits for the next Dial.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, &net.OpError{Op: "accept", Net: "pipe", Addr: addr{}, Err: net.ErrClosed}
	}
}

// Close ends Accept and Dial; connections that stand go on.
func (l *Listener) Close() error {
	l.close.Do(func() { close(l.done) })
	return nil
}

// Addr returns an address that names no host.
func (l *Listener) Addr() net.Addr { return addr{} }

type addr struct{}

func (addr) Network() string { return "pipe" }
func (addr) String() string  { return "pipe" }
