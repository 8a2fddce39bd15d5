package portal_test

import (
	"context"
	"encoding/json"
	"strings"
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

// setup takes more settings for the URL of the database.
func setup(t testing.TB, settings ...string) *bundle {
	t.Helper()
	url := pgtest.New(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: strings.Join(append([]string{url}, settings...), "&"), ApplicationName: "portal_test"})
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

// create adds a queued submission.
func (b *bundle) create(t testing.TB) portal.Submission {
	t.Helper()
	created, _, err := b.service.CreateSubmission(t.Context(), "test", portal.NewSubmission{Kind: "dfd", Version: "1", Payload: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// trail returns the action and meta of the audit events of a submission, the oldest first.
func (b *bundle) trail(t testing.TB, id string) []string {
	t.Helper()
	rows, err := b.conn.Query(t.Context(), "SELECT concat_ws(' ', actor_cpf, actor_nome, kind, action, meta - 'sid') FROM automation_audits WHERE meta ->> 'sid' = $1 ORDER BY id", id)
	if err != nil {
		t.Fatal(err)
	}
	trail, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return trail
}
