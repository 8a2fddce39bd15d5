package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"portaldb/internal/pgtest"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

// TestDB_RequestIDs looks for requests in the server's own log: a list that is slow, a change that fails, one that
// waits.
func TestDB_RequestIDs(t *testing.T) {
	t.Parallel()
	server := pgtest.Server(t)
	url := server.URL("postgres")
	admin := must[*pgx.Conn](t)(pgx.Connect(t.Context(), url))
	defer admin.Close(context.Background())
	for _, sql := range []string{
		"CREATE TABLE things (n int PRIMARY KEY)",
		"ALTER SYSTEM SET log_line_prefix = '%m [%p] %a: '",
		"ALTER SYSTEM SET log_min_duration_statement = 100",
		"SELECT pg_reload_conf()",
	} {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	log := func() string {
		text, err := os.ReadFile(server.LogFile())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}

	db := open(t, postgres.Config{URL: url, ApplicationName: "portaldb serve"})
	request := func(id string) context.Context { return portal.WithRequestID(t.Context(), id) }
	const slow = "SELECT current_setting('application_name') FROM pg_sleep(0.2) -- %s"
	if name := must[string](t)(one[string](request("slow-list"), db.Reads(), fmt.Sprintf(slow, "reads"))); name != "portaldb slow-list" {
		t.Errorf("the list ran as %q", name)
	}
	must[string](t)(one[string](request("slow-change"), db.Primary(), fmt.Sprintf(slow, "primary")))
	if _, err := one[int](request("failed-list"), db.Reads(), "SELECT 1 / $1::int", 0); err == nil {
		t.Error("no error")
	}
	if _, err := db.Primary().Exec(request("good-change"), "INSERT INTO things VALUES (1)"); err != nil {
		t.Error(err)
	}
	if _, err := db.Primary().Exec(request("failed-change"), "INSERT INTO things VALUES (1)"); portal.ErrorCode(err) != portal.CodeConflict {
		t.Errorf("error %v", err)
	}
	if _, err := db.Primary().Exec(request("52998224725"), "INSERT INTO things VALUES (1)"); err == nil {
		t.Error("no error")
	}
	for _, want := range []string{"portaldb slow-list: LOG:  duration: ", "portaldb slow-change: LOG:  duration: ", "portaldb failed-list: ERROR: ", "portaldb failed-change: ERROR: "} {
		for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log(), want); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log has no %q: %s", want, log())
			}
		}
	}
	if strings.Contains(log(), "52998224725") {
		t.Error("a CPF is in the log")
	}
	// Nothing stays behind on the connection.
	for _, way := range []interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}{db.Primary(), db.Reads()} {
		if name := must[string](t)(one[string](t.Context(), way, "SELECT current_setting('application_name')")); name != "portaldb serve" {
			t.Errorf("without a request it ran as %q", name)
		}
	}
}

// TestDB_RequestIDs_Statements tries which statements carry the id of their request: not those for one row by its key.
func TestDB_RequestIDs_Statements(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Config{URL: pgtest.New(t)})
	ctx := portal.WithRequestID(t.Context(), "id")
	if name := must[string](t)(one[string](ctx, db.Primary(), "-- name: GetThing :one\nSELECT current_setting('application_name')")); name != "" {
		t.Errorf("a row by its key ran as %q", name)
	}
	if name := must[string](t)(one[string](ctx, db.Primary(), "SELECT current_setting('application_name')")); name != "portaldb id" {
		t.Errorf("a change ran as %q", name)
	}
}

// TestPrimary_CommitFails has a change refused when it is committed, after its rows have come.
func TestPrimary_CommitFails(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Config{URL: pgtest.Empty(t)})
	for _, sql := range []string{
		"CREATE TABLE a (n int PRIMARY KEY)", "CREATE TABLE b (n int REFERENCES a DEFERRABLE INITIALLY DEFERRED)",
	} {
		if _, err := db.Primary().Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	for name, ctx := range map[string]context.Context{"plain": t.Context(), "named": portal.WithRequestID(t.Context(), "id")} {
		if _, err := one[int](ctx, db.Primary(), "INSERT INTO b VALUES (1) RETURNING n"); err == nil {
			t.Errorf("%s: a row that was not stored is reported as stored", name)
		}
		if _, err := db.Primary().Exec(ctx, "INSERT INTO b VALUES (1)"); err == nil {
			t.Errorf("%s: Exec hides that nothing was stored", name)
		}
		rows, err := db.Primary().Query(ctx, "INSERT INTO b VALUES (1) RETURNING n")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
		}
		if rows.Err() == nil {
			t.Errorf("%s: Query hides that nothing was stored", name)
		}
		rows.Close()
	}
	if n := must[int](t)(one[int](t.Context(), db.Primary(), "SELECT count(*)::int FROM b")); n != 0 {
		t.Errorf("%d rows", n)
	}
}

func TestDB_Observed(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	db := open(t, postgres.Config{URL: pgtest.New(t), Registry: registry, Tracer: provider.Tracer("test")})
	ctx := portal.WithRequestID(t.Context(), "id")
	must[int](t)(one[int](ctx, db.Primary(), "-- name: GetThing :one\nSELECT 1"))
	must[int](t)(one[int](ctx, db.Primary(), "-- name: ChangeThing :one\nSELECT 1"))
	must[int](t)(one[int](ctx, db.Reads(), "-- name: ListThings :many\nSELECT 1"))
	if _, err := one[int](ctx, db.Reads(), "-- name: ListWrong :many\nSELECT 1 / $1::int", 0); err == nil {
		t.Error("no error")
	}
	if _, err := one[int](ctx, db.Primary(), "-- name: ChangeWrong :one\nSELECT '52998224725x'::int"); err == nil {
		t.Error("no error")
	}
	for i := range 1000 {
		must[int](t)(one[int](t.Context(), db.Primary(), fmt.Sprintf("SELECT %d", i), pgx.QueryExecModeExec))
	}

	text := ""
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		text += family.String() + "\n"
	}
	for _, query := range []string{"GetThing", "ChangeThing", "ListThings", "ListWrong", "ChangeWrong"} {
		if !strings.Contains(text, `value:"`+query+`"`) {
			t.Errorf("%s is not measured", query)
		}
	}
	if n := testutil.CollectAndCount(registry, "portaldb_query_errors_total"); n != 2 {
		t.Errorf("errors of %d queries", n)
	}
	if n := testutil.CollectAndCount(registry, "portaldb_query_duration_seconds"); n != 6 { // those and the others
		t.Errorf("%d queries", n)
	}
	for _, name := range []string{"acquired_connections", "idle_connections", "max_connections", "waits_total", "wait_seconds_total", "waits_given_up_total"} {
		if n := testutil.CollectAndCount(registry, "portaldb_pool_"+name); n != 2 {
			t.Errorf("%s of %d pools", name, n)
		}
	}

	names := map[string]codes.Code{}
	for _, span := range spans.Ended() {
		names[span.Name()] = span.Status().Code
		if strings.Contains(fmt.Sprint(span.Attributes(), span.Status(), span.Events()), "52998224725") {
			t.Error("a span tells a value")
		}
	}
	for name, code := range map[string]codes.Code{"GetThing": codes.Unset, "ListThings": codes.Unset, "ListWrong": codes.Error, "ChangeWrong": codes.Error} {
		if got, ok := names[name]; !ok || got != code {
			t.Errorf("span %s: %v", name, got)
		}
	}
}
