package pgtest_test

import (
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
	"portaldb/migrations"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func execute(t *testing.T, database, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func query[T any](t *testing.T, database, sql string, args ...any) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var value T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func name(t *testing.T, database string) string {
	t.Helper()
	return query[string](t, database, "SELECT current_database()")
}

func TestNew(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	latest, err := strconv.Atoi(files[len(files)-1][:5])
	if err != nil {
		t.Fatal(err)
	}
	one, other := pgtest.New(t), pgtest.New(t)
	if got := query[int](t, one, "SELECT max(version_id) FROM goose_db_version"); got != latest {
		t.Errorf("version is %d, want %d", got, latest)
	}
	execute(t, one, "CREATE TABLE public.only_here ()")
	if query[bool](t, other, "SELECT to_regclass('public.only_here') IS NOT NULL") {
		t.Error("two databases share their tables")
	}
}

func TestNew_DropsDatabase(t *testing.T) {
	t.Parallel()
	here := pgtest.Empty(t)
	var dropped string
	t.Run("inner", func(t *testing.T) { dropped = name(t, pgtest.New(t)) })
	if query[bool](t, here, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", dropped) {
		t.Errorf("%s outlived its test", dropped)
	}
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	database := pgtest.Empty(t)
	if n := query[int](t, database, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"); n != 0 {
		t.Errorf("%d relations, want none", n)
	}
	if query[bool](t, database, "SELECT usesuper OR usecreatedb FROM pg_user WHERE usename = current_user") {
		t.Error("tests run as more than the owner of a database")
	}
	superuser := pgtest.Superuser(t, database)
	if !query[bool](t, superuser, "SELECT usesuper FROM pg_user WHERE usename = current_user") {
		t.Error("Superuser is none")
	}
	if got, want := name(t, superuser), name(t, database); got != want {
		t.Errorf("Superuser leads to %s, want %s", got, want)
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	if got := query[string](t, server.URL("postgres"), "SELECT timestamptz '2026-01-01 00:00Z'::text"); got != "2026-01-01 05:45:00+05:45" {
		t.Errorf("time zone of tests: %s", got)
	}
	if err := syscall.Kill(server.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-server.Done()
	execute(t, pgtest.Empty(t), "SELECT") // is on another server
}

func TestDir(t *testing.T) {
	t.Parallel()
	server, err := devpg.Start(t.Context(), devpg.Config{Dir: filepath.Join(pgtest.Dir(t), "cluster"), Ephemeral: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
}

// The tests of this package run on a named server, with a login that needs escaping.
func TestNamedServer(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	execute(t, server.URL("postgres"), `CREATE ROLE "o dd@x" SUPERUSER LOGIN PASSWORD 'p:w/%?#&'`)
	named, err := url.Parse(server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	named.User = url.UserPassword("o dd@x", "p:w/%?#&")

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^(TestNew|TestNew_DropsDatabase|TestEmpty)$")
	cmd.Env = append(os.Environ(), "PORTALDB_TEST_DATABASE_URL="+named.String())
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), "--- PASS") != 4 {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := query[int](t, named.String(), "SELECT count(*) FROM pg_database WHERE datname LIKE 'testdb_tpl_%'"); n != 2 {
		t.Errorf("%d databases on the named server, want the two templates", n)
	}
}
