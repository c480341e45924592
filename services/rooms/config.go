package rooms

import (
	"log/slog"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// Config is what a rooms service needs. Only StorageURL (for durable rooms) has
// no default.
type Config struct {
	// Kind is "durable", "volatile" or "relay"; empty means durable.
	Kind string
	// StorageURL is where the storage service answers.
	StorageURL string
	// HTTPClient calls it; nil means HTTP/2 in clear text over TCP.
	HTTPClient connect.HTTPClient
	// KeepDeleted keeps the content of what is deleted, for clients that show a
	// document's history (Yjs with gc off). Without it, snapshots drop it, as Yjs
	// does by default.
	KeepDeleted bool
	// Owner names this process to storage and in logs.
	Owner string
	// IdleAfter is how long a durable room stays in memory when nobody is in it.
	// 0 means a minute.
	IdleAfter time.Duration
	// KeepVolatile is the same for volatile rooms, whose documents are gone
	// afterwards. 0 means an hour.
	KeepVolatile time.Duration
	// CheckEvery is the time between two questions to storage which of its open
	// rooms this process still owns: so long may a room be read here that another
	// process has taken, or that was deleted. 0 means 2 s.
	CheckEvery time.Duration
	// MaxRevocations is how many subjects, rooms and tokens may be revoked at a time.
	// 0 means 10 000.
	MaxRevocations int
	Logger         *slog.Logger
	Metrics        prometheus.Registerer
}

const (
	maxRooms = 100_000
	// What one room may hold unsaved: as much as one RPC message carries.
	maxUnsavedBytes = 16 << 20
	maxUpdateBytes  = 16 << 20
	maxHeldBytes    = 64 << 20
	// maxAnswerBytes is small beside what a link may hold: several rooms may give
	// answers for one link before it is seen to be crowded.
	maxAnswerBytes = 1 << 20
	// maxDocumentBytes is below what one frame of a link may carry to an edge.
	maxDocumentBytes = 256 << 20
	maxInboxBytes    = 64 << 20
	maxLinkBytes     = 64 << 20
	// maxMessageBytes bounds an RPC message: the largest update and its frame.
	maxMessageBytes = 18 << 20

	maxPresent = 1000
	// A client shows one user; a program that stands for several may show these.
	maxPresentOfOne = 16
	maxStateBytes   = 16 << 10

	snapshotRecords = 1000
	snapshotBytes   = 64 << 10
)

func (c *Config) withDefaults() (room.Config, error) {
	if c.Kind == "" {
		c.Kind = "durable"
	}
	if c.IdleAfter == 0 {
		c.IdleAfter = time.Minute
	}
	if c.KeepVolatile == 0 {
		c.KeepVolatile = time.Hour
	}
	if c.CheckEvery == 0 {
		c.CheckEvery = 2 * time.Second
	}
	if c.MaxRevocations == 0 {
		c.MaxRevocations = 10_000
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	kind, err := room.ParseKind(c.Kind)
	return room.Config{
		Kind:             kind,
		MaxUnsavedBytes:  maxUnsavedBytes,
		MaxHeldBytes:     maxHeldBytes,
		MaxAnswerBytes:   maxAnswerBytes,
		MaxUpdateBytes:   maxUpdateBytes,
		MaxDocumentBytes: maxDocumentBytes,
		MaxPresent:       maxPresent,
		MaxPresentOfOne:  maxPresentOfOne,
		MaxStateBytes:    maxStateBytes,
		SnapshotRecords:  snapshotRecords,
		SnapshotBytes:    snapshotBytes,
		KeepDeleted:      c.KeepDeleted,
	}, err
}
