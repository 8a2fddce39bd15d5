package cli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/devpg"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

// devDatabase is the database that dev makes.
const devDatabase = "portal"

// devSeeds are rows for development alone: the super-user dev@local.
//
//go:embed dev_seeds.sql
var devSeeds string

type devCommand struct {
	uploadRules
	Addr  string `setting:"PORTALDB_ADDR" default:"${addr}" help:"Where to listen (PORTALDB_ADDR); the default gives way to a free port."`
	Data  string `placeholder:"DIR" help:"The data folder; by default one of the user, or /var/lib/portaldb/dev for root."`
	Reset bool   `help:"Throw the data folder away first."`
}

// Help is the long help.
func (devCommand) Help() string {
	return `Finds PostgreSQL's binaries, keeps a private cluster in the data folder, and serves on 127.0.0.1 until Ctrl-C.

Examples:

    portaldb dev
    portaldb dev --reset --addr 127.0.0.1:9000`
}

// devReady is what dev prints when everything runs.
type devReady struct {
	URL      string `json:"url"`
	Token    string `json:"token"`
	Database string `json:"database"`
	PGPass   string `json:"pgpass"`
}

// Run starts everything and serves.
func (c devCommand) Run(ctx context.Context, a *app) (err error) {
	if err := checkAddr(c.Addr); err != nil {
		return err
	}
	rules, err := c.config(nil)
	if err != nil {
		return err
	}
	dir := c.Data
	if dir == "" {
		if dir, err = devpg.DefaultDir(); err != nil {
			return err
		}
	}
	if c.Reset {
		if err := devpg.Reset(ctx, dir); err != nil {
			return err
		}
	}
	server, err := devpg.Start(ctx, devpg.Config{Dir: dir})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if err := server.EnsureDatabase(ctx, devDatabase); err != nil {
		return err
	}
	url := server.URL(devDatabase)
	engine, err := migrating{}.engineOn(a, url)
	if err != nil {
		return err
	}
	if _, err := engine.Up(ctx, 0); err != nil {
		return fmt.Errorf("%w\nThe data folder is %s; portaldb dev --reset throws it away", err, dir)
	}
	keep, err := server.ClientDir()
	if err != nil {
		return err
	}
	pgpass, err := writePGPass(keep, url)
	if err != nil {
		return err
	}

	if err := seed(ctx, url); err != nil {
		return err
	}
	watch, err := a.observe(ctx)
	if err != nil {
		return err
	}
	defer watch.stop()
	db, err := postgres.Open(ctx, postgres.Config{URL: url, ApplicationName: "portaldb dev", Registry: watch.registry, Tracer: watch.tracer})
	if err != nil {
		return err
	}
	defer db.Close()
	token, err := devToken(ctx, portal.New(db.Primary(), db.Reads()), keep)
	if err != nil {
		return err
	}
	store, err := uploadRoots{UploadRoot: filepath.Join(keep, "uploads")}.store(a)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(keep, "uploads"), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("create the folder for files: %w", err)
	}
	rules.Store = store
	listener, err := listenDev(ctx, c.Addr)
	if err != nil {
		return err
	}

	// The server may die by itself; then there is nothing left to serve.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-server.Done():
			cancel(fmt.Errorf("PostgreSQL ended: %w", server.Err()))
		case <-ctx.Done():
		}
	}()
	ready := devReady{URL: "http://" + listener.Addr().String(), Token: token, Database: psqlTarget(url), PGPass: pgpass}
	if err := a.print(ready, ready.text()); err != nil {
		return err
	}
	err = a.serve(ctx, listener, db, rules, nil, engine, watch, false)
	if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

func (r devReady) text() string {
	return fmt.Sprintf(`
portaldb serves on %[1]s, on a PostgreSQL of its own. Ctrl-C stops both.

  Token  %[2]s
  Try    curl -H 'Authorization: Bearer %[2]s' '%[1]s/v1/submissions?limit=5'
  Write  curl -H 'Authorization: Bearer %[2]s' -H 'Content-Type: application/json' -d '{"kind":"dfd","version":"1.0","payload":{"numero":"1/2026"}}' %[1]s/v1/submissions
  SQL    PGPASSFILE=%[4]s psql '%[3]s'

`, r.URL, r.Token, r.Database, r.PGPass)
}

// psqlTarget is a connection string without the password.
func psqlTarget(url string) string {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "" // the string is our own
	}
	return fmt.Sprintf("host=%s port=%d user=%s dbname=%s", config.Host, config.Port, config.User, config.Database)
}

// writePGPass keeps the password where psql looks for it, readable by the owner only, so that it need not be printed.
func writePGPass(dir, url string) (path string, err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return "", err
	}
	path = filepath.Join(dir, "pgpass")
	line := fmt.Sprintf("%s:*:*:%s:%s\n", config.Host, config.User, config.Password)
	if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
		return "", fmt.Errorf("write the password file: %w", err)
	}
	return path, nil
}

// seed applies the development seeds.
func seed(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect for the development seeds: %w", err)
	}
	_, err = conn.Exec(ctx, devSeeds)
	return errors.Join(err, conn.Close(ctx))
}

// devToken returns the token of the last start where it still holds, so that a script of yesterday works today.
func devToken(ctx context.Context, service *portal.Service, dir string) (string, error) {
	path := filepath.Join(dir, "token")
	kept, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read the token: %w", err)
	}
	secret := strings.TrimSpace(string(kept))
	if _, err := service.Authenticate(ctx, secret); err == nil {
		return secret, nil
	} else if portal.ErrorCode(err) != portal.CodeUnauthenticated {
		return "", err
	}
	if _, secret, err = service.CreateToken(ctx, "dev", portal.RoleAdmin, nil); err != nil {
		return "", err
	}
	if err := os.WriteFile(path, []byte(secret+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep the token: %w", err)
	}
	return secret, nil
}

// listenDev listens where asked; the default address gives way to a free port when another program has it.
func listenDev(ctx context.Context, addr string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) && addr == defaultAddr {
		return new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return listener, err
}
