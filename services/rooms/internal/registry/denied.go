package registry

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// denied counts what sessions tried and may not, in all rooms.
type denied struct {
	join, ended, update, presence, relay prometheus.Counter
}

func newDenied(registerer prometheus.Registerer) denied {
	v := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fjord_rooms_denied_total",
		Help: "What sessions tried without a grant, and went nowhere: joins, updates, presence, relayed data; and sessions that ended because their grants were taken back.",
	}, []string{"what"})
	registerer.MustRegister(v)
	return denied{
		join:     v.WithLabelValues("join"),
		ended:    v.WithLabelValues("ended"),
		update:   v.WithLabelValues("update"),
		presence: v.WithLabelValues("presence"),
		relay:    v.WithLabelValues("relay"),
	}
}

func (d *denied) count(n room.Denied) {
	if n == (room.Denied{}) {
		return
	}
	d.join.Add(float64(n.Joins))
	d.ended.Add(float64(n.Ended))
	d.update.Add(float64(n.Updates))
	d.presence.Add(float64(n.Presence))
	d.relay.Add(float64(n.Relayed))
}
