package schema_test

import (
	"errors"
	"strings"
	"testing"

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
