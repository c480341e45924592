package link

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms/internal/revocations"
)

// A panic over an edge's frame ends that edge's link, and not the process. Here
// there is no registry to attach a room in.
func TestPanicOverAFrameEndsItsLinkAlone(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	log := slog.New(slog.DiscardHandler)
	revoked := revocations.New(revocations.Config{Metrics: prometheus.NewRegistry(), Logger: log})
	defer revoked.Close()
	handler := NewHandler(nil, revoked, nil, 1<<20, func(string) {}, log, registry)
	mux := http.NewServeMux()
	mux.Handle(roomsv1connect.NewLinkServiceHandler(handler))
	listener := pipe.Listen()
	server := serve.NewServer(mux, log)
	server.Serve(listener)
	defer handler.Wait()
	defer server.Shutdown(t.Context())

	client := serve.NewClient(listener.Dial)
	defer client.CloseIdleConnections()
	link := func() (*connect.BidiStreamForClient[roomsv1.LinkRequest, roomsv1.LinkResponse], error) {
		s := roomsv1connect.NewLinkServiceClient(client, "http://rooms.test", connect.WithGRPC()).Link(t.Context())
		err := s.Send(&roomsv1.LinkRequest{Hello: &roomsv1.EdgeHello{Edge: "edge"}})
		_, first := s.Receive()
		return s, errors.Join(err, first)
	}
	good, err := link()
	if err != nil {
		t.Fatal(err)
	}
	bad, err := link()
	if err != nil {
		t.Fatal(err)
	}
	_ = bad.Send(&roomsv1.LinkRequest{Frames: []*roomsv1.EdgeFrame{{
		Attachment: 1, Body: &roomsv1.EdgeFrame_Attach{Attach: &roomsv1.Attach{Room: "doc"}},
	}}})
	if _, err := bad.Receive(); connect.CodeOf(err) != connect.CodeInternal {
		t.Errorf("%v, want the link to end with an internal error", err)
	}
	// The other link still stands: its next frame is understood, and refused.
	_ = good.Send(&roomsv1.LinkRequest{Frames: []*roomsv1.EdgeFrame{{Attachment: 0}}})
	if _, err := good.Receive(); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("%v, want the neighbour to be heard", err)
	}
	_, _ = bad.CloseRequest(), good.CloseRequest()
	_, _ = bad.CloseResponse(), good.CloseResponse()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "fjord_rooms_link_panics_total" && f.GetMetric()[0].GetCounter().GetValue() == 1 {
			return
		}
	}
	t.Error("the panic isn't counted")
}
