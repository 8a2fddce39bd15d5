package schema_test

import (
	"database/sql"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

// shuttle is a database that goes back and forth between its first and its last version, and is interrupted on the way.
type shuttle struct {
	url, dir string
	engine   *schema.Engine
	rows     []string // at the last version
}

// newShuttle has one of each way to keep something.
func newShuttle(t testing.TB, url string) *shuttle {
	t.Helper()
	const noTransaction = "-- +goose NO TRANSACTION\n"
	s := &shuttle{url: url}
	s.dir = writeMigrations(t, files(
		`create type mood as enum ('calm', 'cross');
create table a (id integer primary key, n integer not null, mood mood not null);
create table keep (id integer primary key);
-- +goose Down
drop table a, keep; drop type mood;`,
		"alter table a add column note text;\n-- +goose Down\nalter table a drop column note;",
		`create type level as enum ('low', 'high');
create table b (id bigint generated always as identity primary key, a_id integer references a (id), level level);
create table c (id serial primary key, b_id bigint references b (id));
-- +goose Down
drop table c, b;
drop type level;`,
		"alter table a alter column n type bigint;\n-- +goose Down\nalter table a alter column n type integer;",
		noTransaction+"create index concurrently a_n_idx on a (n);\n-- +goose Down\ndrop index concurrently a_n_idx;",
		noTransaction+"alter table a add column late text;\n-- +goose Down\nalter table a drop column late;",
		"alter type mood add value 'happy';\n-- +goose Down\n"+
			"alter type mood rename to mood_old;\ncreate type mood as enum ('calm', 'cross');\n"+
			"alter table a alter column mood type mood using (case mood::text when 'happy' then 'calm' else mood::text end)::mood;\ndrop type mood_old;",
	))
	s.engine = open(t, url, os.DirFS(s.dir))
	mustUp(t, s.engine, 0)
	send(t, url, `insert into a select n, n, (array['calm', 'cross', 'happy'])[1 + n % 3]::mood, 'note ' || n, 'late ' || n from generate_series(1, 200) n`,
		`insert into b (a_id, level) select n, 'high' from generate_series(1, 100) n`, `insert into c (b_id) select n from generate_series(1, 50) n`,
		`insert into keep select generate_series(1, 10)`)
	s.rows = dump(t, url)
	return s
}

// settled waits until no run is left on the server, and returns the database's version: it has the schema of that version, or
// what a file outside a transaction did is not recorded yet; its history is whole; and where it is not the last one, a hold is set.
func (s *shuttle) settled(t testing.TB, what string) int64 {
	t.Helper()
	db := connect(t, s.url)
	defer db.Close()
	waitFor(t, func() bool {
		return scan[bool](t, db, `select not exists (select from pg_stat_activity where datname = current_database() and application_name like 'portaldb %')`)
	})
	status, err := s.engine.Status(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if outside := status.Version == 4 || status.Version == 5; *status.Drift && !outside {
		v, err := s.engine.Verify(t.Context(), nil)
		t.Fatalf("%s: at version %d: %+v, %v", what, status.Version, v.Differences, err)
	}
	if _, err := s.engine.VerifyHistory(t.Context()); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if status.Version < s.engine.Latest() && status.Hold == nil {
		t.Fatalf("%s: at version %d without a hold", what, status.Version)
	}
	return status.Version
}

// back rolls back to the first version, and forth goes up with what was kept: all rows are there.
func (s *shuttle) back(t testing.TB, what string) {
	t.Helper()
	if done, err := s.engine.Rollback(t.Context(), to(1)); err != nil || done.To != 1 {
		t.Fatalf("%s: the next rollback: at version %d, %v", what, done.To, err)
	}
}

func (s *shuttle) forth(t testing.TB, what string) {
	t.Helper()
	if up, err := s.engine.UpRestoring(t.Context(), 0, ""); err != nil || up.To != s.engine.Latest() {
		t.Fatalf("%s: the next up: at version %d, %v", what, up.To, err)
	}
	if now := dump(t, s.url); !equal(now, s.rows) {
		t.Fatalf("%s: lost: %s", what, firstDifference(s.rows, now))
	}
	if list, err := s.engine.Trash(t.Context()); err != nil || len(list) != 0 {
		t.Fatalf("%s: still kept: %+v, %v", what, list, err)
	}
	if status, err := s.engine.Status(t.Context()); err != nil || status.Hold != nil || *status.Drift {
		t.Fatalf("%s: at the end %+v, %v", what, status, err)
	}
}

// TestRollbackFailures_killed kills rollbacks and restores at their statements. Each time the database is at a version, the next
// run finishes, and in the end no row is lost.
func TestRollbackFailures_killed(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"rollback", "restore"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			s := newShuttle(t, pgtest.Empty(t))
			kills := 0
			for n, reached := 1, true; reached; n += sized(75, 1) {
				m := []moment{during, after}[n%2]
				what := how + " killed " + m.String() + " a request"
				if how == "restore" {
					s.back(t, what)
				}
				started := make(chan *process, 1)
				reached = false
				at := interruption{from: fileBegins, n: n, m: m}
				r := &relay{at: at.reached(func() {
					(<-started).kill()
					reached = true
				})}
				p := startAs(t, newRelay(t, s.url, r), s.dir, how, 0)
				started <- p
				report, ended := p.report(t)
				r.close()
				if ended && report.Error != "" {
					t.Fatalf("%s %d: the run failed by itself: %s", what, n, report.Error)
				}
				if reached {
					kills++
				}
				s.settled(t, what)
				if how == "rollback" {
					s.back(t, what)
				}
				s.forth(t, what)
			}
			t.Logf("%d kills of a %s", kills, how)
			if least := sized(2, 200); kills < least {
				t.Errorf("only %d kills, want %d", kills, least)
			}
		})
	}
}

// TestRollbackFailures_connection_cut cuts the connection of rollbacks and restores: what the message says is so.
func TestRollbackFailures_connection_cut(t *testing.T) {
	t.Parallel()
	s := newShuttle(t, pgtest.Empty(t))
	cuts := 0
	for n, reached := 3, true; reached; n += sized(120, 3) {
		reached = false
		at := interruption{from: fileBegins, n: n, m: moment(n % 3)}
		for _, how := range []string{"rollback", "restore"} {
			cut := false
			r := &relay{at: at.reached(func() { cut, reached = true, true })}
			engine := open(t, newRelay(t, s.url, r), os.DirFS(s.dir))
			from := s.settled(t, how)
			var err error
			if how == "rollback" {
				_, err = engine.Rollback(t.Context(), to(1))
			} else {
				_, err = engine.UpRestoring(t.Context(), 0, "")
			}
			r.close()
			if cut {
				cuts++
			}
			now, end := s.settled(t, how), int64(1)
			if how == "restore" {
				end = s.engine.Latest()
			}
			switch {
			case err == nil: // the lock frees itself
				if now != end {
					t.Errorf("%s cut %s request %d: at version %d, and no error", how, at.m, n, now)
				}
			case now == end && strings.Contains(err.Error(), "the rollback is done, at version 1"):
			default:
				wantTrue(t, how, err, from, now)
			}
			if how == "rollback" {
				s.back(t, how)
			} else {
				s.forth(t, how)
			}
		}
	}
	t.Logf("%d cuts", cuts)
	if least := sized(2, 60); cuts < least {
		t.Errorf("only %d cuts, want %d", cuts, least)
	}
}

func TestRollbackFailures_two_at_once(t *testing.T) {
	t.Parallel()
	s := newShuttle(t, pgtest.Empty(t))
	for _, request := range []schema.RollbackRequest{to(1), {Steps: 1, Apply: true}} {
		from := s.settled(t, "before")
		results := make([]schema.Rollback, 2)
		failures := make([]error, 2)
		var group errgroup.Group
		for i := range results {
			engine := open(t, s.url, os.DirFS(s.dir))
			group.Go(func() error {
				results[i], failures[i] = engine.Rollback(t.Context(), request)
				return nil
			})
		}
		_ = group.Wait()
		steps := len(results[0].Applied) + len(results[1].Applied)
		at := s.settled(t, "two at once")
		want := from - 1
		if request.To != nil {
			want = 1
		}
		for _, err := range failures {
			var refused *schema.RefusedError
			if err != nil && !errors.As(err, &refused) {
				t.Errorf("got %v", err)
			}
		}
		if at != want && at != want-1 || steps != int(from-at) || request.To != nil && at != 1 {
			t.Errorf("from version %d to %d in %d steps: %v", from, at, steps, failures)
		}
		s.back(t, "two at once")
		s.forth(t, "two at once")
	}
}

// TestRollbackFailures_blocked has an idle transaction in the way for long, while somebody reads in a loop: no read waits longer than
// the budget allows, the blocker is named and left alone, and once it is gone, or may be ended, the rollback goes through.
func TestRollbackFailures_blocked(t *testing.T) {
	t.Parallel()
	s := newShuttle(t, pgtest.Empty(t))
	db := connect(t, s.url)
	idle, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := idle.ExecContext(t.Context(), `select count(*) from a`); err != nil {
		t.Fatal(err)
	}
	const budget = time.Second
	config := schema.Config{URL: s.url, FS: os.DirFS(s.dir), LockTimeout: 300 * time.Millisecond, BlockingBudget: budget, RetryFor: sized(3*time.Second, 30*time.Second)}
	var longest atomic.Int64
	stop := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		reader, err := sql.Open("pgx", s.url)
		if err != nil {
			return err
		}
		defer reader.Close()
		for {
			select {
			case <-stop:
				return nil
			default:
			}
			start := time.Now()
			if err := reader.QueryRowContext(t.Context(), `select count(*) from a where id = 7`).Scan(new(int)); err != nil {
				return err
			}
			longest.Store(max(longest.Load(), int64(time.Since(start))))
		}
	})
	_, err = openWith(t, config).Rollback(t.Context(), to(5))
	var failed *schema.MigrationError
	if !errors.As(err, &failed) || !failed.LockNotAvailable() || len(failed.Blockers) == 0 || !strings.Contains(failed.Next, "--cancel-blockers") {
		t.Fatalf("got %v", err)
	}
	if at := s.engineVersion(t); at != 7 {
		t.Errorf("at version %d", at)
	}
	if err := idle.QueryRowContext(t.Context(), `select 1`).Scan(new(int)); err != nil {
		t.Errorf("the blocker was ended unasked: %v", err)
	}
	request := to(1)
	request.CancelBlockers = []int{failed.Blockers[0].PID}
	waited := time.Duration(longest.Load())
	// On a machine that is busy with other tests the files themselves take long, and would give way to the reader for ever.
	config.BlockingBudget, config.RetryFor = time.Minute, time.Minute
	if _, err := openWith(t, config).Rollback(t.Context(), request); err != nil {
		t.Errorf("with the blocker's pid: %v", err)
	}
	if err := idle.Rollback(); err == nil {
		t.Error("the blocker was not ended")
	}
	close(stop)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("the longest read waited %s", waited.Round(time.Millisecond))
	if waited > budget+2*time.Second { // the machine is shared
		t.Errorf("a read waited for %s, with a budget of %s", waited, budget)
	}
	s.forth(t, "blocked")
}

func (s *shuttle) engineVersion(t testing.TB) int64 {
	t.Helper()
	version, err := s.engine.Version(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return version
}
