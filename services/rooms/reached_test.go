package rooms_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"connectrpc.com/connect"
	"github.com/prometheus/client_golang/prometheus"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	storagev1 "github.com/fjord-sync/fjord/gen/fjord/storage/v1"
	"github.com/fjord-sync/fjord/gen/fjord/storage/v1/storagev1connect"
	"github.com/fjord-sync/fjord/internal/pipe"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/services/rooms"
	"github.com/fjord-sync/fjord/yjs/awareness"
)

// limited is an edge with a writer in room "doc" of a service with low limits.
type limited struct {
	*edge
	client  *http.Client
	metrics *prometheus.Registry
}

func limitedTo(t *testing.T, config rooms.Config) *limited {
	t.Helper()
	if config.Kind == "" {
		config.Kind = "volatile"
	}
	config.Metrics = prometheus.NewRegistry()
	l := &limited{client: startWith(t, config), metrics: config.Metrics.(*prometheus.Registry)}
	l.edge = link(t, l.client)
	l.send(attach(1, "doc"), join(1, 1))
	for l.next().GetAttached() == nil {
	}
	return l
}

// refusedAs expects an update to be answered so, and the next to be taken.
func (l *limited) refusedAs(want roomsv1.Refusal, over []byte) {
	l.t.Helper()
	l.send(update(1, 1, 41, over), update(1, 1, 42, letterA))
	for _, answer := range []struct {
		ticket uint64
		want   roomsv1.Refusal
	}{{41, want}, {42, roomsv1.Refusal_REFUSAL_UNSPECIFIED}} {
		f := l.next()
		for f.GetResult() == nil {
			f = l.next()
		}
		if r := f.GetResult(); r.GetTicket() != answer.ticket || r.GetRefusal() != answer.want {
			l.t.Fatalf("got %v, want update %d answered with %v", r, answer.ticket, answer.want)
		}
	}
}

// endedAs expects a session to be ended so.
func (l *limited) endedAs(session uint64, want roomsv1.Refusal) {
	l.t.Helper()
	f := l.next()
	for f.GetEnded() == nil {
		f = l.next()
	}
	if f.GetSession() != session || f.GetEnded().GetRefusal() != want {
		l.t.Fatalf("got %v, want session %d ended with %v", f, session, want)
	}
}

// putOffAs expects an attachment to be ended so.
func (l *limited) putOffAs(attachment uint64, want roomsv1.DetachReason) {
	l.t.Helper()
	f := l.next()
	for f.GetDetached() == nil {
		f = l.next()
	}
	if f.GetAttachment() != attachment || f.GetDetached().GetReason() != want {
		l.t.Fatalf("got %v, want attachment %d ended with %v", f, attachment, want)
	}
}

// types returns an update in which a client that nobody knows types n letters, from
// a clock on: above 0 they wait for what comes before.
func types(client byte, clock, n int) []byte {
	u := appendVarUint([]byte{1, 1, client}, clock)
	if clock == 0 {
		u = append(u, 4, 1, 1, 't')
	} else {
		u = appendVarUint(append(u, 0x84, client), clock-1)
	}
	return append(append(appendVarUint(u, n), bytes.Repeat([]byte{'x'}, n)...), 0)
}

// deaf is a storage service that never answers an append.
type deaf struct {
	storagev1connect.UnimplementedStorageServiceHandler
}

func (deaf) Claim(context.Context, *connect.Request[storagev1.ClaimRequest]) (*connect.Response[storagev1.ClaimResponse], error) {
	return connect.NewResponse(&storagev1.ClaimResponse{Epoch: 1}), nil
}

func (deaf) List(context.Context, *connect.Request[storagev1.ListRequest]) (*connect.Response[storagev1.ListResponse], error) {
	return connect.NewResponse(&storagev1.ListResponse{}), nil
}

func (deaf) Load(_ context.Context, _ *connect.Request[storagev1.LoadRequest], stream *connect.ServerStream[storagev1.LoadResponse]) error {
	return stream.Send(&storagev1.LoadResponse{Part: &storagev1.LoadResponse_Head{Head: &storagev1.LoadHead{Epoch: 1}}})
}

func (deaf) Append(ctx context.Context, _ *connect.Request[storagev1.AppendRequest]) (*connect.Response[storagev1.AppendResponse], error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// serveMux serves handlers over a pipe until the test ends, and returns a client.
func serveMux(t *testing.T, mux *http.ServeMux) *http.Client {
	t.Helper()
	listener := pipe.Listen()
	server := serve.NewServer(mux, slog.New(slog.DiscardHandler))
	server.Serve(listener)
	client := serve.NewClient(listener.Dial)
	t.Cleanup(func() {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Shutdown(gone) // calls hang
		client.CloseIdleConnections()
	})
	return client
}

// What waits for storage is bounded: the edge is put off, and no update is refused.
func TestUnsavedPutsOff(t *testing.T) {
	t.Parallel()
	mux, metrics := http.NewServeMux(), prometheus.NewRegistry()
	mux.Handle(storagev1connect.NewStorageServiceHandler(deaf{}))
	service, err := rooms.New(rooms.Config{
		StorageURL: "http://storage", HTTPClient: serveMux(t, mux), Owner: "test",
		Limits: rooms.Limits{Unsaved: 100}, Metrics: metrics,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(service.Close)
	mux = http.NewServeMux()
	service.Register(mux)
	l := &limited{edge: link(t, serveMux(t, mux)), metrics: metrics}
	l.send(attach(1, "doc"), join(1, 1))
	for l.next().GetAttached() == nil {
	}
	l.send(update(1, 1, 1, letterA), update(1, 1, 2, types(9, 0, 100)))
	l.putOffAs(1, roomsv1.DetachReason_DETACH_REASON_OVERLOADED)
	if n := reachedLimit(t, metrics, "max-unsaved"); n != 1 {
		t.Errorf("it is counted %v times, want once", n)
	}
}

// overLimits has a test for each limit that refuses something: it reaches the limit
// and checks what the docs say becomes of who does.
var overLimits = map[string]func(t *testing.T) *limited{
	"max-rooms": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Rooms: 1}})
		l.send(attach(2, "other"))
		l.putOffAs(2, roomsv1.DetachReason_DETACH_REASON_OVERLOADED)
		return l
	},
	"max-memory": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Memory: 1 << 20}})
		l.send(update(1, 1, 1, types(9, 0, 1<<20)))
		for l.next().GetResult() == nil {
		}
		l.send(attach(2, "other"))
		l.putOffAs(2, roomsv1.DetachReason_DETACH_REASON_OVERLOADED)
		return l
	},
	"max-update": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Update: 100}})
		l.refusedAs(roomsv1.Refusal_REFUSAL_TOO_LARGE, types(9, 0, 100))
		return l
	},
	"max-document": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Document: 100}})
		l.refusedAs(roomsv1.Refusal_REFUSAL_TOO_LARGE, types(9, 0, 100))
		return l
	},
	"max-pending": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Pending: 200}})
		l.send(update(1, 1, 1, types(9, 5, 150)))
		if r := l.next(); r.GetBroadcast() == nil {
			t.Fatalf("got %v, want what fits to be shown", r)
		}
		for l.next().GetResult().GetTicket() != 1 {
		}
		l.refusedAs(roomsv1.Refusal_REFUSAL_TOO_LARGE, types(9, 500, 150))
		return l
	},
	"max-sessions": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Sessions: 2}})
		l.send(join(1, 2), join(1, 3))
		l.endedAs(3, roomsv1.Refusal_REFUSAL_TOO_MANY)
		return l
	},
	"max-present": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Present: 1}})
		seen := awareness.Entry{Client: 1, Clock: 1, State: []byte(`{}`)}
		unseen := awareness.Entry{Client: 2, Clock: 1, State: []byte(`{}`)}
		l.send(join(1, 2), shows(1, 1, seen), shows(1, 2, unseen), update(1, 1, 7, letterA))
		for {
			f := l.next()
			if entries, _ := awareness.Decode(f.GetAwareness()); len(entries) > 0 && entries[0].Client == 2 && f.GetSession() == 0 {
				t.Fatalf("%v: there was no place", f)
			}
			if f.GetResult() != nil {
				return l
			}
		}
	},
	"max-state": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{State: 100}})
		l.send(shows(1, 1, awareness.Entry{Client: 1, Clock: 1, State: fmt.Appendf(nil, "%q", bytes.Repeat([]byte{'x'}, 100))}))
		l.endedAs(1, roomsv1.Refusal_REFUSAL_TOO_LARGE)
		return l
	},
	"max-revocations": func(t *testing.T) *limited {
		l := limitedTo(t, rooms.Config{Limits: rooms.Limits{Revocations: 1}})
		o := newOperator(t, l.client)
		o.revoke(&roomsv1.RevokeRequest{Room: "a"})
		if _, err := o.Revoke(t.Context(), connect.NewRequest(&roomsv1.RevokeRequest{Room: "b"})); connect.CodeOf(err) != connect.CodeResourceExhausted {
			t.Errorf("%v, want ResourceExhausted", err)
		}
		return l
	},
}

// Beside max-edge-queue, of which TestSlowEdgeIsResynchronised tells, max-unsaved, of
// which TestUnsavedPutsOff does, and times, which refuse nobody.
func TestEveryLimitIsRefusedAndCounted(t *testing.T) {
	elsewhere := map[string]bool{"max-edge-queue": true, "max-unsaved": true}
	for _, r := range rooms.LimitTable {
		if elsewhere[r.Name] || r.Time != nil {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			over, ok := overLimits[r.Name]
			if !ok {
				t.Fatal("nothing shows what becomes of who goes over it")
			}
			if l := over(t); reachedLimit(t, l.metrics, r.Name) != 1 {
				t.Errorf("it is counted %v times, want once", reachedLimit(t, l.metrics, r.Name))
			}
		})
	}
}
