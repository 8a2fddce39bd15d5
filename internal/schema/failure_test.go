package schema_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/sync/errgroup"

	"portaldb/internal/catalog"
	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// sized returns the short size of something with -short, else the full one.
func sized[T any](short, full T) T {
	if testing.Short() {
		return short
	}
	return full
}

// What follows kills, cuts and starves runs of up, and asks after each the same three things: is the database at a version
// and never between, does the next up finish, is everything still there.

// The variables that make this test binary a process which runs up: the database, and the folder of the migrations, empty
// for the portal's own.
const (
	upVariable    = "PORTALDB_TEST_UP"
	upDirVariable = "PORTALDB_TEST_UP_DIR"
	// upToVariable is the version that up goes to; empty or 0 for the last one.
	upToVariable = "PORTALDB_TEST_UP_TO"
	// upHowVariable says what the process does instead of a plain up: rollback (to version 1) or restore.
	upHowVariable = "PORTALDB_TEST_UP_HOW"
)

// upReport is what such a process prints.
type upReport struct {
	Result schema.Result
	Error  string
}

// upInstead runs up and ends the process, if it was started for that.
func upInstead() {
	url, ok := os.LookupEnv(upVariable)
	if !ok {
		return
	}
	var set fs.FS = migrations.FS
	if dir := os.Getenv(upDirVariable); dir != "" {
		set = os.DirFS(dir)
	}
	var report upReport
	engine, err := schema.Open(schema.Config{URL: url, FS: set})
	if err == nil {
		switch os.Getenv(upHowVariable) {
		case "rollback":
			_, err = engine.Rollback(context.Background(), to(1))
		case "restore":
			report.Result, err = engine.UpRestoring(context.Background(), 0, "")
		default:
			to, _ := strconv.ParseInt(os.Getenv(upToVariable), 10, 64)
			report.Result, err = engine.Up(context.Background(), to)
		}
	}
	if err != nil {
		report.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// process is a process that runs up.
type process struct {
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan struct{}
}

func startUp(t testing.TB, url, dir string) *process {
	t.Helper()
	return startAs(t, url, dir, "", 0)
}

// startAs starts a process that does what how says, an up to that version, or to the last one.
func startAs(t testing.TB, url, dir, how string, to int64) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), upVariable+"="+url, upDirVariable+"="+dir, upHowVariable+"="+how, upToVariable+"="+strconv.FormatInt(to, 10))
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // a kill is an error here
		close(p.done)
	}()
	t.Cleanup(p.kill)
	return p
}

// kill sends SIGKILL and waits for the end.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// report waits for the end and returns what the process printed; ok is false when it was killed before.
func (p *process) report(t testing.TB) (report upReport, ok bool) {
	t.Helper()
	<-p.done
	if !p.cmd.ProcessState.Exited() {
		return upReport{}, false
	}
	if err := json.Unmarshal(p.out.Bytes(), &report); err != nil {
		t.Fatalf("the process ended with %s and printed %q", p.cmd.ProcessState, p.out.String())
	}
	return report, true
}

// patient is a database under migrations that are interrupted, and what it must hold.
type patient struct {
	url     string
	dir     string // of the migrations; empty for the portal's own
	set     fs.FS
	engine  *schema.Engine
	files   []schema.File
	effects []catalog.Effect
	major   int
	// rows returns what must never be lost, a line for each thing: anew all that there is, else what it looked at last, without
	// the columns that have come since.
	rows func(t testing.TB, db *sql.DB, anew bool) []string
	// grow puts in the rows that belong after a version.
	grow func(testing.TB, *sql.DB, int64)
	held []string // what rows returned last
}

// newPatient prepares a database for migrations that have their effects.
func newPatient(t testing.TB, url, dir string) *patient {
	t.Helper()
	p := &patient{url: url, dir: dir, set: migrations.FS, major: serverMajor(t, url), grow: func(testing.TB, *sql.DB, int64) {}}
	if dir != "" {
		p.set = os.DirFS(dir)
	}
	p.engine = open(t, url, p.set)
	var err error
	if p.files, err = schema.Files(p.set); err != nil {
		t.Fatal(err)
	}
	if p.effects, err = schema.Effects(p.set); err != nil {
		t.Fatal(err)
	}
	return p
}

// portal is a database for the portal's own migrations, with rows put in on the way.
func portal(t testing.TB, url string) *patient {
	t.Helper()
	p := newPatient(t, url, "")
	query := ""
	p.rows = func(t testing.TB, db *sql.DB, anew bool) []string {
		t.Helper()
		if anew || query == "" {
			query = scan[string](t, db, `
				select coalesce(string_agg(format('select %L || md5(row(%s)::text) from %s', relname || ' ', columns, oid::regclass), ' union all '), 'select null where false')
				from (
					select c.oid, c.relname, string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
					from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
					where c.relnamespace = any (array[to_regnamespace('public'), to_regnamespace('service')]) and c.relkind = 'r' and c.relname <> 'goose_db_version'
					group by c.oid, c.relname
				) t`)
		}
		lines := scan[string](t, db, `select coalesce(string_agg(line, e'\n' order by line), '') from (`+query+`) t (line)`)
		if lines == "" {
			return nil
		}
		return strings.Split(lines, "\n")
	}
	p.grow = func(t testing.TB, db *sql.DB, version int64) {
		t.Helper()
		body, err := os.ReadFile(fmt.Sprintf("../../migrations/testdata/rows/%05d.sql", version))
		if errors.Is(err, fs.ErrNotExist) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ExecContext(t.Context(), string(body)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// zoo is a database for migrations of every nasty kind over many rows.
func zoo(t testing.TB, url string) *patient {
	t.Helper()
	p := newPatient(t, url, zooFolder(t))
	p.rows = func(t testing.TB, db *sql.DB, _ bool) []string {
		t.Helper()
		if scan[bool](t, db, `select to_regclass('zoo.animal') is null`) {
			return nil
		}
		return []string{scan[string](t, db, `select format('%s animals, %s', count(*), sum(hashtextextended(id || name || weight, 0))) from zoo.animal`)}
	}
	return p
}

// zooFolder writes the zoo's migrations and their effects into a folder.
func zooFolder(t testing.TB) string {
	t.Helper()
	const noTransaction = "-- +goose NO TRANSACTION\n"
	set := files(
		`create schema zoo;
create table zoo.animal (id bigint generated always as identity constraint animal_pkey primary key, name text not null, weight integer not null);
insert into zoo.animal (name, weight) select 'animal ' || n, n % 1000 from generate_series(1, 30000) n;`,
		"alter table zoo.animal add column mood text not null default 'calm', add column doubled bigint;",
		`-- +goose StatementBegin
create function zoo.calm() returns trigger language plpgsql as $$
begin
    new.mood := 'calm'; -- not Down
    return new;
end
$$;
-- +goose StatementEnd
create trigger animal_calm before insert on zoo.animal for each row execute function zoo.calm();`,
		noTransaction+"create index concurrently animal_name_idx on zoo.animal (name, weight);",
		noTransaction+"create unique index concurrently animal_id_name_key on zoo.animal (id, name);",
		"alter table zoo.animal add constraint animal_weight_check check (weight >= 0) not valid;",
		"alter table zoo.animal validate constraint animal_weight_check;",
		`-- +goose StatementBegin
create procedure zoo.double() language plpgsql as $$
begin
    loop
        update zoo.animal set doubled = weight * 2 where id in (select id from zoo.animal where doubled is null order by id limit 5000);
        exit when not found;
        commit;
    end loop;
end
$$;
-- +goose StatementEnd`,
		noTransaction+"call zoo.double();",
		"drop procedure zoo.double();\nalter table zoo.animal alter column doubled set not null;",
		"create type zoo.kind as enum ('bird');\ncreate view zoo.heavy as select id from zoo.animal where weight > 900;",
		noTransaction+"alter type zoo.kind add value 'fish';",
		noTransaction+"drop index concurrently zoo.animal_name_idx;",
		"update zoo.animal set doubled = doubled + 0;\ndrop trigger animal_calm on zoo.animal;\ndrop function zoo.calm();")
	return writeMigrations(t, set)
}

// measured are effects by the migrations that have them: measuring takes its time.
var measured struct {
	sync.Mutex
	effects map[string][]catalog.Effect
}

// writeMigrations writes migrations into a folder, with the effects that they have on an empty database.
func writeMigrations(t testing.TB, set fstest.MapFS) string {
	t.Helper()
	dir := t.TempDir()
	var key strings.Builder
	for _, name := range slices.Sorted(maps.Keys(set)) {
		key.Write(set[name].Data)
		if err := os.WriteFile(filepath.Join(dir, name), set[name].Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	measured.Lock()
	defer measured.Unlock()
	effects, ok := measured.effects[key.String()]
	if !ok {
		m, err := open(t, pgtest.Superuser(t, pgtest.Empty(t)), set).Measure(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		effects = m.Effects
		if measured.effects == nil {
			measured.effects = map[string][]catalog.Effect{}
		}
		measured.effects[key.String()] = effects
	}
	if err := os.Mkdir(filepath.Join(dir, "effects"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := schema.WriteEffects(dir, effects); err != nil {
		t.Fatal(err)
	}
	return dir
}

// settled waits until no run is left on the server, and returns the database's version after checking that it is whole:
// the catalog is that of the version, the history agrees with it, no row is lost.
func (p *patient) settled(t testing.TB, what string) int64 {
	t.Helper()
	db := connect(t, p.url)
	defer db.Close() // of many
	waitFor(t, func() bool {
		return scan[bool](t, db, `select not exists (select from pg_stat_activity where datname = current_database() and application_name like 'portaldb %')`)
	})
	version := p.version(t, db)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	live, err := catalog.Read(t.Context(), tx)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	want, err := catalog.Fold(p.effects[:version]...)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range catalog.Diff(catalog.Comparable(want, p.major), catalog.Comparable(live, p.major)) {
		if d.Drift() && !p.unrecorded(version, d) {
			t.Errorf("%s: at version %d, but %+v", what, version, d)
		}
	}
	if version > 0 {
		head, err := p.engine.VerifyHistory(t.Context())
		if err != nil || head == "" {
			t.Errorf("%s: history %q, %v", what, head, err)
		}
		if got := scan[string](t, db, `
			select format('%s %s %s', count(*), count(distinct version), (select max(version_id) from goose_db_version))
			from portaldb.history where outcome = 'done'`); got != fmt.Sprintf("%d %[1]d %[1]d", version) {
			t.Errorf("%s: at version %d, but rows and versions of the history, and goose's version: %s", what, version, got)
		}
	}
	now := p.rows(t, db, false)
	for _, line := range p.held {
		if i := slices.Index(now, line); i >= 0 {
			now = slices.Delete(now, i, i+1)
		} else {
			t.Errorf("%s: lost or changed: %s", what, line)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	p.held = p.rows(t, db, true)
	return version
}

func (p *patient) version(t testing.TB, db *sql.DB) int64 {
	t.Helper()
	if scan[bool](t, db, `select to_regclass('goose_db_version') is null`) {
		return 0
	}
	return scan[int64](t, db, `select coalesce(max(version_id), 0) from goose_db_version`)
}

// unrecorded reports whether a difference is what the next file does outside a transaction: it may be done, or an index be
// left half built, and not be recorded. The next up judges that from the catalog.
func (p *patient) unrecorded(version int64, d catalog.Difference) bool {
	if int(version) == len(p.files) || !strings.Contains(p.files[version].Body, "NO TRANSACTION") {
		return false
	}
	next := p.effects[version]
	objects := slices.Concat(next.Added, next.Removed)
	for _, c := range next.Changed {
		objects = append(objects, c.Before)
	}
	return slices.ContainsFunc(objects, func(o catalog.Object) bool { return o.Kind == d.Kind && o.Key().QualifiedName() == d.Object })
}

// advanced puts in the rows of a version that was reached.
func (p *patient) advanced(t testing.TB, version int64) {
	t.Helper()
	db := connect(t, p.url)
	defer db.Close()
	p.grow(t, db, version)
	p.held = p.rows(t, db, true)
}

// finish runs up to the end and checks that it gets there.
func (p *patient) finish(t testing.TB, what string) {
	t.Helper()
	for version := p.settled(t, what); version < p.engine.Latest(); version++ {
		if _, err := p.engine.Up(t.Context(), version+1); err != nil {
			t.Fatalf("%s: the next up: %v", what, err)
		}
		p.settled(t, what)
		p.advanced(t, version+1)
	}
	if got := p.settled(t, what); got != p.engine.Latest() {
		t.Fatalf("%s: ends at version %d", what, got)
	}
	if again, err := p.engine.Up(t.Context(), 0); err != nil || len(again.Applied) != 0 {
		t.Fatalf("%s: one more up: %+v, %v", what, again, err)
	}
}

// interruption is a place of a run: a moment of its nth request, counted from the first that has from in it.
type interruption struct {
	from string
	n    int
	m    moment
	to   int64 // where the run ends: a file that was nearly done takes fewer requests, and the next one is not to be met
}

// What comes before a file is alike in every run, so that most interruptions count from the last question before the first
// one, and only every tenth file's from the beginning of the run.
const (
	runBegins  = ""
	fileBegins = "select to_regclass('portaldb.meta')"
)

// reached returns a relay's function that calls interrupt, once, at the place.
func (at interruption) reached(interrupt func()) func(n int, sql string, m moment) bool {
	var one sync.Mutex // requests and answers ask, each from a goroutine of its own
	first, done := 0, false
	return func(n int, sql string, m moment) bool {
		one.Lock()
		if first == 0 && strings.Contains(sql, at.from) {
			first = n
		}
		now := first > 0 && !done && n-first+1 == at.n && m == at.m
		done = done || now
		one.Unlock()
		if now {
			interrupt()
		}
		return !now
	}
}

// everywhere asks for an interruption at every place.
const everywhere = 0

// interruptions calls interrupt at places of the set, version by version: at one place of every nth version, or everywhere.
// interrupt reports whether the run got as far as that place.
func (p *patient) interruptions(t testing.TB, every int64, moments []moment, interrupt func(what string, at interruption) bool) {
	t.Helper()
	for version := p.settled(t, "before"); version < p.engine.Latest(); {
		next, last := version+1, false
		try := func(at interruption) {
			at.from, at.to = fileBegins, next
			if next%10 == 1 {
				at.from = runBegins
			}
			what := fmt.Sprintf("%s, %s request %d counted from %q", p.files[next-1].Name, at.m, at.n, at.from)
			if last = !interrupt(what, at); last && at.n == 1 {
				t.Fatalf("%s: there is no such place", what)
			}
			if got := p.settled(t, what); got == next {
				version = got
				p.advanced(t, version)
			} else if got != next-1 {
				t.Fatalf("%s: from version %d to %d", what, next-1, got)
			}
		}
		if every != everywhere {
			if next%every == 0 {
				try(interruption{n: 1 + int(next*5)%11, m: moments[int(next/every)%len(moments)]})
			}
		} else {
			for n := 1; version < next && !last; n++ {
				for i := range moments {
					if version < next { // in turns, so that each moment of the commit has its turn
						try(interruption{n: n, m: moments[(i+int(next))%len(moments)]})
					}
				}
			}
		}
		if version < next {
			if _, err := p.engine.Up(t.Context(), next); err != nil {
				t.Fatalf("up to %d after its interruptions: %v", next, err)
			}
			version = next
			p.advanced(t, version)
		}
	}
	p.finish(t, "at the end")
}

func TestFailures_killed(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(testing.TB, string) *patient{"portal": portal, "zoo": zoo} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := of(t, pgtest.Empty(t))
			kills := map[moment]int{}
			// A request that has not been sent is as good as one before it that has been answered.
			p.interruptions(t, sized[int64](3, everywhere), []moment{during, after}, func(what string, at interruption) bool {
				started, killed := make(chan *process, 1), false
				r := &relay{at: at.reached(func() {
					(<-started).kill()
					killed = true
				})}
				p := startAs(t, newRelay(t, p.url, r), p.dir, "", at.to)
				started <- p
				report, ended := p.report(t)
				r.close()
				if ended && report.Error != "" {
					t.Fatalf("%s: the run failed by itself: %s", what, report.Error)
				}
				if killed {
					kills[at.m]++
				}
				return killed
			})
			total := kills[during] + kills[after]
			t.Logf("%d kills: %v", total, kills)
			if least := sized(4, 200); total < least {
				t.Errorf("only %d kills, want %d", total, least)
			}
		})
	}
}

var stateVersion = regexp.MustCompile(`the database is at version (\d+)`)

// wantTrue checks that what an error of up says is so. at is the version of the database, which had been from.
func wantTrue(t testing.TB, what string, err error, from, at int64) {
	t.Helper()
	var failed *schema.MigrationError
	var unreachable *schema.ConnectError
	switch {
	case err == nil:
	case errors.As(err, &failed):
		if match := stateVersion.FindStringSubmatch(failed.State); match != nil {
			if said, _ := strconv.ParseInt(match[1], 10, 64); said != at {
				t.Errorf("%s: at version %d, but: %v; %s", what, at, err, failed.State)
			}
		} else if !strings.Contains(failed.State, "either applied whole or undone whole") {
			t.Errorf("%s: nothing is said of the version: %v; %q", what, err, failed.State)
		}
		if failed.Next == "" {
			t.Errorf("%s: nothing is said of what to do: %v", what, err)
		}
	case errors.As(err, &unreachable):
		if at != from {
			t.Errorf("%s: from version %d to %d, but: %v", what, from, at, err)
		}
	default:
		switch text := err.Error(); {
		case strings.Contains(text, "every migration was applied"):
		case strings.Contains(text, fmt.Sprintf("; the database is at version %d, and up --restore-trash goes on from there", at)):
		case !strings.Contains(text, "nothing changed") || at != from:
			t.Errorf("%s: from version %d to %d, and the message is: %v", what, from, at, err)
		}
	}
}

func TestFailures_connection_cut(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]func(testing.TB, string) *patient{"portal": portal, "zoo": zoo} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := of(t, pgtest.Empty(t))
			cuts := 0
			p.interruptions(t, sized[int64](3, everywhere), []moment{before, during, after}, func(what string, at interruption) bool {
				cut := false
				r := &relay{at: at.reached(func() { cut = true })}
				from := p.settled(t, what)
				_, err := open(t, newRelay(t, p.url, r), p.set).Up(t.Context(), at.to)
				r.close()
				now := p.settled(t, what)
				if cut && err == nil && now != at.to { // all is done when only the lock is left, which frees itself
					t.Errorf("%s: at version %d, and no error", what, now)
				}
				wantTrue(t, what, err, from, now)
				if cut {
					cuts++
				}
				return cut
			})
			t.Logf("%d cuts", cuts)
			if least := sized(3, 150); cuts < least {
				t.Errorf("only %d cuts, want %d", cuts, least)
			}
		})
	}
}

// TestFailures_late_commit: the network is gone for the client while a COMMIT is on its way, which then arrives all the same.
func TestFailures_late_commit(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	set := files("create table a ();", "create table b ();")
	db := connect(t, url)
	if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	arrive, returned := make(chan struct{}), make(chan struct{})
	r := &relay{}
	r.at = func(_ int, sql string, m moment) bool {
		if !strings.HasPrefix(sql, "prepare") && strings.Contains(sql, "insert into portaldb.history") && strings.HasSuffix(sql, "; commit") && m == before {
			r.cutClients()
			<-arrive
		}
		return true
	}
	var group errgroup.Group
	var failure error
	behind := newRelay(t, url, r)
	group.Go(func() error {
		defer close(returned)
		_, failure = open(t, behind, set).Up(t.Context(), 0)
		return nil
	})
	// It arrives when the run has begun to look where it stands, or has stopped looking.
	waitFor(t, func() bool {
		select {
		case <-returned:
			return true
		default:
			return scan[bool](t, db, `select exists (select from pg_stat_activity where datname = current_database() and application_name like 'portaldb status%' and query like '%pg_stat_activity where pid%')`)
		}
	})
	close(arrive)
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return scan[int64](t, db, `select max(version_id) from goose_db_version`) == 2 })
	wantTrue(t, "late commit", failure, 1, 2)
	if failure == nil {
		t.Error("no error")
	}
}

// TestFailures_server_restart: the server goes away in the middle of a run, in its three ways, and comes back.
func TestFailures_server_restart(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{"fast": syscall.SIGINT, "immediate": syscall.SIGQUIT, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// What is kept: the data folder, and every commit that was answered.
			config := devpg.Config{Dir: pgtest.Dir(t), Settings: map[string]string{"max_connections": "40"}}
			var server *devpg.Server
			start := func() string {
				var err error
				if server, err = devpg.Start(t.Context(), config); err != nil {
					t.Fatal(err)
				}
				if err := server.EnsureDatabase(t.Context(), "portal"); err != nil {
					t.Fatal(err)
				}
				return server.URL("portal")
			}
			p := zoo(t, start())
			t.Cleanup(func() { _ = server.Stop() })
			restarts := 0
			p.interruptions(t, sized[int64](5, 1), []moment{during, after, before}, func(what string, at interruption) bool {
				gone := false
				reached := at.reached(func() {
					gone = true
					if err := syscall.Kill(server.PID(), signal); err != nil {
						t.Error(err)
					}
					<-server.Done()
				})
				from := p.settled(t, what)
				r := &relay{at: func(n int, sql string, m moment) bool {
					// The server itself ends the connections; but killed, its processes go on as long as a client keeps them busy.
					return reached(n, sql, m) || signal != syscall.SIGKILL
				}}
				_, err := open(t, newRelay(t, p.url, r), p.set).Up(t.Context(), at.to)
				r.close()
				if gone {
					if err := server.Stop(); err != nil { // only its folder is left to let go of
						t.Fatal(err)
					}
					p.url = start()
					p.engine = open(t, p.url, p.set)
					restarts++
				}
				now := p.settled(t, what)
				if gone && err == nil && now != at.to {
					t.Errorf("%s: at version %d, and no error", what, now)
				}
				wantTrue(t, what, err, from, now)
				return gone
			})
			t.Logf("%d restarts", restarts)
			if least := sized(1, 8); restarts < least {
				t.Errorf("only %d restarts, want %d", restarts, least)
			}
		})
	}
}

// TestFailures_long_statement: a run dies while the server works on a statement that takes long. The server notices, ends
// it and frees the migration lock.
func TestFailures_long_statement(t *testing.T) {
	t.Parallel()
	for _, long := range []struct{ name, body, waiting string }{
		{"in a transaction", "create table b ();\nselect pg_sleep(60) where exists (select from gate);",
			`query like 'select pg_sleep(60)%' and state = 'active'`},
		{"an index that waits for a snapshot", "-- +goose NO TRANSACTION\ncreate index concurrently a_id_idx on a (id);",
			`query like 'create index concurrently%' and wait_event = 'virtualxid'`},
		{"batches that commit", "-- +goose NO TRANSACTION\ncall batches();", `query = 'call batches();' and wait_event = 'PgSleep'`},
	} {
		for _, killed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, killed %v", long.name, killed), func(t *testing.T) {
				t.Parallel()
				set := files(`create table a (id int, done boolean);
create table gate ();
insert into a select generate_series(1, 10);
-- +goose StatementBegin
create procedure batches() language plpgsql as $$
begin
    while exists (select from a where done is null) loop
        update a set done = true where id in (select id from a where done is null order by id limit 4);
        commit;
        perform pg_sleep(60) where exists (select from gate);
    end loop;
end
$$;
-- +goose StatementEnd`, long.body)
				p := newPatient(t, pgtest.Empty(t), writeMigrations(t, set))
				p.rows = func(t testing.TB, db *sql.DB, _ bool) []string {
					return []string{scan[string](t, db, `select string_agg(id::text, ',' order by id) from a`)}
				}
				if _, err := p.engine.Up(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				db := connect(t, p.url)
				if _, err := db.ExecContext(t.Context(), `insert into gate default values`); err != nil {
					t.Fatal(err)
				}
				// An old snapshot, for which an index has to wait.
				tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := tx.ExecContext(t.Context(), `select count(*) from pg_class`); err != nil {
					t.Fatal(err)
				}
				r := &relay{}
				run := startUp(t, newRelay(t, p.url, r), p.dir)
				waitFor(t, func() bool {
					return scan[bool](t, db, `select exists (select from pg_stat_activity where datname = current_database() and `+long.waiting+`)`)
				})
				if killed {
					run.kill()
				} else {
					r.cut()
					if report, _ := run.report(t); !strings.Contains(report.Error, "apply 00002") {
						t.Errorf("the run ended with %+v", report)
					}
				}
				if version := p.settled(t, long.name); version != 1 {
					t.Fatalf("at version %d", version)
				}
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
				if _, err := db.ExecContext(t.Context(), `delete from gate`); err != nil {
					t.Fatal(err)
				}
				p.finish(t, long.name)
				if left := scan[int](t, db, `select count(*) from a where done is null`); strings.Contains(long.name, "batches") && left > 0 {
					t.Errorf("%d rows were left out", left)
				}
			})
		}
	}
}

// TestFailures_at_once: many processes start together, and the one that has the lock is killed. One of the others goes on.
func TestFailures_at_once(t *testing.T) {
	t.Parallel()
	for _, processes := range []int{2, 8} {
		t.Run(fmt.Sprint(processes), func(t *testing.T) {
			t.Parallel()
			p := portal(t, pgtest.Empty(t))
			db := connect(t, p.url)
			var others []*process
			started := make(chan *process, 1)
			at := interruption{from: fileBegins, n: 100, m: during}
			r := &relay{at: at.reached(func() {
				for range processes - 1 {
					others = append(others, startUp(t, p.url, p.dir))
				}
				waitFor(t, func() bool {
					return scan[int](t, db, `select count(*) from pg_stat_activity where datname = current_database() and application_name like 'portaldb up%' and query like '%l.locktype = ''advisory''%'`) > 0 &&
						scan[int](t, db, `select count(*) from pg_stat_activity where datname = current_database() and application_name like 'portaldb up%'`) == processes
				})
				(<-started).kill()
			})}
			first := startUp(t, newRelay(t, p.url, r), p.dir)
			started <- first
			if _, ended := first.report(t); ended {
				t.Fatal("the first process was not killed")
			}
			version := p.version(t, db)
			var applied []int
			for _, other := range others {
				report, ended := other.report(t)
				if !ended || report.Error != "" || report.Result.To != p.engine.Latest() {
					t.Errorf("got %+v", report)
				}
				applied = append(applied, len(report.Result.Applied))
			}
			if at := p.settled(t, "at once"); at != p.engine.Latest() {
				t.Errorf("at version %d", at)
			}
			t.Logf("killed about version %d; the others applied %v", version, applied)
		})
	}
}

// TestFailures_lock_held: somebody holds a lock for long, and the run waits for it without making others wait for long.
func TestFailures_lock_held(t *testing.T) {
	t.Parallel()
	held := sized(2*time.Second, 30*time.Second)
	for _, lock := range []struct{ name, statement string }{
		{"the migration lock", `select pg_advisory_xact_lock(x'706f7274616c6462'::bigint)`},
		{"a table's lock", `select count(*) from zoo.animal`},
	} {
		t.Run(lock.name, func(t *testing.T) {
			t.Parallel()
			p := zoo(t, pgtest.Empty(t))
			// Shorter than the lock is held, so that the file is tried again.
			p.engine = openWith(t, schema.Config{URL: p.url, FS: p.set, LockTimeout: sized(500*time.Millisecond, schema.DefaultLockTimeout)})
			if _, err := p.engine.Up(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			p.settled(t, "before")
			db := connect(t, p.url)
			holder, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Close()
			if _, err := holder.ExecContext(t.Context(), "begin; "+lock.statement); err != nil {
				t.Fatal(err)
			}
			var group errgroup.Group
			group.Go(func() error {
				_, err := holder.ExecContext(t.Context(), fmt.Sprintf(`select pg_sleep(%v); commit`, held.Seconds()))
				return err
			})
			start := time.Now()
			var done atomic.Bool
			var longest time.Duration
			group.Go(func() error { // somebody who reads all the time
				for !done.Load() {
					asked := time.Now()
					if _, err := db.ExecContext(t.Context(), `select count(*) from zoo.animal where id = 1`); err != nil {
						return err
					}
					longest = max(longest, time.Since(asked))
				}
				return nil
			})
			_, err = p.engine.Up(t.Context(), 0)
			took := time.Since(start)
			done.Store(true)
			if err := errors.Join(err, group.Wait()); err != nil {
				t.Fatal(err)
			}
			p.finish(t, lock.name)
			if took < held {
				t.Errorf("the run took %s and did not wait", took)
			}
			if longest > schema.DefaultBlockingBudget+time.Second {
				t.Errorf("a reader waited for %s", longest)
			}
			t.Logf("lock held for %s, the run took %s, a reader waited for %s at most", held, took.Round(time.Millisecond), longest.Round(time.Millisecond))
		})
	}
}

// TestFailures_first_at_once: on a fresh database several commands make the bookkeeping at the same time, and none of them
// is in another's way.
func TestFailures_first_at_once(t *testing.T) {
	t.Parallel()
	for range sized(3, 20) {
		url := pgtest.Empty(t)
		var group errgroup.Group
		for i := range 8 {
			engine := open(t, url, migrations.FS)
			group.Go(func() error {
				var err error
				if i%2 == 0 {
					_, err = engine.Up(t.Context(), 1)
				} else {
					_, err = engine.Hold(t.Context(), "an incident", nil)
				}
				var refused *schema.RefusedError // by the hold
				if errors.As(err, &refused) {
					return nil
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestEngine_Up_round_trips counts what an up asks the server for each file: far from it, that is how long one takes.
func TestEngine_Up_round_trips(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	set := files("create table a ();", "create table b ();", "create table c ();", "create table d ();\ncreate table e ();")
	if _, err := open(t, url, set).Up(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var requests []string
	r := &relay{at: func(_ int, sql string, m moment) bool {
		if m == before && !strings.HasPrefix(sql, "prepare") {
			requests = append(requests, sql)
		}
		return true
	}}
	if _, err := open(t, newRelay(t, url, r), set).Up(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	r.close()
	first := slices.Index(requests, "begin;create table b ();")
	if first < 0 {
		t.Fatalf("BEGIN does not go with the first statement: %q", requests)
	}
	for i, want := range []string{"begin;create table b ();", "commit", "begin;create table c ();", "commit", "begin;create table d ();", "create table e ();", "commit"} {
		got := requests[first+i]
		if strings.Contains(got, "insert into portaldb.history") && strings.HasSuffix(got, "; commit") {
			got = "commit"
		}
		if got != want {
			t.Errorf("request %d of the files is %q, want %q", i+1, got, want)
		}
	}
}

// TestEngine_Up_commit_refused: what COMMIT is sent with, or COMMIT itself, fails.
func TestEngine_Up_commit_refused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ file, before, after, want string }{
		"a deferred constraint": {
			"create table b (a int references a deferrable initially deferred);\ninsert into b values (1);",
			"", "insert into a values (1)", "violates foreign key constraint",
		},
		"the record": {
			"create table b ();",
			`create function no() returns trigger language plpgsql as 'begin if new.outcome = ''done'' then raise ''no record''; end if; return new; end';
			 create trigger no before insert on portaldb.history for each row execute function no()`,
			"drop trigger no on portaldb.history", "no record",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			set := files("create table a (id int primary key);", test.file, "create table c ();")
			db := connect(t, url)
			engine := open(t, url, set)
			if _, err := engine.Up(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if _, err := db.ExecContext(t.Context(), test.before); err != nil {
				t.Fatal(err)
			}
			_, err := engine.Up(t.Context(), 0)
			wantTrue(t, name, err, 1, 1)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if got := scan[string](t, db, `select format('%s %s %s', max(version_id), to_regclass('b') is null,
				(select outcome || version from portaldb.history order by seq desc limit 1)) from goose_db_version`); got != "1 t failed2" {
				t.Errorf("after the failure: %s", got)
			}
			if _, err := db.ExecContext(t.Context(), test.after); err != nil {
				t.Fatal(err)
			}
			if result, err := engine.Up(t.Context(), 0); err != nil || result.To != 3 {
				t.Errorf("the next up: %+v, %v", result, err)
			}
		})
	}
}
