package edge

import (
	"fmt"
	"time"

	"github.com/fjord-sync/fjord/internal/limit"
)

// Limits bounds what clients may do and everything that waits. 0 means the
// default, which the table LimitTable gives.
type Limits struct {
	// Frame is the largest frame of a client, in bytes: at most 17 MiB, since a
	// rooms process takes messages of 18 MiB.
	Frame int
	// MessagesPerSecond and BytesPerSecond are what one socket may send on
	// average. Above it we stop reading from it for a while, so that the client
	// waits in TCP and loses nothing: to close it would only make it come back
	// and say the same again. Four seconds' worth may come at once, and a frame
	// of any size that is allowed.
	MessagesPerSecond, BytesPerSecond int
	// EarlyFrame, EarlyBytes, EarlyMessages and EarlyDocuments bound what a
	// socket whose messages name their documents may say before a document has
	// let it in (advisory GHSA-xwhh-v746-pj9m is of Hocuspocus' like): a frame,
	// all that is held, and the documents that are asked for at a time.
	EarlyFrame, EarlyBytes, EarlyMessages, EarlyDocuments int
	// FirstMessage is how long a client may be silent before its first message,
	// or until a document lets it in where messages name them. A relay's
	// listener may be silent for ever. Token is how long a document waits for a
	// good token.
	FirstMessage, Token time.Duration
	// Documents is the number of documents that one socket may carry, if its
	// messages name them.
	Documents int
	// Outbox is how much may wait for one client, in bytes: if more waits and
	// the client takes nothing for 5 s, it is closed as too slow. The largest
	// frame that waits isn't counted, so that a whole document of any size can
	// be sent.
	Outbox int
	// Burst is how much may wait for one client at all, in bytes, counted like
	// Outbox. Its default is Outbox if that is more.
	Burst int
	// Header is the size of an upgrade's request line and headers, in bytes.
	Header int
	// Handshakes is the number of upgrades in a second, HandshakesPerAddress
	// that of one address. One second's worth may come at once, of one address
	// ten. Addresses of IPv6 count by the /64; those of this machine, which a
	// proxy or a test has, don't count.
	Handshakes, HandshakesPerAddress int
	// Sockets is the number of websockets in all, and of one address, of one
	// authenticated subject, and in one room at this edge.
	Sockets, SocketsPerAddress, SocketsPerSubject, SocketsPerRoom int
	// Inbound is how much all sockets together may hold of frames larger than
	// 4 KiB that are being read, or wait for a link, in bytes.
	Inbound int
	// Link is how much may wait to be sent to one rooms process, in bytes,
	// before readers of sockets wait.
	Link int
	// LinkMessage is the largest message of a rooms process, in bytes; it must
	// hold a whole document.
	LinkMessage int
}

// Keepalive says how connections are kept alive and dead ones noticed. 0 means
// the default.
type Keepalive struct {
	// Every is the longest time without a data frame to a client that speaks
	// y-websocket: it gives up after 30 s, and pings don't count. Default 20 s.
	Every time.Duration
	// Ping is the time between websocket pings. Default: half of Pong.
	Ping time.Duration
	// Pong is how long a client may be silent, pongs included: a limit too.
	// Default 40 s.
	Pong time.Duration
}

// maxFrame is the largest frame that fits a message to a rooms process, behind a
// chunk of others.
const maxFrame = 17 << 20

const retry = "HTTP 503 with `Retry-After`"

// LimitTable is all limits of an edge. The limits package says what it is for.
var LimitTable = limit.Table[Config]{{
	Name: "max-frame", Default: 16 << 20, Most: maxFrame,
	What: "one frame of a client", Then: "close 4413",
	Bytes: func(c *Config) *int { return &c.Limits.Frame },
}, {
	Name: "max-messages-per-second", Default: 500,
	What: "frames of one socket in a second, on average; four times as many at once", Then: "it isn't read for a while: the client waits, nothing is lost",
	Count: func(c *Config) *int { return &c.Limits.MessagesPerSecond },
}, {
	Name: "max-bytes-per-second", Default: 4 << 20, Least: 64 << 10,
	What: "bytes of one socket in a second, on average; four times as many at once, or one frame", Then: "the same",
	Bytes: func(c *Config) *int { return &c.Limits.BytesPerSecond },
}, {
	Name: "max-early-frame", Default: 256 << 10,
	What: "one frame, before any document let the client in (Hocuspocus' way)", Then: "close 4413",
	Bytes: func(c *Config) *int { return &c.Limits.EarlyFrame },
}, {
	Name: "max-early-bytes", Default: 5 << 20,
	What: "bytes that are held until documents let the client in", Then: "close 4413",
	Bytes: func(c *Config) *int { return &c.Limits.EarlyBytes },
}, {
	Name: "max-early-messages", Default: 1000,
	What: "messages that are held until documents let the client in", Then: "close 4413",
	Count: func(c *Config) *int { return &c.Limits.EarlyMessages },
}, {
	Name: "max-early-documents", Default: 100,
	What: "documents of one socket that haven't let it in yet", Then: "close 4413",
	Count: func(c *Config) *int { return &c.Limits.EarlyDocuments },
}, {
	Name: "max-first-message", Default: int64(30 * time.Second),
	What: "time until a client's first message, or until its first document lets it in", Then: "close 1013",
	Time: func(c *Config) *time.Duration { return &c.Limits.FirstMessage },
}, {
	Name: "max-token-wait", Default: int64(5 * time.Second),
	What: "time that a document waits for a good token", Then: "the document is denied",
	Time: func(c *Config) *time.Duration { return &c.Limits.Token },
}, {
	Name: "max-documents", Default: 1000,
	What: "documents on one socket", Then: "close 4413",
	Count: func(c *Config) *int { return &c.Limits.Documents },
}, {
	Name: "max-queued", Default: 1 << 20,
	What: "bytes that wait for a socket, beside the largest frame, if it takes nothing for 5 s", Then: "close 1013 *slow, come back*",
	Bytes: func(c *Config) *int { return &c.Limits.Outbox },
}, {
	Name: "max-queued-burst", Default: 16 << 20,
	What: "bytes that wait for a socket at all, beside the largest frame", Then: "close 1013 *slow, come back*",
	Bytes: func(c *Config) *int { return &c.Limits.Burst },
}, {
	Name: "max-silence", Default: int64(40 * time.Second),
	What: "silence of a client, pongs included", Then: "the connection is closed",
	Time: func(c *Config) *time.Duration { return &c.Keepalive.Pong },
}, {
	Name: "max-header", Default: 16 << 10, Least: 1 << 10, Most: 1 << 20,
	What: "request line and headers of an upgrade", Then: "HTTP 431",
	Bytes: func(c *Config) *int { return &c.Limits.Header },
}, {
	Name: "max-handshakes", Default: 1000,
	What: "upgrades in a second", Then: retry,
	Count: func(c *Config) *int { return &c.Limits.Handshakes },
}, {
	Name: "max-handshakes-per-address", Default: 20,
	What: "upgrades of one address in a second, on average; ten times as many at once", Then: "HTTP 429 with `Retry-After`",
	Count: func(c *Config) *int { return &c.Limits.HandshakesPerAddress },
}, {
	Name: "max-sockets", Default: 50_000,
	What: "websockets", Then: retry,
	Count: func(c *Config) *int { return &c.Limits.Sockets },
}, {
	Name: "max-sockets-per-address", Default: 1000,
	What: "websockets of one address", Then: "HTTP 429 with `Retry-After`",
	Count: func(c *Config) *int { return &c.Limits.SocketsPerAddress },
}, {
	Name: "max-sockets-per-subject", Default: 200,
	What: "websockets of one authenticated subject", Then: "HTTP 429 with `Retry-After`; a document is denied",
	Count: func(c *Config) *int { return &c.Limits.SocketsPerSubject },
}, {
	Name: "max-sockets-per-room", Default: 1000,
	What: "sessions in one room at one edge", Then: retry + "; a document is denied",
	Count: func(c *Config) *int { return &c.Limits.SocketsPerRoom },
}, {
	Name: "max-inbound", Default: 256 << 20,
	What: "frames above 4 KiB that are being read, of all sockets together", Then: "close 1013 for who needs more",
	Bytes: func(c *Config) *int { return &c.Limits.Inbound },
}, {
	Name: "max-link-queue", Default: 4 << 20,
	What: "bytes that wait for a rooms process", Then: "the sockets of its rooms aren't read",
	Bytes: func(c *Config) *int { return &c.Limits.Link },
}, {
	Name: "max-link-message", Default: 288 << 20,
	What: "one message of a rooms process, which the largest document fits", Then: "the link is dropped, and resumed",
	Bytes: func(c *Config) *int { return &c.Limits.LinkMessage },
}}

// fillLimits replaces zeros by the defaults, and says what can't be together.
func (c *Config) fillLimits() error {
	if c.Limits.Burst == 0 {
		c.Limits.Burst = max(16<<20, c.Limits.Outbox)
	}
	if err := LimitTable.Fill(c); err != nil {
		return fmt.Errorf("edge: %w", err)
	}
	if c.Limits.Burst < c.Limits.Outbox {
		return fmt.Errorf("edge: --max-queued-burst (%d) is less than --max-queued (%d): want at least as much", c.Limits.Burst, c.Limits.Outbox)
	}
	if c.Keepalive.Pong <= c.Keepalive.Ping {
		return fmt.Errorf("edge: --max-silence (%s) must be longer than the time between pings (%s): nobody would live to answer",
			c.Keepalive.Pong, c.Keepalive.Ping)
	}
	return nil
}
