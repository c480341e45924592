package journal_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms/internal/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	stored  = storagev1.AppendStatus_APPEND_STATUS_STORED
	fenced  = storagev1.AppendStatus_APPEND_STATUS_FENCED
	unknown = storagev1.AppendStatus_APPEND_STATUS_UNKNOWN
	noSpace = storagev1.AppendStatus_APPEND_STATUS_NO_SPACE
)

// scripted is a storage service that answers as a test says. It is spoken to over
// Connect and HTTP/2, like the real one.
type scripted struct {
	storagev1connect.UnimplementedStorageServiceHandler

	claim  func(ctx context.Context, r *storagev1.ClaimRequest) (*storagev1.ClaimResponse, error)
	append func(ctx context.Context, items []*storagev1.AppendItem) ([]*storagev1.AppendResult, error)
	load   func(ctx context.Context, r *storagev1.LoadRequest, send func(*storagev1.LoadResponse) error) error
	put    func(ctx context.Context, messages []*storagev1.PutSnapshotRequest) error

	mu    sync.Mutex // guards what follows
	calls [][]string // the rooms of each Append
}

func (s *scripted) Claim(ctx context.Context, r *connect.Request[storagev1.ClaimRequest]) (*connect.Response[storagev1.ClaimResponse], error) {
	response := &storagev1.ClaimResponse{Epoch: 1}
	var err error
	if s.claim != nil {
		response, err = s.claim(ctx, r.Msg)
	}
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(response), nil
}

func (s *scripted) Append(ctx context.Context, r *connect.Request[storagev1.AppendRequest]) (*connect.Response[storagev1.AppendResponse], error) {
	var rooms []string
	for _, item := range r.Msg.GetItems() {
		rooms = append(rooms, item.GetRoom())
	}
	s.mu.Lock()
	s.calls = append(s.calls, rooms)
	s.mu.Unlock()
	results, err := s.append(ctx, r.Msg.GetItems())
	if err != nil {
		return nil, err
	}
	return connect.NewResponse(&storagev1.AppendResponse{Results: results}), nil
}

func (s *scripted) Load(ctx context.Context, r *connect.Request[storagev1.LoadRequest], stream *connect.ServerStream[storagev1.LoadResponse]) error {
	return s.load(ctx, r.Msg, stream.Send)
}

func (s *scripted) PutSnapshot(ctx context.Context, stream *connect.ClientStream[storagev1.PutSnapshotRequest]) (*connect.Response[storagev1.PutSnapshotResponse], error) {
	var messages []*storagev1.PutSnapshotRequest
	for stream.Receive() {
		messages = append(messages, stream.Msg())
	}
	if err := errors.Join(stream.Err(), s.put(ctx, messages)); err != nil {
		return nil, err
	}
	return connect.NewResponse(&storagev1.PutSnapshotResponse{}), nil
}

func (s *scripted) called() [][]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([][]string(nil), s.calls...)
}

// all answers every item of a call alike.
func all(items []*storagev1.AppendItem, status storagev1.AppendStatus) []*storagev1.AppendResult {
	results := make([]*storagev1.AppendResult, len(items))
	for i := range results {
		results[i] = &storagev1.AppendResult{Status: status, Message: "as the test says"}
	}
	return results
}

// open returns a journal on a storage. It must be called within the bubble that
// its test runs in; what it opens ends with the test.
func open(t *testing.T, s *scripted) (*journal.Journal, *prometheus.Registry) {
	t.Helper()
	return openHandler(t, s)
}

func openHandler(t *testing.T, s storagev1connect.StorageServiceHandler) (*journal.Journal, *prometheus.Registry) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(storagev1connect.NewStorageServiceHandler(s))
	listener := pipe.Listen()
	server := serve.NewServer(mux, slog.New(slog.DiscardHandler))
	server.Serve(listener)
	client := serve.NewClient(listener.Dial)
	metrics := prometheus.NewRegistry()
	j := journal.New(storagev1connect.NewStorageServiceClient(client, "http://storage", connect.WithGRPC()),
		"test", slog.New(slog.DiscardHandler), metrics, nil)
	t.Cleanup(func() {
		j.Close()
		client.CloseIdleConnections()
		if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return j, metrics
}

func counter(t *testing.T, metrics *prometheus.Registry, name string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetCounter().GetValue()
		}
	}
	t.Errorf("no metric %s", name)
	return 0
}
