// Package cork lets a connection gather many small writes into one write(2).
//
// A delivery's price is its system call: one write(2) costs 9 to 11 µs of CPU
// whatever it carries, so a socket with forty messages waiting should pay it
// once. The framing layers above (gorilla/websocket, crypto/tls) write each
// frame on its own and know nothing of it: they write to a Conn, which keeps
// what comes between Cork and Uncork and sends it together.
//
//	frames ─► websocket ─► (tls) ─► Conn ──Cork…Uncork──► one write(2)
//
// A Conn starts no goroutine. Its buffer comes from a pool and is held only
// while it is corked, so an idle connection owns none.
package cork

import (
	"net"
	"sync"
)

// bufferSize is what one write(2) gathers at most. Above it the price of the
// system call has vanished beside that of copying.
const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, bufferSize)
	return &b
}}

// Conn is a net.Conn whose writes can be gathered. Cork and Uncork belong to
// one goroutine; Write may be called beside them (crypto/tls answers a key
// update from the reading side), and Close always.
type Conn struct {
	net.Conn

	mu     sync.Mutex // guards following
	corked bool
	buf    *[]byte // nil while nothing is gathered
}

// Wrap returns c with corking.
func Wrap(c net.Conn) *Conn { return &Conn{Conn: c} }

// Find returns the Conn at or below c (crypto/tls names the connection below
// with NetConn), or nil if there is none.
func Find(c net.Conn) *Conn {
	for {
		switch at := c.(type) {
		case *Conn:
			return at
		case interface{ NetConn() net.Conn }:
			c = at.NetConn()
		default:
			return nil
		}
	}
}

// Cork begins to gather. A nil Conn does nothing, so that a caller whose
// connection has no Conn needs no second path.
func (c *Conn) Cork() {
	if c == nil {
		return
	}
	c.mu.Lock()
	c.corked = true
	c.mu.Unlock()
}

// Uncork sends what was gathered since Cork. Its error is that of the writes
// that reported success meanwhile.
func (c *Conn) Uncork() error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = false
	return c.flushLocked()
}

// Write writes p, or keeps a copy of it while the connection is corked.
func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.corked {
		return c.Conn.Write(p)
	}
	if c.buf != nil && len(*c.buf)+len(p) > bufferSize {
		if err := c.flushLocked(); err != nil {
			return 0, err
		}
	}
	if len(p) > bufferSize {
		// Too large to be worth a copy.
		return c.Conn.Write(p)
	}
	if c.buf == nil {
		c.buf = buffers.Get().(*[]byte)
	}
	*c.buf = append(*c.buf, p...)
	return len(p), nil
}

// flushLocked sends the gathered bytes and gives the buffer back, also when
// sending failed: a connection that failed once is of no use.
func (c *Conn) flushLocked() error {
	if c.buf == nil {
		return nil
	}
	_, err := c.Conn.Write(*c.buf)
	*c.buf = (*c.buf)[:0]
	buffers.Put(c.buf)
	c.buf = nil
	return err
}
