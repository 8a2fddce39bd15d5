// Package tracing sends spans to an OpenTelemetry collector where the environment names one.
package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Wanted says whether the environment, by the variables that OpenTelemetry defines, asks for traces. An error names a
// variable that asks for what there is not.
func Wanted(env map[string]string) (bool, error) {
	if env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "" && env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == "" ||
		env["OTEL_SDK_DISABLED"] == "true" || env["OTEL_TRACES_EXPORTER"] == "none" {
		return false, nil
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		switch env[name] {
		case "", "http/protobuf":
		default:
			return false, fmt.Errorf("%s takes http/protobuf", name)
		}
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		if env[name] == "" {
			continue
		}
		if u, err := url.Parse(env[name]); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return false, fmt.Errorf("%s takes a URL such as http://127.0.0.1:4318", name)
		}
	}
	return true, nil
}

// Start returns a tracer that sends what it is given to the collector which the process's environment names, and a
// function that sends what is left and ends it.
func Start(ctx context.Context, version string, logger *slog.Logger) (trace.Tracer, func(context.Context) error, error) {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("prepare traces: %w", withoutURL(err))
	}
	about, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", "portaldb"), attribute.String("service.version", version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return nil, nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES takes key=value pairs between commas: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("traces are not delivered", "error", withoutURL(err))
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(about))
	return provider.Tracer("portaldb"), provider.Shutdown, nil
}

// withoutURL leaves out the address, which may hold a password.
func withoutURL(err error) error {
	if wrong, ok := errors.AsType[*url.Error](err); ok {
		return wrong.Err
	}
	return err
}
