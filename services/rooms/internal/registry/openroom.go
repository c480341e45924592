package registry

import (
	"context"
	"math"
	"sync"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// tick is how often a room with presence looks for silent clients.
const tick = 3 * time.Second

// openRoom is a room and the loop that owns it.
type openRoom struct {
	name     string
	registry *Registry
	wake     chan struct{} // capacity 1: the inbox has something
	ended    chan struct{} // closed when the loop has ended

	mu         sync.Mutex // guards what follows
	inbox      []item
	inboxBytes int
	closed     bool // nothing is taken any more

	// Owned by the loop.
	room      *room.Room
	sinks     map[room.AttachmentID]Sink
	events    []room.Event
	idleSince time.Time // zero while the room is in use
	lastTick  time.Time
	loading   sync.WaitGroup
}

// item is what waits in an inbox: an event, and the sink that Attach brings; or
// a question that the loop answers.
type item struct {
	event   room.Event
	sink    Sink
	inspect func(*room.Room)
}

// itemCost is what an item counts in the inbox beside its bytes.
const itemCost = 128

const unbounded = math.MaxInt

type outcome int

const (
	posted outcome = iota
	full
	closed
)

// post adds to the inbox, unless it holds limit bytes already.
func (o *openRoom) post(i item, limit int) outcome {
	o.mu.Lock()
	switch {
	case o.closed:
		o.mu.Unlock()
		return closed
	case o.inboxBytes >= limit:
		o.mu.Unlock()
		return full
	}
	o.inbox = append(o.inbox, i)
	o.inboxBytes += itemCost + len(i.event.Data)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return posted
}

// take swaps the inbox for an empty one.
func (o *openRoom) take(empty []item) []item {
	o.mu.Lock()
	defer o.mu.Unlock()
	items := o.inbox
	o.inbox = empty
	o.inboxBytes = 0
	return items
}

// closeIfEmpty ends the inbox for good, unless something has come meanwhile.
func (o *openRoom) closeIfEmpty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.inbox) > 0 {
		return false
	}
	o.closed = true
	return true
}

// run is the loop: the sole owner of the room. It ends when the room is dead or
// has been idle for long enough, or when stop ends and nothing is unsaved.
func (o *openRoom) run(stop context.Context) {
	defer close(o.ended)
	defer o.loading.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	stopped := stop.Done()
	var spare []item
	for {
		select {
		case <-o.wake:
		case <-timer.C:
		case <-stopped:
			stopped = nil
		}
		items := o.take(spare[:0])
		ready := o.step(items)
		o.carryOut(ready)
		clear(items)
		spare = items
		if o.done(stop) {
			return
		}
		o.schedule(timer)
	}
}

// step feeds the room with everything that has come, at once.
func (o *openRoom) step(items []item) room.Ready {
	o.events = o.events[:0]
	for _, i := range items {
		switch {
		case i.inspect != nil:
			i.inspect(o.room)
			continue
		case i.event.Kind == room.Attach:
			o.sinks[i.event.Session.Attachment] = i.sink
		case i.event.Kind == room.Detach:
			delete(o.sinks, i.event.Session.Attachment)
		}
		o.events = append(o.events, i.event)
	}
	now := time.Now()
	if o.room.NeedsClock() && now.Sub(o.lastTick) >= tick {
		o.lastTick = now
		o.events = append(o.events, room.Event{Kind: room.Tick})
	}
	ready := o.room.Step(now, o.events...)
	clear(o.events)
	return ready
}

func (o *openRoom) carryOut(ready room.Ready) {
	for _, f := range ready.Frames {
		sink := o.sinks[f.To]
		if sink == nil {
			continue
		}
		if _, last := f.Message.Body.(*roomsv1.RoomFrame_Detached); last {
			delete(o.sinks, f.To)
		}
		sink.Deliver(f.Message)
	}
	if ready.Append != nil {
		o.registry.journal.Append(o.name, *ready.Append, o.appended(ready.Append.Seq))
	}
	if ready.Snapshot != nil {
		o.registry.journal.PutSnapshot(o.name, *ready.Snapshot, func(err error) {
			kind := room.SnapshotStored
			if err != nil {
				kind = room.SnapshotFailed
			}
			o.post(item{event: room.Event{Kind: kind}}, unbounded)
		})
	}
}

// appended returns what to do when the outcome of an append is known.
func (o *openRoom) appended(seq uint64) func(error) {
	return func(err error) {
		e := room.Event{Kind: room.Stored, Seq: seq}
		if err != nil {
			e = room.Event{Kind: room.Fenced, Err: err}
		}
		o.post(item{event: e}, unbounded)
	}
}

// done decides whether the loop ends, and if so takes the room off the registry.
func (o *openRoom) done(stop context.Context) bool {
	if !o.room.Idle() {
		o.idleSince = time.Time{}
		return false
	}
	if o.idleSince.IsZero() {
		o.idleSince = time.Now()
	}
	enough := o.room.Dead() || stop.Err() != nil || time.Since(o.idleSince) >= o.registry.config.idleAfter()
	if !enough || !o.closeIfEmpty() {
		return false
	}
	o.registry.remove(o)
	return true
}

// schedule sets the timer for what the room needs next: an idle room that has no
// presence needs none but the one that ends it.
func (o *openRoom) schedule(timer *time.Timer) {
	switch {
	case o.room.NeedsClock():
		timer.Reset(tick)
	case !o.idleSince.IsZero():
		timer.Reset(time.Until(o.idleSince.Add(o.registry.config.idleAfter())))
	default:
		timer.Stop()
	}
}

// load brings the document, in a goroutine of its own so that the loop can hold
// those who join meanwhile.
func (o *openRoom) load(ctx context.Context) {
	o.loading.Go(func() {
		load, err := o.registry.journal.Open(ctx, o.name)
		if err != nil {
			o.registry.config.Logger.Error("room couldn't be loaded", "room", shorten(o.name), "error", err)
			o.post(item{event: room.Event{Kind: room.LoadFailed, Err: err}}, unbounded)
			return
		}
		o.post(item{event: room.Event{Kind: room.Loaded, Load: load}}, unbounded)
	})
}

// shorten keeps a name that a stranger chose from filling the log.
func shorten(name string) string {
	const most = 128
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
