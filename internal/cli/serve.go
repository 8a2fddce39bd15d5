package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
	"portaldb/internal/schema"
)

// defaultAddr is where the HTTP API listens when nobody says.
const defaultAddr = "127.0.0.1:8080"

type serveCommand struct {
	migrating
	uploadRoots
	uploadRules
	ReadURL        string `name:"database-read-url" setting:"DATABASE_READ_URL" placeholder:"URL" help:"A read replica for lists and statistics (DATABASE_READ_URL)."`
	Addr           string `setting:"PORTALDB_ADDR" default:"${addr}" help:"Where to listen (PORTALDB_ADDR)."`
	TrustedProxies string `setting:"PORTALDB_TRUSTED_PROXIES" placeholder:"LIST" help:"The proxies, as addresses or networks between commas, that are believed whom a request comes from: X-Forwarded-For (PORTALDB_TRUSTED_PROXIES)."`
	NoMigrate      bool   `help:"Do not apply what is pending; be not ready until somebody has."`
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
	store, err := c.store(a)
	if err != nil {
		return err
	}
	rules, err := c.config(store)
	if err != nil {
		return err
	}
	proxies, err := trustedProxies(c.TrustedProxies)
	if err != nil {
		return err
	}
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	watch, err := a.observe(ctx)
	if err != nil {
		return err
	}
	defer watch.stop()
	db, err := postgres.Open(ctx, postgres.Config{
		URL: url, ReadURL: c.ReadURL, ApplicationName: "portaldb serve", Registry: watch.registry, Tracer: watch.tracer,
	})
	if err != nil {
		return err
	}
	defer db.Close()
	behind := false
	if !c.NoMigrate {
		if behind, err = a.migrateToServe(ctx, engine); err != nil {
			return err
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w; PORTALDB_ADDR or --addr takes another address", err)
	}
	return a.serve(ctx, listener, db, rules, proxies, engine, watch, behind)
}

// trustedProxies reads a list of addresses and networks.
func trustedProxies(list string) (proxies []netip.Prefix, err error) {
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		proxy, err := netip.ParsePrefix(text)
		if address, wrong := netip.ParseAddr(text); wrong == nil {
			proxy, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			return nil, usageError{"PORTALDB_TRUSTED_PROXIES takes addresses and networks between commas, such as 10.0.0.5,192.168.0.0/16"}
		}
		proxies = append(proxies, proxy)
	}
	return proxies, nil
}

// release is this program as the schema engine knows it.
func release() schema.Release { return schema.Release{Name: version, Statements: portal.Statements()} }

// migrateToServe applies what is pending, where that may be done now. Where it may not, the schema as it is decides:
// a binary whose statements prepare serves, on a newer schema (what comes after the baseline only adds), under a hold, and
// while another run holds the lock. It reports behind when the database may lack migrations meanwhile.
func (a *app) migrateToServe(ctx context.Context, engine *schema.Engine) (behind bool, err error) {
	compatible, err := engine.Compatible(ctx, release())
	if err != nil {
		return false, err
	}
	if compatible.Hold != nil { // where it does not fit it stays up, and readiness says why
		a.logf("a hold is set: %s; not migrating", compatible.Hold)
		return false, nil // readiness looks for the hold itself
	}
	if compatible.State == "broken" {
		return false, noError{fmt.Sprintf("this binary does not fit the schema at version %d: %s; nothing changed", compatible.Version, compatible.BrokenText())}
	}
	if compatible.State == "ahead" {
		a.logf("the database is at version %d, newer than this binary; serving it as it is", compatible.Version)
		return false, nil
	}
	_, err = engine.Up(ctx, 0)
	var kept *schema.KeptError
	if errors.As(err, &kept) && compatible.Prepares() {
		a.logf("%v; serving version %d meanwhile", err, compatible.Version)
		return true, nil
	}
	if exitCode(err) == exitLocked && compatible.Prepares() {
		a.logf("%v; serving version %d meanwhile", err, compatible.Version)
		return true, nil
	}
	return false, err
}

// serve answers HTTP on the listener until ctx is done. behind allows it to be ready although migrations are pending.
func (a *app) serve(ctx context.Context, listener net.Listener, db *postgres.DB, rules portal.FilesConfig, proxies []netip.Prefix, engine *schema.Engine, watch *observation, behind bool) error {
	logger := watch.logger
	files := portal.NewFiles(db.Primary(), db.Reads(), rules)
	api := httpapi.New(httpapi.Config{
		Service: portal.New(db.Primary(), db.Reads()), Files: files, Ready: remembered(time.Second, readiness(engine, behind)), Logger: logger, Version: version,
		TrustedProxies: proxies, Registry: watch.registry, Tracer: watch.tracer,
	})
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	beside.Go(func() { report(ctx, engine, logger) })
	beside.Go(func() { sweep(ctx, files, rules.Store, logger) })

	logger.InfoContext(ctx, "listening", "addr", listener.Addr().String(), "version", version)
	err := httpapi.Serve(ctx, listener, api, httpapi.ServeConfig{Logger: logger, OnDrain: api.Drain})
	logger.InfoContext(ctx, "stopped")
	return err
}

// report tells the database every few seconds that this replica serves, until ctx is done. What the database does not
// take costs a line in the log and nothing else: a role that may only use the tables can serve.
func report(ctx context.Context, engine *schema.Engine, logger *slog.Logger) {
	id := uuid.NewString()
	ticker := time.NewTicker(schema.ReplicaEvery)
	defer ticker.Stop()
	reported := true
	for {
		if err := engine.Report(ctx, id, release()); ctx.Err() == nil && (err == nil) != reported {
			reported = err == nil
			logger.WarnContext(ctx, "report this replica", "ok", reported, "error", err)
		}
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = engine.Leave(ctx, id) // else it counts as gone a minute later
			return
		case <-ticker.C:
		}
	}
}

// remembered lets one call of check answer all that come within d: anybody may ask whether the service is ready.
func remembered(d time.Duration, check func(context.Context) error) func(context.Context) error {
	var mu sync.Mutex
	var at time.Time
	var last error
	return func(ctx context.Context) error {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(at) > d {
			last, at = check(ctx), time.Now()
		}
		return last
	}
}

// readiness tells whether this binary can serve this database now, to one caller at a time; behind allows pending migrations
// from the start. It asks on a connection of its own: requests that wait for a lock or search for long must not take every
// replica out at once.
func readiness(engine *schema.Engine, behind bool) func(context.Context) error {
	return func(ctx context.Context) error {
		c, err := engine.Compatible(ctx, release())
		if err != nil {
			return err
		}
		// Once it was where it belongs, or somebody holds the schema back, it goes on with what works: a rollback must not take
		// out the replicas that it has let live, nor the end of its hold.
		behind = behind || c.Hold != nil || c.State != "behind"
		var why string
		switch {
		case c.State == "behind" && (!behind || !c.Prepares()):
			why = fmt.Sprintf("behind: the database is at version %d, this binary has %d; portaldb up brings it there", c.Version, engine.Latest())
		case !c.Prepares():
			why = "broken: statements of this binary do not fit the schema: " + strings.Join(slices.Sorted(maps.Keys(c.Broken)), ", ")
			if c.Version > engine.Latest() {
				why = fmt.Sprintf("ahead and %s; the database is at version %d, this binary has %d", why, c.Version, engine.Latest())
			}
		default:
			return nil
		}
		if c.Hold != nil {
			why += "; a hold is set: " + c.Hold.String()
		}
		return &portal.Error{Code: portal.CodeUnavailable, Message: why}
	}
}

// checkAddr refuses what is no address to listen on.
func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if n, convErr := strconv.ParseUint(port, 10, 16); err != nil || convErr != nil || n > 65535 {
		return usageError{"PORTALDB_ADDR takes host:port, such as 127.0.0.1:8080"}
	}
	return nil
}
