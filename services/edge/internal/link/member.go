package link

import (
	"slices"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// Receiver is a session, as a link sees it. Its methods are called by the
// link's receiver with locks held: they must neither block nor call back.
type Receiver interface {
	// Deliver takes a frame of the room. d encodes what goes to many once.
	Deliver(f *roomsv1.RoomFrame, d *dialect.Delivery)
	// Rejoin appends the frames that let the session into the room again.
	Rejoin(out []session.Frame) []session.Frame
	// Resumed tells that the room is there again, at the given state. It may
	// have forgotten who is present: askPresence says to ask the client.
	Resumed(stateVector []byte, askPresence bool)
	// End tells that there will be nothing more. The receiver still leaves.
	End(why *session.Close)
}

// Member is one session's hand on its room. Join, Send and Leave belong to one
// goroutine.
type Member struct {
	link *Link
	room *attachment
	id   uint64
	ears Receiver
	// joined is guarded by room.mu.
	joined bool
}

// Why members end for reasons that the room didn't give.
var (
	relayBroke  = &session.Close{Code: session.CloseLeaving, Reason: "the way to the room broke: begin anew"}
	kindChanged = &session.Close{Code: session.CloseLeaving, Reason: "the room has become another kind of room: begin anew"}
	noLink      = &session.Close{Code: session.CloseLater, Reason: "rooms cannot be reached, come back"}
	noRoom      = &session.Close{Code: session.CloseLater, Reason: "the room takes too long to load, come back"}
	// RoomFull: the room has as many members here as it may.
	RoomFull = &session.Close{Code: session.CloseLater, Reason: "the room is full, come back"}
	stopped  = &session.Close{Code: session.CloseLeaving, Reason: "leaving"}
)

// Open attaches room, or finds it attached, and waits until it is known what
// kind of room it is. The member that it returns must Leave. It gives up when
// stop is closed, and says with a Close why it failed otherwise. What rooms does for it
// goes on with the trace of parent, a traceparent or "".
func (l *Link) Open(stop <-chan struct{}, room, parent string, ears Receiver) (*Member, *session.Close) {
	if why := l.await(stop); why != nil {
		return nil, why
	}
	m, why := l.enter(room, parent, ears)
	if why != nil {
		return nil, why
	}
	late := time.NewTimer(l.cfg.AttachWait)
	defer late.Stop()
	for {
		change, why := m.room.ready()
		if change == nil && why == nil {
			return m, nil
		}
		if why == nil {
			select {
			case <-change:
				continue
			case <-late.C:
				why = noRoom
			case <-stop:
				why = stopped
			}
		}
		m.Leave()
		return nil, why
	}
}

// Full reports whether Open would find the room full.
func (l *Link) Full(room string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.rooms[room]
	if a == nil {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.members) >= l.cfg.RoomLimit
}

// await waits until the link stands.
func (l *Link) await(stop <-chan struct{}) *session.Close {
	late := time.NewTimer(l.cfg.LinkWait)
	defer late.Stop()
	for {
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return stopped
		}
		if l.queue != nil {
			l.mu.Unlock()
			return nil
		}
		if l.changed == nil {
			l.changed = make(chan struct{})
		}
		changed := l.changed
		l.mu.Unlock()
		select {
		case <-changed:
		case <-late.C:
			return noLink
		case <-stop:
			return stopped
		}
	}
}

// enter adds a member to the room, and attaches the room if it is the first.
func (l *Link) enter(room, parent string, ears Receiver) (*Member, *session.Close) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, stopped
	}
	a := l.rooms[room]
	if a == nil {
		a = &attachment{room: room, parent: parent}
		l.rooms[room] = a
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.members) >= l.cfg.RoomLimit {
		l.cfg.Reached.Hit("max-sockets-per-room")
		return nil, RoomFull
	}
	l.sessions++
	m := &Member{link: l, room: a, id: l.sessions, ears: ears}
	a.members = append(a.members, m)
	if l.queue != nil && a.queue == nil && a.retry == nil {
		l.attachLocked(a)
	}
	return m, nil
}

// ready returns neither a channel nor a Close once the room is known.
func (a *attachment) ready() (<-chan struct{}, *session.Close) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended != nil {
		return nil, a.ended
	}
	if a.known {
		return nil, nil
	}
	return a.changeLocked(), nil
}

// Kind returns what kind of room it is.
func (m *Member) Kind() roomsv1.RoomKind {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	return m.room.kind
}

// Join lets the session into the room. It must be called before Send. From here
// on the receiver hears.
func (m *Member) Join(stop <-chan struct{}, f session.Frame) bool { return m.Send(stop, f) }

// Send says f to the room. It waits while the room is away or the link's queue
// is full, and returns false if stop is closed first. The bytes of f are copied.
func (m *Member) Send(stop <-chan struct{}, f session.Frame) bool {
	for {
		wait, full := m.offer(f)
		if wait == nil {
			return true
		}
		if full {
			m.link.cfg.Reached.Hit("max-link-queue")
		}
		select {
		case <-wait:
		case <-stop:
			return false
		}
	}
}

// offer returns nil if f is on its way, or needn't be: an ended session's
// frames are for nobody, and a session that joins while the room is away joins
// with the others when it comes back. Else it returns what to wait for, and
// whether that is the link's queue, which is full.
func (m *Member) offer(f session.Frame) (wait <-chan struct{}, full bool) {
	a := m.room
	a.mu.Lock()
	defer a.mu.Unlock()
	join := f.Kind == session.Join
	if a.ended != nil || (!m.joined && !join) {
		return nil, false
	}
	if a.queue == nil {
		if join {
			m.joinedLocked()
			return nil, false
		}
		return a.changeLocked(), false
	}
	wait = a.queue.offer(func(chunk []byte) []byte {
		return appendSessionFrame(chunk, a.number, m.id, f)
	})
	if wait == nil && join {
		m.joinedLocked()
	}
	return wait, wait != nil
}

func (m *Member) joinedLocked() {
	m.joined = true
	m.link.cfg.Metrics.sessions.Inc()
}

func (m *Member) leftLocked() {
	if m.joined {
		m.joined = false
		m.link.cfg.Metrics.sessions.Dec()
	}
}

// partLocked ends the session, and tells the room.
func (m *Member) partLocked() {
	a := m.room
	if m.joined && a.queue != nil {
		a.queue.add(func(chunk []byte) []byte {
			return appendSessionFrame(chunk, a.number, m.id, session.Frame{Kind: session.Leave})
		})
	}
	m.leftLocked()
}

// Part ends the session, and keeps the hold on the room: it may join again. What it
// says until then is for nobody.
func (m *Member) Part() {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	m.partLocked()
}

// Leave ends the session, and detaches the room with its last one. When it
// returns, the receiver hears nothing more.
func (m *Member) Leave() {
	l, a := m.link, m.room
	l.mu.Lock()
	defer l.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	m.partLocked()
	if i, ok := slices.BinarySearchFunc(a.members, m.id, compareID); ok {
		a.members = slices.Delete(a.members, i, i+1)
	}
	if len(a.members) > 0 || a.ended != nil {
		return
	}
	if a.queue != nil {
		a.queue.add(func(chunk []byte) []byte { return appendDetach(chunk, a.number) })
	}
	l.dropLocked(a)
}
