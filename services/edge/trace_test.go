package edge_test

import (
	"log/slog"
	"testing"

	"github.com/fjord-sync/fjord/internal/trace"
	"github.com/fjord-sync/fjord/internal/trace/tracetest"
	"github.com/fjord-sync/fjord/services/edge"
)

// A join has a span; what is typed after it has none.
func TestOnlyJoinsHaveSpans(t *testing.T) {
	collector := tracetest.Start(t)
	tracer, err := trace.Open(t.Context(), "edge", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *edge.Config) { c.Tracer = tracer })
	p := w.sync("doc")
	for range 100 {
		p.send("00 02 01 05")
		p.want("00 02 01 05")
	}
	_ = p.conn.Close()
	w.edge.Close()
	if err := tracer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	spans := collector.Spans("")
	if len(spans) != 1 || spans[0].GetName() != "join" {
		t.Fatalf("%d spans, want a join only: %v", len(spans), spans)
	}
	attributes := spans[0].GetAttributes()
	if len(attributes) != 1 || attributes[0].GetValue().GetStringValue() != "doc" {
		t.Errorf("the join says %v, want its room", attributes)
	}
}
