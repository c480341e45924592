// Package rooms is the service that owns documents: it opens rooms, applies
// updates, has them stored, and only then lets anybody see them.
//
//	edges ══ LinkService ══▶ link ──▶ registry ──▶ room loops ──▶ journal ══▶ storage
//	services ─ DocumentsService ─▶ documents ──▲
//	operators ─ RoomsService ─▶ operators ─────┤
//	                              └─▶ revocations (who may stay, and who is let in)
package rooms

import (
	"context"
	"fmt"
	"net/http"

	"connectrpc.com/connect"

	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/limit"
	"github.com/fjord-sync/fjord/internal/revocation"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/services/rooms/internal/documents"
	"github.com/fjord-sync/fjord/services/rooms/internal/journal"
	"github.com/fjord-sync/fjord/services/rooms/internal/link"
	"github.com/fjord-sync/fjord/services/rooms/internal/operators"
	"github.com/fjord-sync/fjord/services/rooms/internal/registry"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
	"github.com/fjord-sync/fjord/services/rooms/internal/room"
)

// Names are the Connect services that Register mounts.
var Names = []string{
	roomsv1connect.LinkServiceName,
	roomsv1connect.DocumentsServiceName,
	roomsv1connect.RoomsServiceName,
}

// Service is a running rooms service: New, Register, then Drain and Close.
type Service struct {
	tracer   *trace.Tracer
	registry *registry.Registry
	journal  *journal.Journal // nil unless rooms are durable
	revoked  *revocations.List
	link     *link.Handler
}

// New returns a service without open rooms.
func New(config Config) (*Service, error) {
	roomConfig, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Service{tracer: config.Tracer}
	var keep registry.Journal
	var storage storagev1connect.StorageServiceClient
	if roomConfig.Kind == room.Durable {
		client := config.HTTPClient
		if client == nil {
			client = serve.NewClient(nil)
		}
		storage = storagev1connect.NewStorageServiceClient(client, config.StorageURL,
			connect.WithGRPC(), connect.WithAcceptCompression("gzip", nil, nil),
			connect.WithReadMaxBytes(maxMessageBytes), connect.WithSendMaxBytes(maxMessageBytes),
			// Keystrokes cause the first; a clock the others.
			config.Tracer.Calls(storagev1connect.StorageServiceAppendProcedure,
				storagev1connect.StorageServiceCheckProcedure, storagev1connect.StorageServiceListProcedure))
		s.journal = journal.New(storage, config.Owner, config.Logger, config.Metrics, config.Tracer)
		keep = s.journal
	}
	reached, err := limit.NewReached(config.Metrics, "fjord_rooms_limits_reached_total", LimitTable)
	if err != nil {
		return nil, fmt.Errorf("metrics cannot be registered: %w", err)
	}
	s.registry = registry.New(registry.Config{
		Room:          roomConfig,
		IdleAfter:     config.Limits.Idle,
		KeepVolatile:  config.Limits.Volatile,
		MaxRooms:      config.Limits.Rooms,
		MaxMemory:     int64(config.Limits.Memory),
		Reached:       reached.Hit,
		MaxInboxBytes: maxInboxBytes,
		CheckEvery:    config.Limits.Stale,
		Judge:         s.judge,
		Logger:        config.Logger,
		Metrics:       config.Metrics,
	}, keep)
	s.revoked = revocations.New(revocations.Config{
		Storage: storage,
		Owner:   config.Owner,
		Max:     config.Limits.Revocations,
		Reached: reached.Hit,
		Changed: s.registry.Reconsider,
		Logger:  config.Logger,
		Metrics: config.Metrics,
	})
	s.link = link.NewHandler(s.registry, s.revoked, s.stored(), config.Limits.EdgeQueue, reached.Hit, config.Logger, config.Metrics)
	return s, nil
}

// Register mounts the service's handlers.
func (s *Service) Register(mux *http.ServeMux, options ...connect.HandlerOption) {
	// A compressed message is inflated to its end, however large that is.
	options = append(options, connect.WithReadMaxBytes(maxMessageBytes), connect.WithCompression("gzip", nil, nil),
		s.tracer.Calls(roomsv1connect.LinkServiceLinkProcedure))
	path, handler := roomsv1connect.NewLinkServiceHandler(s.link, options...)
	mux.Handle(path, link.Breakable(handler))
	docs := documents.NewHandler(s.registry, s.reader())
	mux.Handle(roomsv1connect.NewDocumentsServiceHandler(docs, options...))
	mux.Handle(roomsv1connect.NewRoomsServiceHandler(operators.NewHandler(s.registry, s.revoked, s.quarantine(), docs), options...))
}

// stored knows which rooms are stored.
func (s *Service) stored() link.Stored {
	if s.journal == nil {
		return nil
	}
	return s.journal
}

// reader is where documents are read whose rooms aren't open here.
func (s *Service) reader() documents.Reader {
	if s.journal == nil {
		return nil
	}
	return s.journal
}

// quarantine is the hand on what storage keeps of unusable bytes.
func (s *Service) quarantine() operators.Quarantine {
	if s.journal == nil {
		return nil
	}
	return s.journal
}

// judge returns the most that somebody may do in a room, after what was revoked.
func (s *Service) judge(name string, g room.Grants) room.Level {
	switch s.revoked.Find(name, g.Subject, g.TokenID) {
	case revocation.Access:
		return room.Nothing
	case revocation.Write:
		return room.Read
	default:
		return room.Admin
	}
}

// Ready reports why the service can't open rooms now, or nil.
func (s *Service) Ready() error {
	if s.registry.Draining() {
		return registry.ErrClosed
	}
	if err := s.revoked.Ready(); err != nil {
		return err
	}
	if s.journal != nil {
		return s.journal.Ready()
	}
	return nil
}

// Drain tells every edge to come back later and waits until everything is
// stored and every room is closed, or until ctx ends. After it storage isn't asked
// of the service's own accord, so that the server that carries storage may end too.
func (s *Service) Drain(ctx context.Context) error {
	// Nobody is left to put out, and nobody is let in: what others revoke from now on
	// concerns whoever opens the rooms next.
	defer s.revoked.Rest()
	if err := s.registry.Drain(ctx); err != nil {
		return fmt.Errorf("rooms with unsaved updates are left: %w", err)
	}
	return nil
}

// Close gives up what Drain left and waits for all goroutines. The server that
// carries the service must be shut down before.
func (s *Service) Close() {
	if s.journal != nil {
		s.journal.Close()
	}
	// Without a journal every room lets go at once.
	_ = s.registry.Drain(context.Background())
	s.link.Wait()
	s.revoked.Close()
}
