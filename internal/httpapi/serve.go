package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds of what a client may take its time for.
const (
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 60 * time.Second // headers and body
	writeTimeout      = 90 * time.Second // from the headers of the request to the end of the response
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 64 << 10
)

// DefaultDrainTimeout is how long requests under way may take when the server ends.
const DefaultDrainTimeout = 25 * time.Second

// ServeConfig says how Serve ends.
type ServeConfig struct {
	// Logger gets what goes wrong with connections.
	Logger *slog.Logger

	// OnDrain is called before the listener is closed. nil is nothing.
	OnDrain func()

	// DrainTimeout is how long requests under way may take then. 0 means DefaultDrainTimeout.
	DrainTimeout time.Duration
}

// Serve answers the listener's connections until ctx is done; then it takes no new ones, waits for the requests under
// way and returns nil. An error says that it could not serve, or that it had to cut requests off. The listener is closed
// in any case.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, cfg ServeConfig) error {
	if cfg.DrainTimeout == 0 {
		cfg.DrainTimeout = DefaultDrainTimeout
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(cfg.Logger.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	if cfg.OnDrain != nil {
		cfg.OnDrain()
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.DrainTimeout)
	defer cancel()
	err := server.Shutdown(deadline)
	if err != nil {
		err = fmt.Errorf("drain: requests were still under way after %s: %w", cfg.DrainTimeout, errors.Join(err, server.Close()))
	}
	if closed := <-served; !errors.Is(closed, http.ErrServerClosed) {
		err = errors.Join(err, closed)
	}
	return err
}
