package schema_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"golang.org/x/sync/errgroup"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// nasty are files that have misled parsers of goose's format.
func nasty() fstest.MapFS {
	set := fstest.MapFS{}
	for i, body := range []string{
		"-- +goose Up\ncreate table a (note text default '-- +goose' || 'Down');\ninsert into a values ('Down'), ($q$; -- Down$q$);\n-- +goose Down\ndrop table a;",
		"-- +goose Up\n-- +goose StatementBegin\ncreate function f() returns int language plpgsql as $$\nbegin\n  -- Down\n  return 1; -- ;\nend\n$$;\n-- +goose StatementEnd\n\n-- +goose Down\ndrop function f();",
		"-- +goose Up\n-- +goose StatementBegin\ndo $x$\nbegin\n  execute 'create table b (id int)';\n  perform 1;\nend $x$;\n-- +goose StatementEnd\ncomment on table b is 'a; b';\n-- +goose Down\n-- +goose StatementBegin\ndo $$ begin execute 'drop table b'; end $$;\n-- +goose StatementEnd",
		"-- +goose NO TRANSACTION\n-- +goose Up\ncreate index concurrently a_note_idx\n    -- a comment in the middle\n    on a (note);\n-- +goose Down\ndrop index concurrently a_note_idx;",
		"-- +goose Up\n\n\n-- a header; with a semicolon\n  create table c (id int); -- trailing\ncreate table d (\n  id int, /* Down */\n\n  e text\n);\n\n-- +goose Down\ndrop table d;\n\n-- between\n\ndrop table c;\n-- the end",
		"-- +goose Up\ninsert into c values (1);\ninsert into c values (1);\n-- +goose Down\ndelete from c;",
	} {
		set[fmt.Sprintf("%05d_create_nasty%d.sql", i+1, i+1)] = &fstest.MapFile{Data: []byte(body + "\n")}
	}
	return set
}

// statementLog takes from goose's own log what it sends.
type statementLog struct {
	slog.Handler
	mu   sync.Mutex
	sent []string
}

func (l *statementLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *statementLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "statement" {
			l.mu.Lock()
			l.sent = append(l.sent, a.Value.String())
			l.mu.Unlock()
		}
		return true
	})
	return nil
}

func planned(p schema.Plan) []string {
	var all []string
	for _, step := range p.Steps {
		for _, s := range step.Statements {
			all = append(all, s.SQL)
		}
	}
	return all
}

// TestEngine_Plan_is_what_runs compares the plan with what goose says that it sends, and with what passes the seam.
func TestEngine_Plan_is_what_runs(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]fs.FS{"our own": migrations.FS, "nasty": nasty()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			var sent []string
			engine := openWith(t, schema.Config{URL: url, FS: set, Progress: func(e schema.Event) {
				if e.Sending != nil {
					sent = append(sent, e.Sending.SQL)
					if line := strings.Split(e.Sending.File.Body, "\n")[e.Sending.Line-1]; !strings.HasPrefix(e.Sending.SQL, strings.TrimSpace(line)) {
						t.Errorf("%s:%d is not where %q begins", e.Sending.File.Name, e.Sending.Line, e.Sending.SQL)
					}
				}
			}})
			up, err := engine.Plan(t.Context(), engine.Latest())
			if err != nil {
				t.Fatal(err)
			}
			if up.From != 0 || up.To != engine.Latest() || len(up.Steps) != int(engine.Latest()) || !strings.HasPrefix(up.Digest, "sha256:") {
				t.Fatalf("got %d to %d in %d steps, digest %s", up.From, up.To, len(up.Steps), up.Digest)
			}
			if scan[bool](t, connect(t, url), `select to_regclass('goose_db_version') is not null or to_regnamespace('portaldb') is not null`) {
				t.Error("the plan wrote to the database")
			}
			if _, err := engine.Up(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(planned(up), sent); diff != "" {
				t.Errorf("up sent (-plan +sent):\n%s", diff)
			}

			down, err := engine.Plan(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			log := &statementLog{}
			provider, err := goose.NewProvider(goose.DialectPostgres, connect(t, url), set, goose.WithVerbose(true), goose.WithSlog(slog.New(log)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := provider.DownTo(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(planned(down), log.sent); diff != "" {
				t.Errorf("goose sent on the way down (-plan +sent):\n%s", diff)
			}
			log.sent = nil
			if _, err := provider.Up(t.Context()); err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, step := range up.Steps[1:] {
				for _, s := range step.Statements {
					all = append(all, s.SQL)
				}
			}
			if diff := cmp.Diff(all, log.sent); diff != "" {
				t.Errorf("goose sent on the way up (-plan +sent):\n%s", diff)
			}
		})
	}
}

func TestEngine_UpPlanned(t *testing.T) {
	t.Parallel()
	set := files("create table a ();", "create table b ();\nselect 1 / (select case when exists (select from pg_class where relname = 'stop') then 0 else 1 end);", "create table c ();")
	var refused *schema.RefusedError
	digest := func(t *testing.T, engine *schema.Engine) string {
		t.Helper()
		plan, err := engine.Plan(t.Context(), engine.Latest())
		if err != nil {
			t.Fatal(err)
		}
		return plan.Digest
	}

	t.Run("runs what was reviewed, on eight replicas", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		reviewed := digest(t, open(t, url, set))
		var group errgroup.Group
		for range 8 {
			group.Go(func() error { _, err := open(t, url, set).UpPlanned(t.Context(), 0, reviewed); return err })
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		if n := scan[int](t, connect(t, url), `select count(*) from portaldb.history where plan_digest = $1`, reviewed); n != 3 {
			t.Errorf("%d rows of history carry the digest", n)
		}
	})

	t.Run("refuses another plan and changes nothing", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		reviewed := digest(t, open(t, url, set))
		edited := files("create table a ();", "create table b ();", "create table c (x int);")
		if _, err := open(t, url, edited).UpPlanned(t.Context(), 0, reviewed); !errors.As(err, &refused) || !strings.Contains(err.Error(), reviewed) {
			t.Fatalf("got %v", err)
		}
		if _, err := open(t, url, set).UpPlanned(t.Context(), 2, reviewed); !errors.As(err, &refused) {
			t.Fatalf("another target: got %v", err)
		}
		if scan[bool](t, connect(t, url), `select to_regclass('a') is not null`) {
			t.Error("something was applied")
		}
	})

	t.Run("goes on after a run that died", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		db := connect(t, url)
		if _, err := db.ExecContext(t.Context(), `create table stop ()`); err != nil {
			t.Fatal(err)
		}
		reviewed := digest(t, engine)
		if result, err := engine.UpPlanned(t.Context(), 0, reviewed); err == nil || result.To != 1 {
			t.Fatalf("got %+v, %v", result, err)
		}
		if _, err := db.ExecContext(t.Context(), `drop table stop`); err != nil {
			t.Fatal(err)
		}
		if result, err := engine.UpPlanned(t.Context(), 0, reviewed); err != nil || result.To != 3 {
			t.Fatalf("got %+v, %v", result, err)
		}
		if _, err := engine.UpPlanned(t.Context(), 0, "sha256:nonsense"); !errors.As(err, &refused) {
			t.Fatalf("an unknown digest on a database that is up to date: %v", err)
		}
	})
}

func TestEngine_Plan_locks(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	set := files(
		"create table a (id int primary key, b int);\ncreate table b (id int primary key);",
		"alter table a add constraint a_b_fkey foreign key (b) references b (id) not valid;\nalter table a validate constraint a_b_fkey;\n"+
			"alter table a alter column b type bigint;\ncreate index a_b_idx on a (b);\nalter table a add column c uuid default gen_random_uuid();\n"+
			"drop index a_b_idx;\nupdate \"a\" set b = 1;\ntruncate a;\n"+
			"create statistics a_b on (b + 1) from a;\nanalyze a;",
		"-- +goose NO TRANSACTION\ncreate index concurrently b_id_idx on public.b (id);")
	engine := open(t, url, set)
	if _, err := engine.Up(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	tx, err := connect(t, url).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), `set application_name = 'a report'; select * from a`); err != nil {
		t.Fatal(err)
	}
	plan, err := engine.Plan(t.Context(), engine.Latest())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, step := range plan.Steps {
		for _, s := range step.Statements {
			for _, l := range s.Locks {
				got = append(got, l.String())
			}
		}
	}
	want := []string{
		"SHARE ROW EXCLUSIVE on a", "SHARE ROW EXCLUSIVE on b",
		"SHARE UPDATE EXCLUSIVE on a, reads all of it",
		"ACCESS EXCLUSIVE on a, rewrites it",
		"SHARE on a, reads all of it",
		"ACCESS EXCLUSIVE on a, rewrites it",
		"ACCESS EXCLUSIVE on a_b_idx",
		"ROW EXCLUSIVE on a",
		"ACCESS EXCLUSIVE on a",
		"SHARE UPDATE EXCLUSIVE on a",
		"SHARE UPDATE EXCLUSIVE on a",
		"SHARE UPDATE EXCLUSIVE on public.b, reads all of it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("locks (-want +got):\n%s", diff)
	}
	var rules []string
	for _, f := range plan.Findings {
		rules = append(rules, fmt.Sprintf("%s:%d %s", f.File, f.Line, f.Rule))
	}
	for _, want := range []string{"00002_create_thing2.sql:4 type-change-rewrite", "00002_create_thing2.sql:5 index-not-concurrent"} {
		if !slices.Contains(rules, want) {
			t.Errorf("lint's %s is not among %q", want, rules)
		}
	}
	if slices.ContainsFunc(rules, func(r string) bool { return strings.HasPrefix(r, "00001") }) {
		t.Errorf("findings of a file that is applied already: %q", rules)
	}
	if len(plan.Blockers) != 1 || plan.Blockers[0].Application != "a report" || plan.Blockers[0].Relation != "a" || plan.Blockers[0].Holds != "AccessShareLock" {
		t.Errorf("blockers %+v", plan.Blockers)
	}
}

// TestEngine_Plan_measured: what was measured is in the plan, in both directions, and leaves the digest as it is.
func TestEngine_Plan_measured(t *testing.T) {
	t.Parallel()
	set := fstest.MapFS{}
	for i, body := range []string{
		"create table a (id int primary key, b int);\n-- +goose Down\ndrop table a;",
		"-- +goose StatementBegin\ndo $$ begin execute 'alter table a alter column b type bigint'; end $$;\n-- +goose StatementEnd\ncreate index a_b_idx on a (b);\n" +
			"-- +goose Down\ndrop index a_b_idx;\nalter table a alter column b type int;",
	} {
		set[fmt.Sprintf("%05d_change_thing.sql", i+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + body + "\n")}
	}
	measured := withEffects(t, set)
	url := pgtest.Empty(t)
	engine := open(t, url, measured)
	if _, err := engine.Up(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	execute(t, url, `insert into a select n, n from generate_series(1, 20000) n; analyze a`)
	texts := func(p schema.Plan) (all []string) {
		for _, step := range p.Steps {
			for _, s := range step.Statements {
				for _, l := range s.Locks {
					all = append(all, fmt.Sprintf("%s, estimated %t", l, s.EstimatedMS != nil && *s.EstimatedMS >= 0))
				}
			}
		}
		return all
	}
	up, err := engine.Plan(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"ACCESS EXCLUSIVE on public.a, rewrites it, estimated true", "SHARE on public.a, reads all of it, estimated true"}
	if diff := cmp.Diff(want, texts(up)); diff != "" {
		t.Errorf("up (-want +got):\n%s", diff)
	}
	bare, err := open(t, url, set).Plan(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	if bare.Digest != up.Digest {
		t.Error("the digest covers what was measured")
	}
	if diff := cmp.Diff([]string{"SHARE on a, reads all of it, estimated false"}, texts(bare)); diff != "" {
		t.Errorf("without effects (-want +got):\n%s", diff)
	}

	if _, err := engine.Up(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	down, err := engine.Plan(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"R0", "R1"} {
		if got := down.Steps[i].Class; got == nil || *got != want {
			t.Errorf("step back %d has class %v, want %s", i, got, want)
		}
	}
	edited := fstest.MapFS{}
	for name, file := range set {
		edited[name] = &fstest.MapFile{Data: append([]byte("-- edited\n"), file.Data...)}
	}
	for i := range 2 {
		name := fmt.Sprintf("effects/%05d.json", i+1)
		data, err := fs.ReadFile(measured, name)
		if err != nil {
			t.Fatal(err)
		}
		edited[name] = &fstest.MapFile{Data: data}
	}
	if down, err = open(t, url, edited).Plan(t.Context(), 0); err != nil || down.Steps[0].Class != nil {
		t.Errorf("an edited file has the class of what it was, %v", err)
	}
}
