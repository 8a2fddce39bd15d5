package httpapi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"portaldb/internal/portal"
)

// exchange is what is known of a request and its response beside their contents.
type exchange struct {
	id    string      // of the request
	token string      // name of the API token, once it was accepted
	role  portal.Role // of the token
	from  string      // whom the request comes from, see clientOf
	err   error       // why the service failed

	connected context.Context // until the client hangs up
}

// address returns the address that the request comes from, as callerOf has it.
func (x *exchange) address() string { return callerOf(x.from).String() }

type exchangeKey struct{}

// exchangeOf returns the exchange that a request belongs to.
func exchangeOf(ctx context.Context) *exchange {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		return &exchange{connected: ctx}
	}
	return x
}

// untimed returns a context for what may take longer than a request: it ends with the connection, or by the function.
func untimed(ctx context.Context) (context.Context, context.CancelFunc) {
	x := exchangeOf(ctx)
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(x.connected, cancel)
	return ctx, func() { stop(); cancel() }
}

// ServeHTTP answers a request, whatever happens, and writes a line to the log: never the path, the query or the body,
// which hold personal data.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	id := requestID(r)
	x := &exchange{id: id, from: clientOf(r, a.proxies), connected: portal.WithRequestID(r.Context(), id)}
	ctx, cancel := context.WithTimeout(context.WithValue(x.connected, exchangeKey{}, x), a.requestTimeout)
	defer cancel()
	ctx, span := a.startSpan(ctx, r)
	r = r.WithContext(ctx)
	r.Body = bodyReader{r.Body}
	out := &response{ResponseWriter: w, request: r}
	out.Header().Set("X-Request-Id", x.id)
	a.metrics.inFlight.Inc()

	defer func() {
		fault := recover()
		begun := out.sent
		if err, ok := fault.(error); fault != nil && (!ok || !errors.Is(err, http.ErrAbortHandler)) {
			x.err = fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
			if !begun {
				clear(out.Header())
				out.Header().Set("X-Request-Id", x.id)
				failure(x, x.err).write(out)
			}
		} else if fault == nil {
			out.finish()
		}
		took := time.Since(began)
		a.log(r, x, out, took)
		a.metrics.inFlight.Dec()
		a.metrics.observe(r, out, took)
		endSpan(span, r, x, out)
		if fault != nil && begun {
			panic(http.ErrAbortHandler) // breaks the connection: the client must not take a part for the whole
		}
	}()
	a.mux.ServeHTTP(out, r)
	if out.unrouted != 0 {
		p := unrouted(x, out.unrouted)
		out.status, out.unrouted = p.Status, 0
		p.write(out)
	}
}

// unrouted is the document for what no route takes.
func unrouted(x *exchange, status int) *problem {
	if status == http.StatusMethodNotAllowed {
		return document(x, status, portal.CodeUnsupported, "this path takes other methods, which Allow lists")
	}
	return document(x, status, portal.CodeNotFound, "there is nothing at this path")
}

func (a *API) log(r *http.Request, x *exchange, out *response, took time.Duration) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("request_id", x.id),
		slog.String("method", r.Method),
		slog.String("route", r.Pattern),
		slog.Int("status", out.status),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.Int64("bytes", out.bytes),
	}
	if x.token != "" {
		attrs = append(attrs, slog.String("token", x.token))
	}
	if x.err != nil {
		level = slog.LevelError
		if errors.Is(x.connected.Err(), context.Canceled) { // the client hung up
			level = slog.LevelInfo
		}
		attrs = append(attrs, slog.Any("error", x.err))
	}
	a.logger.LogAttrs(r.Context(), level, "request", attrs...)
}

// requestID returns the id that the caller or a proxy gave the request, if it is fit for a log, or else a new one.
func requestID(r *http.Request) string {
	id := r.Header.Get("X-Request-Id")
	if len(id) < 1 || len(id) > 64 {
		return rand.Text()
	}
	for _, c := range []byte(id) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return rand.Text()
		}
	}
	return id
}

// bodyReader makes it the caller's failure when the body of a request ends early or is badly framed.
type bodyReader struct{ io.ReadCloser }

func (b bodyReader) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = &portal.Error{Code: portal.CodeInvalid, Message: "the body could not be read", Err: err}
	}
	return n, err
}
