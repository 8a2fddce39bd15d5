package schema

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed bookkeeping.sql
var bookkeepingSQL string

const versionTable = "public.goose_db_version"

// store is goose's version table with the engine's history beside it: both get their row in one statement, so neither
// is ever there without the other, inside a transaction or out of it.
type store struct {
	database.Store // goose's own, for all that only reads
	run            *run
}

func newStore(r *run) (*store, error) {
	base, err := database.NewStore(goose.DialectPostgres, versionTable)
	if err != nil {
		return nil, err
	}
	return &store{Store: base, run: r}, nil
}

// TableExists keeps goose from asking in its own way, which is not part of the Store that is embedded.
func (s *store) TableExists(ctx context.Context, db database.DBTxConn) (bool, error) {
	var exists bool
	err := db.QueryRowContext(ctx, `select to_regclass($1) is not null`, versionTable).Scan(&exists)
	return exists, err
}

// CreateVersionTable makes goose's table. It runs under the migration lock.
func (s *store) CreateVersionTable(ctx context.Context, db database.DBTxConn) error {
	return s.Store.CreateVersionTable(bookkeeping(ctx), db)
}

// Insert records a version, and how it came about in the history.
func (s *store) Insert(ctx context.Context, db database.DBTxConn, req database.InsertRequest) error {
	ctx = bookkeeping(ctx)
	if req.Version == 0 { // goose's mark that the table was made
		return s.Store.Insert(ctx, db, req)
	}
	r := s.run
	_, err := db.ExecContext(ctx, `
		with version as (insert into public.goose_db_version (version_id, is_applied) values ($1, true))
		insert into portaldb.history (version, name, direction, checksum, body, effect, actor, binary_version, started_at, ms, outcome)
		values ($1, $2, 'up', $3, $4, $5, $6, $7, clock_timestamp() - $8 * interval '1 millisecond', $8, 'done')`,
		req.Version, r.file.Name, r.file.Checksum, r.file.Body, r.effect(req.Version), r.actor, r.binary, r.elapsed().Milliseconds())
	if err != nil {
		return fmt.Errorf("record version %d: %w", req.Version, err)
	}
	return nil
}

// recordFailure writes the history row of a file that failed, after it was undone. The cause is kept without values.
func (r *run) recordFailure(ctx context.Context, failure error) error {
	_, err := r.session.db.ExecContext(bookkeeping(ctx), `
		insert into portaldb.history (version, name, direction, checksum, body, actor, binary_version, started_at, ms, outcome, error)
		values ($1, $2, 'up', $3, $4, $5, $6, clock_timestamp() - $7 * interval '1 millisecond', $7, 'failed', $8)`,
		r.file.Version, r.file.Name, r.file.Checksum, r.file.Body, r.actor, r.binary, r.elapsed().Milliseconds(), cause(failure))
	if err != nil {
		return fmt.Errorf("record the failure: %w", err)
	}
	return nil
}

// bootstrap makes the engine's tables where they are missing, and holds the database to its environment.
func (r *run) bootstrap(ctx context.Context) error {
	ctx = bookkeeping(ctx)
	tx, err := r.session.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("make the bookkeeping: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to undo
	var exists bool
	if err := tx.QueryRowContext(ctx, `select to_regclass('portaldb.meta') is not null`).Scan(&exists); err != nil {
		return fmt.Errorf("look for the bookkeeping: %w", err)
	}
	if !exists {
		if _, err := tx.ExecContext(ctx, bookkeepingSQL); err != nil {
			return fmt.Errorf("make the bookkeeping: %w", err)
		}
	}
	var environment sql.NullString
	err = tx.QueryRowContext(ctx, `select environment from portaldb.meta`).Scan(&environment)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("read the environment: %w", err)
	}
	switch environment.String {
	case r.environment:
	case "":
		if _, err := tx.ExecContext(ctx, `update portaldb.meta set environment = $1`, r.environment); err != nil {
			return fmt.Errorf("record the environment: %w", err)
		}
	default:
		return &RefusedError{fmt.Sprintf(
			"this database is %q, and PORTALDB_ENVIRONMENT is %q: set it to the database's, or, if the database was copied and is no longer what it says, run: update portaldb.meta set environment = '%s'",
			environment.String, r.environment, r.environment)}
	}
	return tx.Commit()
}

// elapsed is how long the current file has been running.
func (r *run) elapsed() time.Duration {
	if r.session.seam.started.IsZero() {
		return 0
	}
	return time.Since(r.session.seam.started)
}
