package revocations_test

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
	"github.com/fjord-sync/fjord/internal/roomname"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a storage service with one log, over Connect and HTTP/2. It outlives the
// lists that use it.
type shelf struct {
	storagev1connect.UnimplementedStorageServiceHandler

	mu       sync.Mutex // guards what follows
	epoch    uint64
	base     uint64 // the seq that the snapshot stands for
	snapshot []byte
	records  [][]byte
	// away makes every call fail; lossy stores the next append and says that it
	// doesn't know.
	away, lossy bool
	// meanwhile happens once, between a claim and its append.
	meanwhile func()
}

var errAway = connect.NewError(connect.CodeUnavailable, errors.New("away, as the test says"))

func (s *shelf) last() uint64 { return s.base + uint64(len(s.records)) }

func (s *shelf) Claim(context.Context, *connect.Request[storagev1.ClaimRequest]) (*connect.Response[storagev1.ClaimResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	s.epoch++
	return connect.NewResponse(&storagev1.ClaimResponse{Epoch: s.epoch, LastSeq: s.last(), SnapshotSeq: s.base}), nil
}

func (s *shelf) List(context.Context, *connect.Request[storagev1.ListRequest]) (*connect.Response[storagev1.ListResponse], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	response := &storagev1.ListResponse{}
	if s.last() > 0 {
		response.Rooms = append(response.Rooms, &storagev1.RoomInfo{Room: roomname.Revocations, Epoch: s.epoch, LastSeq: s.last()})
	}
	return connect.NewResponse(response), nil
}

func (s *shelf) Load(_ context.Context, _ *connect.Request[storagev1.LoadRequest], stream *connect.ServerStream[storagev1.LoadResponse]) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return errAway
	}
	messages := []*storagev1.LoadResponse{{Part: &storagev1.LoadResponse_Head{Head: &storagev1.LoadHead{
		Epoch: s.epoch, LastSeq: s.last(), SnapshotSeq: s.base, SnapshotSize: uint64(len(s.snapshot)), BaseSeq: s.base,
	}}}}
	if len(s.snapshot) > 0 {
		messages = append(messages, &storagev1.LoadResponse{Part: &storagev1.LoadResponse_SnapshotChunk{SnapshotChunk: s.snapshot}})
	}
	records := &storagev1.LoadRecords{}
	for i, data := range s.records {
		records.Records = append(records.Records, &storagev1.Record{Seq: s.base + uint64(i) + 1, Data: data})
	}
	messages = append(messages, &storagev1.LoadResponse{Part: &storagev1.LoadResponse_Records{Records: records}})
	for _, m := range messages {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *shelf) Append(_ context.Context, r *connect.Request[storagev1.AppendRequest]) (*connect.Response[storagev1.AppendResponse], error) {
	s.mu.Lock()
	meanwhile := s.meanwhile
	s.meanwhile = nil
	s.mu.Unlock()
	if meanwhile != nil {
		meanwhile()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, errAway
	}
	item := r.Msg.GetItems()[0]
	result := &storagev1.AppendResult{Status: storagev1.AppendStatus_APPEND_STATUS_STORED}
	switch {
	case item.GetEpoch() < s.epoch:
		result.Status = storagev1.AppendStatus_APPEND_STATUS_FENCED
	case item.GetSeq() != s.last()+1:
		result.Status = storagev1.AppendStatus_APPEND_STATUS_CONFLICT
	default:
		s.records = append(s.records, item.GetData())
		if s.lossy {
			s.lossy = false
			return nil, errAway
		}
	}
	return connect.NewResponse(&storagev1.AppendResponse{Results: []*storagev1.AppendResult{result}}), nil
}

func (s *shelf) PutSnapshot(_ context.Context, stream *connect.ClientStream[storagev1.PutSnapshotRequest]) (*connect.Response[storagev1.PutSnapshotResponse], error) {
	var header *storagev1.SnapshotHeader
	var data []byte
	for stream.Receive() {
		if h := stream.Msg().GetHeader(); h != nil {
			header = h
		}
		data = append(data, stream.Msg().GetChunk()...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if header.GetRoom() != roomname.Revocations || header.GetSeq() != s.last() || header.GetSize() != uint64(len(data)) {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("not what a test expects"))
	}
	s.base, s.snapshot, s.records = s.last(), data, nil
	return connect.NewResponse(&storagev1.PutSnapshotResponse{}), stream.Err()
}

func (s *shelf) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// serveShelf returns a client of the shelf.
func serveShelf(t *testing.T, s *shelf) storagev1connect.StorageServiceClient {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(storagev1connect.NewStorageServiceHandler(s))
	listener := pipe.Listen()
	server := serve.NewServer(mux, slog.New(slog.DiscardHandler))
	server.Serve(listener)
	client := serve.NewClient(listener.Dial)
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := server.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return storagev1connect.NewStorageServiceClient(client, "http://storage", connect.WithGRPC())
}

// open returns a list of one process, that ends with the test or before.
func open(t *testing.T, storage storagev1connect.StorageServiceClient) (l *revocations.List, end func()) {
	t.Helper()
	l = revocations.New(revocations.Config{
		Storage: storage, Owner: t.Name(), Max: 1000, Changed: func(string) {},
		Logger: slog.New(slog.DiscardHandler), Metrics: prometheus.NewRegistry(),
	})
	var once sync.Once
	end = func() { once.Do(l.Close) }
	t.Cleanup(end)
	return l, end
}
