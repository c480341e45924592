// Package trace tells an OpenTelemetry collector where time goes: when somebody
// joins, when a room is loaded, when a snapshot is stored, and in the calls between
// services that this takes.
//
//	edge    join
//	rooms   load ─┬─ Claim ──▶ Claim   storage
//	              └─ Load  ──▶ Load    storage
//
// It is off, and costs a comparison with nil, unless the environment names a
// collector as OpenTelemetry defines it:
// https://opentelemetry.io/docs/specs/otel/protocol/exporter/. What happens for each
// keystroke (links, appends) never has a span, and no span has a URL or a header of a
// client, which may hold tokens.
//
// A Tracer owns one goroutine, which sends what was gathered; Close ends it.
package trace

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"

	"connectrpc.com/connect"
	"connectrpc.com/otelconnect"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// scope names who makes the spans, beside the service that they are of.
const scope = "github.com/fjord-sync/fjord"

// maxText bounds, in bytes, what a span quotes of texts that others chose.
const maxText = 128

// Tracer makes spans. A nil Tracer makes none.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   api.Tracer
}

// The variables that switch tracing on; the second is the whole URL, the first gets
// /v1/traces appended.
const (
	endpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
)

// Open returns a Tracer for a process called service (OTEL_SERVICE_NAME wins), or nil
// if the environment names no collector. It doesn't wait for the collector; one that
// is away is logged, and what it missed is dropped.
func Open(ctx context.Context, service string, log *slog.Logger) (*Tracer, error) {
	if err := Check(); err != nil || off() {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("tracing: %w", err)
	}
	who, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", service)),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("tracing: OTEL_RESOURCE_ATTRIBUTES: %w", err), exporter.Shutdown(ctx))
	}
	// The library knows one handler for all errors of a process.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		log.Warn("spans were not sent", "error", err)
	}))
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(who))
	return &Tracer{provider: provider, tracer: provider.Tracer(scope)}, nil
}

func off() bool {
	named := os.Getenv(endpoint) != "" || os.Getenv(tracesEndpoint) != ""
	return !named || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none"
}

// Check refuses what the environment says and the library would replace by its
// defaults, with a line in a log that nobody reads.
func Check() error {
	if off() {
		return nil
	}
	var wrong []error
	for _, name := range []string{endpoint, tracesEndpoint} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		u, err := url.Parse(value)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			wrong = append(wrong, fmt.Errorf("%s is no URL of a collector: want one as in http://collector:4318", name))
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if value := os.Getenv(name); value != "" && value != "http/protobuf" {
			wrong = append(wrong, fmt.Errorf("%s=%s: want http/protobuf, on the collector's port for that, 4318 most likely", name, value))
		}
	}
	return errors.Join(wrong...)
}

// Close sends what was gathered, at most until ctx ends. Spans that end later are
// dropped.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("tracing: spans were not sent: %w", err)
	}
	return nil
}

// Begin begins a span, as a child of the one in ctx, if there is one. The returned
// context carries the new one. room may be empty.
func (t *Tracer) Begin(ctx context.Context, name, room string) (context.Context, Span) {
	if t == nil {
		return ctx, Span{}
	}
	var options []api.SpanStartOption
	if room != "" {
		options = append(options, api.WithAttributes(attribute.String("fjord.room", quote(room))))
	}
	ctx, span := t.tracer.Start(ctx, name, options...) //nolint:spancheck // whoever began it ends it
	return ctx, Span{span}                             //nolint:spancheck // the same
}

// Span is something that takes time. The zero Span is nothing.
type Span struct{ span api.Span }

// Count adds a number to what the span says.
func (s Span) Count(name string, n int) {
	if s.span != nil {
		s.span.SetAttributes(attribute.Int("fjord."+name, n))
	}
}

// Fail says that the span failed, and why.
func (s Span) Fail(why string) {
	if s.span != nil {
		s.span.SetStatus(codes.Error, quote(why))
	}
}

// End ends the span; err, if there is one, is why it failed.
func (s Span) End(err error) {
	if s.span == nil {
		return
	}
	if err != nil {
		s.Fail(err.Error())
	}
	s.span.End()
}

// quote cuts a text. One that isn't UTF-8 would cost all the spans that are sent
// with it.
func quote(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "\uFFFD") }

// Calls traces what a client calls, or a handler is called for, but for the
// procedures that are too busy: those that keystrokes cause, and those that a clock
// does. A nil Tracer traces nothing.
func (t *Tracer) Calls(busy ...string) connect.Option {
	if t == nil {
		return connect.WithOptions()
	}
	interceptor, err := otelconnect.NewInterceptor(
		otelconnect.WithTracerProvider(t.provider),
		otelconnect.WithPropagator(propagation.TraceContext{}),
		otelconnect.WithoutMetrics(),
		// An event for each message of a stream would tell nothing new.
		otelconnect.WithoutTraceEvents(),
		// Callers are peers: see serve.Peers.
		otelconnect.WithTrustRemote(),
		otelconnect.WithFilter(func(_ context.Context, spec connect.Spec) bool {
			return !slices.Contains(busy, spec.Procedure)
		}),
	)
	if err != nil { // it makes instruments of a meter that has none
		panic(fmt.Sprintf("tracing: an interceptor can't be made: %v", err))
	}
	return connect.WithInterceptors(interceptor)
}
