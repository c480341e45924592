package journal

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	appends, calls, retries prometheus.Counter
	quarantined             prometheus.Counter
	// Bytes: of records that were stored, of snapshots, and of records that
	// snapshots stand for.
	logged, snapshotted, reclaimed prometheus.Counter
	snapshots                      *prometheus.CounterVec
	latency                        prometheus.Histogram
}

func newMetrics(registerer prometheus.Registerer) metrics {
	m := metrics{
		appends: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_appends_total",
			Help: "Records whose outcome storage has told.",
		}),
		calls: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_append_calls_total",
			Help: "Append calls that storage has answered; appends per call is the gathering.",
		}),
		retries: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_append_retries_total",
			Help: "Records that were sent again because their outcome was unknown.",
		}),
		quarantined: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_quarantined_total",
			Help: "Updates that were put into quarantine because they couldn't be applied.",
		}),
		logged: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_log_bytes_total",
			Help: "Bytes of records that were stored.",
		}),
		snapshotted: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_snapshot_bytes_total",
			Help: "Bytes of snapshots that were stored.",
		}),
		reclaimed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_rooms_reclaimed_bytes_total",
			Help: "Bytes of records that snapshots replaced.",
		}),
		snapshots: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fjord_rooms_snapshots_total",
			Help: "Snapshots by outcome.",
		}, []string{"outcome"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fjord_rooms_append_seconds",
			Help:    "Time from a room's wish to append until storage's answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	registerer.MustRegister(m.appends, m.calls, m.retries, m.quarantined, m.logged, m.snapshotted, m.reclaimed, m.snapshots, m.latency)
	return m
}
