package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"portaldb/internal/catalog"
)

// ErrNoScratch is returned where there can be no scratch database; verify takes the effects instead.
var ErrNoScratch = errors.New("the login may not create databases")

// OnScratch calls do with the URL of a scratch database on the same server, migrated to version, and removes the database. The
// login must be allowed to create databases.
func (e *Engine) OnScratch(ctx context.Context, version int64, do func(url string) error) error {
	s, err := e.session(ctx, "scratch")
	if err != nil {
		return err
	}
	defer s.close()
	return e.withScratch(ctx, s, version, func(config *pgx.ConnConfig, _ *sql.DB) error { return do(scratchURL(config)) })
}

// scratchURL is a connection string for the database of config.
func scratchURL(config *pgx.ConnConfig) string {
	connString := config.ConnString()
	if u, err := url.Parse(connString); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		u.Path = "/" + config.Database
		return u.String()
	}
	return connString + " dbname=" + config.Database // the last one counts
}

// scratch migrates a new database on the same server to version, reads what that gives, and removes the database.
func (e *Engine) scratch(ctx context.Context, s *session, version int64) (c, rows catalog.Catalog, err error) {
	err = e.withScratch(ctx, s, version, func(_ *pgx.ConnConfig, db *sql.DB) (err error) {
		c, rows, err = readSchema(ctx, db)
		return err
	})
	return c, rows, err
}

func (e *Engine) withScratch(ctx context.Context, s *session, version int64, do func(*pgx.ConnConfig, *sql.DB) error) (err error) {
	config, drop, err := e.createScratch(ctx, s)
	if err != nil {
		return err
	}
	defer func() {
		if dropErr := drop(ctx); err == nil {
			err = dropErr
		}
	}()
	db := stdlib.OpenDB(*config)
	defer db.Close()
	db.SetMaxOpenConns(1)
	if version > 0 {
		provider, err := goose.NewProvider(goose.DialectPostgres, db, e.config.FS, goose.WithDisableGlobalRegistry(true))
		if err != nil {
			return fmt.Errorf("read the migrations: %w", err)
		}
		if _, err := provider.UpTo(ctx, version); err != nil {
			return fmt.Errorf("migrate a scratch database: %w", err)
		}
	}
	return do(config, db)
}

// createScratch makes an empty database on the session's server, to be reached by config, and removed by drop, which
// works after ctx too. It is named after the session, one for each, so that a later run finds and removes what a dead one left.
func (e *Engine) createScratch(ctx context.Context, s *session) (config *pgx.ConnConfig, drop func(context.Context) error, err error) {
	var may bool
	var name string
	err = s.db.QueryRowContext(ctx, `
		select rolsuper or rolcreatedb, format('portaldb_scratch_%s_%s', pid, (extract(epoch from backend_start) * 1000)::bigint)
		from pg_stat_activity, pg_roles where pid = pg_backend_pid() and rolname = current_user`).Scan(&may, &name)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("look for the right to create databases: %w", err)
	case !may:
		return nil, nil, ErrNoScratch
	}
	e.dropLeftovers(ctx, s)
	// template0 has nothing of the site's in it. The files are UTF-8, and C exists everywhere.
	if _, err := s.db.ExecContext(ctx, `create database `+name+` template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C'`); err != nil {
		return nil, nil, fmt.Errorf("create a scratch database: %w", err)
	}
	drop = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		// Without force the server ends its own autovacuum there; with it that is tried as the login, which may not be allowed.
		if _, err := s.db.ExecContext(ctx, `drop database `+name); err == nil {
			return nil
		}
		if _, err := s.db.ExecContext(ctx, `drop database `+name+` with (force)`); err != nil {
			return fmt.Errorf("drop the scratch database %s: %w", name, err)
		}
		return nil
	}
	return e.scratchConfig(name), drop, nil
}

func (e *Engine) scratchConfig(name string) *pgx.ConnConfig {
	config := e.connect.Copy()
	config.Database = name
	config.RuntimeParams["application_name"] = applicationName("scratch", e.config.Actor)
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["synchronous_commit"] = "off" // nothing in it has to last
	return config
}

// dropLeftovers removes the scratch databases of this login whose sessions are gone. What it cannot remove stays.
func (e *Engine) dropLeftovers(ctx context.Context, s *session) {
	names, err := leftovers(ctx, s.db)
	if err != nil {
		return
	}
	for _, name := range names {
		_, _ = s.db.ExecContext(ctx, `drop database if exists `+name+` with (force)`)
	}
}

func leftovers(ctx context.Context, db *sql.DB) ([]string, error) {
	rows, err := db.QueryContext(ctx, `
		select d.datname from pg_database d
		where d.datname ~ '^portaldb_scratch_[0-9]+_[0-9]+$' and pg_has_role(d.datdba, 'USAGE') and not exists (
			select from pg_stat_activity a
			where a.pid::text = split_part(d.datname, '_', 3)
			  and (a.backend_start is null or (extract(epoch from a.backend_start) * 1000)::bigint::text = split_part(d.datname, '_', 4)))`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
