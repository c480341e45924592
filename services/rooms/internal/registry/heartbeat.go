package registry

import (
	"time"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// heartbeat asks storage, again and again, which of its rooms this process has
// lost. A write would find out; but a room that is only read would be answered
// from memory for as long as somebody is in it, while another process has gone
// on with it, or after it was deleted.
//
// When storage can't be asked, rooms go on: what they show is stored, and nobody
// else can get hold of them without storage either.
func (r *Registry) heartbeat() {
	beat := time.NewTicker(r.config.CheckEvery)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			r.letGo()
			r.relieve()
		case <-r.stopping.Done():
			return
		}
	}
}

// letGo asks once, and ends the rooms that are lost.
func (r *Registry) letGo() {
	open, holdings := r.holdings()
	if len(holdings) == 0 {
		return
	}
	lapses, err := r.journal.Check(r.stopping, holdings)
	if err != nil {
		r.config.Logger.Debug("storage can't say which rooms this process owns", "rooms", len(holdings), "error", err)
		return
	}
	for _, lapse := range lapses {
		r.lapses.Inc()
		r.config.Logger.Warn("the room isn't ours any more; letting go of it", "room", shorten(lapse.Room), "deleted", lapse.Deleted, "error", lapse.Err)
		// The room that was asked about: another may have its name by now.
		if o := open[lapse.Room]; o != nil {
			o.post(item{event: lapse.Event()}, unbounded)
		}
	}
}

// holdings returns the rooms that are loaded and claimed.
func (r *Registry) holdings() (open map[string]*openRoom, holdings []room.Holding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	open = make(map[string]*openRoom, len(r.rooms))
	holdings = make([]room.Holding, 0, len(r.rooms))
	for name, o := range r.rooms {
		if epoch := o.epoch.Load(); epoch > 0 {
			open[name] = o
			holdings = append(holdings, room.Holding{Room: name, Epoch: epoch})
		}
	}
	return open, holdings
}
