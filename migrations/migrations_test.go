package migrations_test

import (
	"database/sql"
	"fmt"
	"os"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// database is an empty database, migrated by plain goose with its own version table and nothing of ours.
type database struct {
	*sql.DB
	goose *goose.Provider
	url   string
}

func newDatabase(t *testing.T) database {
	t.Helper()
	url := pgtest.Empty(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	return database{db, provider, url}
}

// latest is the version of the last file.
func (d database) latest() int64 {
	sources := d.goose.ListSources()
	return sources[len(sources)-1].Version
}

func (d database) up(t *testing.T, to int64) {
	t.Helper()
	if _, err := d.goose.UpTo(t.Context(), to); err != nil {
		t.Fatalf("up to %05d: %v", to, err)
	}
}

func (d database) down(t *testing.T, to int64) {
	t.Helper()
	if _, err := d.goose.DownTo(t.Context(), to); err != nil {
		t.Fatalf("down to %05d: %v", to, err)
	}
}

func (d database) exec(t *testing.T, query string) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), query); err != nil {
		t.Fatalf("%v, in: %s", err, query)
	}
}

// execFile sends a whole file as one batch, as the legacy application does.
func (d database) execFile(t *testing.T, path string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.ExecContext(t.Context(), string(content)); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// strings returns the only column of a query's rows.
func (d database) strings(t *testing.T, query string) []string {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%v, in: %s", err, query)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func (d database) catalog(t *testing.T) catalog.Catalog {
	t.Helper()
	tx, err := d.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	c, err := catalog.Read(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// wantCatalog compares the live catalog with another one, order of columns included.
func (d database) wantCatalog(t *testing.T, want catalog.Catalog, when string) {
	t.Helper()
	for _, difference := range catalog.Diff(want, d.catalog(t)) {
		t.Errorf("%s: %+v", when, difference)
	}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	empty := db.catalog(t)
	db.up(t, db.latest())
	head := db.catalog(t)
	db.down(t, 0)
	db.wantCatalog(t, empty, "all up, all down")

	before := empty
	for version := int64(1); version <= db.latest(); version++ {
		db.up(t, version)
		after := db.catalog(t)
		db.down(t, version-1)
		db.wantCatalog(t, before, fmt.Sprintf("%05d up, down", version))
		db.up(t, version)
		db.wantCatalog(t, after, fmt.Sprintf("%05d up, down, up", version))
		if t.Failed() {
			return
		}
		before = after
	}
	db.wantCatalog(t, head, "up one by one")
}

func TestPlainGoose(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	results, err := db.goose.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != int(db.latest()) {
		t.Errorf("up applied %d files, want %d", len(results), db.latest())
	}
	if schemas := db.strings(t, `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'portaldb%'`); len(schemas) > 0 {
		t.Errorf("the files need the bookkeeping: %v", schemas)
	}

	// Whoever began with plain goose goes on with the binary, and the other way round.
	engine, err := schema.Open(schema.Config{URL: db.url, FS: migrations.FS})
	if err != nil {
		t.Fatal(err)
	}
	status, err := engine.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status.Version != db.latest() || len(status.Pending) > 0 {
		t.Errorf("the engine sees version %d with %d pending, want %d and none", status.Version, len(status.Pending), db.latest())
	}
	if results, err = db.goose.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if len(results) != int(db.latest()) {
		t.Errorf("down undid %d files, want %d", len(results), db.latest())
	}
	if _, err := engine.Up(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if pending, err := db.goose.HasPending(t.Context()); err != nil || pending {
		t.Errorf("after an up of the engine goose has pending files: %t, %v", pending, err)
	}
	db.down(t, 0)
}

// TestSearchPath applies everything for a role whose search_path leads elsewhere, as one whose name is also that of a
// schema: each object must still end where it belongs.
func TestSearchPath(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	db.SetMaxOpenConns(1)
	db.exec(t, `CREATE SCHEMA elsewhere; SET search_path = elsewhere`)
	db.up(t, db.latest())
	const stray = `SELECT relname FROM pg_class WHERE relnamespace = 'elsewhere'::regnamespace AND relname NOT LIKE 'goose_db_version%'`
	if names := db.strings(t, stray); len(names) > 0 {
		t.Errorf("made outside of public: %v", names)
	}
	db.down(t, 0)
}
