package registry

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// The names of the registry's limits: those of their flags, and labels of a counter.
const (
	LimitRooms  = "max-rooms"
	LimitMemory = "max-memory"
)

// ErrMemory means that the open documents take so much memory that no other may be
// loaded.
var ErrMemory = errors.New("the documents that are open here take too much memory; come back soon")

// From shedNum/shedDen of the memory on, rooms that nobody uses are closed before
// their time, the coldest first, and if that isn't enough no other is opened: what
// is open may still grow.
const (
	shedNum = 85
	shedDen = 100
)

// newMemoryGauge reports what the rooms take, as they say themselves.
func (r *Registry) newMemoryGauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fjord_rooms_memory_bytes",
		Help: "Bytes that open rooms take by their own count: documents, what is cached of them, and what waits.",
	}, func() float64 { return float64(r.memory.Load()) })
}

// newWaitingGauge reports what was acknowledged and can't be shown yet.
func (r *Registry) newWaitingGauge() prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "fjord_rooms_waiting_bytes",
		Help: "Bytes of updates in open documents that wait for others, which have not arrived.",
	}, func() float64 { return float64(r.waiting.Load()) })
}

// charge counts what the room takes since its last turn.
func (o *openRoom) charge() {
	cost := int64(o.room.Cost() + roomCost)
	o.registry.memory.Add(cost - o.charged)
	o.charged = cost
	waiting := int64(o.room.Waiting())
	o.registry.waiting.Add(waiting - o.waiting)
	o.waiting = waiting
}

// roomCost is about what a room takes that holds nothing.
const roomCost = 8 << 10

// release is charge for a room that has closed.
func (o *openRoom) release() {
	o.cost.Store(0)
	o.registry.memory.Add(-o.charged)
	o.charged = 0
	o.registry.waiting.Add(-o.waiting)
	o.waiting = 0
}

// crowded reports whether documents take so much that rooms have to go.
func (r *Registry) crowded() bool {
	return r.memory.Load() > r.config.MaxMemory/shedDen*shedNum
}

// shedLocked asks rooms that nobody holds and that have nothing unsaved to close now, the
// one that has been idle for longest first, until enough would be free. They do so
// in their own turn, so a newcomer may still be turned away meanwhile. Volatile
// rooms stay: their documents would be gone.
//
// The caller holds mu.
func (r *Registry) shedLocked() {
	if r.config.Room.Kind != room.Durable {
		return
	}
	type idle struct {
		o     *openRoom
		since int64
	}
	var cold []idle
	excess := r.memory.Load() - r.config.MaxMemory/shedDen*shedNum
	for _, o := range r.rooms {
		since := o.idle.Load()
		switch {
		case since == 0:
		case o.evicted.Load():
			excess -= o.cost.Load() // it goes: who knocks meanwhile needs no other
		default:
			cold = append(cold, idle{o, since})
		}
	}
	if excess <= 0 {
		return
	}
	slices.SortFunc(cold, func(a, b idle) int { return cmp.Compare(a.since, b.since) })
	for _, c := range cold {
		if excess <= 0 {
			return
		}
		excess -= c.o.cost.Load()
		c.o.evicted.Store(true)
		r.evictions.Inc()
		c.o.rouse()
	}
}

// relieve sheds when what is open has grown.
func (r *Registry) relieve() {
	if !r.crowded() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shedLocked()
}

// noteIdle lets shed know since when nobody has used the room.
func (o *openRoom) noteIdle(since time.Time) {
	o.cost.Store(o.charged)
	if since.IsZero() {
		o.idle.Store(0)
		o.evicted.Store(false)
		return
	}
	o.idle.Store(since.UnixNano())
}
