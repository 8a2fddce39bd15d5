package schema

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Statements returns what goose would send for one half of a file, and whether inside a transaction. goose itself reads
// the file, against a driver without a server: a second parser would one day read it in another way.
func Statements(f File, up bool) (statements []string, tx bool, err error) {
	rec := &recorder{}
	db := sql.OpenDB(rec)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectCustom, db, fstest.MapFS{f.Name: {Data: []byte(f.Body)}},
		goose.WithStore(recorderStore{applied: !up}), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, false, fmt.Errorf("read as goose does: %w", err)
	}
	if _, err := provider.ApplyVersion(context.Background(), f.Version, up); err != nil {
		// goose names the file and its own state; what is wrong comes last.
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			err = partial.Err
		}
		return nil, false, fmt.Errorf("read as goose does: %w", err)
	}
	return rec.statements, rec.tx, nil
}

// recorder is a driver that takes statements down and answers nothing.
type recorder struct {
	statements []string
	tx         bool
}

func (r *recorder) Connect(context.Context) (driver.Conn, error) { return r, nil }
func (r *recorder) Driver() driver.Driver                        { return nil }
func (r *recorder) Close() error                                 { return nil }
func (r *recorder) Commit() error                                { return nil }
func (r *recorder) Rollback() error                              { return nil }

func (r *recorder) Begin() (driver.Tx, error) {
	r.tx = true
	return r, nil
}

func (r *recorder) Prepare(query string) (driver.Stmt, error) {
	return nil, fmt.Errorf("unexpected prepare of %q", query)
}

func (r *recorder) ExecContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	r.statements = append(r.statements, strings.TrimSpace(query))
	return driver.RowsAffected(0), nil
}

// recorderStore says what goose asks of its version table, for one version.
type recorderStore struct{ applied bool }

func (recorderStore) Tablename() string { return "none" }

func (recorderStore) TableExists(context.Context, database.DBTxConn) (bool, error) { return true, nil }

func (recorderStore) CreateVersionTable(context.Context, database.DBTxConn) error { return nil }

func (recorderStore) Insert(context.Context, database.DBTxConn, database.InsertRequest) error {
	return nil
}

func (recorderStore) Delete(context.Context, database.DBTxConn, int64) error { return nil }

func (s recorderStore) GetMigration(context.Context, database.DBTxConn, int64) (*database.GetMigrationResult, error) {
	if !s.applied {
		return nil, database.ErrVersionNotFound
	}
	return &database.GetMigrationResult{IsApplied: true}, nil
}

func (recorderStore) GetLatestVersion(context.Context, database.DBTxConn) (int64, error) {
	return 0, nil
}

func (recorderStore) ListMigrations(context.Context, database.DBTxConn) ([]*database.ListMigrationsResult, error) {
	return nil, nil
}
