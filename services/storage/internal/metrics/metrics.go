// Package metrics counts what the storage service does. No label holds a room's
// name: those are the users' own words, and without number.
package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics is the storage service's instruments. Make one with New; its methods
// may be called from any goroutine.
type Metrics struct {
	calls       *prometheus.CounterVec
	records     *prometheus.CounterVec
	recordBytes prometheus.Counter
	batch       prometheus.Histogram
	commit      prometheus.Histogram
	collectors  []prometheus.Collector
}

// Gauges report a value when it is collected; nil ones are left out.
type Gauges struct {
	// Disk is the bytes that the data directory occupies, Free those left on its
	// disk, Ballast those held back there.
	Disk, Free, Ballast func() float64
	// Quarantined is the items in quarantine.
	Quarantined func() float64
}

// New returns instruments that nobody collects yet.
func New(gauges Gauges) *Metrics {
	m := &Metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fjord_storage_calls_total",
			Help: "Calls of the storage service by name and result; appends are counted per record too.",
		}, []string{"call", "result"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "fjord_storage_appends_total",
			Help: "Records that were to be appended, by result.",
		}, []string{"result"}),
		recordBytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "fjord_storage_append_bytes_total",
			Help: "Bytes of the records that were stored.",
		}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fjord_storage_commit_records",
			Help:    "Records in one synced transaction.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "fjord_storage_commit_seconds",
			Help:    "Time of one synced transaction.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16),
		}),
	}
	m.collectors = []prometheus.Collector{m.calls, m.records, m.recordBytes, m.batch, m.commit}
	m.gauge("fjord_storage_disk_bytes", "Bytes that the data directory occupies.", gauges.Disk)
	m.gauge("fjord_storage_free_bytes", "Bytes left on the data directory's disk.", gauges.Free)
	m.gauge("fjord_storage_ballast_bytes", "Bytes held back on the data directory's disk, given up when it is full.", gauges.Ballast)
	m.gauge("fjord_storage_quarantined", "Updates and rooms in quarantine.", gauges.Quarantined)
	return m
}

func (m *Metrics) gauge(name, help string, value func() float64) {
	if value != nil {
		m.collectors = append(m.collectors, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
	}
}

// Register lets to collect the instruments. On an error none of them is.
func (m *Metrics) Register(to prometheus.Registerer) error {
	for i, c := range m.collectors {
		if err := to.Register(c); err != nil {
			for _, c := range m.collectors[:i] {
				to.Unregister(c)
			}
			return err
		}
	}
	return nil
}

// Unregister undoes Register.
func (m *Metrics) Unregister(from prometheus.Registerer) {
	for _, c := range m.collectors {
		from.Unregister(c)
	}
}

// Call counts one call by its result: "ok" or the kind of its error.
func (m *Metrics) Call(name, result string) {
	m.calls.WithLabelValues(name, result).Inc()
}

// Record counts one item of an Append by its result, and its bytes if stored.
func (m *Metrics) Record(result string, stored bool, size int) {
	m.records.WithLabelValues(result).Inc()
	if stored {
		m.recordBytes.Add(float64(size))
	}
}

// Commit observes one transaction with that many records.
func (m *Metrics) Commit(records int, took time.Duration) {
	m.batch.Observe(float64(records))
	m.commit.Observe(took.Seconds())
}
