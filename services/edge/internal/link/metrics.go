package link

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what passes through the links of an edge.
type Metrics struct {
	sessions          prometheus.Gauge
	up                *prometheus.GaugeVec
	relinks           *prometheus.CounterVec
	bytesIn, bytesOut prometheus.Counter
}

// NewMetrics returns metrics, registered with reg if it isn't nil.
func NewMetrics(reg prometheus.Registerer) (*Metrics, error) {
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "fjord_edge_link_bytes_total", Help: "Encoded bytes on links to rooms processes, by direction.",
	}, []string{"direction"})
	m := &Metrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fjord_edge_sessions", Help: "Clients that have joined a room.",
		}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "fjord_edge_link_up", Help: "1 while the link to a rooms process stands.",
		}, []string{"rooms"}),
		relinks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fjord_edge_relinks_total", Help: "Links that stood again after a break.",
		}, []string{"rooms"}),
		bytesIn:  bytes.WithLabelValues("in"),
		bytesOut: bytes.WithLabelValues("out"),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.sessions, m.up, m.relinks, bytes} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
