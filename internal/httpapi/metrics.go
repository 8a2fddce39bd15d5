package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"portaldb/internal/portal"
)

// metrics are what is measured of requests. Their labels are routes and statuses, never what a caller makes up.
type metrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	bytes    *prometheus.CounterVec
	inFlight prometheus.Gauge
}

func newMetrics(cfg Config) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "portaldb_http_requests_total", Help: "Requests, by route and status. The route none is for what no route takes.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "portaldb_http_request_duration_seconds", Help: "Time from the headers of the request to the end of the response, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route"}),
		bytes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "portaldb_http_response_bytes_total", Help: "Bytes of response bodies as they were sent, by route.",
		}, []string{"route"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "portaldb_http_requests_in_flight", Help: "Requests under way."}),
	}
	cfg.Registry.MustRegister(m.requests, m.duration, m.bytes, m.inFlight, backlog{cfg.Service})
	return m
}

func (m *metrics) observe(r *http.Request, out *response, took time.Duration) {
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(route, strconv.Itoa(out.status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
	m.bytes.WithLabelValues(route).Add(float64(out.bytes))
}

// askTimeout is how long one question of a scrape may take.
const askTimeout = 2 * time.Second

// backlog asks the database at each scrape what waits.
type backlog struct{ service *portal.Service }

var (
	queueOldest = prometheus.NewDesc("portaldb_queue_oldest_seconds",
		"For how long the oldest submission of the queue has been waiting for a worker; 0 if none does.", nil, nil)
	longRunning = prometheus.NewDesc("portaldb_submissions_long_running",
		"Submissions that were never in the queue and have been running for more than an hour.", nil, nil)
)

// Describe is a prometheus.Collector's.
func (b backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- queueOldest
	ch <- longRunning
}

// Collect leaves both out while they are not known.
func (b backlog) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	waiting, err := b.service.Backlog(ctx)
	if err != nil {
		return
	}
	ch <- prometheus.MustNewConstMetric(queueOldest, prometheus.GaugeValue, waiting.Oldest.Seconds())
	ch <- prometheus.MustNewConstMetric(longRunning, prometheus.GaugeValue, float64(waiting.LongRunning))
}

// maxScrapes bounds the scrapes at the same time: nobody needs a token for them.
const maxScrapes = 4

func (a *API) addMetrics(registry *prometheus.Registry) {
	handler := promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		DisableCompression:  true, // response does it
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: 0,
	})
	scrapes := make(chan struct{}, maxScrapes)
	a.handle(plainOperation{
		id: "metrics", path: "/metrics", summary: "What is measured, for Prometheus", tag: "health",
		description: "By route, query and pool, without personal data; so no token is needed.",
		contentType: "text/plain", example: "portaldb_http_requests_total{route=\"GET /v1/stats\",status=\"200\"} 42\n",
		failures: []int{http.StatusServiceUnavailable},
	}, func(w http.ResponseWriter, r *http.Request) {
		select {
		case scrapes <- struct{}{}:
			defer func() { <-scrapes }()
		default:
			failure(exchangeOf(r.Context()), &portal.Error{Code: portal.CodeUnavailable, Message: "the metrics are being read already; try again"}).write(w)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		handler.ServeHTTP(w, r)
	})
}
