package awareness

import (
	"cmp"
	"slices"
	"time"

	"github.com/fjord-sync/fjord/yjs/lib0"
)

// Outdated is after which time without news a client counts as gone; clients say
// that they are still there when half of it is over. Both are y-protocols' numbers.
const Outdated = 30 * time.Second

// DefaultMax is how many clients a room knows at most if nothing else is said.
const DefaultMax = 10_000

// States is what is known of everybody in a room: what a server keeps, and, with Set,
// what a client keeps. The zero value is an empty room. It knows no clock and starts no
// goroutine: the caller says what time it is, and asks now and then who has fallen
// silent. It belongs to one goroutine.
//
// It comes to the same states as the class Awareness of the npm package y-protocols,
// and tells of the same changes, with two exceptions. Clients that have left are
// forgotten after Outdated, where y-protocols remembers their clocks for ever. And no
// more clients are known than Max.
type States struct {
	// Max is how many clients are known at most, those that have left and aren't
	// forgotten yet among them. What is said of others is ignored. 0 is DefaultMax.
	Max     int
	clients map[uint64]known
}

// known is the newest that was heard of a client. One that has left stays known by
// its clock, so that what comes late doesn't bring it back.
type known struct {
	clock uint64
	state []byte // nil if it has left
	heard time.Time
	own   bool // by Set
}

// Apply takes news at a time and returns those entries that were news: what a server
// passes on to the others. News is a higher clock than the known one, or with the same
// clock that a client which was there has left. A client that isn't known counts as
// one with clock 0 that isn't there: so an entry with clock 0 is no news, as for every
// peer in JavaScript, and neither is that somebody unknown has left.
//
// Who says of a client of ours that it has left is told the contrary: its clock is
// raised, and what is returned has its state.
//
// The states are kept as copies; those of the entries returned alias the given ones.
// Whether they are JSON isn't looked at: who passes on what strangers send checks that
// first (json.Valid), because y-protocols throws on what isn't.
func (s *States) Apply(entries []Entry, now time.Time) (changed []Entry) {
	for _, e := range entries {
		old, ok := s.clients[e.Client]
		leaves := e.Gone() && old.state != nil
		if e.Clock < old.clock || e.Clock == old.clock && !leaves || !ok && !s.room() {
			continue
		}
		next := known{clock: e.Clock, heard: now, own: old.own}
		switch {
		case leaves && old.own:
			if e.Clock == lib0.MaxSafeInteger {
				continue // nothing tops it
			}
			next.clock++
			next.state = old.state
			e.Clock, e.State = next.clock, old.state
		case !e.Gone():
			next.state = slices.Clone(e.State)
		}
		s.put(e.Client, next)
		if ok || !e.Gone() {
			changed = append(changed, e)
		}
	}
	return changed
}

// Set says what a client of ours shows from now on, which is JSON text, or that it
// has left, which is nil. It returns what to tell the others. The first clock is 1:
// nobody would take notice of 0. From then on Expire renews the state in time, and
// Apply defends it. The state is copied.
func (s *States) Set(client uint64, state []byte, now time.Time) Entry {
	old := s.clients[client]
	next := known{clock: raised(old.clock), heard: now, own: true}
	if state != nil && !(Entry{State: state}).Gone() {
		next.state = slices.Clone(state)
	}
	s.put(client, next)
	return next.entry(client)
}

// Remove lets go of clients that are known to have left, such as those of a connection
// that has ended, and returns what tells the others, in the order given. Their clocks
// stay, so that one who comes back is seen at once; those of our own are raised. Clients that
// aren't there are passed over.
func (s *States) Remove(now time.Time, clients ...uint64) (gone []Entry) {
	for _, id := range clients {
		k := s.clients[id]
		if k.state == nil {
			continue
		}
		if k.own {
			k.clock = raised(k.clock)
		}
		k.state, k.heard = nil, now
		s.put(id, k)
		gone = append(gone, k.entry(id))
	}
	return gone
}

// Expire does what time brings: it lets go of clients that weren't heard of for
// Outdated, and renews our own after half of it. It returns what tells the others, by
// ascending client. Those that have left as long ago are forgotten.
func (s *States) Expire(now time.Time) (changed []Entry) {
	for id, k := range s.clients {
		switch {
		case now.Before(k.due()) || k.own && k.state == nil:
			continue
		case k.own:
			k.clock = raised(k.clock)
		case k.state == nil:
			delete(s.clients, id)
			continue
		default:
			k.state = nil
		}
		k.heard = now
		s.clients[id] = k
		changed = append(changed, k.entry(id))
	}
	slices.SortFunc(changed, byClient)
	return changed
}

// Next returns when Expire has something to do next; ok is false if never.
func (s *States) Next() (at time.Time, ok bool) {
	for _, k := range s.clients {
		if k.own && k.state == nil {
			continue
		}
		if due := k.due(); !ok || due.Before(at) {
			at, ok = due, true
		}
	}
	return at, ok
}

// Entries returns who is there, by ascending client: what a newcomer is told. The
// states alias those that are kept, which never change.
func (s *States) Entries() []Entry {
	var all []Entry
	for id, k := range s.clients {
		if k.state != nil {
			all = append(all, k.entry(id))
		}
	}
	slices.SortFunc(all, byClient)
	return all
}

// room reports whether another client may be known.
func (s *States) room() bool {
	return len(s.clients) < cmp.Or(s.Max, DefaultMax)
}

func (s *States) put(client uint64, k known) {
	if s.clients == nil {
		s.clients = map[uint64]known{}
	}
	s.clients[client] = k
}

// due returns when time does something to a client.
func (k known) due() time.Time {
	if k.own {
		return k.heard.Add(Outdated / 2)
	}
	return k.heard.Add(Outdated)
}

func (k known) entry(client uint64) Entry {
	if k.state == nil {
		return Entry{Client: client, Clock: k.clock, State: Null}
	}
	return Entry{Client: client, Clock: k.clock, State: k.state}
}

// raised is the next clock, as long as there is one.
func raised(clock uint64) uint64 { return min(clock+1, lib0.MaxSafeInteger) }

func byClient(a, b Entry) int { return cmp.Compare(a.Client, b.Client) }
