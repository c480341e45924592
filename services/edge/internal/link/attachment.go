package link

import (
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// attachment is one room on the link, from its first member to its last.
//
//	waiting ── attachLocked ─► asked ── Attached ─► attached
//	   ▲                         │                     │
//	   └─── link broke, or Detached with hope ─────────┘
type attachment struct {
	// immutable: the room, and the traceparent of the join that wanted it first, ""
	// if there is none.
	room, parent string

	mu sync.Mutex // guards following
	// queue is where frames go: that of the stream on which the room is asked
	// for or attached. nil while waiting.
	queue  *queue
	number uint64
	// known: the room was attached at least once, and kind is what it is.
	known bool
	kind  roomsv1.RoomKind
	// seq is that of the last Broadcast delivered, or of the first Attached,
	seq uint64
	// members are in the order of their ids.
	members []*Member
	// ended says why there will be nothing more; nil until then.
	ended *session.Close
	// changed is closed when any of the above may matter to somebody who
	// waits; nil while nobody does.
	changed chan struct{}
	// pauses and retry are those between attempts after a Detached.
	pauses *backoff.ExponentialBackOff
	retry  *time.Timer
	// retryDone settles a retry that was called off.
	retryDone func()
}

// relays reports whether the room keeps nothing. The caller holds mu.
func (a *attachment) relays() bool {
	return a.known && a.kind == roomsv1.RoomKind_ROOM_KIND_RELAY
}

// attachLocked asks for the room on the standing stream and lets its members
// join again. Both Link.mu and a.mu are held, and the link stands.
func (l *Link) attachLocked(a *attachment) {
	a.stopRetryLocked()
	l.attachments++
	a.number = l.attachments
	a.queue = l.queue
	l.numbers[a.number] = a
	var resume *uint64
	parent := a.parent
	if a.known {
		seq := a.seq
		resume, parent = &seq, "" // that join is long over
	}
	a.queue.add(func(chunk []byte) []byte {
		return appendAttach(chunk, a.number, a.room, resume, parent)
	})
	var frames []session.Frame
	for _, m := range a.members {
		if !m.joined {
			continue
		}
		for _, f := range m.ears.Rejoin(frames[:0]) {
			a.queue.add(func(chunk []byte) []byte {
				return appendSessionFrame(chunk, a.number, m.id, f)
			})
		}
	}
	a.signalLocked()
}

// waitLocked takes the room off its stream.
func (a *attachment) waitLocked() {
	a.stopRetryLocked()
	a.queue = nil
	a.number = 0
}

// retryLocked attaches the room again after a pause. Both locks are held.
func (l *Link) retryLocked(a *attachment) {
	if l.closed {
		return
	}
	if a.pauses == nil {
		a.pauses = l.cfg.pauses()
	}
	l.ours.Add(1)
	a.retry = time.AfterFunc(a.pauses.NextBackOff(), func() {
		defer l.ours.Done()
		l.mu.Lock()
		defer l.mu.Unlock()
		a.mu.Lock()
		defer a.mu.Unlock()
		a.retry = nil
		// The last member may have left while this waited for the locks.
		if l.queue != nil && a.queue == nil && l.rooms[a.room] == a && !l.closed {
			l.attachLocked(a)
		}
	})
	a.retryDone = l.ours.Done
}

// stopRetryLocked calls off a pending attempt.
func (a *attachment) stopRetryLocked() {
	if a.retry != nil && a.retry.Stop() {
		a.retryDone()
	}
	a.retry = nil
}

// endLocked ends the room and all its members. Both locks are held.
func (l *Link) endLocked(a *attachment, why *session.Close) {
	a.ended = why
	for _, m := range a.members {
		m.ears.End(why)
	}
	l.dropLocked(a)
	a.signalLocked()
}

// dropLocked forgets the room. Both locks are held.
func (l *Link) dropLocked(a *attachment) {
	a.stopRetryLocked()
	delete(l.numbers, a.number)
	if l.rooms[a.room] == a {
		delete(l.rooms, a.room)
	}
	a.queue = nil
}

// find returns the member with the given id, nil if it isn't there.
func (a *attachment) find(id uint64) *Member {
	i, ok := slices.BinarySearchFunc(a.members, id, compareID)
	if !ok {
		return nil
	}
	return a.members[i]
}

func compareID(m *Member, id uint64) int {
	switch {
	case m.id < id:
		return -1
	case m.id > id:
		return 1
	default:
		return 0
	}
}

// changeLocked returns a channel that is closed at the next change.
func (a *attachment) changeLocked() <-chan struct{} {
	if a.changed == nil {
		a.changed = make(chan struct{})
	}
	return a.changed
}

func (a *attachment) signalLocked() {
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
}
