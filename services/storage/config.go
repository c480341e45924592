package storage

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
)

// Config says how to run the service. The zero Config keeps rooms in memory, with
// the default limits.
type Config struct {
	// Dir is the data directory: made if it isn't there, on a local disk, used by
	// one process at a time. Empty keeps rooms in memory, and loses them at Close.
	Dir string
	// Logger gets what operators want to know; nil discards it.
	Logger *slog.Logger
	// Metrics collects the service's counters until Close; nil means that nobody
	// does.
	Metrics prometheus.Registerer
	// Tracer tells a collector of calls; nil means that nobody is told.
	Tracer *trace.Tracer

	// MaxRecordBytes is a record's largest size; 0 means 17 MiB: the largest
	// websocket message, and what is around it.
	MaxRecordBytes int
	// MaxSnapshotBytes is a snapshot's largest size; 0 means 512 MiB.
	MaxSnapshotBytes uint64
	// MaxMessageBytes is the largest RPC message that is read; 0 means 18 MiB. It
	// must be above MaxRecordBytes by at least a KiB.
	MaxMessageBytes int
	// MinFreeBytes is the free space on the data directory's disk below which no
	// record is taken in (snapshots: half of it, claims and deletions: an eighth);
	// 0 means 512 MiB. A full disk would kill the process, and every restart.
	MinFreeBytes uint64
	// AcceptLoss opens a data directory that is damaged by more than single bits,
	// with what can be read of it, after copying the damaged files aside. Rooms
	// services that live must be started again too: epochs may be handed out a
	// second time.
	AcceptLoss bool
}

// messageOverhead is what an Append has around a record: names and numbers.
const messageOverhead = 1 << 10

// withDefaults returns the Config with its zeros filled in, or says what is wrong.
func (c Config) withDefaults() (Config, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxRecordBytes == 0 {
		c.MaxRecordBytes = 17 << 20
	}
	if c.MaxSnapshotBytes == 0 {
		c.MaxSnapshotBytes = 512 << 20
	}
	if c.MaxMessageBytes == 0 {
		c.MaxMessageBytes = 18 << 20
	}
	if c.MinFreeBytes == 0 {
		c.MinFreeBytes = 512 << 20
	}
	if c.MaxRecordBytes < 0 || c.MaxMessageBytes-messageOverhead < c.MaxRecordBytes {
		return c, fmt.Errorf("storage: records of %d bytes don't fit into messages of %d: give messages at least %d bytes more", c.MaxRecordBytes, c.MaxMessageBytes, messageOverhead)
	}
	return c, nil
}

func (c Config) limits() store.Limits {
	return store.Limits{Record: c.MaxRecordBytes, Snapshot: c.MaxSnapshotBytes}
}
