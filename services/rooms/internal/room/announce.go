package room

import (
	"errors"
	"time"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

func (r *Room) onAwareness(now time.Time, s *session, update []byte) {
	if !s.grants.Presence {
		r.ready.Denied.Presence++
		return
	}
	entries, err := awareness.Decode(update)
	if err != nil {
		r.end(s, roomsv1.Refusal_REFUSAL_MALFORMED, err.Error())
		return
	}
	v, err := r.presence.take(now, s.id, entries)
	switch {
	case errors.Is(err, errMalformed):
		r.end(s, roomsv1.Refusal_REFUSAL_MALFORMED, err.Error())
		return
	case err != nil:
		r.reached(LimitState)
		r.end(s, roomsv1.Refusal_REFUSAL_TOO_LARGE, err.Error())
		return
	}
	r.announce(v.news)
	if v.unseen {
		r.reached(LimitPresent)
	}
	if len(v.stale) > 0 {
		r.send(s.id.Attachment, presenceFrame(s.id.Number, v.stale))
	}
}

// announce tells everybody when the step ends, the sender included: its echo is
// what keeps a client's watchdog quiet.
func (r *Room) announce(entries []awareness.Entry) {
	r.news = append(r.news, entries...)
}

// depart tells everybody of clients that have gone, and those who have a claim to
// one alone: a Hocuspocus client says more only if it is asked, and its edge asks it
// after such a word (law 7).
func (r *Room) depart(gone []awareness.Entry, claims []claim) {
	r.announce(gone)
	for _, c := range claims {
		if a := r.attachments[c.of.Attachment]; a != nil && a.sessions[c.of.Number] != nil {
			r.send(c.of.Attachment, presenceFrame(c.of.Number, []awareness.Entry{c.null}))
		}
	}
}

// tellNews says what the step's events did to presence in one frame, and of each
// client the newest only: a crowd that moves its cursors or leaves at once costs
// a frame, not one each.
func (r *Room) tellNews() {
	if len(r.news) == 0 {
		return
	}
	newest := make(map[uint64]int, len(r.news))
	for i, e := range r.news {
		newest[e.Client] = i
	}
	told := r.news[:0]
	for i, e := range r.news {
		if newest[e.Client] == i {
			told = append(told, e)
		}
	}
	r.sendAll(presenceFrame(0, told))
	clear(r.news)
	r.news = r.news[:0]
}

func presenceFrame(session uint64, entries []awareness.Entry) *roomsv1.RoomFrame {
	return &roomsv1.RoomFrame{
		Session: session,
		Body:    &roomsv1.RoomFrame_Awareness{Awareness: awareness.Append(nil, entries...)},
	}
}
