package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"

	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
	"portaldb/internal/schema"
)

// defaultAddr is where the HTTP API listens when nobody says.
const defaultAddr = "127.0.0.1:8080"

type serveCommand struct {
	migrating
	ReadURL       string `name:"database-read-url" setting:"DATABASE_READ_URL" placeholder:"URL" help:"A read replica for lists and statistics (DATABASE_READ_URL)."`
	Addr          string `setting:"PORTALDB_ADDR" default:"${addr}" help:"Where to listen (PORTALDB_ADDR)."`
	SessionSecret string `setting:"SESSION_SECRET" hidden:""`
	NoMigrate     bool   `help:"Do not apply what is pending; be not ready until somebody has."`
}

// Help is the long help.
func (serveCommand) Help() string {
	return `On SIGTERM it stops being ready, lets requests under way end, and ends with 0.

Examples:

    DATABASE_URL=postgres://portal@db.example.org/portal portaldb serve
    portaldb serve --addr 0.0.0.0:8080 --no-migrate`
}

// Run applies what is pending and serves.
func (c serveCommand) Run(ctx context.Context, a *app) error {
	if err := checkAddr(c.Addr); err != nil {
		return err
	}
	if c.SessionSecret == "dev-secret" {
		return usageError{"SESSION_SECRET takes a secret of your own; dev-secret is known to everybody"}
	}
	url, err := c.url()
	if err != nil {
		return err
	}
	if c.ReadURL != "" {
		if _, err := checkedURL("DATABASE_READ_URL", c.ReadURL); err != nil {
			return err
		}
	}
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	if !c.NoMigrate {
		if err := migrateToServe(ctx, a, engine); err != nil {
			return err
		}
	}
	db, err := postgres.Open(ctx, postgres.Config{URL: url, ReadURL: c.ReadURL, ApplicationName: "portaldb serve"})
	if err != nil {
		return err
	}
	defer db.Close()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w; PORTALDB_ADDR or --addr takes another address", err)
	}
	return a.serve(ctx, listener, db, engine)
}

// serve answers HTTP on the listener until ctx is done.
func (a *app) serve(ctx context.Context, listener net.Listener, db *postgres.DB, engine *schema.Engine) error {
	logger := slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{ReplaceAttr: portal.MaskLogAttr}))
	api := httpapi.New(httpapi.Config{
		Service: portal.New(db.Primary(), db.Reads()), Ready: readiness(db, engine), Logger: logger, Version: version,
	})
	logger.InfoContext(ctx, "listening", "addr", listener.Addr().String(), "version", version)
	err := httpapi.Serve(ctx, listener, api, httpapi.ServeConfig{Logger: logger, OnDrain: api.Drain})
	logger.InfoContext(ctx, "stopped")
	return err
}

// readiness tells whether this binary can serve this database now.
func readiness(db *postgres.DB, engine *schema.Engine) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := db.Ping(ctx); err != nil {
			return err
		}
		at, err := engine.Version(ctx)
		if err != nil {
			return err
		}
		if at < engine.Latest() {
			return &portal.Error{Code: portal.CodeUnavailable, Message: fmt.Sprintf(
				"behind: the database is at version %d, this binary needs %d; run portaldb up", at, engine.Latest())}
		}
		return nil
	}
}

// migrateToServe applies what is pending. A database that a newer binary has migrated is served as it is: what comes
// after the baseline only adds, and a binary that was rolled back has to go on working.
func migrateToServe(ctx context.Context, a *app, engine *schema.Engine) error {
	_, err := engine.Up(ctx, 0)
	if errors.Is(err, schema.ErrNewer) {
		a.logf("portaldb serve: %v; serving it as it is", err)
		return nil
	}
	return err
}

// checkAddr refuses what is no address to listen on.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if n, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil || n > 65535 {
		return usageError{"PORTALDB_ADDR takes host:port, such as 127.0.0.1:8080"}
	}
	return nil
}
