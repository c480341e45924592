package reliability_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"connectrpc.com/connect"

	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/reliability/fleet"
)

// TestT15StalledStream leaves eight loads of a large room half read, over the
// connection by which others call storage too. With net/http's own windows one such
// stream stops its neighbours for good; here nobody notices.
func TestT15StalledStream(t *testing.T) {
	t.Parallel()
	const stalled, size, records = 8, 1 << 20, 8
	f := open(t, fleet.Config{})
	ctx := within(t, patience)
	storage := f.Store()
	claim, err := storage.Claim(ctx, connect.NewRequest(&storagev1.ClaimRequest{Room: "large", Owner: "test"}))
	must(t, err)
	noise := make([]byte, size)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for seq := range uint64(records) {
		answer, err := storage.Append(ctx, connect.NewRequest(&storagev1.AppendRequest{Items: []*storagev1.AppendItem{
			{Room: "large", Epoch: claim.Msg.GetEpoch(), Seq: seq + 1, Data: noise},
		}}))
		must(t, err)
		if got := answer.Msg.GetResults()[0]; got.GetStatus() != storagev1.AppendStatus_APPEND_STATUS_STORED {
			t.Fatalf("record %d: %v", seq+1, got)
		}
	}
	neighbours := func(n int) []time.Duration {
		var took []time.Duration
		for range n {
			one, cancel := context.WithTimeout(ctx, 10*time.Second)
			began := time.Now()
			_, err := storage.List(one, connect.NewRequest(&storagev1.ListRequest{}))
			cancel()
			if err != nil {
				t.Fatal(fmt.Errorf("a neighbour of stalled streams: %w", err))
			}
			took = append(took, time.Since(began))
		}
		return took
	}
	before := neighbours(200)
	for range stalled {
		load, err := storage.Load(ctx, connect.NewRequest(&storagev1.LoadRequest{Room: "large"}))
		must(t, err)
		defer load.Close()
		if !load.Receive() {
			t.Fatal(load.Err())
		}
	}
	with := neighbours(200)
	t.Logf("%d stalled streams: calls beside them p50 %v p99 %v, before p50 %v p99 %v",
		stalled, percentile(with, 50), percentile(with, 99), percentile(before, 50), percentile(before, 99))
}
