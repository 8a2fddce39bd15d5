package tracing_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"portaldb/internal/tracing"
)

func TestWanted(t *testing.T) {
	t.Parallel()
	const endpoint, traces = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	for _, test := range []struct {
		env    map[string]string
		wanted bool
		wrong  string
	}{
		{nil, false, ""},
		{map[string]string{endpoint: ""}, false, ""},
		{map[string]string{endpoint: "http://collector:4318"}, true, ""},
		{map[string]string{traces: "https://collector/v1/traces"}, true, ""},
		{map[string]string{endpoint: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, false, ""},
		{map[string]string{endpoint: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, false, ""},
		{map[string]string{endpoint: "http://collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, true, ""},
		{map[string]string{endpoint: "http://collector:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "OTEL_EXPORTER_OTLP_PROTOCOL takes"},
		{map[string]string{endpoint: "s3cret:4318"}, false, endpoint + " takes"},
		{map[string]string{traces: "http://"}, false, traces + " takes"},
	} {
		wanted, err := tracing.Wanted(test.env)
		if wanted != test.wanted || (err != nil) != (test.wrong != "") || err != nil && !strings.HasPrefix(err.Error(), test.wrong) {
			t.Errorf("%v: %v, %v", test.env, wanted, err)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v quotes the setting", err)
		}
	}
}

// TestStart sends a span to a collector. It sets the environment, so it runs alone.
func TestStart(t *testing.T) {
	got := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.URL.Path + " " + string(body)
	}))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	t.Setenv("OTEL_SERVICE_NAME", "portal of a test")
	tracer, stop, err := tracing.Start(t.Context(), "1.2.3", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	_, span := tracer.Start(t.Context(), "GET /v1/stats")
	span.End()
	if err := stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	sent := <-got
	for _, want := range []string{"/v1/traces ", "GET /v1/stats", "portal of a test", "1.2.3"} {
		if !strings.Contains(sent, want) {
			t.Errorf("no %q in what was sent", want)
		}
	}
}
