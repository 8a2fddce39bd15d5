package postgres

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// observer measures every statement, and gives it a span, under the name that sqlc knows it by. It never looks at the
// arguments, and of errors it tells the SQLSTATE: their texts quote values.
type observer struct {
	duration *prometheus.HistogramVec
	failed   *prometheus.CounterVec
	tracer   trace.Tracer
}

// newObserver returns nil if there is nobody to observe for.
func newObserver(registry prometheus.Registerer, tracer trace.Tracer) *observer {
	if registry == nil && tracer == nil {
		return nil
	}
	o := &observer{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portaldb_query_duration_seconds", Help: "Time from sending a statement to the end of its result, by query.",
			Buckets: []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"query"}),
		failed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "portaldb_query_errors_total", Help: "Statements that failed, by query and the code of the API that the failure has.",
		}, []string{"query", "code"}),
		tracer: tracer,
	}
	if registry != nil {
		registry.MustRegister(o.duration, o.failed)
	}
	return o
}

// queryName returns the name of a statement that sqlc made, "other" for all others.
func queryName(sql string) string {
	if rest, ok := strings.CutPrefix(sql, "-- name: "); ok {
		if name, _, ok := strings.Cut(rest, " "); ok {
			return name
		}
	}
	return "other"
}

type observedKey struct{}

// observed is a statement, or a batch with one, under way.
type observed struct {
	began time.Time
	name  string
	span  trace.Span
	err   error // of a statement of the batch
}

func (o *observer) start(ctx context.Context, name string) context.Context {
	s := &observed{began: time.Now(), name: name}
	if o.tracer != nil {
		ctx, s.span = o.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system.name", "postgresql")))
	}
	return context.WithValue(ctx, observedKey{}, s)
}

// end notes how a statement went.
func (o *observer) end(s *observed, err error) {
	o.duration.WithLabelValues(s.name).Observe(time.Since(s.began).Seconds())
	if err != nil {
		o.failed.WithLabelValues(s.name, string(interpret(err).code)).Inc()
	}
	if s.span == nil {
		return
	}
	defer s.span.End()
	if err != nil {
		state := ""
		if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
			state = refused.Code
		}
		s.span.SetStatus(codes.Error, "SQLSTATE "+state)
	}
}

func observedOf(ctx context.Context) *observed {
	s, _ := ctx.Value(observedKey{}).(*observed)
	return s
}

// TraceQueryStart and the others are what pgx calls.
func (o *observer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return o.start(ctx, queryName(data.SQL))
}

func (o *observer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if s := observedOf(ctx); s != nil {
		o.end(s, data.Err)
	}
}

// TraceBatchStart names a batch after its last statement: those before it make settings.
func (o *observer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	name := "other"
	if queued := data.Batch.QueuedQueries; len(queued) > 0 {
		name = queryName(queued[len(queued)-1].SQL)
	}
	return o.start(ctx, name)
}

func (o *observer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	if s := observedOf(ctx); s != nil && (data.Err != nil || queryName(data.SQL) == s.name) {
		s.err = data.Err
	}
}

func (o *observer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	if s := observedOf(ctx); s != nil {
		o.end(s, cmp.Or(data.Err, s.err))
	}
}

func (o *observer) TraceCopyFromStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	return o.start(ctx, "Copy:"+strings.Join(data.TableName, "."))
}

func (o *observer) TraceCopyFromEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceCopyFromEndData) {
	if s := observedOf(ctx); s != nil {
		o.end(s, data.Err)
	}
}

// poolCollector tells how busy the pools are.
type poolCollector struct {
	pools map[string]*pgxpool.Pool
}

var (
	poolLabels      = []string{"pool"}
	poolAcquired    = prometheus.NewDesc("portaldb_pool_acquired_connections", "Connections in use, by pool.", poolLabels, nil)
	poolIdle        = prometheus.NewDesc("portaldb_pool_idle_connections", "Connections that wait for work, by pool.", poolLabels, nil)
	poolMax         = prometheus.NewDesc("portaldb_pool_max_connections", "The most connections that a pool opens.", poolLabels, nil)
	poolWaits       = prometheus.NewDesc("portaldb_pool_waits_total", "How often a statement had to wait for a connection, by pool.", poolLabels, nil)
	poolWaitSeconds = prometheus.NewDesc("portaldb_pool_wait_seconds_total", "How long statements had to wait for a connection, by pool.", poolLabels, nil)
	poolGivenUp     = prometheus.NewDesc("portaldb_pool_waits_given_up_total", "How often a wait for a connection was given up, by pool.", poolLabels, nil)
)

// Describe is a prometheus.Collector's.
func (poolCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{poolAcquired, poolIdle, poolMax, poolWaits, poolWaitSeconds, poolGivenUp} {
		ch <- d
	}
}

// Collect is a prometheus.Collector's.
func (c poolCollector) Collect(ch chan<- prometheus.Metric) {
	for name, pool := range c.pools {
		stat := pool.Stat()
		gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
		ch <- prometheus.MustNewConstMetric(poolAcquired, gauge, float64(stat.AcquiredConns()), name)
		ch <- prometheus.MustNewConstMetric(poolIdle, gauge, float64(stat.IdleConns()), name)
		ch <- prometheus.MustNewConstMetric(poolMax, gauge, float64(stat.MaxConns()), name)
		ch <- prometheus.MustNewConstMetric(poolWaits, counter, float64(stat.EmptyAcquireCount()), name)
		ch <- prometheus.MustNewConstMetric(poolWaitSeconds, counter, stat.EmptyAcquireWaitTime().Seconds(), name)
		ch <- prometheus.MustNewConstMetric(poolGivenUp, counter, float64(stat.CanceledAcquireCount()), name)
	}
}
