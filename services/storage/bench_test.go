package storage_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/storage"
)

// BenchmarkAppendOverConnect stores small records of 64 writers at a time over
// gRPC and TCP, each synced before it is acknowledged. A call carries the records
// of so many rooms: one, as if nobody gathered, and as many as rooms processes
// gather from 64, 256 and 1024 rooms while two calls are under way.
func BenchmarkAppendOverConnect(b *testing.B) {
	for _, shape := range []struct{ calls, rooms int }{{64, 1}, {2, 32}, {64, 16}, {2, 512}} {
		b.Run(fmt.Sprintf("calls=%d/rooms=%d", shape.calls, shape.rooms), func(b *testing.B) {
			client := benchClient(b)
			ctx := b.Context()
			writers := make([][]*storagev1.AppendItem, shape.calls)
			for i := range writers {
				for n := range shape.rooms {
					room := fmt.Sprintf("bench/%d/%d", i, n)
					if _, err := client.Claim(ctx, connect.NewRequest(&storagev1.ClaimRequest{Room: room})); err != nil {
						b.Fatal(err)
					}
					writers[i] = append(writers[i], &storagev1.AppendItem{Room: room, Epoch: 1, Data: bytes.Repeat([]byte{1}, 30)})
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var all sync.WaitGroup
			for _, items := range writers {
				all.Go(func() {
					for seq := uint64(1); left.Add(-int64(len(items))) > -int64(len(items)); seq++ {
						for _, item := range items {
							item.Seq = seq
						}
						response, err := client.Append(ctx, connect.NewRequest(&storagev1.AppendRequest{Items: items}))
						if err != nil {
							b.Error(err)
							return
						}
						for _, r := range response.Msg.GetResults() {
							if r.GetStatus() != storagev1.AppendStatus_APPEND_STATUS_STORED {
								b.Error(r)
								return
							}
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// benchClient returns a client of a service of its own, over TCP.
func benchClient(b *testing.B) storagev1connect.StorageServiceClient {
	b.Helper()
	service, err := storage.Open(b.Context(), storage.Config{Dir: b.TempDir(), MinFreeBytes: 1})
	if err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	service.Register(mux)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := serve.NewServer(mux, slog.New(slog.DiscardHandler))
	server.Serve(listener)
	client := serve.NewClient(nil)
	b.Cleanup(func() {
		client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			b.Error(err)
		}
		if err := service.Close(); err != nil {
			b.Error(err)
		}
	})
	return storagev1connect.NewStorageServiceClient(client, "http://"+listener.Addr().String(),
		connect.WithGRPC(), connect.WithAcceptCompression("gzip", nil, nil))
}
