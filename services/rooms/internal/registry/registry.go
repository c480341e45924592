package registry

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// ErrClosed means that the process is going: rooms open elsewhere, or here later.
var ErrClosed = errors.New("this process is going; come back soon")

// ErrFull means that so many rooms are open that no other may be.
var ErrFull = errors.New("too many rooms are open here; come back soon")

// Journal is the hand on storage. Append and PutSnapshot don't wait; they call
// done exactly once, which may be before they return.
type Journal interface {
	// Open claims the room and loads its document.
	Open(ctx context.Context, name string) (*room.Load, error)
	// Append tries until the outcome is known. An error means that this process
	// must let go of the room.
	Append(name string, a room.Append, done func(error))
	// PutSnapshot encodes a snapshot and tries once to have it stored. compacted is
	// called before done, if the document was compacted.
	PutSnapshot(name string, s room.Snapshot, compacted func(*yjs.Document), done func(error))
	// Quarantine has an update kept that broke its room. It doesn't wait.
	Quarantine(name string, s room.Suspect)
	// Check returns what of holdings this process has lost.
	Check(ctx context.Context, holdings []room.Holding) ([]room.Lapse, error)
}

// Config is what the registry does with rooms.
type Config struct {
	Room room.Config
	// IdleAfter is how long a durable room stays open when nobody holds it.
	IdleAfter time.Duration
	// KeepVolatile is the same for a volatile room, whose document ends with it.
	KeepVolatile time.Duration
	// MaxMemory bounds, in bytes, what all rooms take together.
	MaxMemory int64
	// Reached is called with the name of a limit when somebody goes over it; nil if
	// nobody wants to know. It must not block.
	Reached func(limit string)
	// MaxRooms bounds the rooms that are open at once.
	MaxRooms int
	// MaxInboxBytes bounds what waits for one room's loop.
	MaxInboxBytes int
	// Judge returns the most that somebody may do in a room now, whatever they were
	// granted. It may be asked by many rooms at a time, and must not block. nil: all
	// that was granted.
	Judge func(name string, g room.Grants) room.Level
	// CheckEvery is the time between two questions to storage which rooms this
	// process still owns.
	CheckEvery time.Duration
	Logger     *slog.Logger
	Metrics    prometheus.Registerer
}

func (c Config) idleAfter() time.Duration {
	switch c.Room.Kind {
	case room.Durable:
		return c.IdleAfter
	case room.Volatile:
		return c.KeepVolatile
	default:
		return emptyIdle
	}
}

// emptyIdle is how long a room that has nothing to lose stays open: anybody can
// think of a name for it.
const emptyIdle = 5 * time.Second

// Registry keeps the open rooms.
type Registry struct {
	config  Config
	journal Journal
	loops   sync.WaitGroup
	// stop ends the loops once nothing is unsaved; abandon ends their loading.
	stopping, loading context.Context
	stop, abandon     context.CancelFunc
	denied            denied
	panics, lapses    prometheus.Counter
	evictions         prometheus.Counter
	memory            atomic.Int64 // what rooms take, by their own count
	waiting           atomic.Int64 // what of it waits for other updates
	loads             *prometheus.CounterVec
	compactions       *prometheus.CounterVec
	// compactors holds a token per document that is being compacted.
	compactors chan struct{}

	mu       sync.Mutex // guards what follows
	rooms    map[string]*openRoom
	troubled map[string]trouble
	lastID   room.AttachmentID
	draining bool
}

// New returns a registry without rooms. journal may be nil if the kind of rooms
// isn't Durable.
func New(config Config, journal Journal) *Registry {
	if config.Reached == nil {
		config.Reached = func(string) {}
	}
	r := &Registry{
		config:   config,
		journal:  journal,
		rooms:    make(map[string]*openRoom),
		troubled: make(map[string]trouble),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_panics_total",
			Help: "Rooms that were closed because of a panic: each is a bug.",
		}),
		lapses: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_lapses_total",
			Help: "Rooms that another process had taken, or that were deleted, while they were open here.",
		}),
		evictions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_evictions_total",
			Help: "Unused rooms that were closed early because memory ran short.",
		}),
		loads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fjord_rooms_loads_total",
			Help: "Loads of rooms by result; joiners of a room whose load failed are turned away.",
		}, []string{"result"}),
	}
	r.compactions, r.compactors = newCompactions(), make(chan struct{}, compactors)
	r.denied = newDenied(config.Metrics)
	r.stopping, r.stop = context.WithCancel(context.Background())
	r.loading, r.abandon = context.WithCancel(context.Background())
	config.Metrics.MustRegister(r.panics, r.lapses, r.loads, r.compactions, r.evictions, r.newMemoryGauge(), r.newWaitingGauge(), prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fjord_rooms_open",
		Help: "Rooms that are open in this process.",
	}, func() float64 { return float64(r.Len()) }))
	if config.Room.Kind == room.Durable {
		r.loops.Go(r.heartbeat)
	}
	return r
}

// Len returns the number of open rooms.
func (r *Registry) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.rooms)
}

// Has reports whether a room is open, or being opened.
func (r *Registry) Has(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.rooms[name]
	return o != nil && !o.dead.Load()
}

// Exists reports whether a room that is open here is there for those who may not
// make it. A room that is still loading isn't yet, nor is one that isn't open.
func (r *Registry) Exists(ctx context.Context, name string) (bool, error) {
	r.mu.Lock()
	o := r.rooms[name]
	r.mu.Unlock()
	if o == nil {
		return false, nil
	}
	answer := make(chan room.Status, 1)
	if o.post(item{status: answer}, unbounded) != posted {
		return false, nil
	}
	select {
	case status := <-answer:
		return status.Exists, nil
	case <-o.ended:
		return false, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Draining reports whether the process is going.
func (r *Registry) Draining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.draining
}

// Attach takes hold of a room, which is opened if it isn't open. It doesn't
// wait: what the room has to say, a failure to load included, goes to the sink. Of ctx
// it uses the trace alone, which a load that this causes goes on with.
// The error wraps roomname.ErrInvalid, or is ErrClosed or ErrFull.
func (r *Registry) Attach(ctx context.Context, name string, resume *uint64, sink Sink) (*Attachment, error) {
	if err := roomname.Default(name); err != nil {
		return nil, err
	}
	for {
		r.mu.Lock()
		if r.draining {
			r.mu.Unlock()
			return nil, ErrClosed
		}
		open := r.rooms[name]
		if open == nil {
			if err := r.roomForLocked(); err != nil {
				r.mu.Unlock()
				return nil, err
			}
			open = r.openLocked(ctx, name)
		}
		r.lastID++
		a := &Attachment{id: r.lastID, open: open}
		r.mu.Unlock()
		e := room.Event{Kind: room.Attach, Session: room.SessionID{Attachment: a.id}, Resume: resume}
		if open.post(item{event: e, sink: sink}, unbounded) == posted {
			return a, nil
		}
		// It closed between the two, with nothing unsaved, and is about to go: the
		// next round opens the room anew.
		<-open.removed
	}
}

// roomForLocked says why no other room may be opened now. The caller holds mu.
func (r *Registry) roomForLocked() error {
	if len(r.rooms) >= r.config.MaxRooms {
		r.config.Reached(LimitRooms)
		return ErrFull
	}
	if !r.crowded() {
		return nil
	}
	r.shedLocked()
	r.config.Reached(LimitMemory)
	return ErrMemory
}

// openLocked starts a room's loop; its load goes on with the trace of ctx. The caller
// holds mu.
func (r *Registry) openLocked(ctx context.Context, name string) *openRoom {
	o := &openRoom{
		name:     name,
		registry: r,
		wake:     make(chan struct{}, 1),
		ended:    make(chan struct{}),
		removed:  make(chan struct{}),
		room:     r.newRoom(name),
		sinks:    make(map[room.AttachmentID]*hold),
		pause:    deadFor,
	}
	r.rooms[name] = o
	if r.config.Room.Kind == room.Durable {
		o.load(trace.Along(r.loading, ctx))
	} else {
		o.post(item{event: room.Event{Kind: room.Loaded, Load: &room.Load{Document: yjs.NewDocument()}}}, unbounded)
	}
	r.loops.Go(func() { o.run(r.stopping) })
	return o
}

// newRoom returns a room that waits for its document.
func (r *Registry) newRoom(name string) *room.Room {
	config := r.config.Room
	if judge := r.config.Judge; judge != nil {
		config.Judge = func(g room.Grants) room.Level { return judge(name, g) }
	}
	return room.New(config)
}

// Reconsider has a room, or all that are open if name is empty, ask Judge again
// about those who are in it. It doesn't wait.
func (r *Registry) Reconsider(name string) {
	r.mu.Lock()
	var open []*openRoom
	if o := r.rooms[name]; o != nil {
		open = append(open, o)
	} else if name == "" {
		open = slices.Collect(maps.Values(r.rooms))
	}
	r.mu.Unlock()
	for _, o := range open {
		o.post(item{event: room.Event{Kind: room.Reconsider}}, unbounded)
	}
}

// remove takes a room that has closed off the map, and what it took off the
// memory in use: both at once, or shedLocked would close another room for it.
func (r *Registry) remove(o *openRoom) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o.release()
	delete(r.rooms, o.name)
}

// Inspect calls visit for open rooms in the byte order of their names, beginning
// after a name, with a prefix, until it returns false. Each room answers in its own
// turn.
func (r *Registry) Inspect(ctx context.Context, prefix, after string, visit func(name string, state room.Status) bool) error {
	r.mu.Lock()
	open := make([]*openRoom, 0, len(r.rooms))
	for name, o := range r.rooms {
		if name > after && strings.HasPrefix(name, prefix) {
			open = append(open, o)
		}
	}
	r.mu.Unlock()
	slices.SortFunc(open, func(a, b *openRoom) int { return strings.Compare(a.name, b.name) })
	for _, o := range open {
		answer := make(chan room.Status, 1)
		if o.post(item{status: answer}, unbounded) != posted {
			continue
		}
		select {
		case status := <-answer:
			if !visit(o.name, status) {
				return nil
			}
		case <-o.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Drain tells everybody to come back later and waits until every room has
// nothing unsaved and is closed, or until ctx ends.
func (r *Registry) Drain(ctx context.Context) error {
	r.mu.Lock()
	r.draining = true
	for _, o := range r.rooms {
		o.post(item{event: room.Event{Kind: room.Drain}}, unbounded)
	}
	r.mu.Unlock()
	r.abandon()
	r.stop()
	done := make(chan struct{})
	go func() {
		r.loops.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
