package schema

import (
	"context"
	"database/sql"
	_ "embed"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed bookkeeping.sql
var bookkeepingSQL string

// bookkeepingVersion is the number that bookkeeping.sql leaves in portaldb.meta.
const bookkeepingVersion = 4

// bookkeepingLockKey is the advisory lock of whoever makes the bookkeeping; nobody keeps it for long.
const bookkeepingLockKey = lockKey + 1

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

// GetMigration spares a round trip for each file: the run holds the lock and applies only what it found missing under it.
func (s *store) GetMigration(context.Context, database.DBTxConn, int64) (*database.GetMigrationResult, error) {
	if s.run.keeper != nil {
		return &database.GetMigrationResult{IsApplied: true}, nil
	}
	return nil, database.ErrVersionNotFound
}

// Insert records a version, and how it came about in the history.
func (s *store) Insert(ctx context.Context, db database.DBTxConn, req database.InsertRequest) error {
	ctx = bookkeeping(ctx)
	if req.Version == 0 { // goose's mark that the table was made
		return s.Store.Insert(ctx, db, req)
	}
	if s.run.restorer != nil {
		return s.run.restorer.finish(ctx, db, req.Version)
	}
	return s.run.record(ctx, db, req.Version, nil)
}

// Delete takes a version back, once what its Down did has been looked at, and records that in the history.
func (s *store) Delete(ctx context.Context, db database.DBTxConn, version int64) error {
	return s.run.keeper.finish(bookkeeping(ctx), db, version)
}

// record writes the history row of the current file, and with it, when it was done, the change of goose's version row. It is
// recorded in the file's own transaction; a failure afterwards, under the same lock.
func (r *run) record(ctx context.Context, db database.DBTxConn, version int64, failure error) error {
	withVersion, outcome, reason := "version as (insert into public.goose_db_version (version_id, is_applied) values ($1, true)),", "done", sql.NullString{}
	direction, effect, trash := "up", readEffect(r.engine.config.FS, version), []string(nil)
	if r.keeper != nil {
		withVersion, direction, trash = "version as (delete from public.goose_db_version where version_id = $1),", "down", r.keeper.references()
	}
	if failure != nil {
		trash = nil
		withVersion, outcome, reason = "", "failed", sql.NullString{String: cause(failure), Valid: true}
	}
	actor := r.engine.config.Actor
	query := `
		with ` + withVersion + `
		last as (select seq, hash from portaldb.history order by seq desc limit 1),
		entry as (
			select coalesce((select seq from last), 0) + 1 as seq, $1::bigint as version, $2::text as name, $14::text as direction,
			       $3::text as checksum, $4::text as body, $5::jsonb as effect, session_user::text as role, $6::text as actor,
			       $7::text as ci_job, $8::text as ci_commit, $9::text as binary_version, $13::text as plan_digest,
			       clock_timestamp() - $10 * interval '1 millisecond' as started_at, $10::bigint as ms, $11::text as outcome,
			       $12::text as error, $15::text[] as trash, coalesce((select hash from last), '') as previous_hash
		)
		insert into portaldb.history
		select entry.*, ` + historyHash + ` from entry`
	args := []any{
		version, r.file.Name, r.file.Checksum, r.file.Body, effect, actor.Name,
		nullable(actor.Job), nullable(actor.Commit), r.engine.config.Binary, r.elapsed().Milliseconds(), outcome, reason, nullable(r.digest),
		direction, trash,
	}
	if tx := r.session.seam.tx; tx != nil {
		tx.last.Queue(query, args...)
		return nil
	}
	if _, err := db.ExecContext(bookkeeping(ctx), query, args...); err != nil {
		return fmt.Errorf("record version %d: %w", version, err)
	}
	return nil
}

// historyHash is the SQL of an entry's hash: over all that it says, in a form that no session's settings change.
const historyHash = `encode(sha256(convert_to(jsonb_build_array(
	entry.seq, entry.version, entry.name, entry.direction, entry.checksum, entry.body, entry.effect, entry.role, entry.actor,
	entry.ci_job, entry.ci_commit, entry.binary_version, entry.plan_digest, extract(epoch from entry.started_at), entry.ms,
	entry.outcome, entry.error, entry.trash, entry.previous_hash)::text, 'UTF8')), 'hex')`

func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// bootstrap makes the engine's tables where they are missing, and holds the database to its environment.
func (r *run) bootstrap(ctx context.Context) error {
	tx, err := r.session.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("make the bookkeeping: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to undo
	if err := r.bootstrapIn(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

// bootstrapIn is bootstrap inside a transaction of the caller's.
func (r *run) bootstrapIn(ctx context.Context, tx *sql.Tx) error {
	wanted := r.engine.config.Environment
	ctx = bookkeeping(ctx)
	var number int
	var environment sql.NullString
	var exists bool
	// Not only runs come here, which have the migration lock: IF NOT EXISTS does not keep two from making the same.
	if _, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock($1)`, bookkeepingLockKey); err != nil {
		return fmt.Errorf("wait for whoever makes the bookkeeping: %w", err)
	}
	if err := tx.QueryRowContext(ctx, `select to_regclass('portaldb.meta') is not null`).Scan(&exists); err != nil {
		return fmt.Errorf("look for the bookkeeping: %w", err)
	}
	if exists {
		if err := tx.QueryRowContext(ctx, `select bookkeeping, environment from portaldb.meta`).Scan(&number, &environment); err != nil {
			return fmt.Errorf("read the bookkeeping: %w", err)
		}
	}
	if number < bookkeepingVersion {
		if _, err := tx.ExecContext(ctx, bookkeepingSQL); err != nil {
			return fmt.Errorf("make the bookkeeping: %w", err)
		}
	}
	switch environment.String {
	case wanted:
	case "":
		if _, err := tx.ExecContext(ctx, `update portaldb.meta set environment = $1`, wanted); err != nil {
			return fmt.Errorf("record the environment: %w", err)
		}
	default:
		return r.engine.checkEnvironment(environment.String)
	}
	return nil
}

// elapsed is how long the current file has been running.
func (r *run) elapsed() time.Duration {
	if r.session.seam.started.IsZero() {
		return 0
	}
	return time.Since(r.session.seam.started)
}
