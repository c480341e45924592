package socket

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts what passes through sockets.
type Metrics struct {
	framesIn, framesOut prometheus.Counter
	bytesIn, bytesOut   prometheus.Counter
	closes              *prometheus.CounterVec
}

// NewMetrics returns metrics, registered with reg if it isn't nil.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	frames := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fjord_edge_frames_total", Help: "Websocket data frames, by direction.",
	}, []string{"direction"})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fjord_edge_bytes_total", Help: "Payload bytes of websocket data frames, by direction.",
	}, []string{"direction"})
	m := &Metrics{
		framesIn:  frames.WithLabelValues("in"),
		framesOut: frames.WithLabelValues("out"),
		bytesIn:   bytes.WithLabelValues("in"),
		bytesOut:  bytes.WithLabelValues("out"),
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fjord_edge_closes_total", Help: "Ended sockets by close code; 1006 is a connection that broke.",
		}, []string{"code"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{frames, bytes, m.closes} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// closed counts an ended socket. A peer may choose its code freely, so codes
// that mean nothing here share one label.
func (m *Metrics) closed(code int) {
	label := "other"
	switch {
	case code >= 1000 && code <= 1015,
		code == 4400, code == 4401, code == 4403, code == 4404, code == 4413:
		label = strconv.Itoa(code)
	}
	m.closes.WithLabelValues(label).Inc()
}
