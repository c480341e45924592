package main

import (
	"bytes"
	"slices"
	"strings"
	"syscall"
	"testing"

	"connectrpc.com/connect"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"

	roomsv1 "github.com/fjord-sync/fjord/gen/fjord/rooms/v1"
	"github.com/fjord-sync/fjord/gen/fjord/rooms/v1/roomsv1connect"
	"github.com/fjord-sync/fjord/internal/serve"
	"github.com/fjord-sync/fjord/internal/trace/tracetest"
)

// A process that ends has told the collector of joins, loads and snapshots, with the
// calls of storage in them on both ends, and of no append. It gives a collector half a
// second, and says so if that wasn't enough: on a machine that does ten other things it
// is asked again.
func TestSpansOfAProcess(t *testing.T) {
	for range 20 {
		collector := tracetest.Start(t)
		if log := lifeWithSnapshot(t); !strings.Contains(log, "spans were not sent") {
			checkSpans(t, collector)
			return
		}
	}
	t.Error("no process ever told the collector in time")
}

// lifeWithSnapshot is the life of a process in which somebody joins a room, and another
// room has a snapshot stored. It returns what the process has logged.
func lifeWithSnapshot(t *testing.T) string {
	t.Helper()
	r := start(t, nil, anywhere(t.TempDir())...)
	joined(t, r)
	documents := roomsv1connect.NewDocumentsServiceClient(serve.NewClient(nil), r.urls["rpc"])
	apply := func(update []byte) {
		t.Helper()
		if _, err := documents.ApplyUpdate(t.Context(), connect.NewRequest(&roomsv1.ApplyUpdateRequest{Room: "applied", Update: update})); err != nil {
			t.Fatal(err)
		}
	}
	// After 1000 records a room has a snapshot stored.
	for client := range byte(10) {
		for n := range 101 {
			apply(typed(client+1, n))
		}
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return r.log.String()
}

// joined joins a room, waits for its answer to step 1, and goes.
func joined(t *testing.T, r *running) {
	t.Helper()
	conn := silent(t, r)
	defer conn.Close()
	if _, err := conn.Write([]byte{0x82, 0x84, 0, 0, 0, 0, 0, 0, 1, 0}); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for !bytes.Contains(got, []byte("\x82\x05\x00\x01\x02\x00\x00")) {
		some := make([]byte, 100)
		n, err := conn.Read(some)
		if got = append(got, some[:n]...); err != nil {
			t.Fatalf("%q, %v; want step 2", got, err)
		}
	}
}

func checkSpans(t *testing.T, collector *tracetest.Collector) {
	t.Helper()
	const storage = "fjord.storage.v1.StorageService/"
	for parent, calls := range map[string][]string{"load": {"Claim", "Load"}, "snapshot": {"PutSnapshot"}, "join": nil} {
		spans := collector.Spans(parent)
		if len(spans) == 0 {
			t.Errorf("no %s came", parent)
			continue
		}
		for _, call := range calls {
			both := collector.Spans(storage + call)
			if !slices.ContainsFunc(both, func(s tracetest.Span) bool {
				return s.GetKind() == otlp.Span_SPAN_KIND_CLIENT && bytes.Equal(s.GetParentSpanId(), spans[0].GetSpanId())
			}) {
				t.Errorf("no %s of rooms in a %s", call, parent)
			}
			if !slices.ContainsFunc(both, func(s tracetest.Span) bool {
				return s.GetKind() == otlp.Span_SPAN_KIND_SERVER && bytes.Equal(s.GetTraceId(), spans[0].GetTraceId())
			}) {
				t.Errorf("no %s of storage in the trace of a %s", call, parent)
			}
		}
	}
	// Each room was loaded for the join or the call that wanted it first.
	for _, cause := range []string{"join", "fjord.rooms.v1.DocumentsService/ApplyUpdate"} {
		if !slices.ContainsFunc(collector.Spans("load"), func(load tracetest.Span) bool {
			return slices.ContainsFunc(collector.Spans(cause), func(s tracetest.Span) bool {
				return bytes.Equal(s.GetTraceId(), load.GetTraceId()) && bytes.Equal(s.GetSpanId(), load.GetParentSpanId())
			})
		}) {
			t.Errorf("no load is in the %s that caused it", cause)
		}
	}
	for _, span := range collector.Spans("") {
		if span.Service != "fjord" {
			t.Errorf("%s is of %q", span.GetName(), span.Service)
		}
	}
	for _, busy := range []string{storage + "Append", storage + "Check", storage + "List", "fjord.rooms.v1.LinkService/Link"} {
		if n := len(collector.Spans(busy)); n != 0 {
			t.Errorf("%d spans of %s", n, busy)
		}
	}
}
