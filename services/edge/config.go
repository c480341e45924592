package edge

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/edge/internal/page"
)

// Config says what an Edge does. Its zero value lacks RoomsURLs only.
type Config struct {
	// RoomsURLs are the rooms processes, for example "http://rooms-1:7100".
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
	// Auth says how it is known who somebody is, and what they may do. Its zero
	// value lets everybody write everywhere.
	Auth Auth
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
}

// Limits bounds everything that waits. 0 means the default.
type Limits struct {
	// Frame is the largest frame of a client, in bytes. Default 16 MiB, at most
	// 17 MiB: a rooms process takes messages of 18 MiB.
	Frame int
	// Inbound is how much all sockets together may hold of frames larger than
	// 4 KiB that are being read, or wait for a link, in bytes. Who needs more
	// is told to come back. Default 256 MiB.
	Inbound int
	// Outbox is how much may wait for one client, in bytes: if more waits and
	// the client takes nothing for 5 s, it is closed as too slow. The largest
	// frame that waits isn't counted, so that a whole document of any size can
	// be sent. Default 1 MiB.
	Outbox int
	// Burst is how much may wait for one client at all, in bytes, counted like
	// Outbox. Default 16 MiB, or Outbox if that is more.
	Burst int
	// Sockets is the number of websockets. Default 50 000.
	Sockets int
	// Documents is the number of documents that one socket may carry, if its
	// messages name them. Default 1000.
	Documents int
	// Link is how much may wait to be sent to one rooms process, in bytes,
	// before readers of sockets wait. Default 4 MiB.
	Link int
	// LinkMessage is the largest message of a rooms process, in bytes; it must
	// hold a whole document. Default 288 MiB.
	LinkMessage int
}

// Keepalive says how connections are kept alive and dead ones noticed. 0 means
// the default.
type Keepalive struct {
	// Every is the longest time without a data frame to a client that speaks
	// y-websocket: it gives up after 30 s, and pings don't count. Default 20 s.
	Every time.Duration
	// Ping is the time between websocket pings. Default 20 s.
	Ping time.Duration
	// Pong is how long a client may be silent, pongs included. Default 40 s.
	Pong time.Duration
}

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

// maxFrame is the largest frame that fits a message to a rooms process, behind a
// chunk of others.
const maxFrame = 17 << 20

var errNoRooms = errors.New("edge: no rooms URL: want at least one, as in http://rooms:7100")

// withDefaults returns c with its zero values replaced, or says what is wrong
// with it.
func (c Config) withDefaults() (Config, error) {
	if len(c.RoomsURLs) == 0 {
		return c, errNoRooms
	}
	for _, u := range c.RoomsURLs {
		parsed, err := url.Parse(u)
		if err != nil {
			return c, fmt.Errorf("edge: rooms URL: %w", err)
		}
		if (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
			return c, fmt.Errorf("edge: rooms URL %q: want http://host:port or https://host:port", u)
		}
	}
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
	setDefault(&c.Limits.Frame, 16<<20)
	setDefault(&c.Limits.Inbound, 256<<20)
	setDefault(&c.Limits.Outbox, 1<<20)
	setDefault(&c.Limits.Burst, max(16<<20, c.Limits.Outbox))
	setDefault(&c.Limits.Sockets, 50_000)
	setDefault(&c.Limits.Documents, 1000)
	setDefault(&c.Limits.Link, 4<<20)
	setDefault(&c.Limits.LinkMessage, 288<<20)
	setDefault(&c.Keepalive.Every, 20*time.Second)
	setDefault(&c.Keepalive.Ping, 20*time.Second)
	setDefault(&c.Keepalive.Pong, 40*time.Second)
	setDefault(&c.DrainSpread, 10*time.Second)
	return c, c.check()
}

// check refuses what can't work.
func (c Config) check() error {
	for name, n := range map[string]int64{
		"Limits.Frame": int64(c.Limits.Frame), "Limits.Outbox": int64(c.Limits.Outbox),
		"Limits.Burst":   int64(c.Limits.Burst),
		"Limits.Inbound": int64(c.Limits.Inbound),
		"Limits.Sockets": int64(c.Limits.Sockets), "Limits.Link": int64(c.Limits.Link), "Limits.Documents": int64(c.Limits.Documents),
		"Limits.LinkMessage": int64(c.Limits.LinkMessage),
		"Keepalive.Every":    int64(c.Keepalive.Every), "Keepalive.Ping": int64(c.Keepalive.Ping),
		"Keepalive.Pong": int64(c.Keepalive.Pong), "DrainSpread": int64(c.DrainSpread),
	} {
		if n < 0 {
			return fmt.Errorf("edge: %s is negative: want 0 for the default, or more", name)
		}
	}
	if c.Limits.Frame > maxFrame {
		return fmt.Errorf("edge: Limits.Frame is %d: want at most %d, or one client's frame could end the link of all", c.Limits.Frame, maxFrame)
	}
	if c.Limits.Burst < c.Limits.Outbox {
		return fmt.Errorf("edge: Limits.Burst (%d) is less than Limits.Outbox (%d): want at least as much", c.Limits.Burst, c.Limits.Outbox)
	}
	if c.Keepalive.Pong <= c.Keepalive.Ping {
		return fmt.Errorf("edge: Keepalive.Pong (%s) must be longer than Keepalive.Ping (%s): nobody would live to answer",
			c.Keepalive.Pong, c.Keepalive.Ping)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
