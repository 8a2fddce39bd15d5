package schema_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

func TestMain(m *testing.M) {
	upInstead() // of the tests, where a test started this binary as a process to be killed
	pgtest.Main(m)
}

func open(t testing.TB, url string, files fs.FS) *schema.Engine {
	t.Helper()
	return openWith(t, schema.Config{URL: url, FS: files})
}

func openWith(t testing.TB, config schema.Config) *schema.Engine {
	t.Helper()
	engine, err := schema.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// scan reads one value.
func scan[T any](t testing.TB, db *sql.DB, query string, args ...any) T {
	t.Helper()
	var v T
	if err := db.QueryRowContext(t.Context(), query, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return v
}

func serverMajor(t testing.TB, url string) int {
	t.Helper()
	return scan[int](t, connect(t, url), `select current_setting('server_version_num')::int / 10000`)
}

// files makes a set of migrations from bodies in order. A body without a Down gets one.
func files(bodies ...string) fstest.MapFS {
	set := fstest.MapFS{}
	for i, body := range bodies {
		if !strings.Contains(body, "+goose Down") {
			body += "\n-- +goose Down\n-- irreversible: a test's\nselect 1;\n"
		}
		set[fmt.Sprintf("%05d_create_thing%d.sql", i+1, i+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + body)}
	}
	return set
}

func TestEngine_Up(t *testing.T) {
	t.Parallel()

	t.Run("applies everything once", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, migrations.FS)
		result, err := engine.Up(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if result.From != 0 || result.To != engine.Latest() || len(result.Applied) != int(engine.Latest()) {
			t.Fatalf("got %d to %d with %d applied", result.From, result.To, len(result.Applied))
		}
		again, err := engine.Up(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		want := schema.Result{From: engine.Latest(), To: engine.Latest(), Applied: []schema.Applied{}}
		if diff := cmp.Diff(want, again); diff != "" {
			t.Fatalf("second run (-want +got):\n%s", diff)
		}
		db := connect(t, url)
		if n := scan[int](t, db, `select count(*) from portaldb.history where outcome = 'done' and direction = 'up'`); n != int(engine.Latest()) {
			t.Errorf("%d rows of history for %d migrations", n, engine.Latest())
		}
		if n := scan[int](t, db, `select count(*) from portaldb.history where effect->>'version' = version::text`); n != int(engine.Latest()) {
			t.Errorf("%d rows of history carry their effect, want %d", n, engine.Latest())
		}
	})

	t.Run("stops at the version asked for", func(t *testing.T) {
		t.Parallel()
		engine := open(t, pgtest.Empty(t), migrations.FS)
		if result, err := engine.Up(t.Context(), 3); err != nil || result.To != 3 {
			t.Fatalf("got %+v, %v", result, err)
		}
		if result, err := engine.Up(t.Context(), 2); err != nil || result.To != 3 || len(result.Applied) != 0 {
			t.Fatalf("up to an earlier version: got %+v, %v", result, err)
		}
		var refused *schema.RefusedError
		if _, err := engine.Up(t.Context(), 99999); !errors.As(err, &refused) {
			t.Fatalf("got %v, want a refusal", err)
		}
	})

	t.Run("eight at once", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		var group errgroup.Group
		applied := make([]int, 8)
		for i := range applied {
			engine := open(t, url, migrations.FS)
			group.Go(func() error {
				result, err := engine.Up(t.Context(), 0)
				applied[i] = len(result.Applied)
				if err == nil && result.To != engine.Latest() {
					err = fmt.Errorf("ended at version %d", result.To)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		total := 0
		for _, n := range applied {
			total += n
		}
		if latest := int(open(t, url, migrations.FS).Latest()); total != latest {
			t.Errorf("%v migrations applied by the eight, %d in all", applied, latest)
		}
		if n := scan[int](t, connect(t, url), `select count(*) - count(distinct version_id) from public.goose_db_version`); n != 0 {
			t.Errorf("%d versions recorded twice", n)
		}
	})

	t.Run("a failing statement in a transaction", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, files(
			"create table a (id int);",
			"create table b (id int);\n\n-- a comment before it\ninsert into b\nvalues (1 / 0);\ncreate table c (id int);"))
		_, err := engine.Up(t.Context(), 0)
		var failed *schema.MigrationError
		if !errors.As(err, &failed) {
			t.Fatalf("got %v, want a MigrationError", err)
		}
		if failed.Version != 2 || failed.File != "00002_create_thing2.sql" || failed.Line != 5 {
			t.Errorf("got version %d, %s:%d", failed.Version, failed.File, failed.Line)
		}
		if failed.Statement != "insert into b\nvalues (1 / 0);" || failed.SQLState() != "22012" {
			t.Errorf("got statement %q, SQLSTATE %q", failed.Statement, failed.SQLState())
		}
		if len(failed.Applied) != 1 || failed.Applied[0].Version != 1 {
			t.Errorf("got applied %+v", failed.Applied)
		}
		if want := "the database is at version 1; 00002_create_thing2.sql was undone whole."; failed.State != want {
			t.Errorf("got state %q", failed.State)
		}
		db := connect(t, url)
		if scan[bool](t, db, `select to_regclass('b') is not null`) {
			t.Error("table b is left of the failed migration")
		}
		if got := scan[string](t, db, `select error from portaldb.history where outcome = 'failed' and version = 2`); got != "division by zero (SQLSTATE 22012)" {
			t.Errorf("history has %q", got)
		}
		if status, err := engine.Status(t.Context()); err != nil || status.Version != 1 || len(status.Pending) != 1 {
			t.Errorf("status %+v, %v", status, err)
		}
	})

	t.Run("a failing index outside a transaction", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, files(
			"create table a (id int);\ninsert into a values (1), (1);",
			"-- +goose NO TRANSACTION\ncreate unique index concurrently a_id_idx on a (id);"))
		_, err := engine.Up(t.Context(), 0)
		var failed *schema.MigrationError
		if !errors.As(err, &failed) || !strings.Contains(failed.State, "The index a_id_idx is invalid") || !strings.Contains(failed.Next, "Run up again") {
			t.Fatalf("got %v, %+v", err, failed)
		}
		// Once the duplicate is gone, the next run drops the invalid index and builds it.
		db := connect(t, url)
		if _, err := db.ExecContext(t.Context(), `delete from a; insert into a values (1)`); err != nil {
			t.Fatal(err)
		}
		if result, err := engine.Up(t.Context(), 0); err != nil || result.To != 2 {
			t.Fatalf("got %+v, %v", result, err)
		}
		if !scan[bool](t, db, `select indisvalid from pg_index where indexrelid = 'a_id_idx'::regclass`) {
			t.Error("a version was recorded over an invalid index")
		}
	})

	t.Run("an index that a run built and did not record", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, migrations.FS)
		if _, err := engine.Up(t.Context(), 40); err != nil {
			t.Fatal(err)
		}
		db := connect(t, url)
		undo := `delete from goose_db_version where version_id = 40`
		if _, err := db.ExecContext(t.Context(), undo); err != nil {
			t.Fatal(err)
		}
		oid := scan[int](t, db, `select 'automation_audits_at_id_idx'::regclass::oid::int`)
		if _, err := engine.Up(t.Context(), 40); err != nil {
			t.Fatal(err)
		}
		if scan[int](t, db, `select 'automation_audits_at_id_idx'::regclass::oid::int`) != oid {
			t.Error("the finished index was built again")
		}
		// Another index of that name is nobody's to judge.
		if _, err := db.ExecContext(t.Context(), undo+`; drop index automation_audits_at_id_idx; create index automation_audits_at_id_idx on automation_audits (at)`); err != nil {
			t.Fatal(err)
		}
		var failed *schema.MigrationError
		if _, err := engine.Up(t.Context(), 40); !errors.As(err, &failed) || failed.SQLState() != "42P07" {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("the lock is held by somebody", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		db := connect(t, url)
		holder, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := holder.ExecContext(t.Context(), `set application_name = 'the holder'; select pg_advisory_lock(x'706f7274616c6462'::bigint)`); err != nil {
			t.Fatal(err)
		}
		engine := openWith(t, schema.Config{URL: url, FS: files("create table a (id int);"), LockWait: 200 * time.Millisecond})
		_, err = engine.Up(t.Context(), 0)
		var locked *schema.LockedError
		if !errors.As(err, &locked) || !strings.Contains(locked.Holder, `"the holder"`) {
			t.Fatalf("got %v", err)
		}

		// As soon as the holder is gone, one that waits goes on.
		waiting := make(chan struct{}, 10)
		engine = openWith(t, schema.Config{URL: url, FS: files("create table a (id int);"), Progress: func(e schema.Event) {
			if e.Waiting != "" {
				waiting <- struct{}{}
			}
		}})
		var group errgroup.Group
		group.Go(func() error { _, err := engine.Up(t.Context(), 0); return err })
		<-waiting
		if _, err := holder.ExecContext(t.Context(), `select pg_advisory_unlock_all()`); err != nil {
			t.Fatal(err)
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if err := holder.Close(); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("a table's lock is not free", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a (id int);", "alter table a add column b int;")
		if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		tx, err := connect(t, url).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `select * from a`); err != nil {
			t.Fatal(err)
		}
		_, err = openWith(t, schema.Config{URL: url, FS: set, LockTimeout: 1500 * time.Millisecond, RetryFor: time.Millisecond}).Up(t.Context(), 0)
		var failed *schema.MigrationError
		if !errors.As(err, &failed) || !failed.LockNotAvailable() || failed.Line != 2 {
			t.Fatalf("got %v", err)
		}
		holder := scan[int](t, connect(t, url), `select pid from pg_locks where relation = 'a'::regclass and mode = 'AccessShareLock'`)
		if len(failed.Blockers) != 1 || failed.Blockers[0].PID != holder || failed.Blockers[0].State != "idle in transaction" {
			t.Errorf("blockers %v, want pid %d", failed.Blockers, holder)
		}

		// Tried again, it goes through as soon as the lock is free.
		retried := make(chan string, 100)
		var group errgroup.Group
		group.Go(func() error {
			_, err := openWith(t, schema.Config{URL: url, FS: set, LockTimeout: time.Second, Progress: func(e schema.Event) {
				if e.Retrying != nil {
					retried <- e.Retrying.Reason
				}
			}}).Up(t.Context(), 0)
			return err
		})
		<-retried
		if reason := <-retried; !strings.Contains(reason, fmt.Sprintf("pid %d", holder)) {
			t.Errorf("the retry's reason %q does not name pid %d", reason, holder)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	})

	for _, name := range []string{"others wait for a file's locks", "others wait, and the watcher's connection breaks"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			breaks := strings.Contains(name, "breaks")
			url := pgtest.Empty(t)
			set := files("create table a (id int);", "alter table a add column b int;\nselect pg_sleep(62);")
			if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			db := connect(t, url)
			var group errgroup.Group
			group.Go(func() error {
				_, err := openWith(t, schema.Config{URL: url, FS: set, BlockingBudget: 300 * time.Millisecond, RetryFor: time.Millisecond}).Up(t.Context(), 0)
				return err
			})
			waitFor(t, func() bool {
				return scan[bool](t, db, `select exists (select from pg_stat_activity where query = 'select pg_sleep(62);' and datname = current_database())`)
			})
			if breaks {
				waitFor(t, func() bool {
					return scan[bool](t, db, `select coalesce(bool_or(pg_terminate_backend(pid)), false) from pg_stat_activity where application_name like 'portaldb watch%' and datname = current_database()`)
				})
			}
			start := time.Now()
			if _, err := db.ExecContext(t.Context(), `select count(*) from a`); err != nil { // waits until the file gives way
				t.Fatal(err)
			}
			if waited := time.Since(start); waited > 5*time.Second { // a slow machine, but not another budget
				t.Errorf("others waited for %s, with a budget of 300 ms", waited)
			}
			var failed *schema.MigrationError
			if err := group.Wait(); !errors.As(err, &failed) || !failed.Yielded || !failed.LockNotAvailable() {
				t.Fatalf("got %v", err)
			}
			if v := scan[int](t, db, `select max(version_id) from goose_db_version`); v != 1 {
				t.Errorf("at version %d", v)
			}
		})
	}

	t.Run("an index waits for an old snapshot instead of failing", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a (id int);", "-- +goose NO TRANSACTION\ncreate index concurrently a_id_idx on a (id);")
		if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		db := connect(t, url)
		tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `select count(*) from pg_class`); err != nil {
			t.Fatal(err)
		}
		progress := make(chan schema.Progress, 100)
		var group errgroup.Group
		group.Go(func() error {
			_, err := openWith(t, schema.Config{URL: url, FS: set, LockTimeout: 50 * time.Millisecond, Progress: func(e schema.Event) {
				if e.Progress != nil {
					progress <- *e.Progress
				}
			}}).Up(t.Context(), 0)
			return err
		})
		holder := scan[int](t, connect(t, url), `select pid from pg_stat_activity where backend_xmin is not null and state = 'idle in transaction' and datname = current_database()`)
		if p := <-progress; p.Line != 3 || p.Phase == "" || len(p.Blockers) != 1 || p.Blockers[0].PID != holder {
			t.Errorf("progress %+v, want it to wait for pid %d", p, holder)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("an index whose statement begins with a comment", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a (id int);\ninsert into a values (1), (1);",
			"-- +goose NO TRANSACTION\n/* why */ create unique index concurrently if not exists a_id_idx on a (id);")
		engine := open(t, url, set)
		db := connect(t, url)
		for range 2 { // the first leaves it invalid, the second must not take it for done
			if result, err := engine.Up(t.Context(), 0); err == nil || result.To == 2 {
				t.Fatalf("recorded over an invalid index: %+v", result)
			}
		}
		if _, err := db.ExecContext(t.Context(), `delete from a; insert into a values (1)`); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if !scan[bool](t, db, `select indisvalid from pg_index where indexrelid = 'a_id_idx'::regclass`) {
			t.Error("a version was recorded over an invalid index")
		}
	})

	t.Run("an index that takes too long", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a (id int);", "-- +goose NO TRANSACTION\ncreate index concurrently a_id_idx on a (id);")
		if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		tx, err := connect(t, url).BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `select count(*) from pg_class`); err != nil {
			t.Fatal(err)
		}
		_, err = openWith(t, schema.Config{URL: url, FS: set, IndexTimeout: 300 * time.Millisecond}).Up(t.Context(), 0)
		var failed *schema.MigrationError
		if !errors.As(err, &failed) || failed.SQLState() != "57014" || failed.Yielded {
			t.Fatalf("got %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("a lock after an index was built", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a (id int);\ncreate table b (id int);",
			"-- +goose NO TRANSACTION\ncreate index concurrently a_id_idx on a (id);", "alter table b add column c int;")
		if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		tx, err := connect(t, url).BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `select * from b`); err != nil {
			t.Fatal(err)
		}
		_, err = openWith(t, schema.Config{URL: url, FS: set, LockTimeout: 200 * time.Millisecond, RetryFor: time.Millisecond}).Up(t.Context(), 0)
		var failed *schema.MigrationError
		if !errors.As(err, &failed) || failed.Version != 3 || failed.SQLState() != "55P03" {
			t.Fatalf("got %v", err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("the database is newer", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		if _, err := open(t, url, files("create table a ();", "create table b ();")).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		older := open(t, url, files("create table a ();"))
		if _, err := older.Up(t.Context(), 0); !errors.Is(err, schema.ErrNewer) {
			t.Fatalf("got %v, want ErrNewer", err)
		}
		status, err := older.Status(t.Context())
		if err != nil || !cmp.Equal(status.Newer, []int64{2}) || status.Drift != nil {
			t.Fatalf("status %+v, %v", status, err)
		}
	})

	t.Run("a file below the database's version", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		if _, err := open(t, url, files("create table a ();", "create table b ();")).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		db := connect(t, url)
		if _, err := db.ExecContext(t.Context(), `delete from goose_db_version where version_id = 1`); err != nil {
			t.Fatal(err)
		}
		var refused *schema.RefusedError
		if _, err := open(t, url, files("create table a ();", "create table b ();")).Up(t.Context(), 0); !errors.As(err, &refused) {
			t.Fatalf("got %v, want a refusal", err)
		}
	})

	t.Run("an applied file was edited", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		if _, err := open(t, url, files("create table a ();")).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		var refused *schema.RefusedError
		_, err := open(t, url, files("create table a (b int);", "create table c ();")).Up(t.Context(), 0)
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "00001_create_thing1.sql was edited") {
			t.Fatalf("got %v, want a refusal", err)
		}
	})

	t.Run("tables of legacy scripts", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		db := connect(t, url)
		if _, err := db.ExecContext(t.Context(), `create table submissions (id text)`); err != nil {
			t.Fatal(err)
		}
		var refused *schema.RefusedError
		if _, err := open(t, url, migrations.FS).Up(t.Context(), 0); !errors.As(err, &refused) {
			t.Fatalf("got %v, want a refusal", err)
		}
		if scan[bool](t, db, `select to_regclass('goose_db_version') is not null or to_regnamespace('portaldb') is not null`) {
			t.Error("the refusal left something behind")
		}
	})

	t.Run("another environment", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a ();", "create table b ();")
		if _, err := openWith(t, schema.Config{URL: url, FS: set, Environment: "production"}).Up(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		var refused *schema.RefusedError
		for _, environment := range []string{"staging", ""} {
			_, err := openWith(t, schema.Config{URL: url, FS: set, Environment: environment}).Up(t.Context(), 0)
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), `"production"`) {
				t.Fatalf("as %q: got %v, want a refusal", environment, err)
			}
		}
		if _, err := openWith(t, schema.Config{URL: url, FS: set, Environment: "production"}).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("a role named like a schema", func(t *testing.T) {
		t.Parallel()
		server := pgtest.Server(t)
		db := connect(t, server.URL("postgres"))
		if _, err := db.ExecContext(t.Context(), `create role portaldb superuser login password 'x'`); err != nil {
			t.Fatal(err)
		}
		named, err := url.Parse(server.URL("postgres"))
		if err != nil {
			t.Fatal(err)
		}
		named.User = url.UserPassword("portaldb", "x")
		var refused *schema.RefusedError
		if _, err := open(t, named.String(), files("create table a ();")).Up(t.Context(), 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), "the role portaldb") {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("a half without a statement", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		var refused *schema.RefusedError
		_, err := open(t, url, files("create table a ();\n-- +goose Down\n-- nothing")).Up(t.Context(), 0)
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "its Down has no statement") {
			t.Fatalf("got %v", err)
		}
	})

	t.Run("the server notices a client that is gone", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, files("create table interval as select current_setting('client_connection_check_interval') as value;"))
		if _, err := engine.Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if during := scan[string](t, connect(t, url), `select value from interval`); during != "2s" {
			t.Errorf("client_connection_check_interval is %q in a migration", during)
		}
	})

	t.Run("the history tells when a file began", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		if _, err := open(t, url, files("create table began as select clock_timestamp() as at;\nselect pg_sleep(0.5);")).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		// By the server's clock, less than the time that the file took.
		if off := scan[float64](t, connect(t, url), `select abs(extract(epoch from began.at - started_at))::float8 from began, portaldb.history where version = 1`); off > 0.4 {
			t.Errorf("started_at is off by %v s", off)
		}
		if ms := scan[int](t, connect(t, url), `select ms from portaldb.history where version = 1`); ms < 500 {
			t.Errorf("it took %d ms, by the history", ms)
		}
	})

	t.Run("an older bookkeeping", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a ();", "create table b ();")
		if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		execute(t, url, `drop table portaldb.accepted; drop table portaldb.replicas; update portaldb.meta set bookkeeping = 1`)
		if _, err := open(t, url, set).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if got := scan[string](t, connect(t, url), `
			select concat(bookkeeping > 1, to_regclass('portaldb.accepted') is not null, to_regclass('portaldb.replicas') is not null, (select count(*) from portaldb.history))
			from portaldb.meta`); got != "ttt2" {
			t.Errorf("raised, accepted, replicas, rows of history: %s", got)
		}
	})

	t.Run("the connection is cut", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, files("create table a ();", "create table b ();\nselect pg_sleep(60);"))
		db := connect(t, url)
		var group errgroup.Group
		group.Go(func() error { _, err := engine.Up(t.Context(), 0); return err })
		waitFor(t, func() bool {
			return scan[bool](t, db, `select coalesce(bool_or(pg_terminate_backend(pid)), false) from pg_stat_activity where query = 'select pg_sleep(60);' and datname = current_database()`)
		})
		var failed *schema.MigrationError
		if err := group.Wait(); !errors.As(err, &failed) || failed.State != "the connection was lost; the database is at version 1." {
			t.Fatalf("got %v, %+v", err, failed)
		}
	})

	t.Run("cancelled in the middle", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, files("create table a ();", "create table b ();\nselect pg_sleep(61);"))
		db := connect(t, url)
		ctx, cancel := context.WithCancel(t.Context())
		var group errgroup.Group
		group.Go(func() error { _, err := engine.Up(ctx, 0); return err })
		waitFor(t, func() bool {
			return scan[bool](t, db, `select exists (select from pg_stat_activity where query = 'select pg_sleep(61);' and datname = current_database())`)
		})
		cancel()
		var failed *schema.MigrationError
		if err := group.Wait(); !errors.Is(err, context.Canceled) || !errors.As(err, &failed) || !strings.Contains(failed.State, "at version 1") {
			t.Fatalf("got %v, %+v", err, failed) // what happened is told also to somebody who has pressed Ctrl-C
		}
		waitFor(t, func() bool { // the server ends the statement of a client that is gone
			return scan[bool](t, db, `select not exists (select from pg_stat_activity where query = 'select pg_sleep(61);' and datname = current_database())`)
		})
		if v := scan[int](t, db, `select max(version_id) from goose_db_version`); v != 1 {
			t.Errorf("at version %d", v)
		}
	})
}

// waitFor polls a condition.
func waitFor(t testing.TB, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the condition did not come about within 20 s")
		}
	}
}

func TestEngine_Up_unreachable(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://someone:S3cret@127.0.0.1:1/portal",
		strings.Replace(pgtest.Empty(t), "@", "WRONG@", 1),
	} {
		_, err := open(t, url, migrations.FS).Up(t.Context(), 0)
		var unreachable *schema.ConnectError
		if !errors.As(err, &unreachable) {
			t.Fatalf("got %v, want a ConnectError", err)
		}
		if strings.Contains(err.Error(), "S3cret") || strings.Contains(err.Error(), "WRONG") {
			t.Errorf("the message has the password: %v", err)
		}
	}
}

// TestEngine_Up_through_a_pooler puts something between that announces another process than the one that answers, as a
// pooler in transaction mode does.
func TestEngine_Up_through_a_pooler(t *testing.T) {
	t.Parallel()
	direct := pgtest.Empty(t)
	target, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var relays sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		relays.Wait()
	})
	relays.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := new(net.Dialer).DialContext(t.Context(), "tcp", target.Host)
			if err != nil {
				client.Close()
				return
			}
			relays.Go(func() {
				_, _ = io.Copy(server, client)
				server.Close()
			})
			relays.Go(func() {
				relayWithOtherPID(client, server)
				client.Close()
			})
		}
	})
	pooled := strings.Replace(direct, target.Host, listener.Addr().String(), 1)
	var refused *schema.RefusedError
	if _, err := open(t, pooled, files("create table a ();")).Up(t.Context(), 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), "DATABASE_DIRECT_URL") {
		t.Fatalf("got %v, want a refusal", err)
	}
	if scan[bool](t, connect(t, direct), `select to_regclass('a') is not null or to_regnamespace('portaldb') is not null`) {
		t.Error("something was changed")
	}
}

// relayWithOtherPID passes the server's messages on, until one side hangs up, and counts the announced process up
// (BackendKeyData, type K).
func relayWithOtherPID(client io.Writer, server io.Reader) {
	header := make([]byte, 5)
	for {
		if _, err := io.ReadFull(server, header); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(header[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		if header[0] == 'K' {
			binary.BigEndian.PutUint32(body, binary.BigEndian.Uint32(body)+1)
		}
		if _, err := client.Write(append(header[:5:5], body...)); err != nil {
			return
		}
	}
}

func TestEngine_Status_drift(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	engine := open(t, url, migrations.FS)
	status, err := engine.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status.Drift == nil || *status.Drift {
		t.Fatalf("a fresh database has drift: %+v", status)
	}
	db := connect(t, url)
	if _, err := db.ExecContext(t.Context(), `alter table submissions add column drifted text`); err != nil {
		t.Fatal(err)
	}
	if status, err = engine.Status(t.Context()); err != nil || status.Drift == nil || !*status.Drift {
		t.Fatalf("an added column is no drift: %+v, %v", status, err)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	file := &fstest.MapFile{Data: []byte("-- +goose Up\nselect 1;\n-- +goose Down\nselect 1;\n")}
	for _, c := range []struct {
		name string
		set  fstest.MapFS
		want string // part of the error
	}{
		{"none", fstest.MapFS{"readme.md": file}, "no migrations"},
		{"gap", fstest.MapFS{"00001_create_a.sql": file, "00003_create_b.sql": file}, "number 00002 is missing"},
		{"duplicate", fstest.MapFS{"00001_create_a.sql": file, "00001_create_b.sql": file}, "number 00001 is taken by 00001_create_a.sql"},
		{"four digits", fstest.MapFS{"0001_create_a.sql": file}, "NNNNN_verb_object.sql"},
		{"upper case", fstest.MapFS{"00001_Create_a.sql": file}, "NNNNN_verb_object.sql"},
		{"no object", fstest.MapFS{"00001_create.sql": file}, "NNNNN_verb_object.sql"},
		{"from zero", fstest.MapFS{"00000_create_a.sql": file}, "begin at 00001"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if _, err := schema.Files(c.set); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	f := schema.File{Version: 1, Name: "00001_create_a.sql", Body: `-- +goose Up
-- a header
create table a (note text default '-- Down');

-- +goose StatementBegin
create function f() returns int language sql as $$
    select 1; -- with a semicolon
$$;
-- +goose StatementEnd

-- +goose Down
drop function f();
drop table a;
`}
	up, tx, err := schema.Statements(f, true)
	if err != nil || !tx {
		t.Fatalf("tx %v, error %v", tx, err)
	}
	want := []string{"create table a (note text default '-- Down');", "create function f() returns int language sql as $$\n    select 1; -- with a semicolon\n$$;"}
	if diff := cmp.Diff(want, up); diff != "" {
		t.Errorf("Up (-want +got):\n%s", diff)
	}
	down, _, err := schema.Statements(f, false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"drop function f();", "drop table a;"}, down); diff != "" {
		t.Errorf("Down (-want +got):\n%s", diff)
	}
}

func TestFile_Validate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{"-- +goose Up\nselect 1;", "its Down has no statement"},
		{"-- +goose Up\n-- +goose Down\nselect 1;", "its Up has no statement"},
		{"select 1;", "goose"},
		{"-- +goose Up\nselect 1\n-- +goose Down\nselect 1;", "goose"},
		{"-- +goose NO TRANSACTION\n-- +goose Up\nselect 1;\nselect 2;\n-- +goose Down\nselect 1;", "exactly one"},
		{"-- +goose Up\nselect 1;\nCommit ;\n-- +goose Down\nselect 1;", "00001_create_a.sql:3: a migration must not begin or end"},
		{"-- +goose Up\nselect 1\n/* ; */;\n/* a */ -- b\nstart transaction;\n-- +goose Down\nselect 1;", "must not begin or end"},
		{"-- +goose Up\nselect 1;\n-- +goose Down\nROLLBACK;", "00001_create_a.sql:4: a migration must not"},
		{"-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently on a (b);\n-- +goose Down\nselect 1;", "has to name its index"},
		{"-- +goose Up\nset search_path = x;\n-- +goose Down\nselect 1;", "use SET LOCAL"},
		{"-- +goose Up\nSET SESSION lock_timeout = 1;\n-- +goose Down\nselect 1;", "use SET LOCAL"},
		{"-- +goose ENVSUB ON\n-- +goose Up\nselect '${HOME}';\n-- +goose Down\nselect 1;", "00001_create_a.sql:1: it asks for variables"},
		{"", "goose"},
		{"\x00\xff", "goose"},
	} {
		f := schema.File{Version: 1, Name: "00001_create_a.sql", Body: c.body}
		if err := f.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q in it", c.body, err, c.want)
		}
	}
}

func TestFile_Validate_allows(t *testing.T) {
	t.Parallel()
	for _, statement := range []string{
		"set local lock_timeout = 1;", "set constraints all deferred;", "create table commit_log ();", "select 'commit';",
		"-- +goose StatementBegin\ndo $$ begin perform 1; end $$;\n-- +goose StatementEnd",
	} {
		f := schema.File{Version: 1, Name: "00001_create_a.sql", Body: "-- +goose Up\n" + statement + "\n-- +goose Down\nselect 1;"}
		if err := f.Validate(); err != nil {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func FuzzFile_Validate(f *testing.F) {
	f.Add("-- +goose Up\nselect 1;\n-- +goose Down\nselect 1;")
	f.Add("-- +goose NO TRANSACTION\n-- +goose Up\n-- +goose StatementBegin\n;")
	f.Fuzz(func(_ *testing.T, body string) {
		file := schema.File{Version: 1, Name: "00001_create_a.sql", Body: body}
		_ = file.Validate() // must not panic
	})
}
