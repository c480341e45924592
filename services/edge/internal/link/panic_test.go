package link

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/rescue"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/edge/internal/dialect"
	"github.com/fjord-sync/fjord/services/edge/internal/roomstest"
	"github.com/fjord-sync/fjord/services/edge/internal/session"
)

// stumbling panics at its first delivery, and tells of the further ones.
type stumbling struct {
	stumbled bool
	heard    chan *roomsv1.RoomFrame
}

func (s *stumbling) Deliver(f *roomsv1.RoomFrame, _ *dialect.Delivery) {
	if !s.stumbled {
		s.stumbled = true
		panic("a delivery that we don't understand")
	}
	s.heard <- f
}
func (s *stumbling) Rejoin(out []session.Frame) []session.Frame {
	return append(out, session.Frame{Kind: session.Join, Grants: &session.Grants{}})
}
func (s *stumbling) Resumed([]byte, bool) {}
func (s *stumbling) End(*session.Close)   {}

// A panic in a link's receiver breaks the stream: the link dials again, and what
// wasn't delivered comes again.
func TestPanicBreaksTheStreamAndNotTheProcess(t *testing.T) {
	back := pipe.Listen()
	rooms := roomstest.Start(back)
	defer rooms.Close()
	metrics, err := NewMetrics(nil)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewPedanticRegistry()
	log := slog.New(slog.DiscardHandler)
	rescuer, err := rescue.New(log, registry, "panics_total", "link")
	if err != nil {
		t.Fatal(err)
	}
	client := serve.NewClient(back.Dial)
	defer client.CloseIdleConnections()
	l := New(client, "http://rooms.test", &Config{
		Edge: "test", QueueLimit: 1 << 20, ReadLimit: 1 << 20, RoomLimit: 10, ConnectTimeout: time.Minute,
		LinkWait: time.Minute, AttachWait: time.Minute, RetryFirst: time.Millisecond, RetryMost: time.Millisecond,
		Logger: log, Metrics: metrics, Rescuer: rescuer,
	})
	defer l.Close()
	ears := &stumbling{heard: make(chan *roomsv1.RoomFrame, 10)}
	member, why := l.Open(nil, "doc", "", ears)
	if why != nil {
		t.Fatal(why)
	}
	defer member.Leave()
	member.Join(nil, session.Frame{Kind: session.Join, Grants: &session.Grants{}})
	member.Send(nil, session.Frame{Kind: session.Update, Bytes: []byte("hello")})
	late := time.After(time.Minute)
	for {
		select {
		case f := <-ears.heard:
			if string(f.GetBroadcast().GetUpdate()) != "hello" {
				continue
			}
		case <-late:
			t.Fatal("what wasn't delivered didn't come again")
		}
		break
	}
	families, err := registry.Gather()
	if err != nil || families[0].GetMetric()[0].GetCounter().GetValue() != 1 {
		t.Errorf("%v, %v; want one panic", families, err)
	}
}
