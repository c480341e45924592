// Package socket drives one websocket: it reads frames, and writes what waits
// in an outbox that is bounded in bytes.
//
//	            ┌──────── Socket ────────┐
//	frames ◄────┤ reader   (Run's caller)│◄── websocket
//	Push ──────►│ outbox ─► writer       │──► websocket, one write(2) a batch
//	            └────────────────────────┘
//
// Goroutines: the caller of Run is the reader. The writer lives only while
// something waits to be written: an idle connection, which is most of them most
// of the time, costs one goroutine. Run waits for the writer before it returns.
//
// Only the writer writes: data, pings, pongs and the close frame all pass
// through the outbox, so nothing ever waits for a slow peer but the writer.
package socket

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/fjord-sync/fjord/internal/limit"
	"github.com/fjord-sync/fjord/internal/rescue"
	"github.com/fjord-sync/fjord/services/edge/internal/cork"
)

// Config is shared by all sockets of an edge and never changes.
type Config struct {
	// FrameLimit is the largest frame that a client may send, in bytes.
	FrameLimit int
	// Messages and Bytes are what a client may send in a second, on average.
	// 0: there is no such limit.
	Messages, Bytes int
	// Reached counts limits that were reached; nil counts nothing.
	Reached *limit.Reached
	// Rescuer hears of a writer's panics, which end its socket.
	Rescuer *rescue.Rescuer
	// Inbound bounds what all sockets together hold of large frames.
	Inbound *Budget
	// OutboxLimit is how much may wait for a client for long, in bytes, and
	// OutboxGrace how long more may wait while the client takes nothing of it.
	// OutboxBurst is what may wait at all. The largest frame is never counted:
	// a step 2 of any size goes into an empty outbox, and what follows it too.
	OutboxLimit, OutboxBurst int
	OutboxGrace              time.Duration
	// Ping is the time between two websocket pings, Pong how long a peer may
	// be silent, and Keepalive how long we may be (see SetKeepalive).
	Ping, Pong, Keepalive time.Duration
	// WriteTimeout is what a write may take, above the time that its bytes
	// need at minRate. CloseTimeout is what taking leave may take.
	WriteTimeout, CloseTimeout time.Duration
	Metrics                    *Metrics
}

// minRate is the slowest peer, in bytes a second, whose large frame we write
// to its end: 20 MB may take ten minutes, 20 bytes may not.
const minRate = 32 << 10

// Socket is one websocket. Push, Close and SetKeepalive may be called from any
// goroutine at any time, and never block.
type Socket struct {
	// Immutable after New.
	cfg  *Config
	ws   *websocket.Conn
	cork *cork.Conn // nil if the listener doesn't cork
	// leaving is closed when the socket begins to close.
	leaving chan struct{}

	// pace is the reader's.
	pace pace
	// frames is the limit of a frame, and the name of that limit.
	frames atomic.Pointer[frameLimit]

	// overflown tells the writer to leave out the data that it has taken.
	overflown atomic.Bool
	// writers is the writer goroutine, 0 or 1, and writer what it runs: kept,
	// since a delivery shouldn't make a closure.
	writers sync.WaitGroup
	writer  func()

	mu    sync.Mutex // guards following
	state state
	// code is the close code to count: ours, the peer's, or 1006.
	code int
	out  outbox
	// writing: the writer runs.
	writing bool
	// keepalive is nil until the client has spoken a dialect that needs one.
	keepalive []byte
	wroteData time.Time // when a data frame was last written
	nextPing  time.Time
	timer     *time.Timer
}

// state is a socket's way to its end; it only grows.
type state uint8

const (
	open state = iota
	// closing: the close frame waits behind what is queued.
	closing
	// told: the close frame is written; the peer's is awaited.
	told
	// gone: nothing is read or written any more.
	gone
)

// New returns a Socket over ws. The caller must call Run.
func New(ws *websocket.Conn, cfg *Config) *Socket {
	s := &Socket{
		cfg:     cfg,
		ws:      ws,
		cork:    cork.Find(ws.NetConn()),
		leaving: make(chan struct{}),
	}
	s.writer = s.write
	s.pace = newPace(cfg)
	ws.SetPingHandler(s.pinged)
	ws.SetPongHandler(s.ponged)
	ws.SetCloseHandler(s.closedByPeer)
	s.startTimer()
	return s
}

// Leaving is closed when the socket begins to close, by whichever side. Who
// waits on behalf of this socket should stop then.
func (s *Socket) Leaving() <-chan struct{} { return s.leaving }

// Push queues one binary frame. It keeps frame and never modifies it. If too
// much waits already, the client is too slow: the socket is closed with 1013.
func (s *Socket) Push(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != open {
		return
	}
	if limit := s.out.overflows(s.cfg, len(frame)); limit != "" {
		s.cfg.Reached.Hit(limit)
		s.out.drop()
		s.overflown.Store(true)
		s.closeLocked(closeSlow, "slow, come back")
		return
	}
	s.out.push(frame)
	s.wakeLocked()
}

// closeSlow is the code of an overflow: come back and be brought up to date.
const closeSlow = 1013

// LimitFrames changes how large a frame may be, and the name of that limit. It
// may be called from any goroutine; the frame that is being read may be the last
// of the old limit.
func (s *Socket) LimitFrames(bytes int, name string) { s.frames.Store(&frameLimit{bytes, name}) }

// frameLimit is how large a frame may be.
type frameLimit struct {
	bytes int
	name  string
}

// Close sends what is queued and then a close frame, waits for the peer's, and
// ends the socket. Only the first Close counts. reason is cut to what a close
// frame holds.
func (s *Socket) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeLocked(code, reason)
}

func (s *Socket) closeLocked(code int, reason string) {
	if s.state != open {
		return
	}
	s.state = closing
	s.code = code
	s.out.close = closeFrame(code, reason)
	close(s.leaving)
	// The reader goes on until the peer's close frame: closing a connection
	// with unread bytes resets it, and the reset can overtake our close frame.
	deadline := time.Now().Add(s.cfg.CloseTimeout)
	_ = s.ws.SetReadDeadline(deadline)
	// A write may be under way to a peer that reads nothing.
	_ = s.ws.NetConn().SetWriteDeadline(deadline)
	s.wakeLocked()
}

// Closed returns the code with which the socket closes or was closed, 0 while it
// is open. 1006 means that the connection broke.
func (s *Socket) Closed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.code
}

// Abort ends the socket without taking leave.
func (s *Socket) Abort() { _ = s.ws.NetConn().Close() }

// SetKeepalive makes the socket write frame whenever it has written no data
// frame for the keepalive time. frame must not be modified.
func (s *Socket) SetKeepalive(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keepalive = frame
	if s.state == open {
		s.armLocked(time.Now())
	}
}

// wakeLocked starts the writer unless it runs.
func (s *Socket) wakeLocked() {
	if s.writing {
		return
	}
	s.writing = true
	s.writers.Add(1)
	go s.writer()
}
