package session

import (
	"slices"

	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
)

// owed counts the answers that a client waits for, so that a break of the link
// neither loses one nor invents one.
//
// Tickets number what is answered, 1, 2, 3 …; a room answers them in order. A
// break loses those on their way, and whether they were stored nobody knows. But
// each resumed client is asked for what it alone has, and when its step 2 is
// stored, so is all that it said before: that step 2 settles the lost ones. The
// client doesn't count it, having got our step 1 unasked, so it gets no answer
// of its own.
//
//	update 1, update 2 → (break) → our step 1 → step 2 (ticket 3)
//	stored 3 → saved, saved
type owed struct {
	tickets uint64 // the last one given
	// lost counts the unanswered ones up to lostTo, which were said before the
	// last break. waiting counts all unanswered ones.
	waiting, lost, lostTo uint64

	// asked counts our step 1s, heard the client's step 2s. Those beyond fresh
	// were asked since the last break.
	asked, heard, fresh uint64
	// extra are our step 1s that the client doesn't count, and silent the
	// tickets of their answers.
	extra, silent []uint64
	// settler is the ticket of the step 2 that settles what was lost, 0 while
	// there is none; unsettled means that one is needed.
	settler   uint64
	unsettled bool

	barriers []barrier
	held     int // bytes in barriers
}

// barrier waits for everything before its ticket.
type barrier struct {
	ticket uint64
	body   []byte
}

// What a client's barriers may hold. One that asks faster than it is answered
// for long is told to come back.
const (
	maxBarriers     = 1000
	maxBarrierBytes = 64 << 10
)

// empty is the update that changes nothing: its ticket is answered when all
// before it is stored.
var empty = []byte{0, 0}

// hasAsked reports whether our step 1 was sent.
func (o *owed) hasAsked() bool { return o.asked > 0 }

// ask notes that our step 1 is sent; extra if the client didn't ask for it.
func (o *owed) ask(extra bool) {
	o.asked++
	if extra {
		o.extra = append(o.extra, o.asked)
	}
}

// answered notes a step 2. It is fresh if it answers a step 1 that was asked
// since the last break, and extra if the client doesn't count it.
func (o *owed) answered() (fresh, extra bool) {
	if o.heard == o.asked {
		return false, false // it came unasked
	}
	o.heard++
	if len(o.extra) > 0 && o.extra[0] == o.heard {
		o.extra = o.extra[1:]
		extra = true
	}
	return o.heard > o.fresh, extra
}

// update returns the ticket of an update. fresh and extra are those of a step 2.
func (o *owed) update(fresh, extra bool) uint64 {
	o.tickets++
	if extra {
		o.silent = append(o.silent, o.tickets)
	} else {
		o.waiting++
	}
	if fresh && o.unsettled && o.settler == 0 {
		o.settler = o.tickets
	}
	return o.tickets
}

// settling returns the ticket of a step 2 that only settles.
func (o *owed) settling() uint64 {
	o.tickets++
	o.settler = o.tickets
	return o.tickets
}

// barred reports whether barriers wait for a step 2 to settle what was lost.
func (o *owed) barred() bool { return o.unsettled && o.settler == 0 }

// result returns how many answers the result of a ticket is to the client.
func (o *owed) result(ticket uint64) uint64 {
	n := uint64(0)
	if i := slices.Index(o.silent, ticket); i >= 0 {
		o.silent = slices.Delete(o.silent, i, i+1)
	} else if o.waiting > 0 {
		n = 1
		o.waiting--
		if ticket <= o.lostTo && o.lost > 0 {
			o.lost--
		}
	}
	if o.settler != 0 && ticket == o.settler {
		n += o.lost
		o.waiting -= o.lost
		o.lost, o.settler, o.unsettled = 0, 0, false
	}
	return n
}

// broke notes that all that is unanswered may be lost.
func (o *owed) broke() {
	o.lost, o.lostTo = o.waiting, o.tickets
	o.fresh = o.asked
	o.silent = nil
	o.settler = 0
	o.unsettled = true
}

// barrier returns the frame whose answer lets a barrier pass.
func (o *owed) barrier(body []byte) (Frame, *Close) {
	if len(o.barriers) >= maxBarriers || o.held+len(body) > maxBarrierBytes {
		return Frame{}, &Close{CloseLater, "too many questions wait for storage, come back"}
	}
	o.tickets++
	o.barriers = append(o.barriers, barrier{o.tickets, slices.Clone(body)})
	o.held += len(body)
	return Frame{Kind: Update, Bytes: empty, Ticket: o.tickets}, nil
}

// passed appends the barriers that a stored ticket lets pass: none while
// something said before them may be lost.
func (o *owed) passed(ticket uint64, out []dialect.Message) []dialect.Message {
	if o.settler != 0 && ticket == o.settler {
		o.settler, o.unsettled = 0, false
	}
	if ticket == 0 || o.unsettled {
		return out
	}
	n := 0
	for _, b := range o.barriers {
		if b.ticket > ticket {
			break
		}
		out = append(out, dialect.Message{Kind: dialect.Barrier, Body: b.body})
		o.held -= len(b.body)
		n++
	}
	o.barriers = slices.Delete(o.barriers, 0, n)
	return out
}
