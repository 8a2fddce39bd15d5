package schema_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// TestLegacy_prepares has every statement of the legacy service prepared at every version from the baseline on.
func TestLegacy_prepares(t *testing.T) {
	t.Parallel()
	engine := open(t, pgtest.Empty(t), migrations.FS)
	if n := len(schema.Legacy().Statements); n < 25 {
		t.Fatalf("%d statements", n)
	}
	for version := int64(schema.Baseline); version <= engine.Latest(); version++ {
		mustUp(t, engine, version)
		c, err := engine.Compatible(t.Context(), schema.Legacy())
		if err != nil || !c.Prepares() {
			t.Fatalf("at version %d: %s, %v", version, c.BrokenText(), err)
		}
	}
}

// gated are migrations that each need, or refuse, something else on their way back.
func gated(t testing.TB) fs.FS {
	t.Helper()
	return withEffects(t, files(
		"create table a (id integer primary key, n integer);\ncreate table heap (x text);\n-- +goose Down\ndrop table a, heap;",
		"alter table heap add column y text;\n-- +goose Down\nalter table heap drop column y;",
		"alter table a add column note text;\n-- +goose Down\nalter table a drop column note;",
		"create table b (id integer primary key);\n-- +goose Down\ndrop table b cascade;",
		"update a set n = 0 where n is null;\n-- +goose Down\n-- irreversible: who had no number is not known any more\nselect raise_nothing();",
	))
}

// refusedRollback wants a rollback to be refused for a reason, and nothing to change.
func refusedRollback(t testing.TB, engine *schema.Engine, url string, request schema.RollbackRequest, reason string) schema.Rollback {
	t.Helper()
	before, version := dump(t, url), scan[int64](t, connect(t, url), `select max(version_id) from goose_db_version`)
	result, err := engine.Rollback(t.Context(), request)
	var refused *schema.RefusedError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), reason) || !strings.HasSuffix(err.Error(), "nothing changed") {
		t.Fatalf("got %v, want a refusal with %q", err, reason)
	}
	if now := scan[int64](t, connect(t, url), `select max(version_id) from goose_db_version`); now != version || !equal(before, dump(t, url)) {
		t.Errorf("refused, but at version %d, was %d", now, version)
	}
	return result
}

// TestEngine_Rollback_grants: what is kept may hold personal data, and nobody but its owner has a right to it, whoever had one to
// what it was and whatever rights new tables are given.
func TestEngine_Rollback_grants(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	engine := open(t, url, withEffects(t, files(
		"create table a (id integer primary key);\ngrant select on a to public;\n-- +goose Down\ndrop table a;",
		"alter table a add column cpf text;\ngrant update (cpf) on a to public;\n-- +goose Down\nalter table a drop column cpf;",
		"create table b (id bigint generated always as identity primary key, cpf text);\ngrant select, insert on b to public;\ngrant update (cpf) on b to public;\n-- +goose Down\ndrop table b;",
		"create table c (id serial primary key, cpf text);\n-- +goose Down\ndo $$ begin execute 'drop table c'; end $$;",
	)))
	mustUp(t, engine, 0)
	send(t, url, `alter default privileges grant select on tables to public`, `alter default privileges grant usage on sequences to public`,
		`alter default privileges grant usage on schemas to public`)
	send(t, url, `insert into a values (1, '1')`, `insert into b (cpf) values ('1')`, `insert into c (cpf) values ('1')`)
	if done, err := engine.Rollback(t.Context(), to(1)); err != nil || done.To != 1 {
		t.Fatalf("got %+v, %v", done, err)
	}
	db := connect(t, url)
	if n := scan[int](t, db, `select count(*) from pg_class where relnamespace = 'portaldb_trash'::regnamespace and relkind = 'r'`); n != 3 {
		t.Errorf("%d tables are kept", n)
	}
	if rights := scan[string](t, db, `
		select coalesce(string_agg(format('%s: %s to %s', what, privilege_type, grantee), ', '), '') from (
			select c.relname::text as what, x.grantee, x.privilege_type, c.relowner as owner from pg_class c, aclexplode(c.relacl) x where c.relnamespace = 'portaldb_trash'::regnamespace
			union all
			select c.relname || '.' || a.attname, x.grantee, x.privilege_type, c.relowner from pg_class c join pg_attribute a on a.attrelid = c.oid, aclexplode(a.attacl) x
			where c.relnamespace = 'portaldb_trash'::regnamespace
			union all
			select n.nspname, x.grantee, x.privilege_type, n.nspowner from pg_namespace n, aclexplode(n.nspacl) x where n.nspname = 'portaldb_trash'
		) r where grantee <> owner`); rights != "" {
		t.Errorf("others have rights: %s", rights)
	}
}

func TestEngine_Rollback_gates(t *testing.T) {
	t.Parallel()
	set := gated(t)

	t.Run("irreversible", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 0)
		for _, apply := range []bool{false, true} {
			got := refusedRollback(t, engine, url, schema.RollbackRequest{Apply: apply}, "who had no number is not known any more")
			if got.Class != catalog.Irreversible || !strings.Contains(got.Skeleton, "-- +goose Up") || !strings.Contains(got.Skeleton, "00006_") {
				t.Errorf("got %+v", got)
			}
		}
	})

	t.Run("a loss is accepted as it was shown", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 2)
		send(t, url, `insert into heap select 'x', 'y' from generate_series(1, 6)`)
		dry, err := engine.Rollback(t.Context(), schema.RollbackRequest{})
		if err != nil || dry.Class != catalog.DataLost || dry.Steps[0].Losses[0].Rows != 6 {
			t.Fatalf("got %+v, %v", dry, err)
		}
		refusedRollback(t, engine, url, to(1), "--accept-loss "+dry.Digest)
		send(t, url, `insert into heap select 'x', 'y' from generate_series(1, 20)`)
		request := to(1)
		request.AcceptLoss = dry.Digest
		refusedRollback(t, engine, url, request, "is not the one whose loss was accepted")
		send(t, url, `delete from heap where ctid not in (select ctid from heap limit 9)`) // 10, as 6 was
		if done, err := engine.Rollback(t.Context(), request); err != nil || done.To != 1 {
			t.Fatalf("got %+v, %v", done, err)
		}
	})

	t.Run("a loss that grows while it waits for its lock", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 2)
		db := connect(t, url)
		send(t, url, `insert into heap select 'x', 'y' from generate_series(1, 6)`)
		dry, err := engine.Rollback(t.Context(), schema.RollbackRequest{})
		if err != nil {
			t.Fatal(err)
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.ExecContext(t.Context(), `insert into heap select 'x', 'y' from generate_series(1, 20)`); err != nil {
			t.Fatal(err)
		}
		request := to(1)
		request.AcceptLoss = dry.Digest
		ended := make(chan error, 1)
		go func() {
			_, err := engine.Rollback(t.Context(), request)
			ended <- err
		}()
		waitFor(t, func() bool {
			return scan[bool](t, db, `select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'lock table%')`)
		})
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		err = <-ended
		if err == nil || !strings.Contains(err.Error(), "more would be lost than was accepted") || !strings.Contains(err.Error(), "(26 rows)") {
			t.Errorf("got %v", err)
		}
		wantTrue(t, "a loss that grows", err, 2, scan[int64](t, db, `select max(version_id) from goose_db_version`))
		if n := scan[int](t, db, `select count(y) from heap`); n != 26 {
			t.Errorf("%d rows have their values", n)
		}
	})

	t.Run("drift on what it touches", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 3)
		send(t, url, `create index extra_idx on a (note)`)
		refusedRollback(t, engine, url, to(2), "extra index public.a.extra_idx")
		send(t, url, `drop index extra_idx`, `create index extra_idx on heap (x)`)
		if done, err := engine.Rollback(t.Context(), to(2)); err != nil || done.To != 2 {
			t.Fatalf("drift elsewhere: %+v, %v", done, err)
		}
	})

	t.Run("CASCADE would take what no migration made", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 4)
		send(t, url, `create view somebodys as select * from b`)
		refusedRollback(t, engine, url, to(3), "view public.somebodys, which no migration made")
	})

	t.Run("a file that was edited since", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		mustUp(t, open(t, url, set), 4)
		edited := fstest.MapFS{}
		names, _ := fs.Glob(set, "*")
		for _, name := range append(names, "effects/00001.json", "effects/00002.json", "effects/00003.json", "effects/00004.json", "effects/00005.json") {
			if data, err := fs.ReadFile(set, name); err == nil {
				edited[name] = &fstest.MapFile{Data: data}
			}
		}
		name := "00004_create_thing4.sql"
		edited[name] = &fstest.MapFile{Data: append(edited[name].Data, "-- edited\n"...)}
		refusedRollback(t, open(t, url, edited), url, to(3), name)
	})

	t.Run("below the baseline", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := openWith(t, schema.Config{URL: url, FS: set, Baseline: 2})
		mustUp(t, engine, 3)
		refusedRollback(t, engine, url, to(1), "below the baseline")
		if done, err := engine.Rollback(t.Context(), to(2)); err != nil || done.To != 2 {
			t.Fatalf("to the baseline: %+v, %v", done, err)
		}
	})

	t.Run("replicas that would break", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, set)
		mustUp(t, engine, 3)
		release := schema.Release{Name: "v3", Statements: map[string]string{"GetNote": "select note from a where id = $1", "Get": "select id from a"}}
		if err := engine.Report(t.Context(), "0f0e0d0c-0000-4000-8000-000000000001", release); err != nil {
			t.Fatal(err)
		}
		refusedRollback(t, engine, url, to(2), "run release v3, and its statements would not work any more: GetNote")
		unable, err := engine.Rollback(t.Context(), schema.RollbackRequest{Steps: 1})
		if err != nil || unable.Orientation.Unknown == "" || len(unable.Orientation.Replicas) != 1 {
			t.Errorf("a dry run of a login that may not create databases: %+v, %v", unable.Orientation, err)
		}
		able := open(t, pgtest.Superuser(t, url), set)
		refusedRollback(t, able, url, schema.RollbackRequest{Steps: 1}, "would not work at version 2: GetNote")
		if err := engine.Leave(t.Context(), "0f0e0d0c-0000-4000-8000-000000000001"); err != nil {
			t.Fatal(err)
		}
		if done, err := engine.Rollback(t.Context(), to(2)); err != nil || done.To != 2 {
			t.Fatalf("without them: %+v, %v", done, err)
		}
	})

	t.Run("no effect", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, files("create table a ();\n-- +goose Down\ndrop table a;"))
		mustUp(t, engine, 0)
		refusedRollback(t, engine, url, to(0), "what 00001_create_thing1.sql did to the schema is not known")
	})
}

// TestEngine_Rollback_advice asks releases whether they could go on.
func TestEngine_Rollback_advice(t *testing.T) {
	t.Parallel()
	set := withEffects(t, files(
		"create table a (id integer primary key, n integer);\n-- +goose Down\ndrop table a;",
		"alter table a add column note text;\n-- +goose Down\nalter table a drop column note;",
		"alter table a add constraint a_n_check check (n > 0) not valid;\n-- +goose Down\nalter table a drop constraint a_n_check;",
		"alter table a rename column n to m;\n-- +goose Down\nalter table a rename column m to n;",
	))
	url := pgtest.Empty(t)
	engine := open(t, url, set)
	mustUp(t, engine, 1)
	old := open(t, url, files("create table a (id integer primary key, n integer);\n-- +goose Down\ndrop table a;"))
	for i, name := range []string{"v0", "v1"} {
		release := schema.Release{Name: name, Statements: map[string]string{"Get": "select n from a where id = $1", fmt.Sprint("Other", i): "select 1"}}
		if err := old.Report(t.Context(), fmt.Sprintf("0f0e0d0c-0000-4000-8000-00000000000%d", i), release); err != nil {
			t.Fatal(err)
		}
		if err := old.Leave(t.Context(), fmt.Sprintf("0f0e0d0c-0000-4000-8000-00000000000%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		version int64
		enough  bool
		text    string
	}{
		{2, true, "every statement of v1 works on the schema as it is"},
		{3, false, "constraint public.a.a_n_check may refuse"},
		{4, false, "statements of v1 do not work"},
	} {
		mustUp(t, engine, c.version)
		to := int64(1)
		got, err := engine.Rollback(t.Context(), schema.RollbackRequest{To: &to})
		if err != nil || got.Advice.Enough != c.enough || !strings.Contains(got.Advice.Text, c.text) {
			t.Errorf("at version %d: %+v, %v", c.version, got.Advice, err)
		}
	}
	// Without a target nothing is done where the binary is enough.
	if _, err := engine.Rollback(t.Context(), to(2)); err != nil {
		t.Fatal(err)
	}
	if got, err := engine.Rollback(t.Context(), schema.RollbackRequest{Apply: true}); err != nil || !got.Advice.Enough || len(got.Applied) != 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestEngine_Rollback_newer has an old binary roll back what it has no files of, from the history alone.
func TestEngine_Rollback_newer(t *testing.T) {
	t.Parallel()
	all := os.DirFS(writeMigrations(t, files(
		"create table a (id integer primary key);\n-- +goose Down\ndrop table a;",
		"create table b (id integer primary key, n text);\n-- +goose Down\ndrop table b;",
		"-- +goose StatementBegin\ndo $$ begin alter table a add column c text; end $$;\n-- +goose StatementEnd\n-- +goose Down\n-- +goose StatementBegin\ndo $$ begin alter table a drop column c; end $$;\n-- +goose StatementEnd",
	)))
	old := fstest.MapFS{}
	for _, name := range []string{"00001_create_thing1.sql", "effects/00001.json"} {
		data, err := fs.ReadFile(all, name)
		if err != nil {
			t.Fatal(err)
		}
		old[name] = &fstest.MapFile{Data: data}
	}
	prepare := func(t *testing.T) string {
		t.Helper()
		url := pgtest.Empty(t)
		mustUp(t, open(t, url, all), 0)
		send(t, url, `insert into a values (1, 'one')`, `insert into b values (1, 'x')`)
		return url
	}

	t.Run("goes back, and the new binary brings it again", func(t *testing.T) {
		t.Parallel()
		url := prepare(t)
		before := dump(t, url)
		done, err := open(t, url, old).Rollback(t.Context(), to(1))
		if err != nil || done.To != 1 || len(done.Trash) != 2 {
			t.Fatalf("got %+v, %v", done, err)
		}
		if _, err := open(t, url, all).UpRestoring(t.Context(), 0, ""); err != nil {
			t.Fatal(err)
		}
		if got := dump(t, url); !equal(got, before) {
			t.Errorf("got %q, want %q", got, before)
		}
	})

	for _, c := range []struct{ name, change, want string }{
		{"an edited body", `update portaldb.history set body = body || '-- more' where version = 3`, "was edited"},
		{"a forged body", `update portaldb.history entry set body = body || '-- more' where version = 3; update portaldb.history entry set hash = ` + "%s" + ` where version = 3`, "its checksum is another"},
		{"a history that others may write", `create role history_guest_%d; grant insert on portaldb.history to history_guest_%[1]d`, "can be written by history_guest_"},
		{"no history of it", `delete from portaldb.history where version = 3`, "does not say what version 3 was"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := prepare(t)
			change := c.change
			switch c.name {
			case "a forged body":
				change = fmt.Sprintf(change, schema.HistoryHash)
			case "a history that others may write":
				change = fmt.Sprintf(change, os.Getpid())
			}
			send(t, pgtest.Superuser(t, url), change)
			refusedRollback(t, open(t, url, old), url, to(1), c.want)
			if strings.Contains(change, "create role") {
				send(t, pgtest.Superuser(t, url), fmt.Sprintf(`drop owned by history_guest_%d; drop role history_guest_%[1]d`, os.Getpid()))
			}
		})
	}
}

// TestEngine_Rollback_advice_unseen: what PREPARE does not see is told, so that nobody goes back to sleep over it.
func TestEngine_Rollback_advice_unseen(t *testing.T) {
	t.Parallel()
	const release = "create table a (id integer primary key, code varchar(20), constraint a_code_key unique (code));"
	for up, want := range map[string]string{
		"alter table a drop constraint a_code_key;\n-- +goose Down\nalter table a add constraint a_code_key unique (code);":   "the missing constraint public.a.a_code_key",
		"alter table a alter column code type varchar(2);\n-- +goose Down\nalter table a alter column code type varchar(20);": "column public.a.code",
		"alter table a enable row level security;\n-- +goose Down\nalter table a disable row level security;":                 "table public.a",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			engine := open(t, url, withEffects(t, files(release+"\n-- +goose Down\ndrop table a;", up)))
			mustUp(t, engine, 1)
			old := open(t, url, files(release+"\n-- +goose Down\ndrop table a;"))
			const id = "0f0e0d0c-0000-4000-8000-000000000001"
			if err := old.Report(t.Context(), id, schema.Release{Name: "v1", Statements: map[string]string{"Put": "insert into a values ($1, $2) on conflict (code) do nothing"}}); err != nil {
				t.Fatal(err)
			}
			if err := old.Leave(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			mustUp(t, engine, 2)
			got, err := engine.Rollback(t.Context(), schema.RollbackRequest{})
			if err != nil || got.Advice.Enough || !strings.Contains(got.Advice.Text, want) {
				t.Errorf("got %+v, %v", got.Advice, err)
			}
		})
	}
}

// TestRoundedUp has counts up to the largest.
func TestRoundedUp(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]int64{
		-1: 0, 0: 0, 1: 1, 3: 5, 6: 10, 10: 10, 1_001: 2_000, 3_000_000_000: 5_000_000_000, 5_000_000_000_000_000_001: math.MaxInt64, math.MaxInt64: math.MaxInt64,
	} {
		if got := schema.RoundedUp(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
}
