package storage_test

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	contract "github.com/fjord-sync/fjord/internal/contract/storage"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/storage"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// testConfig takes in what the contract suite brings.
func testConfig(dir string) storage.Config {
	return storage.Config{
		Dir:              dir,
		MaxRecordBytes:   24 << 20,
		MaxMessageBytes:  25 << 20,
		MaxSnapshotBytes: 64 << 20,
		MinFreeBytes:     1,
	}
}

// server is a service behind a real HTTP server on loopback.
type server struct {
	contract.Store
	client  storagev1connect.StorageServiceClient
	url     string
	config  storage.Config
	service *storage.Service
	stop    func()
}

func start(t *testing.T, config storage.Config) *server {
	t.Helper()
	s := &server{config: config}
	s.open(t)
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *server) open(t *testing.T) {
	t.Helper()
	service, err := storage.Open(t.Context(), s.config)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	service.Register(mux)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := serve.NewServer(mux, slog.New(slog.DiscardHandler))
	srv.Serve(listener)
	s.url = "http://" + listener.Addr().String()
	client := serve.NewClient(nil)
	s.service = service
	s.client = storagev1connect.NewStorageServiceClient(client, s.url, connect.WithAcceptCompression("gzip", nil, nil))
	s.Store = contract.FromClient(s.client)
	s.stop = func() {
		client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if err := service.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Reopen implements contract.Reopener.
func (s *server) Reopen(t *testing.T) {
	if s.config.Dir == "" {
		return // memory keeps nothing
	}
	s.stop()
	s.open(t)
}

func TestContract(t *testing.T) {
	for name, dir := range map[string]func(*testing.T) string{
		"badger": func(t *testing.T) string { return t.TempDir() },
		"memory": func(*testing.T) string { return "" },
	} {
		t.Run(name, func(t *testing.T) {
			contract.Run(t, contract.Subject{
				Open:           func(t *testing.T) contract.Store { return start(t, testConfig(dir(t))) },
				TooLargeRecord: 24<<20 + 1,
			})
		})
	}
}
