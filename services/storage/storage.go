// Package storage is Fjord's storage service: it keeps, for each room, a log of
// records and a snapshot, on disk or in memory, and lets one owner at a time write.
// It knows bytes, never Yjs.
//
//	rooms service ══Connect══▶ Service ─▶ api.Handler ─▶ store.Store
//	                                                      ├─ badger: a directory
//	                                                      └─ memory
//
// What the service promises is in proto/fjord/storage/v1/storage.proto; the words
// and rules are in internal/store, the bytes on disk in internal/store/badger.
//
// The goroutines belong to the store and end with [Service.Close].
package storage

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"connectrpc.com/connect"

	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/services/storage/internal/api"
	"github.com/fjord-sync/fjord/services/storage/internal/metrics"
	"github.com/fjord-sync/fjord/services/storage/internal/quarantine"
	"github.com/fjord-sync/fjord/services/storage/internal/store"
	"github.com/fjord-sync/fjord/services/storage/internal/store/badger"
	"github.com/fjord-sync/fjord/services/storage/internal/store/memory"
)

// Names are the RPC services that Register mounts, for health and reflection.
var Names = []string{storagev1connect.StorageServiceName}

// Service is an open storage service. Its methods may be called from any
// goroutine.
type Service struct {
	config  Config
	store   store.Store
	ward    *quarantine.Ward
	metrics *metrics.Metrics
}

// Open opens the data directory and starts the service. A directory that cannot
// be used is an error of one line that says what would be right.
func Open(ctx context.Context, cfg Config) (*Service, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Service{config: cfg}
	if err := s.openStore(ctx); err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	if cfg.Metrics != nil {
		if err := s.metrics.Register(cfg.Metrics); err != nil {
			return nil, fmt.Errorf("storage: metrics cannot be registered: %w", joinClose(err, s.store))
		}
	}
	return s, nil
}

func (s *Service) openStore(ctx context.Context) error {
	quarantined := func() float64 { items, _ := s.ward.Size(); return float64(items) }
	if s.config.Dir == "" {
		s.metrics = metrics.New(metrics.Gauges{Quarantined: quarantined})
		s.store = memory.New(s.config.limits())
		return s.openWard(quarantine.Config{})
	}
	var disk *badger.Store
	s.metrics = metrics.New(metrics.Gauges{
		Disk:        func() float64 { return float64(disk.DiskBytes()) },
		Free:        func() float64 { return float64(disk.FreeBytes()) },
		Ballast:     func() float64 { return float64(disk.BallastBytes()) },
		Quarantined: quarantined,
	})
	disk, err := badger.Open(ctx, badger.Options{
		Dir:        s.config.Dir,
		Limits:     s.config.limits(),
		MinFree:    s.config.MinFreeBytes,
		AcceptLoss: s.config.AcceptLoss,
		Log:        s.config.Logger,
		Committed:  func(c badger.Commit) { s.metrics.Commit(c.Records, c.Took) },
	})
	if err != nil {
		return err
	}
	s.store = disk
	err = s.openWard(quarantine.Config{Dir: filepath.Join(s.config.Dir, "quarantine"), Space: disk.SpaceFor})
	if err != nil {
		return joinClose(err, disk)
	}
	return nil
}

func (s *Service) openWard(config quarantine.Config) (err error) {
	config.Log = s.config.Logger
	s.ward, err = quarantine.Open(config)
	return err
}

// Register mounts the service's handler. opts come after the service's own, and
// so win over them.
func (s *Service) Register(mux *http.ServeMux, opts ...connect.HandlerOption) {
	own := []connect.HandlerOption{
		connect.WithReadMaxBytes(s.config.MaxMessageBytes),
		// Connect reads a compressed message to its inflated end, however long.
		connect.WithCompression("gzip", nil, nil),
		// Keystrokes cause the first; the clocks of rooms the others.
		s.config.Tracer.Calls(storagev1connect.StorageServiceAppendProcedure,
			storagev1connect.StorageServiceCheckProcedure, storagev1connect.StorageServiceListProcedure),
	}
	handler := api.New(s.store, s.ward, s.metrics, s.config.Logger)
	mux.Handle(storagev1connect.NewStorageServiceHandler(handler, append(own, opts...)...))
}

// Ready says why the service cannot take in records, nil if it can. A full disk
// passes; a failed write to disk does not, see Failed.
func (s *Service) Ready() error {
	if err := s.store.Err(); err != nil {
		return err
	}
	return s.store.Space()
}

// Failed is closed when Ready begins to fail for good, since a failed write to disk
// leaves nothing certain until the process is started again: the process should end then,
// and be started again. It is nil, so never closed, for rooms in memory.
func (s *Service) Failed() <-chan struct{} { return s.store.Failed() }

// Close carries out what callers are waiting for and closes the store. End the
// server's requests first: Close waits for Loads and snapshots under way.
func (s *Service) Close() error {
	if s.config.Metrics != nil {
		s.metrics.Unregister(s.config.Metrics)
	}
	if err := s.store.Close(); err != nil {
		return fmt.Errorf("storage: close: %w", err)
	}
	return nil
}
