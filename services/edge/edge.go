package edge

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/limit"
	"github.com/fjord-sync/fjord/internal/rescue"
	"github.com/fjord-sync/fjord/internal/revocation"
	"github.com/fjord-sync/fjord/services/edge/internal/auth"
	"github.com/fjord-sync/fjord/services/edge/internal/cork"
	"github.com/fjord-sync/fjord/services/edge/internal/gate"
	"github.com/fjord-sync/fjord/services/edge/internal/link"
	"github.com/fjord-sync/fjord/services/edge/internal/placement"
	"github.com/fjord-sync/fjord/services/edge/internal/socket"
)

// ErrNotReady means that no rooms process can be reached.
var ErrNotReady = errors.New("edge: no link to a rooms process stands")

// Edge is an http.Handler that takes websockets. New makes one; Close ends it.
type Edge struct {
	// Immutable after New.
	cfg        Config
	origins    *origins
	proxies    proxies
	auth       auth.Authenticator
	socketConf *socket.Config
	sockets    prometheus.Gauge
	admissions *prometheus.CounterVec
	rechecks   *prometheus.CounterVec
	rechecking chan struct{} // the turns of those who are asked about again
	reached    *limit.Reached
	rescuer    *rescue.Rescuer
	ring       *placement.Ring
	links      []*link.Link // as cfg.RoomsURLs
	revoked    *revoked
	routes     *http.ServeMux

	gate *gate.Gate

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
		revoked: &revoked{sets: make(map[string]*revocation.Set)},

		rechecking: make(chan struct{}, maxRechecks),
	}
	e.proxies = proxies(cfg.TrustedProxies)
	e.routes = newRoutes(e)
	e.gate = gate.New(gate.Config{
		Handshakes:           cfg.Limits.Handshakes,
		HandshakesPerAddress: cfg.Limits.HandshakesPerAddress,
		Sockets:              cfg.Limits.Sockets,
		SocketsPerAddress:    cfg.Limits.SocketsPerAddress,
		SocketsPerSubject:    cfg.Limits.SocketsPerSubject,
	})
	if e.origins, err = newOrigins(cfg.AllowedOrigins); err != nil {
		return nil, err
	}
	linkMetrics, err := e.register()
	if err != nil {
		return nil, fmt.Errorf("edge: metrics: %w", err)
	}
	if e.auth, err = newAuth(cfg); err != nil {
		return nil, fmt.Errorf("edge: %w", err)
	}
	linkConf := &link.Config{
		Edge:           cfg.Name,
		QueueLimit:     cfg.Limits.Link,
		ReadLimit:      cfg.Limits.LinkMessage,
		RoomLimit:      cfg.Limits.SocketsPerRoom,
		Reached:        e.reached,
		Rescuer:        e.rescuer,
		ConnectTimeout: linkTimeout,
		LinkWait:       linkWait,
		AttachWait:     attachWait,
		RetryFirst:     retryFirst,
		RetryMost:      retryMost,
		Revoked:        e.revoked.heed,
		Logger:         cfg.Logger,
		Metrics:        linkMetrics,
		Tracer:         cfg.Tracer,
	}
	for _, url := range cfg.RoomsURLs {
		e.links = append(e.links, link.New(cfg.HTTPClient, url, linkConf))
	}
	return e, nil
}

// register makes and registers the metrics.
func (e *Edge) register() (*link.Metrics, error) {
	reg := e.cfg.Metrics
	var err error
	if e.reached, err = limit.NewReached(reg, "fjord_edge_limits_reached_total", LimitTable); err != nil {
		return nil, err
	}
	if e.rescuer, err = rescue.New(e.cfg.Logger, reg, "fjord_edge_panics_total", "socket", "session", "writer", "link"); err != nil {
		return nil, err
	}
	socketMetrics, err := socket.NewMetrics(reg)
	if err != nil {
		return nil, err
	}
	e.socketConf = &socket.Config{
		FrameLimit:   e.cfg.Limits.Frame,
		Inbound:      socket.NewBudget(e.cfg.Limits.Inbound),
		OutboxLimit:  e.cfg.Limits.Outbox,
		OutboxBurst:  e.cfg.Limits.Burst,
		OutboxGrace:  outboxGrace,
		Messages:     e.cfg.Limits.MessagesPerSecond,
		Bytes:        e.cfg.Limits.BytesPerSecond,
		Reached:      e.reached,
		Rescuer:      e.rescuer,
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
	e.admissions, e.rechecks = newAdmissions(), newRechecks()
	if reg != nil {
		if err := errors.Join(reg.Register(e.sockets), reg.Register(e.admissions), reg.Register(e.rechecks)); err != nil {
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

// link returns the link to the process that holds room.
func (e *Edge) link(room string) *link.Link { return e.links[e.ring.Place(room)] }
