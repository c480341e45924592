package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/edge/internal/cork"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/placement"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
	"github.com/fjord-sync/fjord/services/edge/internal/socket"
)

// ErrNotReady means that no rooms process can be reached.
var ErrNotReady = errors.New("edge: no link to a rooms process stands")

// Edge is an http.Handler that takes websockets. New makes one; Close ends it.
type Edge struct {
	// Immutable after New.
	cfg        Config
	origins    *origins
	socketConf *socket.Config
	sockets    prometheus.Gauge
	ring       *placement.Ring
	links      []*link.Link // as cfg.RoomsURLs

	// readers are those of all sockets.
	readers sync.WaitGroup

	mu       sync.Mutex // guards following
	draining bool
	// upgrading counts sockets that are admitted but not in clients yet.
	upgrading int
	clients   map[*client]struct{}
	// left is closed when draining and the last client has gone; nil while
	// nobody waits for that.
	left chan struct{}
}

// New returns an Edge that links to its rooms processes at once. It doesn't
// wait for them: see Ready.
func New(cfg Config) (*Edge, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Edge{
		cfg:     cfg,
		ring:    placement.New(cfg.RoomsURLs),
		clients: make(map[*client]struct{}),
	}
	if e.origins, err = newOrigins(cfg.AllowedOrigins); err != nil {
		return nil, err
	}
	linkMetrics, err := e.register()
	if err != nil {
		return nil, fmt.Errorf("edge: metrics: %w", err)
	}
	linkConf := &link.Config{
		Edge:           cfg.Name,
		QueueLimit:     cfg.Limits.Link,
		ReadLimit:      cfg.Limits.LinkMessage,
		ConnectTimeout: linkTimeout,
		LinkWait:       linkWait,
		AttachWait:     attachWait,
		RetryFirst:     retryFirst,
		RetryMost:      retryMost,
		Logger:         cfg.Logger,
		Metrics:        linkMetrics,
	}
	for _, url := range cfg.RoomsURLs {
		e.links = append(e.links, link.New(cfg.HTTPClient, url, linkConf))
	}
	return e, nil
}

// register makes and registers the metrics.
func (e *Edge) register() (*link.Metrics, error) {
	reg := e.cfg.Metrics
	socketMetrics, err := socket.NewMetrics(reg)
	if err != nil {
		return nil, err
	}
	e.socketConf = &socket.Config{
		FrameLimit:   e.cfg.Limits.Frame,
		Inbound:      socket.NewBudget(e.cfg.Limits.Inbound),
		OutboxLimit:  e.cfg.Limits.Outbox,
		Ping:         e.cfg.Keepalive.Ping,
		Pong:         e.cfg.Keepalive.Pong,
		Keepalive:    e.cfg.Keepalive.Every,
		WriteTimeout: writeTimeout,
		CloseTimeout: closeTimeout,
		Metrics:      socketMetrics,
	}
	e.sockets = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "fjord_edge_sockets", Help: "Open websockets.",
	})
	if reg != nil {
		if err := reg.Register(e.sockets); err != nil {
			return nil, err
		}
	}
	return link.NewMetrics(reg)
}

// Listener returns l with connections that can join many websocket frames in
// one write(2). Serve an Edge from it, below TLS if there is TLS. Without it
// everything works, at one write(2) a frame.
func Listener(l net.Listener) net.Listener { return cork.Listen(l) }

// Ready returns nil if at least one link stands, or else why this edge should
// get no new clients.
func (e *Edge) Ready() error {
	e.mu.Lock()
	draining := e.draining
	e.mu.Unlock()
	if draining {
		return errDraining
	}
	for _, l := range e.links {
		if l.Stands() {
			return nil
		}
	}
	return ErrNotReady
}

var errDraining = errors.New("edge: draining")

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

// link returns the link to the process that holds room.
func (e *Edge) link(room string) *link.Link { return e.links[e.ring.Place(room)] }
