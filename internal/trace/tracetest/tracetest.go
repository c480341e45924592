// Package tracetest is an OpenTelemetry collector for tests, on loopback.
package tracetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector keeps what it was sent.
type Collector struct {
	t testing.TB

	mu    sync.Mutex // guards following
	bytes []byte
	spans []Span
}

// Span is one that arrived, and the service that it is of.
type Span struct {
	*otlp.Span
	Service string
}

// Start starts a collector and names it in the environment, so that trace.Open
// finds it.
func Start(t *testing.T) *Collector {
	t.Helper()
	c := &Collector{t: t}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	return c
}

// ServeHTTP takes spans as OTLP/HTTP with protobuf.
func (c *Collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	request := new(collector.ExportTraceServiceRequest)
	if err == nil {
		err = proto.Unmarshal(body, request)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		c.t.Errorf("%s isn't what a collector takes: %v", r.URL.Path, err)
		http.Error(w, "not spans", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes = append(c.bytes, body...)
	for _, of := range request.GetResourceSpans() {
		service := ""
		for _, attribute := range of.GetResource().GetAttributes() {
			if attribute.GetKey() == "service.name" {
				service = attribute.GetValue().GetStringValue()
			}
		}
		for _, scope := range of.GetScopeSpans() {
			for _, span := range scope.GetSpans() {
				c.spans = append(c.spans, Span{span, service})
			}
		}
	}
}

// Bytes returns all that arrived, as it arrived.
func (c *Collector) Bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]byte(nil), c.bytes...)
}

// Spans returns the spans of a name that arrived, or all of them for "".
func (c *Collector) Spans(name string) []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	var spans []Span
	for _, span := range c.spans {
		if name == "" || span.GetName() == name {
			spans = append(spans, span)
		}
	}
	return spans
}
