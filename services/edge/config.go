package edge

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/edge/internal/page"
)

// Config says what an Edge does. Its zero value lacks RoomsURLs only.
type Config struct {
	// RoomsURLs are the rooms processes, for example "http://rooms-1:7070".
	// Every edge must have the same list, in any order.
	RoomsURLs []string
	// HTTPClient reaches all of them. It must speak HTTP/2, and notice by pings
	// that a process froze. nil: serve.NewClient, which takes http URLs only.
	HTTPClient connect.HTTPClient
	// Name names this process to rooms processes. Empty: host name and process
	// number, as in "edge-1/4711".
	Name string
	// Page answers whatever is no websocket. nil: a small editor on GET /, and
	// 200 with a line of text elsewhere.
	Page http.Handler
	// RoomNames is the rule for room names. A room's name is the URL's path after
	// its first slash, percent-decoded; it may contain slashes. Names that break
	// the rule are refused before the upgrade, with 400, or 403 if the rule is
	// roomname.ELVA. nil: roomname.Default.
	RoomNames roomname.Rule
	// AllowedOrigins are the origins of web pages that may connect, as in
	// "https://app.example.com"; "*" allows all. A page of the same host and
	// port always may, and so may a page of this machine if it reaches us as
	// this machine. Programs that are no browsers send no origin.
	AllowedOrigins []string
	// TrustedProxies are those whose X-Forwarded-For and X-Forwarded-Proto count:
	// for the limits of an address, for hooks and webhooks, and for the check of
	// origins.
	TrustedProxies []netip.Prefix
	// Auth says how it is known who somebody is, and what they may do. Its zero
	// value lets everybody write everywhere.
	Auth Auth
	// Recheck is within which time it is asked again, each time, whether those who are
	// in may still be, by what they were let in with: a second at least. Hooks aren't
	// asked again. 0: never.
	Recheck time.Duration
	// Hooks are asked in their order before anybody is authenticated, once name
	// and origin are found right. The first that refuses wins.
	Hooks     []Hook
	Limits    Limits
	Keepalive Keepalive
	// DrainSpread is the time over which Drain spreads the closing of sockets,
	// if its context allows. 0: 10 s.
	DrainSpread time.Duration
	// Logger takes what operators should know. nil: nothing is logged.
	Logger *slog.Logger
	// Metrics registers the metrics, whose names begin with fjord_edge. nil:
	// they are counted and shown to nobody.
	Metrics prometheus.Registerer
	// Tracer tells a collector of joins, and of calls of rooms. nil: nobody is told.
	Tracer *trace.Tracer
}

const (
	// minRecheck is the shortest Recheck.
	minRecheck = time.Second
	// maxRechecks is how many sessions are asked about at a time: half of the
	// connections that a webhook is asked by, so that who comes finds one.
	maxRechecks = 32
)

// The times that nobody has needed to configure.
const (
	writeTimeout   = 10 * time.Second
	closeTimeout   = 5 * time.Second
	outboxGrace    = 5 * time.Second
	upgradeTimeout = 5 * time.Second
	linkTimeout    = 5 * time.Second
	linkWait       = 5 * time.Second
	attachWait     = 30 * time.Second
	retryFirst     = 100 * time.Millisecond
	retryMost      = 5 * time.Second
)

var errNoRooms = errors.New("edge: no rooms URL: want at least one, as in http://rooms:7070")

// withDefaults returns c with its zero values replaced, or says what is wrong
// with it.
func (c Config) withDefaults() (Config, error) {
	if c.HTTPClient == nil {
		c.HTTPClient = serve.NewClient(nil)
	}
	if c.Name == "" {
		host, _ := os.Hostname() // an empty name still has the number
		c.Name = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	if c.RoomNames == nil {
		c.RoomNames = roomname.Default
	}
	if c.Page == nil {
		c.Page = page.Handler()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&c.Keepalive.Every, 20*time.Second)
	setDefault(&c.Keepalive.Ping, cmp.Or(c.Keepalive.Pong, 40*time.Second)/2)
	setDefault(&c.DrainSpread, 10*time.Second)
	return c, errors.Join(c.checkURLs(), c.fillLimits(), c.check())
}

// Check says all that is wrong with c. It reads the files that c names, and starts
// nothing.
func (c Config) Check() error {
	_, err := c.withDefaults()
	_, originsErr := newOrigins(c.AllowedOrigins)
	authErr := c.Auth.Check()
	if authErr != nil {
		authErr = fmt.Errorf("edge: %w", authErr)
	}
	return errors.Join(err, originsErr, authErr)
}

func (c Config) checkURLs() error {
	if len(c.RoomsURLs) == 0 {
		return errNoRooms
	}
	var wrong []error
	for _, u := range c.RoomsURLs {
		if err := serve.CheckURL(u); err != nil {
			wrong = append(wrong, fmt.Errorf("edge: rooms URL %w", err))
		}
	}
	return errors.Join(wrong...)
}

// check refuses what can't work.
func (c Config) check() error {
	for name, d := range map[string]time.Duration{
		"Keepalive.Every": c.Keepalive.Every, "Keepalive.Ping": c.Keepalive.Ping, "DrainSpread": c.DrainSpread,
	} {
		if d < 0 {
			return fmt.Errorf("edge: %s is negative: want 0 for the default, or more", name)
		}
	}
	if c.Recheck != 0 && c.Recheck < minRecheck {
		return fmt.Errorf("--auth-recheck %s: want 1s or more, or 0 for never", c.Recheck)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
