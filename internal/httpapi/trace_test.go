package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"portaldb/internal/httpapi"
)

// TestAPI_Spans looks for the caller's trace, and for personal data, in what is traced.
func TestAPI_Spans(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	b := setup(t, func(cfg *httpapi.Config) { cfg.Tracer = provider.Tracer("test") })
	const cpf = "52998224725"
	b.request(t, "GET", "/v1/submissions/"+cpf+"?actor_cpf="+cpf, "", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"X-Request-Id", "traced", "User-Agent", cpf)
	b.request(t, "GET", "/"+cpf, "")
	ended := spans.Ended()
	if len(ended) != 2 {
		t.Fatalf("%d spans", len(ended))
	}
	if got := ended[0]; got.Name() != "GET /v1/submissions/{id}" || got.SpanContext().TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("span %s of the trace %s", got.Name(), got.SpanContext().TraceID())
	}
	for i, want := range []string{"traced", "none"} {
		text := fmt.Sprint(ended[i].Name(), ended[i].Attributes(), ended[i].Status(), ended[i].Events())
		if !strings.Contains(text, want) || strings.Contains(text, cpf) {
			t.Errorf("a span lacks %s, or tells a CPF: %s", want, text)
		}
	}
}
