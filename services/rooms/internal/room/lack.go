package room

import (
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
)

// A client's update may come before what it follows, and what it follows may be
// with another client alone, who was cut off while it said so. The update is stored
// and waits in the document; what is missing is asked for: every attachment is told
// again that the room is open, as after a break of its link, and so asks its
// clients for what they alone have. Nothing that waits is ever given up: it was
// acknowledged.

// lack is what the room knows of that.
type lack struct {
	// unseen is set when something was applied since the last look, which takes one
	// at every client of the document.
	unseen bool
	// structs and bytes wait, by the last look.
	structs, bytes int
	// The clients are asked at next, and then after twice the pause.
	next  time.Time
	pause time.Duration
}

// What comes out of order is complete in a moment mostly. What isn't then may be
// with nobody who is here.
const (
	askFirst = 5 * time.Second
	askMost  = 5 * time.Minute
)

// waits reports whether the clock is needed for what is missing.
func (l *lack) waits() bool { return l.unseen || l.structs > 0 }

// askForMissing looks, at a Tick, whether the document waits for updates, and asks
// for them when it is time to.
func (r *Room) askForMissing(now time.Time) {
	l := &r.lack
	if r.document == nil || r.farewell != nil || !l.waits() {
		return
	}
	pending := r.document.Pending()
	l.unseen, l.structs, l.bytes = false, pending.Structs, pending.Bytes
	switch {
	case l.structs == 0:
		*l = lack{}
		return
	case l.pause == 0:
		l.pause, l.next = askFirst, now.Add(askFirst)
		return
	case now.Before(l.next) || r.heldUp():
		return
	}
	l.pause = min(2*l.pause, askMost)
	l.next = now.Add(l.pause)
	for _, a := range r.order {
		if !a.welcomed || a.crowded {
			continue // it is asked when it is let in, or the next time
		}
		attached := &roomsv1.Attached{Kind: r.config.Kind.Proto(), Epoch: r.epoch, Seq: r.log.restsOn(), StateVector: r.encodedVector()}
		r.sendWhenStored(a.id, &roomsv1.RoomFrame{Body: &roomsv1.RoomFrame_Attached{Attached: attached}}, 0)
	}
}

// Waiting returns the bytes in the document that waited for other updates when it
// was last looked for them.
func (r *Room) Waiting() int { return r.lack.bytes }
