// Package httpapi serves package portal as JSON over HTTP.
//
// Every failure is a problem document with a code of package portal. A text filter that is given but empty selects the
// rows with empty text. Objects may name a field once only; within payload, result and meta, which are passed through,
// the last of several counts, as jsonb has it.
package httpapi

import (
	"context"
	"log/slog"
	"math"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"portaldb/internal/portal"
)

const (
	// MaxBody is the longest request body, in bytes.
	MaxBody = 10 << 20

	// DefaultRequestTimeout is how long one request may take from its headers on.
	DefaultRequestTimeout = 30 * time.Second
)

const tooLarge = "the body must not be longer than 10 MiB"

// Config says what an API serves.
type Config struct {
	// Service does the work.
	Service *portal.Service

	// Files are the temporary files. nil means that there are no routes for them.
	Files *portal.Files

	// Ready says why the service cannot do its work now, for GET /readyz: the message of a portal.Error is shown, of
	// any other it is not. nil means always ready.
	Ready func(context.Context) error

	// Logger gets one line for each request. It should mask personal data with portal.MaskLogAttr.
	Logger *slog.Logger

	// Version of the program, for the description of the API.
	Version string

	// RequestTimeout is how long one request may take, but for exports, uploads and downloads. 0 means
	// DefaultRequestTimeout.
	RequestTimeout time.Duration

	// ExportTimeout is how long one export may take in all. 0 means DefaultExportTimeout.
	ExportTimeout time.Duration

	// ExportStall is how long the client of an export may take no bytes. 0 means DefaultExportStall.
	ExportStall time.Duration

	// FileStall is how long the client of an upload or a download may take for fileChunk bytes. 0 means
	// DefaultFileStall.
	FileStall time.Duration

	// WrongTokens is how many wrong tokens one address may send in a minute; more are answered with 429. 0 means
	// DefaultWrongTokens.
	WrongTokens int

	// TrustedProxies are the proxies that are believed whom a request comes from (X-Forwarded-For).
	TrustedProxies []netip.Prefix

	// Registry is what GET /metrics shows, besides what the API itself measures. nil means nothing else.
	Registry *prometheus.Registry

	// Tracer gets a span for each request. nil means none.
	Tracer trace.Tracer
}

// API is the HTTP API, an http.Handler.
type API struct {
	service        *portal.Service
	ready          func(context.Context) error
	logger         *slog.Logger
	requestTimeout time.Duration
	exportTimeout  time.Duration
	exportStall    time.Duration
	files          *portal.Files
	fileStall      time.Duration
	mux            *http.ServeMux
	huma           huma.API
	draining       atomic.Bool
	attempts       *attempts
	proxies        []netip.Prefix
	metrics        *metrics
	tracer         trace.Tracer
}

// New returns the API.
func New(cfg Config) *API {
	if cfg.Ready == nil {
		cfg.Ready = func(context.Context) error { return nil }
	}
	if cfg.RequestTimeout == 0 {
		cfg.RequestTimeout = DefaultRequestTimeout
	}
	if cfg.ExportTimeout == 0 {
		cfg.ExportTimeout = DefaultExportTimeout
	}
	if cfg.ExportStall == 0 {
		cfg.ExportStall = DefaultExportStall
	}
	if cfg.FileStall == 0 {
		cfg.FileStall = DefaultFileStall
	}
	if cfg.WrongTokens == 0 {
		cfg.WrongTokens = DefaultWrongTokens
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	a := &API{
		service:        cfg.Service,
		ready:          cfg.Ready,
		logger:         cfg.Logger,
		requestTimeout: cfg.RequestTimeout,
		exportTimeout:  cfg.ExportTimeout,
		exportStall:    cfg.ExportStall,
		files:          cfg.Files,
		fileStall:      cfg.FileStall,
		mux:            http.NewServeMux(),
		attempts:       newAttempts(cfg.WrongTokens),
		proxies:        cfg.TrustedProxies,
		metrics:        newMetrics(cfg),
		tracer:         cfg.Tracer,
	}
	a.huma = humago.New(a.mux, huma.Config{
		OpenAPI: newDocument(cfg.Version),
		Formats: map[string]huma.Format{
			"application/json": {Marshal: marshal, Unmarshal: unmarshal},
			"json":             {Marshal: marshal}, // what huma makes of application/problem+json
		},
		DefaultFormat: "application/json",
	})
	a.addHealth()
	a.addSubmissions()
	a.addQueue()
	a.addAudits()
	a.addStats()
	a.addExports()
	if a.files != nil {
		a.addFiles()
		a.addLinks()
		a.addShare()
	}
	a.addMetrics(cfg.Registry)
	a.addDocument()
	return a
}

// Drain makes GET /readyz answer that the service is not ready, so that no new callers come. Everything else goes on.
func (a *API) Drain() { a.draining.Store(true) }

// register adds an operation for callers with a role; none is needed if it is empty.
func register[I, O any](a *API, op huma.Operation, role portal.Role, handler func(context.Context, *I) (*O, error)) {
	documentFailures(&op, role)
	if role == "" {
		op.Middlewares = append(op.Middlewares, notStored)
	} else {
		op.Security = []map[string][]string{{"token": {string(role)}}}
		op.Middlewares = append(op.Middlewares, a.authorize(role))
	}
	if takesJSON(op) {
		op.Middlewares = append(op.Middlewares, a.acceptJSON)
		op.SkipValidateBody = true // unmarshal and package portal check it, without a second copy of 10 MiB
		op.MaxBodyBytes = MaxBody + 1
		op.BodyReadTimeout = a.requestTimeout
	}
	huma.Register(a.huma, op, handler)
}

// takesJSON says whether an operation has a body that huma reads: one whose body is in its metadata reads it itself.
func takesJSON(op huma.Operation) bool {
	return op.Method != http.MethodGet && op.Method != http.MethodDelete && op.Metadata["body"] == nil
}

// notStored says that an answer holds for this moment only.
func notStored(ctx huma.Context, next func(huma.Context)) {
	ctx.SetHeader("Cache-Control", "no-store")
	next(ctx)
}

// authorize lets those requests pass that bear a token which includes the role.
func (a *API) authorize(role portal.Role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		ctx.SetHeader("Cache-Control", "private, no-cache") // ask with If-None-Match
		scheme, secret, _ := strings.Cut(ctx.Header("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="portaldb"`)
			a.refuse(ctx, portal.CodeUnauthenticated, "a token is needed: Authorization: Bearer")
			return
		}
		token, err := a.service.Authenticate(ctx.Context(), strings.TrimSpace(secret))
		switch {
		case portal.ErrorCode(err) == portal.CodeUnauthenticated:
			if wait := a.attempts.wrong(callerOf(exchangeOf(ctx.Context()).from), time.Now()); wait > 0 {
				ctx.SetHeader("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
				a.refuse(ctx, portal.CodeTooMany, "too many wrong tokens came from this address; Retry-After says for how many seconds to wait")
				return
			}
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="portaldb", error="invalid_token"`)
			fallthrough
		case err != nil:
			_ = huma.WriteErr(a.huma, ctx, http.StatusInternalServerError, "", err)
			return
		}
		x := exchangeOf(ctx.Context())
		x.token, x.role = token.Name, token.Role
		if !token.Role.Includes(role) {
			ctx.SetHeader("WWW-Authenticate", `Bearer realm="portaldb", error="insufficient_scope"`)
			a.refuse(ctx, portal.CodeForbidden, "this needs a token of the role "+string(role))
			return
		}
		next(ctx)
	}
}

// acceptJSON lets those requests pass whose body is JSON and not too long, as far as the headers say.
func (a *API) acceptJSON(ctx huma.Context, next func(huma.Context)) {
	r, _ := humago.Unwrap(ctx)
	if given := r.Header.Get("Content-Type"); given != "" {
		mediaType, _, err := mime.ParseMediaType(given)
		if err != nil || mediaType != "application/json" {
			a.refuse(ctx, portal.CodeUnsupported, "the body must be application/json")
			return
		}
		r.Header.Set("Content-Type", mediaType) // huma minds case
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		a.refuse(ctx, portal.CodeUnsupported, "the body must not be compressed")
		return
	}
	if r.ContentLength > MaxBody {
		a.refuse(ctx, portal.CodeTooLarge, tooLarge)
		return
	}
	next(ctx)
}

func (a *API) refuse(ctx huma.Context, code portal.Code, message string) {
	_ = huma.WriteErr(a.huma, ctx, statuses[code], "", &portal.Error{Code: code, Message: message})
}
