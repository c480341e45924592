package registry

import (
	"math"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// item is what waits in an inbox: an event, and the sink that Attach brings; or
// an operator's question, with a place for its answer.
type item struct {
	event  room.Event
	sink   Sink
	status chan<- room.Status
}

// itemCost is what an item counts in the inbox beside its bytes.
const itemCost = 128

// unbounded is the limit of posts that are always taken.
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
	o.rouse()
	return posted
}

// rouse has the loop go round once more.
func (o *openRoom) rouse() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
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
