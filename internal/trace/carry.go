package trace

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	api "go.opentelemetry.io/otel/trace"
)

// parentKey is what a carrier has a span under: https://www.w3.org/TR/trace-context/.
const parentKey = "traceparent"

// parentLen is how long a traceparent of the version that there is is.
const parentLen = 55

// Parent returns the span in ctx as a traceparent, by which another process goes on
// with the trace; "" if there is none. It is for frames: calls carry it by themselves.
func Parent(ctx context.Context) string {
	if !api.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := make(propagation.MapCarrier, 1)
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[parentKey]
}

// Continue returns ctx with the span that a traceparent names. What is none changes
// nothing: a trace is nothing to fail for.
func Continue(ctx context.Context, parent string) context.Context {
	if len(parent) != parentLen {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{parentKey: parent})
}

// Along returns ctx with the span of another context, for what goes on when whoever
// began it is gone.
func Along(ctx, with context.Context) context.Context {
	if span := api.SpanContextFromContext(with); span.IsValid() {
		return api.ContextWithSpanContext(ctx, span)
	}
	return ctx
}
