package link

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	links                    prometheus.Gauge
	received, sent, messages prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer) metrics {
	m := metrics{
		links: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "fjord_rooms_links",
			Help: "Edges that are linked.",
		}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_link_frames_received_total",
			Help: "Frames that came from edges.",
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_link_frames_sent_total",
			Help: "Frames that went to edges.",
		}),
		messages: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_link_messages_sent_total",
			Help: "Messages that carried the frames; frames per message is the gathering.",
		}),
	}
	registerer.MustRegister(m.links, m.received, m.sent, m.messages)
	return m
}
