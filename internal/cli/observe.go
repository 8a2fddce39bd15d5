package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/otel/trace"

	"portaldb/internal/portal"
	"portaldb/internal/tracing"
)

// flushTimeout is how long the last spans may take at the end.
const flushTimeout = 3 * time.Second

// observation is how a process that serves can be watched.
type observation struct {
	logger   *slog.Logger
	registry *prometheus.Registry
	tracer   trace.Tracer // nil unless the environment names a collector
	stop     func()
}

// observe prepares the log, the metrics, and the traces if the environment asks for them.
func (a *app) observe(ctx context.Context) (*observation, error) {
	o := &observation{
		logger:   slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{ReplaceAttr: portal.MaskLogAttr})),
		registry: prometheus.NewRegistry(),
		stop:     func() {},
	}
	o.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	wanted, err := tracing.Wanted(a.env)
	if err != nil {
		return nil, usageError{err.Error()}
	}
	if !wanted {
		return o, nil
	}
	tracer, shutdown, err := tracing.Start(ctx, version, o.logger)
	if err != nil {
		return nil, usageError{err.Error()}
	}
	o.tracer = tracer
	o.stop = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		if err := shutdown(ctx); err != nil {
			o.logger.WarnContext(ctx, "the last traces were not delivered")
		}
	}
	return o, nil
}
