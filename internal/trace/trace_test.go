package trace_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/internal/trace/tracetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T) *trace.Tracer {
	t.Helper()
	tracer, err := trace.Open(t.Context(), "edge", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

func TestSpansAreSentBeforeCloseReturns(t *testing.T) {
	collector := tracetest.Start(t)
	tracer := open(t)
	ctx, load := tracer.Begin(t.Context(), "load", strings.Repeat("ø", 200)+"\xff")
	load.Count("records", 7)
	_, inner := tracer.Begin(ctx, "inner", "")
	inner.End(errors.New("broken \xff"))
	load.End(nil)
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	loads, inners := collector.Spans("load"), collector.Spans("inner")
	if len(loads) != 1 || len(inners) != 1 {
		t.Fatalf("%d and %d spans came, want 1 and 1", len(loads), len(inners))
	}
	if loads[0].Service != "edge" || string(inners[0].GetParentSpanId()) != string(loads[0].GetSpanId()) {
		t.Errorf("of %q, or not the parent: %v %v", loads[0].Service, loads[0], inners[0])
	}
	if got := inners[0].GetStatus().GetMessage(); got != "broken \uFFFD" {
		t.Errorf("the error is %q", got)
	}
	for _, attribute := range loads[0].GetAttributes() {
		if n := len(attribute.GetValue().GetStringValue()); n > 130 {
			t.Errorf("%s is %d bytes long", attribute.GetKey(), n)
		}
	}
}

// A trace goes on in another process by what a frame carries, and in what outlives who
// began it; what is no traceparent changes nothing.
func TestTracesGoOn(t *testing.T) {
	collector := tracetest.Start(t)
	tracer := open(t)
	ctx, join := tracer.Begin(t.Context(), "join", "doc")
	parent := trace.Parent(ctx)
	_, load := tracer.Begin(trace.Continue(t.Context(), parent), "load", "doc")
	_, late := tracer.Begin(trace.Along(t.Context(), ctx), "late", "doc")
	for _, none := range []string{"", "00", parent + "0", strings.Replace(parent, "-", "_", 1), strings.Repeat("0", len(parent)), strings.Repeat("\xff", len(parent))} {
		_, root := tracer.Begin(trace.Continue(t.Context(), none), "root", "doc")
		root.End(nil)
	}
	_, root := tracer.Begin(trace.Along(t.Context(), t.Context()), "root", "doc")
	root.End(nil)
	for _, span := range []trace.Span{load, late, join} {
		span.End(nil)
	}
	if got := trace.Parent(t.Context()); got != "" {
		t.Errorf("of nothing: %q", got)
	}
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	of := collector.Spans("join")[0]
	for _, name := range []string{"load", "late"} {
		if s := collector.Spans(name); len(s) != 1 || string(s[0].GetTraceId()) != string(of.GetTraceId()) || string(s[0].GetParentSpanId()) != string(of.GetSpanId()) {
			t.Errorf("%s isn't in the trace of the join: %v", name, s)
		}
	}
	roots := collector.Spans("root")
	for _, s := range roots {
		if len(s.GetParentSpanId()) != 0 || string(s.GetTraceId()) == string(of.GetTraceId()) {
			t.Errorf("has a parent: %v", s)
		}
	}
	if len(roots) != 7 {
		t.Errorf("%d roots, want 7", len(roots))
	}
}

func TestOffUnlessACollectorIsNamed(t *testing.T) {
	for name, environment := range map[string]map[string]string{
		"nothing":  {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
		"disabled": {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
		"none":     {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
	} {
		t.Run(name, func(t *testing.T) {
			for key, value := range environment {
				t.Setenv(key, value)
			}
			tracer := open(t)
			if tracer != nil {
				t.Fatal("a tracer came")
			}
			allocations := testing.AllocsPerRun(100, func() {
				_, span := tracer.Begin(t.Context(), "join", "room")
				span.Count("records", 1)
				span.End(nil)
			})
			if allocations != 0 {
				t.Errorf("%v allocations although it is off", allocations)
			}
			if err := tracer.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatCannotBeIsRefused(t *testing.T) {
	for _, environment := range []map[string]string{
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "ftp://collector"},
		{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
	} {
		t.Run("", func(t *testing.T) {
			for key, value := range environment {
				t.Setenv(key, value)
			}
			_, err := trace.Open(t.Context(), "edge", slog.New(slog.DiscardHandler))
			if err == nil || !strings.Contains(err.Error(), ": want ") {
				t.Errorf("%v", err)
			}
		})
	}
}

// A collector that is away must not hold up a process that leaves.
func TestCloseEndsWithItsContext(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
	tracer := open(t)
	_, span := tracer.Begin(t.Context(), "join", "")
	span.End(nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	_ = tracer.Close(ctx) // the log has what was lost
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}
