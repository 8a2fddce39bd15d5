package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/pgtest"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// open opens a new database with one connection to each pool, and more settings in the URL if given.
func open(t testing.TB, cfg postgres.Config, settings ...string) *postgres.DB {
	t.Helper()
	if cfg.URL == "" {
		cfg.URL = pgtest.New(t)
	}
	cfg.URL += "&" + strings.Join(append(settings, "pool_max_conns=1"), "&")
	db, err := postgres.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// one returns the one value that a statement returns.
func one[T any](ctx context.Context, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}, sql string, args ...any) (v T, err error) {
	err = db.QueryRow(ctx, sql, args...).Scan(&v)
	return v, err
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestOpen_NeverQuotesTheConnectionString(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://user:s3cret@host:notaport/db",
		"postgres://user:s3cret@ho st/db",
		"host=h password=s3cret sslmode=nonsense",
		"host=h password='s3cret",
		"postgres://user:s3cret@host/db?pool_max_conns=many",
	} {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: url})
		if err == nil {
			db.Close()
			t.Errorf("%s is taken", url)
		} else if strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error quotes the password: %v", err)
		}
	}
}

func TestDB_Sessions(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Config{ApplicationName: "portaldb test"})
	const sql = "SELECT current_setting('application_name') || ', ' || current_setting('TimeZone')"
	for name, tx := range map[string]interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}{"primary": db.Primary(), "reads": db.Reads()} {
		if got := must[string](t)(one[string](t.Context(), tx, sql)); got != "portaldb test, UTC" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestReads goes through what can happen to a statement, and then asks whether its connection is as it was before.
func TestReads(t *testing.T) {
	t.Parallel()
	const settings = `SELECT concat_ws(' ', current_setting('transaction_read_only'), current_setting('statement_timeout'),
		current_setting('plan_cache_mode'), current_setting('seq_page_cost'), current_setting('random_page_cost'),
		current_setting('cpu_index_tuple_cost'))`
	backend := func(t *testing.T, reads postgres.Reads) int {
		return must[int](t)(one[int](t.Context(), reads, "SELECT pg_backend_pid()"))
	}
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			for _, test := range []struct {
				name string
				run  func(context.Context, postgres.Reads) error
				code portal.Code // none if it succeeds
			}{
				{"rows", func(ctx context.Context, reads postgres.Reads) error {
					rows, err := reads.Query(ctx, "SELECT generate_series(1, $1::int)", 3)
					if err != nil {
						return err
					}
					defer rows.Close()
					n := 0
					for rows.Next() {
						n++
					}
					if n != 3 {
						return errors.New("not three rows")
					}
					return rows.Err()
				}, ""},
				{"rows left unread", func(ctx context.Context, reads postgres.Reads) error {
					rows, err := reads.Query(ctx, "SELECT generate_series(1, 100000)")
					if err != nil {
						return err
					}
					rows.Next()
					rows.Close()
					return rows.Err()
				}, ""},
				{"no row", func(ctx context.Context, reads postgres.Reads) error {
					_, err := one[int](ctx, reads, "SELECT 1 WHERE false")
					return err
				}, portal.CodeNotFound},
				{"value of another type", func(ctx context.Context, reads postgres.Reads) error {
					_, err := one[int](ctx, reads, "SELECT 'text'")
					return err
				}, portal.CodeInternal},
				{"wrong statement", func(ctx context.Context, reads postgres.Reads) error {
					_, err := one[int](ctx, reads, "SELEKT 1")
					return err
				}, portal.CodeInternal},
				{"error in the first row", func(ctx context.Context, reads postgres.Reads) error {
					_, err := one[int](ctx, reads, "SELECT 1 / $1::int", 0)
					return err
				}, portal.CodeInvalid},
				{"error in a later row", func(ctx context.Context, reads postgres.Reads) error {
					rows, err := reads.Query(ctx, "SELECT 1 / (10000 - n) FROM generate_series(1, 20000) n")
					if err != nil {
						return err
					}
					defer rows.Close()
					for rows.Next() {
					}
					return rows.Err()
				}, portal.CodeInvalid},
				{"timeout", func(ctx context.Context, reads postgres.Reads) error {
					_, err := one[int](ctx, reads, "SELECT 1 FROM pg_sleep(60)")
					return err
				}, portal.CodeUnavailable},
				{"change", func(ctx context.Context, reads postgres.Reads) error {
					_, err := one[int](ctx, reads, "INSERT INTO automation_audits (kind, action) VALUES ('k', 'a') RETURNING 1")
					return err
				}, portal.CodeUnavailable},
			} {
				t.Run(test.name, func(t *testing.T) {
					db := open(t, postgres.Config{ReadTimeout: 200 * time.Millisecond}, "default_query_exec_mode="+mode)
					reads := db.Reads()
					before := backend(t, reads)
					switch err := test.run(t.Context(), reads); {
					case test.code == "" && err != nil:
						t.Error(err)
					case test.code != "" && (err == nil || portal.ErrorCode(err) != test.code):
						t.Errorf("error %v, want one of code %s", err, test.code)
					}
					if after := backend(t, reads); after != before {
						t.Errorf("the connection was lost: backend %d became %d", before, after)
					}
					if got := must[string](t)(one[string](t.Context(), reads, settings)); got != "on 200ms force_custom_plan 0 0 0.01" {
						t.Errorf("settings of a read: %s", got)
					}
					if got := must[string](t)(one[string](t.Context(), db.PlainReads(), settings)); got != "off 0 auto 1 4 0.005" {
						t.Errorf("settings that a read left behind: %s", got)
					}
					if busy := db.BusyReads(); busy != 0 {
						t.Errorf("%d connections not given back", busy)
					}
				})
			}
		})
	}

	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		db := open(t, postgres.Config{})
		before := backend(t, db.Reads())
		for _, sql := range []string{"SELECT n, pg_sleep(0.001)::text FROM generate_series(1, 1000000) n", "SELECT 1 FROM pg_sleep(60)"} {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			rows, err := db.Reads().Query(ctx, sql)
			if err == nil {
				for rows.Next() {
				}
				err = rows.Err()
				rows.Close()
			}
			if err == nil || portal.ErrorCode(err) != portal.CodeUnavailable {
				t.Errorf("error %v, want one of code unavailable", err)
			}
		}
		if after := backend(t, db.Reads()); after != before {
			t.Errorf("the connection was lost: backend %d became %d", before, after)
		}
		if busy := db.BusyReads(); busy != 0 {
			t.Errorf("%d connections not given back", busy)
		}
	})
}

// TestReads_CustomPlans proves that no plan for any arguments is used, however often a statement runs.
func TestReads_CustomPlans(t *testing.T) {
	t.Parallel()
	reads := open(t, postgres.Config{}).Reads()
	for range 20 {
		must[int](t)(one[int](t.Context(), reads, "SELECT count(*) FROM submissions WHERE kind = $1", "dfd"))
	}
	const plans = "SELECT custom_plans || ' ' || generic_plans FROM pg_prepared_statements WHERE statement LIKE 'SELECT count%submissions%'"
	if got := must[string](t)(one[string](t.Context(), reads, plans)); got != "20 0" {
		t.Errorf("custom and generic plans: %s, want 20 and 0", got)
	}
}

// TestRoundTrips counts how often the client has to wait for the server.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	wire := pgtest.NewWire(t, pgtest.New(t))
	db := open(t, postgres.Config{URL: wire.URL})
	for name, tx := range map[string]interface {
		QueryRow(context.Context, string, ...any) pgx.Row
	}{"primary": db.Primary(), "reads": db.Reads()} {
		run := func() { must[int](t)(one[int](t.Context(), tx, "SELECT count(*) FROM submissions WHERE id = $1", "x")) }
		run() // prepares
		if trips := wire.Count(run); trips != 1 {
			t.Errorf("%s: %d round trips, want 1", name, trips)
		}
	}
}

// TestDB_moments reads timestamps that neither a time.Time nor RFC 3339 has.
func TestDB_moments(t *testing.T) {
	t.Parallel()
	db := open(t, postgres.Config{})
	for sql, want := range map[string]string{
		"infinity": "9999-12-31T23:59:59.999999Z", "-infinity": "0001-01-01T00:00:00Z", "0044-03-15 BC": "0001-01-01T00:00:00Z",
		"12026-01-01": "9999-12-31T23:59:59.999999Z", "2026-01-02 03:04:05.678901+00": "2026-01-02T03:04:05.678901Z",
	} {
		var at time.Time
		var nullable *time.Time
		for name, tx := range map[string]interface {
			QueryRow(context.Context, string, ...any) pgx.Row
		}{"primary": db.Primary(), "reads": db.Reads()} {
			if err := tx.QueryRow(t.Context(), "SELECT $1::text::timestamptz, $1::text::timestamptz", sql).Scan(&at, &nullable); err != nil {
				t.Fatalf("%s: %v", sql, err)
			}
			if got := at.Format(time.RFC3339Nano); got != want || !nullable.Equal(at) {
				t.Errorf("%s, %s: %s and %s, want %s", name, sql, got, nullable, want)
			}
		}
	}
	var absent *time.Time
	if err := db.Primary().QueryRow(t.Context(), "SELECT NULL::timestamptz").Scan(&absent); err != nil || absent != nil {
		t.Errorf("NULL: %v, %v", absent, err)
	}
}

func TestReads_Count(t *testing.T) {
	t.Parallel()
	reads := open(t, postgres.Config{ReadTimeout: 200 * time.Millisecond}).Reads()
	if n, err := reads.Count(t.Context(), "SELECT generate_series(1, $1::int)", 7); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := reads.Estimate(t.Context(), "SELECT generate_series(1, $1::int)", 7); n != 7 || err != nil {
		t.Errorf("expects %d, %v", n, err)
	}
	_, err := reads.Count(t.Context(), "SELECT pg_sleep(60)")
	if portal.ErrorCode(err) != portal.CodeUnavailable || !strings.Contains(portal.ErrorMessage(err), "count=estimated") {
		t.Errorf("error %v, want one that says what to do", err)
	}
	if _, err := reads.Estimate(t.Context(), "SELECT pg_sleep(60)"); err != nil {
		t.Errorf("an estimate runs the statement: %v", err)
	}
}
