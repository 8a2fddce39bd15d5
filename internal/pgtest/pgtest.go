// Package pgtest gives every test a database of its own, cloned from a template that has been migrated
// once.
//
// The server is a private one, started when the first test asks for a database. If
// PORTALDB_TEST_DATABASE_URL is set, its server is used instead; that login must be allowed to create
// roles and databases. Tests connect as a role that owns its databases and may do nothing else. On the
// private server sessions have an odd time zone and order of dates, so that code which relies on the
// usual ones fails here and not in production.
package pgtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // pgtestdb opens databases through database/sql
	"github.com/peterldowns/pgtestdb"
	"github.com/pressly/goose/v3"
	"go.uber.org/goleak"

	"portaldb/internal/devpg"
	"portaldb/migrations"
)

// serverVariable names a server to use instead of a private one.
const serverVariable = "PORTALDB_TEST_DATABASE_URL"

// hostile settings are legal, and unlike the usual ones.
var hostile = map[string]string{
	"timezone":        "Asia/Kathmandu", // 5:45 ahead of UTC
	"datestyle":       "ISO, DMY",       // what initdb chooses for Brazilian Portuguese
	"intervalstyle":   "postgres_verbose",
	"max_connections": "300", // for many tests at once
}

// private is the server of this test binary, once a test has asked for it.
var private struct {
	once   sync.Once
	server *devpg.Server
	err    error
}

// Main runs the tests of a package, stops the server, calls what cleans up, and ends the process. It fails
// a run that leaves goroutines behind. It is to be called by TestMain.
func Main(m *testing.M, cleanUp ...func()) {
	code := m.Run()
	for _, clean := range cleanUp {
		clean()
	}
	if private.server != nil {
		if err := private.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// New returns the URL of a database of the latest version, which is dropped when the test has passed. The
// log of a failed test names it. Connections must be closed by then: one that is still open fails
// the test.
func New(t testing.TB) string {
	t.Helper()
	return create(t, migrator{})
}

// Empty is New without any migration.
func Empty(t testing.TB) string {
	t.Helper()
	return create(t, pgtestdb.NoopMigrator{})
}

// Superuser returns the URL of the given database for the server's superuser, for tests that do what
// the owner of a database may not.
func Superuser(t testing.TB, database string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatalf("parse the URL of the test database: %v", err)
	}
	admin := serverURL(t)
	u.User = admin.User
	return u.String()
}

// Server starts a server that no other test uses, to be killed or filled, and stops it when the test
// ends. A test that starts one again on the same folder wants devpg.Start with Dir.
func Server(t testing.TB) *devpg.Server {
	t.Helper()
	server, err := devpg.Start(context.Background(), devpg.Config{Ephemeral: true, Settings: hostile})
	if err != nil {
		t.Fatalf("start a test server: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Errorf("stop the test server: %v", err)
		}
	})
	return server
}

// Dir is t.TempDir that the account which runs PostgreSQL can enter.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "portaldb-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // that account has to pass
		t.Fatal(err)
	}
	return dir
}

func create(t testing.TB, m pgtestdb.Migrator) string {
	t.Helper()
	u := serverURL(t)
	// pgtestdb puts the parts together as they are.
	user, password, _ := strings.Cut(u.User.String(), ":")
	conf := pgtestdb.Config{
		DriverName: "pgx",
		Host:       strings.TrimSuffix(u.Host, ":"+u.Port()),
		Port:       u.Port(),
		User:       user,
		Password:   password,
		Database:   strings.TrimPrefix(u.EscapedPath(), "/"),
		Options:    u.RawQuery,
	}
	return pgtestdb.Custom(t, conf, m).URL()
}

// serverURL returns the URL of the server as its superuser.
func serverURL(t testing.TB) *url.URL {
	t.Helper()
	database := os.Getenv(serverVariable)
	if database == "" {
		database = privateServer(t).URL("postgres")
	}
	u, err := url.Parse(database)
	if err != nil || u.Host == "" || u.Path == "" {
		t.Fatalf("%s is not a URL like postgres://user:password@host:port/database", serverVariable)
	}
	if u.Port() == "" {
		u.Host = net.JoinHostPort(u.Hostname(), "5432")
	}
	return u
}

func privateServer(t testing.TB) *devpg.Server {
	t.Helper()
	private.once.Do(func() {
		private.server, private.err = devpg.Start(context.Background(), devpg.Config{
			Ephemeral: true,
			Settings:  hostile,
		})
	})
	if private.err != nil {
		t.Fatalf("start the test server: %v", private.err)
	}
	return private.server
}

// migrator brings a template to the latest version.
type migrator struct{}

// Hash covers the name and the content of every migration.
func (migrator) Hash() (string, error) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return "", fmt.Errorf("list migrations: %w", err)
	}
	hash := sha256.New()
	for _, name := range names {
		content, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			return "", fmt.Errorf("read migration: %w", err)
		}
		fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content)
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}

// Migrate applies every migration.
func (migrator) Migrate(ctx context.Context, db *sql.DB, _ pgtestdb.Config) error {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, migrations.FS)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	_, err = provider.Up(ctx)
	return err
}
