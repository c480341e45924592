// Package link joins this edge to one rooms process with a single stream that
// all rooms and sessions share (LinkService in link.proto).
//
//	sessions ── Send ─► queue ─► sender ──► LinkRequest  ──► rooms
//	sessions ◄─ Deliver ─────── receiver ◄── LinkResponse ◄── rooms
//
// An idle stream costs about 40 KB, and a message about 100 µs of CPU however
// small it is: so all rooms share one, and frames gather while the last request
// is under way.
//
// A Link is one rooms process; it lives as long as the edge. A stream lives
// until it breaks. An attachment is one room, a Member one session in it; both
// outlive streams: after a break the link dials again with growing pauses,
// attaches its rooms with the seq that it last delivered, and joins their
// sessions again. What clients sent in vain comes back by itself: each resumed
// session is asked (our step 1) for what it alone has.
//
// Goroutines: run, owned by the Link and awaited by Close, receives; the sender
// of the standing stream is run's, which awaits it before dialling again.
// Re-attachments are timers, awaited by Close as well.
//
// Locks are taken in this order: Link.mu, attachment.mu, queue.mu.
package link

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/cenkalti/backoff/v5"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/internal/limit"
	"github.com/fjord-sync/fjord/internal/rescue"
	"github.com/fjord-sync/fjord/internal/trace"
)

// Config is shared by all links of an edge and never changes.
type Config struct {
	// Edge names this process to the rooms process.
	Edge string
	// QueueLimit bounds what waits to be sent, in bytes: above it, Send waits.
	QueueLimit int
	// ReadLimit is the largest LinkResponse, in bytes. It must hold a room's
	// whole document.
	ReadLimit int
	// RoomLimit is the number of members of one room.
	RoomLimit int
	// Reached counts limits that were reached; nil counts nothing.
	Reached *limit.Reached
	// Rescuer hears of panics, which end a stream.
	Rescuer *rescue.Rescuer
	// ConnectTimeout is how long a dialled link may take to stand.
	ConnectTimeout time.Duration
	// LinkWait is how long Open waits for a link to stand, AttachWait how long
	// for the room.
	LinkWait, AttachWait time.Duration
	// RetryFirst and RetryMost bound the pauses between attempts to link or
	// attach. They grow twofold and vary by half.
	RetryFirst, RetryMost time.Duration
	// Revoked is called with what a rooms process, by its URL, says to be revoked. It
	// must not block. nil: nobody is told.
	Revoked func(rooms string, r *roomsv1.Revocations)
	Logger  *slog.Logger
	Metrics *Metrics
	Tracer  *trace.Tracer // may be nil
}

// Link is the way to one rooms process.
type Link struct {
	// Immutable after New.
	cfg    *Config
	name   string // of the rooms process, in logs and metrics
	client *connect.Client[request, roomsv1.LinkResponse]
	unary  roomsv1connect.LinkServiceClient
	cancel context.CancelFunc

	// ours is run and the pending re-attachments.
	ours sync.WaitGroup

	mu     sync.Mutex // guards following
	closed bool
	stood  bool // at least once
	// queue is that of the standing stream, nil while none stands.
	queue *queue
	// changed is closed when the link stands or closes; nil while nobody waits.
	changed chan struct{}
	rooms   map[string]*attachment
	// numbers finds an attachment by its number on the standing stream.
	numbers map[uint64]*attachment
	// attachments and sessions count the numbers given out. They go on
	// through breaks, which link.proto allows and logs like.
	attachments, sessions uint64
}

// New starts a Link to the rooms process at url. The caller must Close it.
func New(client connect.HTTPClient, url string, cfg *Config) *Link {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Link{
		cfg:  cfg,
		name: url,
		client: connect.NewClient[request, roomsv1.LinkResponse](client,
			strings.TrimRight(url, "/")+roomsv1connect.LinkServiceLinkProcedure,
			connect.WithCodec(codec{cfg.Metrics}),
			connect.WithReadMaxBytes(cfg.ReadLimit),
			// Inside one network, compression costs more than it saves, and an
			// inflated message is a way to hurt.
			connect.WithAcceptCompression("gzip", nil, nil),
		),
		unary:   roomsv1connect.NewLinkServiceClient(client, url, connect.WithAcceptCompression("gzip", nil, nil), cfg.Tracer.Calls()),
		cancel:  cancel,
		rooms:   make(map[string]*attachment),
		numbers: make(map[uint64]*attachment),
	}
	cfg.Metrics.up.WithLabelValues(l.name).Set(0)
	l.ours.Go(func() { l.run(ctx) })
	return l
}

// Close ends the link and waits for its goroutines. Members still open hear
// nothing more; their sockets are the caller's to close, before or after.
func (l *Link) Close() {
	l.mu.Lock()
	l.closed = true
	l.signalLocked()
	for _, a := range l.rooms {
		a.mu.Lock()
		a.stopRetryLocked()
		a.mu.Unlock()
	}
	l.mu.Unlock()
	l.cancel()
	l.ours.Wait()
}

// Stands reports whether the rooms process can be reached.
func (l *Link) Stands() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue != nil
}

// Exists asks whether a room is there for those who may not make it.
func (l *Link) Exists(ctx context.Context, room string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.LinkWait)
	defer cancel()
	r, err := l.unary.Exists(ctx, connect.NewRequest(&roomsv1.ExistsRequest{Room: room}))
	if err != nil {
		return false, err
	}
	return r.Msg.GetExists(), nil
}

// pauses returns the pauses between attempts.
func (c *Config) pauses() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     c.RetryFirst,
		RandomizationFactor: 0.5,
		Multiplier:          2,
		MaxInterval:         c.RetryMost,
	}
}

// signalLocked wakes those who wait for the link to stand.
func (l *Link) signalLocked() {
	if l.changed != nil {
		close(l.changed)
		l.changed = nil
	}
}
