package httpapi

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// startSpan begins the span of a request, below that of the caller if there is one. Like the log it never tells the path,
// the query or the address, which instrumentation that others wrote would.
func (a *API) startSpan(ctx context.Context, r *http.Request) (context.Context, trace.Span) {
	if a.tracer == nil {
		return ctx, nil
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(r.Header))
	return a.tracer.Start(ctx, "HTTP", trace.WithSpanKind(trace.SpanKindServer))
}

func endSpan(span trace.Span, r *http.Request, x *exchange, out *response) {
	if span == nil {
		return
	}
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	span.SetName(route)
	span.SetAttributes(
		attribute.String("http.route", route),
		attribute.Int("http.response.status_code", out.status),
		attribute.String("portaldb.request_id", x.id),
	)
	if out.status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, http.StatusText(out.status))
	}
	span.End()
}
