package rooms_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms"
)

// startTCP is start over TCP, whose back-pressure an in-memory pipe doesn't have.
func startTCP(t testing.TB, config rooms.Config) *http.Client {
	t.Helper()
	service, err := rooms.New(config)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	service.Register(mux)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := serve.NewServer(mux, slog.New(slog.DiscardHandler))
	server.Serve(listener)
	client := serve.NewClient(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, listener.Addr().String())
	})
	t.Cleanup(func() {
		client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := errors.Join(service.Drain(ctx), server.Shutdown(ctx)); err != nil {
			t.Error(err)
		}
		service.Close()
	})
	return client
}

// roundTrip returns the median time of a message through a room and back.
func roundTrip(e *edge, number uint64) time.Duration {
	relay := &roomsv1.EdgeFrame{Attachment: number, Session: 1, Body: &roomsv1.EdgeFrame_Relay{Relay: []byte("hello")}}
	times := make([]time.Duration, 300)
	for i := range times {
		start := time.Now()
		e.send(relay)
		for e.next().GetRelayed() == nil {
		}
		times[i] = time.Since(start)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// T15: an edge that reads nothing any more, on the same HTTP/2 connection as
// another and with more queued than the stream's window takes, doesn't slow it.
func TestStalledStreamLeavesItsNeighboursAlone(t *testing.T) {
	client := startTCP(t, rooms.Config{Kind: "relay", Owner: "test"})
	mute := link(t, client)
	mute.send(attach(1, "flood"), join(1, 1))
	for mute.next().GetAttached() == nil {
	}
	flood := link(t, client)
	flood.send(attach(1, "flood"), join(1, 1))
	for flood.next().GetAttached() == nil {
	}
	e := link(t, client)
	e.send(attach(1, "quiet"), join(1, 1))
	for e.next().GetAttached() == nil {
	}
	// Blocked, a round trip would never end. How much longer it may take is no question
	// that a machine which begins something else meanwhile can answer.
	late := time.AfterFunc(5*time.Minute, func() { _ = e.stream.CloseResponse() })
	defer late.Stop()
	before := roundTrip(e, 1)
	relay := &roomsv1.EdgeFrame{Attachment: 1, Session: 1, Body: &roomsv1.EdgeFrame_Relay{Relay: make([]byte, 64<<10)}}
	for range 200 { // 12 MiB: three times what the connection's window takes
		flood.send(relay)
		for flood.next().GetRelayed() == nil {
		}
	}
	after := roundTrip(e, 1)
	t.Logf("a round trip takes %v, and %v beside a stalled stream: ratio %.2f", before, after, float64(after)/float64(before))
}

// T14, at the rooms: what waits for an edge that doesn't read is bounded. Its link is
// dropped, and when it links again it is told all that it missed.
func TestSlowEdgeIsResynchronised(t *testing.T) {
	metrics := prometheus.NewRegistry()
	client := startTCP(t, rooms.Config{Kind: "volatile", Owner: "test", Metrics: metrics, Limits: rooms.Limits{EdgeQueue: 1 << 20}})
	mute := link(t, client)
	mute.send(attach(1, "doc"), join(1, 1))
	for mute.next().GetAttached() == nil {
	}
	other := link(t, client)
	other.send(attach(1, "doc"), join(1, 1))
	for other.next().GetAttached() == nil {
	}
	const pieces, piece = 160, 60_000 // 9.6 MB: what the windows take, and the queue, and more
	text := bytes.Repeat([]byte("x"), piece)
	clock := 0
	for i := range pieces {
		u := []byte{1, 1, 7}
		u = appendVarUint(u, clock)
		if i == 0 {
			u = append(u, 4, 1, 1, 't')
		} else {
			u = appendVarUint(append(u, 0x84, 7), clock-1)
		}
		u = append(append(appendVarUint(u, piece), text...), 0)
		other.send(update(1, 1, uint64(i+1), u))
		for other.next().GetResult().GetTicket() != uint64(i+1) {
		}
		clock += piece
	}
	var err error
	for err == nil {
		_, err = mute.stream.Receive()
	}
	if connect.CodeOf(err) != connect.CodeResourceExhausted {
		t.Errorf("the link that nobody read ended with %v", err)
	}
	if n := reachedLimit(t, metrics, "max-edge-queue"); n != 1 {
		t.Errorf("the limit is counted %v times", n)
	}
	again := link(t, client)
	seq := uint64(0)
	again.send(&roomsv1.EdgeFrame{Attachment: 1, Body: &roomsv1.EdgeFrame_Attach{Attach: &roomsv1.Attach{Room: "doc", Resume: &roomsv1.Resume{Seq: seq}}}})
	for {
		if b := again.next().GetBroadcast(); b != nil {
			if len(b.GetUpdate()) < pieces*piece {
				t.Errorf("the edge that came back was told %d bytes of a document of %d", len(b.GetUpdate()), pieces*piece)
			}
			return
		}
	}
}

func appendVarUint(dst []byte, n int) []byte {
	for n >= 0x80 {
		dst = append(dst, byte(n)|0x80)
		n >>= 7
	}
	return append(dst, byte(n))
}

func reachedLimit(t *testing.T, metrics *prometheus.Registry, limit string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == "fjord_rooms_limits_reached_total" && m.GetLabel()[0].GetValue() == limit {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
