package schema_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

// to is a request to go back to a version, at once.
func to(version int64) schema.RollbackRequest {
	return schema.RollbackRequest{To: &version, Apply: true}
}

// dump is every row of the tables that are not the engine's, a line each, and where the sequences stand.
func dump(t testing.TB, url string) []string {
	t.Helper()
	db := connect(t, url)
	defer db.Close()
	query := scan[string](t, db, `
		select coalesce(string_agg(format('select %L || t::text from only %s t', oid::regclass::text || ' ', oid::regclass), ' union all '), 'select null where false')
		from pg_class where relkind = 'r' and relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'portaldb', 'portaldb_trash'))
		  and relname <> 'goose_db_version'`)
	lines := scan[string](t, db, `select coalesce(string_agg(line, e'\x01' order by line collate "C"), '') from (`+query+`) t (line)`)
	if lines == "" {
		return nil
	}
	return strings.Split(lines, "\x01")
}

func send(t testing.TB, url string, statements ...string) {
	t.Helper()
	db := connect(t, url)
	defer db.Close()
	for _, sql := range statements {
		if _, err := db.ExecContext(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

func mustUp(t testing.TB, engine *schema.Engine, version int64) {
	t.Helper()
	if _, err := engine.Up(t.Context(), version); err != nil {
		t.Fatal(err)
	}
}

func TestEngine_Rollback(t *testing.T) {
	t.Parallel()
	set := withEffects(t, files(
		"create table a (id integer primary key, name text);\n-- +goose Down\ndrop table a;",
		"alter table a add column note text;\n-- +goose Down\nalter table a drop column note;",
		"create table b (id integer primary key, a_id integer references a (id));\n-- +goose Down\ndrop table b;",
	))

	t.Run("keeps, and up puts back", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 0)
		send(t, url, `insert into a values (1, 'one', 'first'), (2, 'two', null), (3, 'three', 'third')`, `insert into b values (10, 1), (11, 3)`)
		before := dump(t, url)

		dry, err := engine.Rollback(t.Context(), schema.RollbackRequest{Steps: 2})
		if err != nil || len(dry.Applied) != 0 || dry.Class != catalog.DataKept || dry.To != 1 || len(dry.Steps) != 2 {
			t.Fatalf("dry: %+v, %v", dry, err)
		}
		if keep := dry.Steps[0].Keeps; len(keep) != 1 || keep[0].How != schema.Moved || keep[0].Rows != 2 || !strings.Contains(dry.Steps[0].Statements[0].Instead, "moved") {
			t.Errorf("step of the table: %+v", dry.Steps[0])
		}
		if keep := dry.Steps[1].Keeps; len(keep) != 1 || keep[0].How != schema.Copied || keep[0].Rows != 3 || *keep[0].Set != 2 || keep[0].Key[0] != "id" {
			t.Errorf("step of the column: %+v", dry.Steps[1])
		}
		if got := dump(t, url); !equal(got, before) {
			t.Fatalf("the dry run changed rows: %q", got)
		}

		done, err := engine.Rollback(t.Context(), to(1))
		if err != nil || done.To != 1 || len(done.Applied) != 2 || len(done.Trash) != 2 || done.Hold == nil || done.RestoreCommand == nil || done.Digest != dry.Digest {
			t.Fatalf("got %+v, %v", done, err)
		}
		if v, err := engine.Verify(t.Context(), nil); err != nil || v.Drift() || v.Version != 1 {
			t.Fatalf("verify: %+v, %v", v, err)
		}
		var refused *schema.RefusedError
		if _, err := engine.Up(t.Context(), 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), "hold") {
			t.Fatalf("up under the hold: %v", err)
		}
		if _, err := engine.ReleaseHold(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Up(t.Context(), 0); !errors.As(err, &refused) || !strings.Contains(err.Error(), "--restore-trash") || !strings.Contains(err.Error(), "trash purge") {
			t.Fatalf("up over kept data: %v", err)
		}
		send(t, url, `delete from a where id = 2`, `insert into a values (4, 'four')`)
		up, err := engine.UpRestoring(t.Context(), 0, "")
		if err != nil || len(up.Restored) != 2 {
			t.Fatalf("got %+v, %v", up, err)
		}
		column := up.Restored[0]
		if column.Rows != 2 || column.Gone != 1 || column.New != 1 || column.Left != 0 {
			t.Errorf("column: %+v", column)
		}
		want := []string{"a (1,one,first)", "a (3,three,third)", "a (4,four,)", "b (10,1)", "b (11,3)"}
		if got := dump(t, url); !equal(got, want) {
			t.Errorf("got %q", got)
		}
		if list, err := engine.Trash(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("still kept: %+v, %v", list, err)
		}
		if n := scan[int](t, connect(t, url), `select count(*) from pg_class where relnamespace = 'portaldb_trash'::regnamespace`); n != 0 {
			t.Errorf("%d objects in the trash", n)
		}
		if head, err := engine.VerifyHistory(t.Context()); err != nil || head == "" {
			t.Errorf("history: %q, %v", head, err)
		}
		if v, err := engine.Verify(t.Context(), nil); err != nil || v.Drift() || v.Version != 3 {
			t.Fatalf("verify: %+v, %v", v, err)
		}
	})
}

func equal(a, b []string) bool {
	return strings.Join(a, "\x01") == strings.Join(b, "\x01")
}

// TestEngine_Rollback_meanwhile: what happened while a version was gone is not undone when it comes back.
func TestEngine_Rollback_meanwhile(t *testing.T) {
	t.Parallel()
	set := withEffects(t, files(
		`create table parent (id integer primary key);
create table a (id integer primary key, n integer not null, updated_at text default 'never');
-- +goose StatementBegin
create function touch() returns trigger language plpgsql as $$ begin new.updated_at := 'touched'; return new; end $$;
-- +goose StatementEnd
create trigger a_touch before update on a for each row execute function touch();
-- +goose Down
drop table a; drop table parent; drop function touch();`,
		"alter table a alter column n type bigint;\nalter table a add column p integer references parent (id);\n"+
			"create table b (id serial primary key, p integer references parent (id));\n"+
			"-- +goose Down\ndrop table b;\nalter table a drop column p, alter column n type integer using least(n, 100)::integer;",
	))

	t.Run("newer values and deleted references", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 0)
		send(t, url, `insert into parent values (1), (2)`, `insert into a values (1, 1000, default, 1), (2, 2000, default, 2), (3, 3, default, null)`, `insert into b (p) values (1), (2)`)
		if done, err := engine.Rollback(t.Context(), to(1)); err != nil || done.Class != "R1" {
			t.Fatalf("got %+v, %v", done, err)
		}
		if got := dump(t, url); !equal(got, []string{"a (1,100,never)", "a (2,100,never)", "a (3,3,never)", "parent (1)", "parent (2)"}) {
			t.Fatalf("at version 1: %q", got)
		}
		send(t, url, `update a set n = 7 where id = 1`, `delete from parent where id = 2`)
		up, err := engine.UpRestoring(t.Context(), 0, "")
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]schema.Restored{}
		for _, r := range up.Restored {
			found[r.Kind+" "+r.Object+strings.Join(r.Columns, ",")] = r
		}
		if r := found["column public.an"]; r.Changed != 1 || r.Rows != 2 {
			t.Errorf("n: %+v", r)
		}
		if r := found["column public.ap"]; r.Left != 1 || r.Rows != 2 {
			t.Errorf("p: %+v", r)
		}
		if r := found["table public.b"]; r.Left != 1 || r.Rows != 1 {
			t.Errorf("b: %+v", r)
		}
		want := []string{"a (1,7,touched,1)", "a (2,2000,never,)", "a (3,3,never,)", "b (1,1)", "parent (1)"}
		if got := dump(t, url); !equal(got, want) {
			t.Errorf("got %q", got)
		}
		list, err := engine.Trash(t.Context())
		if err != nil || len(list) != 2 || *list[0].LeftRows != 1 {
			t.Fatalf("still kept: %+v, %v", list, err)
		}
		if n := scan[int](t, connect(t, url), `select count(*) from `+*list[0].KeptIn); n != 1 {
			t.Errorf("%d rows are still kept, want the one that could not be put back", n)
		}
		if purged, err := engine.PurgeTrash(t.Context(), nil, []string{"public.a", "public.b"}); err != nil || len(purged) != 2 {
			t.Errorf("got %+v, %v", purged, err)
		}
	})

	t.Run("many rows come back under a lock that lets readers pass, and newer values stay", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 0)
		send(t, url, `insert into parent values (1), (2)`, `insert into a select n, n, 'never', 1 from generate_series(1, 30000) n`)
		before := dump(t, url)
		if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
			t.Fatal(err)
		}
		// The version comes back, and the run dies before it has put the column back.
		killed := openWith(t, schema.Config{URL: url, FS: set, Progress: func(e schema.Event) {
			if e.Applied != nil {
				send(t, url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'portaldb up%'`)
			}
		}})
		if _, err := killed.UpRestoring(t.Context(), 0, ""); err == nil {
			t.Fatal("no error")
		}
		if at, err := engine.Version(t.Context()); err != nil || at != 2 {
			t.Fatalf("at version %d, %v", at, err)
		}
		send(t, url, `update a set p = 2 where id = 7`)
		up, err := engine.UpRestoring(t.Context(), 0, "")
		if err != nil || len(up.Restored) != 1 || up.Restored[0].Changed != 1 || up.Restored[0].Rows != 29999 || up.Released == nil {
			t.Fatalf("got %+v, %v", up.Restored, err)
		}
		send(t, url, `alter table a disable trigger user`, `update a set p = 1, updated_at = 'never' where id = 7`)
		if now := dump(t, url); !equal(now, before) {
			t.Errorf("not the same rows: %s", firstDifference(before, now))
		}
	})
}

// TestEngine_Rollback_unrecorded: a run that died between an index's DROP CONCURRENTLY and its record, or in the middle of it, is
// completed by the next.
func TestEngine_Rollback_unrecorded(t *testing.T) {
	t.Parallel()
	for name, left := range map[string]string{
		"dropped":   `drop index a_id_idx`,
		"half done": `update pg_index set indisvalid = false where indexrelid = 'a_id_idx'::regclass`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			engine := open(t, url, withEffects(t, files("create table a (id int);",
				"-- +goose NO TRANSACTION\ncreate index concurrently a_id_idx on a (id);\n-- +goose Down\ndrop index concurrently a_id_idx;")))
			mustUp(t, engine, 0)
			send(t, pgtest.Superuser(t, url), left)
			done, err := engine.Rollback(t.Context(), to(1))
			if err != nil || done.To != 1 || len(done.Applied) != 1 {
				t.Fatalf("%+v, %v", done, err)
			}
			if scan[bool](t, connect(t, url), `select to_regclass('a_id_idx') is not null`) {
				t.Error("the index is still there")
			}
		})
	}
}

// TestEngine_Rollback_hard has Downs that lose rows in ways that are easily overlooked: up brings every one back.
func TestEngine_Rollback_hard(t *testing.T) {
	t.Parallel()
	const base = "create table p (id integer primary key);\ncreate table a (id integer primary key, n integer);\n-- +goose Down\ndrop table a, p;"
	for _, c := range []struct {
		name, up, down string
		rows           []string
		how            string // of one that is kept
	}{
		{"rows deleted before their table is dropped", "create table b (id integer primary key);", "delete from b where id > 1;\ndrop table b;",
			[]string{`insert into b values (1), (2)`}, schema.Copied},
		{"rows deleted by a function's hand before their table is dropped", "create table b (id integer primary key);",
			"-- +goose StatementBegin\ndo $$ begin delete from b; end $$;\n-- +goose StatementEnd\ndrop table b;", []string{`insert into b values (1), (2)`}, schema.Copied},
		{"a table is emptied before it is dropped", "create table b (id integer primary key);", "truncate b;\ndrop table b;", []string{`insert into b values (1), (2)`}, schema.Copied},
		{"another table is written to", "create table b (id integer primary key);", "select 1;\ndrop table b;", []string{`insert into b values (1), (2)`}, schema.Moved},
		{"a json column with a default", "alter table a add column j json default '{}';", "alter table a drop column j;", []string{`insert into a values (1, 1, '[1]')`, `insert into a values (2, 2)`}, schema.Copied},
		{"a table without columns", "create table b ();", "drop table b;", []string{`insert into b default values`, `insert into b default values`}, schema.Moved},
		{"a column of a range type of its own", "create type span as range (subtype = integer);\ncreate table b (id integer primary key, s span);", "drop table b;\ndrop type span;",
			[]string{`insert into b values (1, '[1,5)')`}, schema.Copied},
		{"an attribute of a type", "create type spot as (x integer);\ncreate table b (id integer primary key, s spot);\nalter type spot add attribute y integer;",
			"drop table b;\ndrop type spot;", []string{`insert into b values (1, (1, 2))`}, schema.Moved},
		{"types of one name in two schemas", "create schema one;\ncreate schema two;\ncreate type one.level as enum ('low');\ncreate type two.level as enum ('high');\ncreate table b (a one.level, b two.level);",
			"drop table b;\ndrop type one.level;\ndrop type two.level;\ndrop schema one;\ndrop schema two;", []string{`insert into b values ('low', 'high')`}, schema.Moved},
		{"infinities", "alter table a add column f float8 default 'nan', add column d date default 'infinity', add column m numeric default 'nan';", "alter table a drop column f, drop column d, drop column m;",
			[]string{`insert into a values (2, 2)`, `insert into a values (1, 1, '-infinity', '-infinity', 'infinity'), (3, 3, '-0', '0001-01-01 BC', 1.10)`}, schema.Copied},
		{"long names in several letters", `create table "` + strings.Repeat("ação", 10) + `1" (id serial primary key, "` + strings.Repeat("é", 31) + `" text);
create table "` + strings.Repeat("ação", 10) + `2" (id serial primary key);`, `drop table "` + strings.Repeat("ação", 10) + `1", "` + strings.Repeat("ação", 10) + `2";`,
			[]string{`insert into "` + strings.Repeat("ação", 10) + `1" values (default, 'x')`, `insert into "` + strings.Repeat("ação", 10) + `2" values (default)`}, schema.Moved},
		{"names that are words of SQL", `create table "order" (id integer primary key, "user" text);
alter table a add column "select" text default 'x', add column "group" integer;`, "drop table \"order\";\nalter table a drop column \"select\", drop column \"group\";",
			[]string{`insert into "order" values (1, 'u')`, `insert into a values (1, 1, 'y', 3)`}, schema.Moved},
		{"a table that is not logged", "create unlogged table b (id integer primary key);", "drop table b;", []string{`insert into b values (1)`}, schema.Moved},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			engine := open(t, url, withEffects(t, files(base, c.up+"\n-- +goose Down\n"+c.down)))
			mustUp(t, engine, 0)
			send(t, url, c.rows...)
			before := dump(t, url)
			done, err := engine.Rollback(t.Context(), to(1))
			if err != nil {
				t.Fatalf("got %+v, %v", done, err)
			}
			if !slices.ContainsFunc(done.Steps[0].Keeps, func(k schema.Keep) bool { return k.How == c.how }) {
				t.Errorf("kept %+v, want one %s", done.Steps[0].Keeps, c.how)
			}
			if _, err := engine.UpRestoring(t.Context(), 0, ""); err != nil {
				t.Fatal(err)
			}
			if now := dump(t, url); !equal(now, before) {
				t.Errorf("not the same rows: %s", firstDifference(before, now))
			}
		})
	}
}

// TestEngine_Rollback_newer_values: values given while a version was gone, or since it came back and before what was kept did, are
// newer and stay; everything else is as it was, also where a file itself gave values, or a later one does.
func TestEngine_Rollback_newer_values(t *testing.T) {
	t.Parallel()
	const base = "create table a (id integer primary key, n integer);\n-- +goose Down\ndrop table a;"
	for name, later := range map[string][]string{
		"its own values":             {"alter table a add column note text;\nupdate a set note = 'its own';\n-- +goose Down\nalter table a drop column note;"},
		"another default afterwards": {"alter table a add column note text;\nalter table a alter column note set default 'later';\n-- +goose Down\nalter table a drop column note;"},
		"a default in another form":  {"alter table a add column note text default 'x', add column m numeric(10, 2) default 0;\n-- +goose Down\nalter table a drop column note, drop column m;"},
		"values of a later version": {"alter table a add column note text;\n-- +goose Down\nalter table a drop column note;",
			"update a set note = 'grey' where note is null;\n-- +goose Down\nselect 1;"},
		"another type in a later version": {"alter table a add column note text;\nalter table a add column m integer;\n-- +goose Down\nalter table a drop column note, drop column m;",
			"alter table a alter column m type bigint;\n-- +goose Down\nalter table a alter column m type integer using least(m, 5)::integer;"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			engine := open(t, url, withEffects(t, files(append([]string{base}, later...)...)))
			mustUp(t, engine, 0)
			send(t, url, `insert into a (id, n, note) select n, n, 'note ' || n from generate_series(1, 21000) n`)
			if scan[bool](t, connect(t, url), `select exists (select from pg_attribute where attrelid = 'a'::regclass and attname = 'm')`) {
				send(t, url, `update a set m = id`)
			}
			before := dump(t, url)
			if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
				t.Fatal(err)
			}
			up, err := engine.UpRestoring(t.Context(), 0, "")
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range up.Restored {
				if r.Changed != 0 || r.Left != 0 {
					t.Errorf("restored %+v", r)
				}
			}
			if now := dump(t, url); !equal(now, before) {
				t.Errorf("not the same rows: %s", firstDifference(before, now))
			}
		})
	}

	t.Run("of an enum", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := withEffects(t, files("create type mood as enum ('calm', 'cross');\ncreate table a (id integer primary key, mood mood);\n-- +goose Down\ndrop table a; drop type mood;",
			"alter type mood add value 'happy';\n-- +goose Down\nalter type mood rename to mood_old;\ncreate type mood as enum ('calm', 'cross');\n"+
				"alter table a alter column mood type mood using (case mood::text when 'happy' then 'calm' else mood::text end)::mood;\ndrop type mood_old;"))
		engine := open(t, url, set)
		mustUp(t, engine, 0)
		send(t, url, `insert into a values (1, 'happy'), (2, 'calm'), (3, 'happy')`)
		if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
			t.Fatal(err)
		}
		send(t, url, `update a set mood = 'cross' where id = 2`)
		dieAfterApplied(t, url, set)
		send(t, url, `update a set mood = 'cross' where id = 3`)
		up, err := engine.UpRestoring(t.Context(), 0, "")
		if err != nil || len(up.Restored) != 1 || up.Restored[0].Changed != 2 {
			t.Errorf("got %+v, %v", up.Restored, err)
		}
		if now := dump(t, url); !equal(now, []string{"a (1,happy)", "a (2,cross)", "a (3,cross)"}) {
			t.Errorf("got %q", now)
		}
	})

	t.Run("of a table's key", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := withEffects(t, files("create type mood as enum ('calm');\n-- +goose Down\ndrop type mood;",
			"alter type mood add value 'happy';\ncreate table b (id serial primary key, name text);\n-- +goose Down\n"+
				"drop table b;\nalter type mood rename to mood_old;\ncreate type mood as enum ('calm');\ndrop type mood_old;"))
		engine := open(t, url, set)
		mustUp(t, engine, 0)
		send(t, url, `insert into b (name) values ('one'), ('two')`)
		if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
			t.Fatal(err)
		}
		dieAfterApplied(t, url, set)
		send(t, url, `insert into b (name) values ('another')`)
		up, err := engine.UpRestoring(t.Context(), 0, "")
		if err != nil {
			t.Fatal(err)
		}
		if now := dump(t, url); !equal(now, []string{"b (1,another)", "b (2,two)"}) {
			t.Errorf("got %q, %+v", now, up.Restored)
		}
		list, err := engine.Trash(t.Context())
		if err != nil || len(list) != 1 || *list[0].LeftRows != 1 {
			t.Fatalf("still kept: %+v, %v", list, err)
		}
		if name := scan[string](t, connect(t, url), `select name from `+*list[0].KeptIn); name != "one" {
			t.Errorf("kept %q", name)
		}
	})
}

// dieAfterApplied has a version come back by a run that dies before it has put back what has to wait for the end of the file.
func dieAfterApplied(t testing.TB, url string, set fs.FS) {
	t.Helper()
	killed := openWith(t, schema.Config{URL: url, FS: set, Progress: func(e schema.Event) {
		if e.Applied != nil {
			send(t, url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'portaldb up%'`)
		}
	}})
	if _, err := killed.UpRestoring(t.Context(), 0, ""); err == nil {
		t.Fatal("no error")
	}
}

// TestEngine_Rollback_settings: what a login has set for itself loses nothing.
func TestEngine_Rollback_settings(t *testing.T) {
	t.Parallel()

	t.Run("how values are written", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := withEffects(t, files("create table a (id integer primary key, n integer);\n-- +goose Down\ndrop table a;",
			"create type spot as (x float8, d date);\nalter table a add column s spot;\nalter table a alter column n type bigint;\n"+
				"-- +goose Down\nalter table a drop column s;\ndrop type spot;\nalter table a alter column n type integer;"))
		mustUp(t, open(t, url, set), 0)
		send(t, url, `insert into a values (1, 1, (0.1::float8 + 0.2::float8, '2026-02-01'))`)
		before := dump(t, url)
		if _, err := open(t, url+"&extra_float_digits=-5&datestyle=SQL,DMY", set).Rollback(t.Context(), to(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, url, set).UpRestoring(t.Context(), 0, ""); err != nil {
			t.Fatal(err)
		}
		if now := dump(t, url); !equal(now, before) {
			t.Errorf("got %q, want %q", now, before)
		}
	})

	t.Run("what a transaction sees", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := withEffects(t, files("create table a (id integer primary key);\n-- +goose Down\ndrop table a;", "alter table a add column note text;\n-- +goose Down\nalter table a drop column note;"))
		mustUp(t, open(t, url, set), 0)
		db := connect(t, url)
		writer, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := writer.ExecContext(t.Context(), `insert into a values (1, 'late')`); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() {
			engine := openWith(t, schema.Config{URL: url + "&default_transaction_isolation=repeatable%20read", FS: set, LockTimeout: 30 * time.Second})
			_, err := engine.Rollback(t.Context(), to(1))
			done <- err
		}()
		waitFor(t, func() bool {
			return scan[bool](t, db, `select exists (select from pg_stat_activity where datname = current_database() and application_name like 'portaldb rollback%' and wait_event_type = 'Lock')`)
		})
		if err := writer.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, url, set).UpRestoring(t.Context(), 0, ""); err != nil {
			t.Fatal(err)
		}
		if now := dump(t, url); !equal(now, []string{"a (1,late)"}) {
			t.Errorf("got %q", now)
		}
	})

	t.Run("row security", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := withEffects(t, files("create table a (id integer primary key);\n"+
			"create policy a_mine on a using (id < 2) with check (true);\nalter table a enable row level security, force row level security;\n-- +goose Down\ndrop table a;",
			"alter table a add column note text;\n-- +goose Down\nalter table a drop column note;"))
		engine := open(t, url, set)
		mustUp(t, engine, 0)
		send(t, url, `insert into a values (1, 'seen'), (2, 'hidden')`)
		for _, apply := range []bool{false, true} {
			refusedRollback(t, engine, url, schema.RollbackRequest{Steps: 1, Apply: apply}, "row security would hide rows of public.a")
		}
		able := open(t, pgtest.Superuser(t, url), set)
		if _, err := able.Rollback(t.Context(), to(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := able.UpRestoring(t.Context(), 0, ""); err != nil {
			t.Fatal(err)
		}
		if now := dump(t, pgtest.Superuser(t, url)); !equal(now, []string{"a (1,seen)", "a (2,hidden)"}) {
			t.Errorf("got %q", now)
		}
	})

	t.Run("all tables are published", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, withEffects(t, files("create table a (id integer primary key, n integer);\n-- +goose Down\ndrop table a;",
			"alter table a alter column n type bigint;\n-- +goose Down\nalter table a alter column n type integer using 1;")))
		mustUp(t, engine, 0)
		send(t, pgtest.Superuser(t, url), `insert into a values (1, 7)`, `create publication everything for all tables`)
		if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.UpRestoring(t.Context(), 0, ""); err != nil {
			t.Fatal(err)
		}
		if now := dump(t, url); !equal(now, []string{"a (1,7)"}) {
			t.Errorf("got %q", now)
		}
	})

	t.Run("a hold that ends by itself", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, withEffects(t, files("create table a (id integer primary key);\n-- +goose Down\ndrop table a;", "create index a_idx on a (id);\n-- +goose Down\ndrop index a_idx;")))
		mustUp(t, engine, 0)
		until := time.Now().Add(time.Hour)
		if _, err := engine.Hold(t.Context(), "lunch", &until); err != nil {
			t.Fatal(err)
		}
		done, err := engine.Rollback(t.Context(), to(1))
		if err != nil || done.Hold == nil || done.Hold.Until != nil || !strings.Contains(done.Hold.Reason, "lunch; rolled back") {
			t.Errorf("got %+v, %v", done.Hold, err)
		}
	})
}

// TestEngine_Rollback_attribute: what lay in an attribute of a composite type comes back where it is a column's own type, and
// stays where it lies deeper.
func TestEngine_Rollback_attribute(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ column, value, refused string }{
		"of the column's type":      {"spot", "row(1, 2)", ""},
		"of an array":               {"spot[]", "array[row(1, 2), null]::spot[]", ""},
		"of a domain":               {"place", "row(1, 2)", "would lose a part"},
		"of a type within the type": {"tour", "row('x', row(1, 2))", "would lose a part"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			engine := open(t, url, withEffects(t, files("create type spot as (x integer);\ncreate domain place as spot;\ncreate type tour as (name text, start spot);\n"+
				"create table a (id integer primary key, s "+c.column+");\n-- +goose Down\ndrop table a; drop type tour; drop domain place; drop type spot;",
				"alter type spot add attribute y integer;\n-- +goose Down\nalter type spot drop attribute y;")))
			mustUp(t, engine, 0)
			send(t, url, `insert into a values (1, `+c.value+`)`)
			before := dump(t, url)
			if _, err := engine.Rollback(t.Context(), to(1)); c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) || !equal(before, dump(t, url)) {
					t.Errorf("got %v", err)
				}
				return
			} else if err != nil {
				t.Fatal(err)
			}
			if _, err := engine.UpRestoring(t.Context(), 0, ""); err != nil {
				t.Fatal(err)
			}
			if now := dump(t, url); !equal(now, before) {
				t.Errorf("got %q, want %q", now, before)
			}
		})
	}
}

// TestEngine_Rollback_keys: rows that cannot be found again, or whose references are gone, are not lost.
func TestEngine_Rollback_keys(t *testing.T) {
	t.Parallel()

	t.Run("changed by the Down", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, withEffects(t, files("create table a (id integer primary key, n text);\n-- +goose Down\ndrop table a;",
			"alter table a alter column id type bigint;\n-- +goose Down\nalter table a alter column id type integer using (id % 1000)::integer;")))
		mustUp(t, engine, 0)
		send(t, url, `insert into a values (1, 'x'), (5000000002, 'y')`)
		refusedRollback(t, engine, url, to(1), "1 of 2 rows could not be found again")
		send(t, url, `update a set id = 2 where id > 2`)
		if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
			t.Error(err)
		}
	})

	t.Run("references over two tables", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, withEffects(t, files("create table p (id integer primary key);\n-- +goose Down\ndrop table p;",
			"create table c (id integer primary key);\ncreate table b (id integer primary key, p integer references p (id));\nalter table c add column b integer references b (id);\n"+
				"-- +goose Down\ndrop table c, b;")))
		mustUp(t, engine, 0)
		send(t, url, `insert into p values (1), (2)`, `insert into b values (1, 1), (2, 2)`, `insert into c values (1, 1), (2, 2), (3, null)`)
		if _, err := engine.Rollback(t.Context(), to(1)); err != nil {
			t.Fatal(err)
		}
		send(t, url, `delete from p where id = 2`)
		if _, err := engine.UpRestoring(t.Context(), 0, ""); err != nil {
			t.Fatal(err)
		}
		if now := dump(t, url); !equal(now, []string{"b (1,1)", "c (1,1)", "c (3,)", "p (1)"}) {
			t.Errorf("got %q", now)
		}
		list, err := engine.Trash(t.Context())
		if err != nil || len(list) != 2 || *list[0].LeftRows != 1 || *list[1].LeftRows != 1 {
			t.Fatalf("still kept: %+v, %v", list, err)
		}
		for _, kept := range list {
			if n := scan[int](t, connect(t, url), `select id from `+*kept.KeptIn); n != 2 {
				t.Errorf("%s has row %d", *kept.KeptIn, n)
			}
		}
	})
}
