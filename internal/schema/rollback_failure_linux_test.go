package schema_test

import (
	"errors"
	"os"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"portaldb/internal/pgtest"
)

// TestRollbackFailures_disk_full: the server has no room left for the copy of a column.
func TestRollbackFailures_disk_full(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	if err := server.EnsureDatabase(t.Context(), "portal"); err != nil {
		t.Fatal(err)
	}
	url := server.URL("portal")
	dir := writeMigrations(t, files(
		"create table a (id integer primary key);\n-- +goose Down\ndrop table a;",
		"alter table a add column note text;\n-- +goose Down\nalter table a drop column note;",
	))
	engine := open(t, url, os.DirFS(dir))
	mustUp(t, engine, 0)
	send(t, url, `insert into a select n, repeat('x', 100) from generate_series(1, 20000) n`, `vacuum a`)
	before := dump(t, url)
	limitFiles(t, server, 1<<20)
	_, err := engine.Rollback(t.Context(), to(1))
	limitFiles(t, server, -1)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		t.Fatalf("got %v", err)
	}
	version, versionErr := engine.Version(t.Context())
	if versionErr != nil {
		t.Fatal(versionErr)
	}
	wantTrue(t, "a full disk", err, 2, version)
	if now := dump(t, url); version != 2 || !equal(before, now) {
		t.Fatalf("at version %d: %s", version, firstDifference(before, now))
	}
	if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := engine.UpRestoring(t.Context(), 0, ""); err != nil {
		t.Fatal(err)
	}
	if now := dump(t, url); !equal(before, now) {
		t.Fatalf("afterwards: %s", firstDifference(before, now))
	}
}
