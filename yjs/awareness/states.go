package awareness

import (
	"cmp"
	"slices"
	"time"
)

// Outdated is after which time without news a client counts as gone; clients say
// that they are still there when half of it is over. Both are y-protocols' numbers.
const Outdated = 30 * time.Second

// States is what is known of everybody in a room. The zero value is an empty room.
// It knows no clock and starts no goroutine: the caller says what time it is, and
// asks now and then who has fallen silent. It belongs to one goroutine.
type States struct {
	clients map[uint64]known
}

// known is the newest that was heard of a client. One that has left stays known by
// its clock, so that what comes late doesn't bring it back.
type known struct {
	clock uint64
	state []byte // nil if it has left
	heard time.Time
}

// Apply takes news at a time and returns those entries that were news: a higher
// clock, or with the same clock that a client which was there has left. The states
// are copied.
func (s *States) Apply(entries []Entry, now time.Time) (changed []Entry) {
	if s.clients == nil {
		s.clients = map[uint64]known{}
	}
	for _, e := range entries {
		old, ok := s.clients[e.Client]
		news := !ok || e.Clock > old.clock || e.Clock == old.clock && e.Gone() && old.state != nil
		if !news {
			continue
		}
		next := known{clock: e.Clock, heard: now}
		if !e.Gone() {
			next.state = slices.Clone(e.State)
		}
		s.clients[e.Client] = next
		changed = append(changed, e)
	}
	return changed
}

// Expire lets go of clients that weren't heard of for Outdated, and returns what
// tells the others, by ascending client. Those that have left as long ago are forgotten.
func (s *States) Expire(now time.Time) (gone []Entry) {
	for id, k := range s.clients {
		if now.Sub(k.heard) < Outdated {
			continue
		}
		if k.state == nil {
			delete(s.clients, id)
			continue
		}
		s.clients[id] = known{clock: k.clock, heard: now}
		gone = append(gone, Entry{Client: id, Clock: k.clock, State: Null})
	}
	slices.SortFunc(gone, byClient)
	return gone
}

// Next returns when Expire has something to do next; ok is false if never.
func (s *States) Next() (at time.Time, ok bool) {
	for _, k := range s.clients {
		if due := k.heard.Add(Outdated); !ok || due.Before(at) {
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
			all = append(all, Entry{Client: id, Clock: k.clock, State: k.state})
		}
	}
	slices.SortFunc(all, byClient)
	return all
}

func byClient(a, b Entry) int { return cmp.Compare(a.Client, b.Client) }
