package room

import (
	"fmt"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/yjs"
)

// The names of a room's limits: those of their flags, and labels of a counter.
const (
	LimitUpdate   = "max-update"
	LimitDocument = "max-document"
	LimitPending  = "max-pending"
	LimitSessions = "max-sessions"
	LimitPresent  = "max-present"
	LimitState    = "max-state"
	LimitUnsaved  = "max-unsaved"
)

// reached counts that somebody went over a limit.
func (r *Room) reached(limit string) { r.ready.Reached = append(r.ready.Reached, limit) }

// tooLargef refuses an update for a limit.
func (r *Room) tooLargef(s *session, e *Event, limit, format string, args ...any) {
	r.reached(limit)
	r.refuse(s, e.Ticket, roomsv1.Refusal_REFUSAL_TOO_LARGE, fmt.Sprintf(format, args...))
}

// backlog is what waits in the document for updates that have not arrived. Adding
// it up takes a look at every client, so it is looked at only when what has come
// since might have made it too large.
type backlog struct {
	bytes int // at the last look
	since int // bytes of updates since
}

// floods reports whether an update would have the document hold more than it may
// of what waits for others. Nothing that was taken is ever given up: it was
// acknowledged. So what would be too much is refused, as long as it fills no gap.
func (r *Room) floods(update []byte) bool {
	most, b := r.config.MaxPendingBytes, &r.backlog
	if b.bytes+b.since+len(update) > most {
		b.bytes, b.since = r.document.Pending().Bytes, 0
	}
	if b.bytes > 0 && b.bytes+b.since+len(update) > most && r.leavesGap(update) {
		return true
	}
	b.since += len(update)
	return false
}

// leavesGap reports whether something in an update comes after what the document
// lacks. What can't be read is not for here to judge.
func (r *Room) leavesGap(update []byte) bool {
	inserts, _, err := yjs.IDsOfUpdate(update)
	if err != nil {
		return false
	}
	missing := make(map[uint64]uint64)
	for _, id := range r.document.Pending().Missing {
		missing[id.Client] = id.Clock
	}
	for client, ranges := range inserts {
		first := ranges[0].Clock
		clock, gapped := missing[client]
		if gapped && first > clock || !gapped && first > 0 && !r.document.Has(yjs.ID{Client: client, Clock: first - 1}) {
			return true
		}
	}
	return false
}
