package registry

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
	"github.com/fjord-sync/fjord/yjs"
)

// tick is how often a room with presence looks for silent clients.
const tick = 3 * time.Second

// openRoom is a room and the loop that owns it.
type openRoom struct {
	name     string
	registry *Registry
	wake     chan struct{} // capacity 1: the inbox has something
	ended    chan struct{} // closed when the loop has ended
	removed  chan struct{} // closed when it is off the registry
	epoch    atomic.Uint64 // 0 until the room is loaded, and after it died
	dead     atomic.Bool   // it only turns away who comes
	// For shed: since when nobody has used the room (0: somebody does), what it
	// takes, and whether it was asked to close.
	idle, cost atomic.Int64
	evicted    atomic.Bool

	mu         sync.Mutex // guards what follows
	inbox      []item
	inboxBytes int
	closed     bool // nothing is taken any more

	// Owned by the loop.
	room      *room.Room
	sinks     map[room.AttachmentID]*hold
	events    []room.Event
	idleSince time.Time // zero while the room is in use
	charged   int64     // what of the registry's memory is this room's
	waiting   int64     // and what of its waiting bytes
	// pause is how long a dead room stays, to turn away those who come back at once.
	pause    time.Duration
	lastTick time.Time
	// beside is what the loop waits for when it ends: a load, a compaction.
	beside sync.WaitGroup
}

// hold is an attachment's sink, as the loop knows it.
type hold struct {
	sink    Sink
	crowded bool
	// relieved is what the sink calls when it isn't crowded any more.
	relieved func()
}

const (
	// maxEvents is how many events one step takes: what it has for each link must
	// leave before more is made.
	maxEvents = 1024
	// keepItems is how large an empty inbox is kept for the next items.
	keepItems = 1024
)

// run is the loop: the sole owner of the room. It ends when the room is dead or
// has been idle for long enough, or when stop ends and nothing is unsaved.
func (o *openRoom) run(stop context.Context) {
	defer close(o.ended)
	defer o.beside.Wait()
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
		o.turns(items)
		clear(items)
		if spare = items; cap(spare) > keepItems {
			spare = nil // a flood is over
		}
		if o.done(stop) {
			return
		}
		o.schedule(timer)
	}
}

// turns feeds the room with what has come, and with nothing if nothing has: time
// has passed, or somebody waits in line.
func (o *openRoom) turns(items []item) {
	for {
		n := min(len(items), maxEvents)
		o.turn(items[:n])
		if items = items[n:]; len(items) == 0 {
			return
		}
	}
}

// turn is one step of the room, carried out. Bytes from outside that make it panic
// end this room, and no other.
func (o *openRoom) turn(items []item) {
	defer func() {
		if cause := recover(); cause != nil {
			o.broke(cause, debug.Stack())
			o.report(items)
		}
	}()
	o.carryOut(o.step(items))
	o.report(items)
	if o.room.Asked() {
		o.rouse()
	}
}

// report answers operators.
func (o *openRoom) report(items []item) {
	for _, i := range items {
		if i.status == nil {
			continue
		}
		select {
		case i.status <- o.room.Status():
		default: // it has been answered before the room broke
		}
	}
}

// step feeds the room with some of what has come, at once.
func (o *openRoom) step(items []item) room.Ready {
	o.events = o.events[:0]
	// First, so that the questions that follow are known to have to wait.
	for id, h := range o.sinks {
		if !h.crowded && h.sink.Crowded(h.relieved) {
			h.crowded = true
			o.events = append(o.events, room.Event{Kind: room.Crowded, Session: room.SessionID{Attachment: id}})
		}
	}
	for _, i := range items {
		id := i.event.Session.Attachment
		switch i.event.Kind {
		case 0:
			continue // an operator's question
		case room.Attach:
			h := &hold{sink: i.sink, relieved: o.relieved(id)}
			o.sinks[id] = h
			h.crowded = i.sink.Crowded(h.relieved)
			i.event.Crowded = h.crowded
		case room.Detach:
			delete(o.sinks, id)
		case room.Relieved:
			if h := o.sinks[id]; h != nil {
				h.crowded = false
			}
		}
		o.events = append(o.events, i.event)
	}
	now := time.Now()
	if o.room.NeedsClock() && now.Sub(o.lastTick) >= tick {
		o.lastTick = now
		o.events = append(o.events, room.Event{Kind: room.Tick})
	}
	ready := o.room.Step(now, o.events...)
	if o.room.Dead() {
		o.dead.Store(true)
		o.epoch.Store(0)
	}
	clear(o.events)
	return ready
}

// relieved returns what an attachment's sink is to call when it can take more.
func (o *openRoom) relieved(id room.AttachmentID) func() {
	return func() {
		o.post(item{event: room.Event{Kind: room.Relieved, Session: room.SessionID{Attachment: id}}}, unbounded)
	}
}

func (o *openRoom) carryOut(ready room.Ready) {
	// First, so that who is told of a refusal finds it counted.
	o.registry.denied.count(ready.Denied)
	for _, limit := range ready.Reached {
		o.registry.config.Reached(limit)
	}
	for _, f := range ready.Frames {
		h := o.sinks[f.To]
		if h == nil {
			continue
		}
		if _, last := f.Message.Body.(*roomsv1.RoomFrame_Detached); last {
			delete(o.sinks, f.To)
		}
		h.sink.Deliver(f.Message)
	}
	// A room may be quiet for long, and a frame may hold a whole document.
	clear(ready.Frames)
	if ready.Append != nil {
		o.registry.journal.Append(o.name, *ready.Append, o.appended(ready.Append.Seq))
	}
	if ready.Snapshot != nil {
		o.registry.journal.PutSnapshot(o.name, *ready.Snapshot, o.compacted, o.snapshotted)
	}
	if ready.Compact != nil {
		o.compact(*ready.Compact)
	}
}

// compacted tells the room that a snapshot is encoded.
func (o *openRoom) compacted(document *yjs.Document) {
	o.post(item{event: room.Event{Kind: room.Compacted, Document: document}}, unbounded)
}

// snapshotted tells it how a snapshot went.
func (o *openRoom) snapshotted(err error) {
	kind := room.SnapshotStored
	if err != nil {
		kind = room.SnapshotFailed
	}
	o.post(item{event: room.Event{Kind: kind}}, unbounded)
}

// appended returns what to do when the outcome of an append is known.
func (o *openRoom) appended(seq uint64) func(error) {
	return func(err error) {
		e := room.Event{Kind: room.Stored, Seq: seq}
		switch {
		case errors.Is(err, room.ErrDeleted):
			e = room.Event{Kind: room.Deleted, Err: err}
		case err != nil:
			e = room.Event{Kind: room.Fenced, Err: err}
		}
		o.post(item{event: e}, unbounded)
	}
}

// done decides whether the loop ends, and if so takes the room off the registry.
func (o *openRoom) done(stop context.Context) bool {
	o.charge()
	if !o.room.Idle() {
		o.idleSince = time.Time{}
		o.noteIdle(o.idleSince)
		return false
	}
	if o.idleSince.IsZero() {
		o.idleSince = time.Now()
		o.noteIdle(o.idleSince)
	}
	enough := stop.Err() != nil || o.evicted.Load() && !o.room.Dead() || time.Since(o.idleSince) >= o.idleAfter()
	if !enough || !o.closeIfEmpty() {
		return false
	}
	o.registry.remove(o)
	close(o.removed)
	return true
}

// idleAfter is how long the room, that nobody holds, stays.
func (o *openRoom) idleAfter() time.Duration {
	switch {
	case o.room.Dead():
		return o.pause
	case o.room.Empty():
		return emptyIdle
	default:
		return o.registry.config.idleAfter()
	}
}

// schedule sets the timer for what the room needs next: one that is in use and
// has no presence needs none.
func (o *openRoom) schedule(timer *time.Timer) {
	wait := time.Duration(-1)
	if !o.idleSince.IsZero() {
		wait = max(0, time.Until(o.idleSince.Add(o.idleAfter())))
	}
	if o.room.NeedsClock() && (wait < 0 || wait > tick) {
		wait = tick
	}
	if wait < 0 {
		timer.Stop()
		return
	}
	timer.Reset(wait)
}

// shorten keeps a name that a stranger chose from filling the log.
func shorten(name string) string {
	const most = 128
	if len(name) > most {
		return name[:most] + "…"
	}
	return name
}
