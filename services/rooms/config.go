package rooms

import (
	"errors"
	"fmt"
	"log/slog"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace"
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
	// document's history (Yjs with gc off). Without it, snapshots and volatile rooms
	// drop it, as Yjs does by default.
	KeepDeleted bool
	// Owner names this process to storage and in logs.
	Owner string
	// Limits bounds what rooms hold.
	Limits  Limits
	Logger  *slog.Logger
	Metrics prometheus.Registerer
	// Tracer tells a collector of loads, snapshots and calls. nil: nobody is told.
	Tracer *trace.Tracer
}

const (
	maxHeldBytes = 64 << 20
	// maxAnswerBytes is small beside what a link may hold: several rooms may give
	// answers for one link before it is seen to be crowded.
	maxAnswerBytes = 1 << 20
	maxInboxBytes  = 64 << 20
	// maxMessageBytes bounds an RPC message: the largest update and its frame.
	maxMessageBytes = 18 << 20

	// A client shows one user; a program that stands for several may show these.
	maxPresentOfOne = 16

	snapshotRecords = 1000
	snapshotBytes   = 64 << 10
	// collectShare is which part of the memory of all rooms a document may have and
	// be collected: that takes ten to twenty times the document for a while, forty to
	// eighty times one that is made for it (of letters that hang on what is missing),
	// and two are collected at a time. So it stays below a quarter, and at worst below
	// all of it.
	collectShare = 160
)

// Check says all that is wrong with c, and starts nothing.
func (c Config) Check() error {
	_, err := c.withDefaults()
	return err
}

var errNoStorage = errors.New("durable rooms need the address of a storage service")

// checkStorage says what is wrong with where the service's storage is.
func (c *Config) checkStorage(kind room.Kind) error {
	switch {
	case kind != room.Durable:
		return nil
	case c.StorageURL == "":
		return errNoStorage
	}
	if err := serve.CheckURL(c.StorageURL); err != nil {
		return fmt.Errorf("storage URL %w", err)
	}
	return nil
}

func (c *Config) withDefaults() (room.Config, error) {
	if c.Kind == "" {
		c.Kind = "durable"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	kind, err := room.ParseKind(c.Kind)
	if err != nil {
		err = fmt.Errorf("--rooms: %w", err)
	} else {
		err = c.checkStorage(kind)
	}
	err = errors.Join(err, LimitTable.Fill(c))
	return room.Config{
		Kind:             kind,
		MaxUnsavedBytes:  c.Limits.Unsaved,
		MaxHeldBytes:     maxHeldBytes,
		MaxAnswerBytes:   maxAnswerBytes,
		MaxUpdateBytes:   c.Limits.Update,
		MaxDocumentBytes: c.Limits.Document,
		MaxPresent:       c.Limits.Present,
		MaxPendingBytes:  c.Limits.Pending,
		MaxSessions:      c.Limits.Sessions,
		MaxPresentOfOne:  maxPresentOfOne,
		MaxStateBytes:    c.Limits.State,
		SnapshotRecords:  snapshotRecords,
		SnapshotBytes:    snapshotBytes,
		KeepDeleted:      c.KeepDeleted,
		MaxCollectBytes:  c.Limits.Memory / collectShare,
	}, err
}
