package portal_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/pgtest"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// bundle is a service on a database of its own.
type bundle struct {
	service *portal.Service
	db      *postgres.DB
	conn    *pgx.Conn // beside the service
}

func setup(t testing.TB) *bundle {
	t.Helper()
	url := pgtest.New(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: url, ApplicationName: "portal_test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return &bundle{service: portal.New(db.Primary(), db.Reads()), db: db, conn: conn}
}

func (b *bundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := b.conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
}

// value returns the one value that a query gives.
func value[T any](t testing.TB, b *bundle, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := b.conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
	return v
}

func wantCode(t testing.TB, err error, code portal.Code) {
	t.Helper()
	if err == nil || portal.ErrorCode(err) != code {
		t.Errorf("error %v, want one of code %s", err, code)
	}
}

func ptr[T any](v T) *T { return &v }
