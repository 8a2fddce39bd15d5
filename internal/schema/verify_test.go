package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

func verify(t testing.TB, engine *schema.Engine, accept ...catalog.Difference) schema.Verification {
	t.Helper()
	v, err := engine.Verify(t.Context(), accept)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// named lists differences as a person reads them.
func named(differences []catalog.Difference) []string {
	list := []string{}
	for _, d := range differences {
		list = append(list, fmt.Sprintf("%s %s %s", d.Class, d.Kind, d.Object))
	}
	slices.Sort(list)
	return list
}

// withEffects measures the effects of a set of migrations and puts them beside it.
func withEffects(t testing.TB, set fstest.MapFS) fs.FS {
	t.Helper()
	m, err := open(t, pgtest.Superuser(t, pgtest.Empty(t)), set).Measure(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "effects"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := schema.WriteEffects(dir, m.Effects); err != nil {
		t.Fatal(err)
	}
	for name, file := range set {
		if err := os.WriteFile(filepath.Join(dir, name), file.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return os.DirFS(dir)
}

// TestEngine_Verify_single_changes makes one change at a time to a schema with one of everything: exactly that is found,
// against the effects and, for the login that may, against a scratch database.
func TestEngine_Verify_single_changes(t *testing.T) {
	t.Parallel()
	zoo, err := os.ReadFile("../catalog/testdata/zoo.sql")
	if err != nil {
		t.Fatal(err)
	}
	set := withEffects(t, files("-- +goose StatementBegin\n"+string(zoo)+"\n-- +goose StatementEnd"))
	execute(t, pgtest.Superuser(t, pgtest.Empty(t)), `do $$ begin create role verify_guest; exception when duplicate_object then null; end $$`)
	for _, c := range []struct{ name, change, want string }{
		{"column", `alter table zoo.parent drop column during`, "missing column zoo.parent.during, missing constraint zoo.parent.parent_during_excl"},
		{"type", `alter table zoo.heir alter column extra type bigint`, "different column zoo.heir.extra"},
		{"default", `alter table zoo.parent alter column name set default 'y'`, "different column zoo.parent.name"},
		{"null", `alter table zoo.parent alter column name drop not null`, "different column zoo.parent.name"},
		{"generated", `alter table zoo.parent alter column double_size drop expression`, "different column zoo.parent.double_size"},
		{"identity", `alter table zoo.parent alter column id set generated always`, "different column zoo.parent.id"},
		{"collation", `alter table zoo.heir alter column remark type text collate "C"`, "different column zoo.heir.remark"},
		{"check", `alter table zoo.parent drop constraint parent_size_check, add constraint parent_size_check check (size > 1)`, "different constraint zoo.parent.parent_size_check"},
		{"foreign key", `alter table zoo.child drop constraint child_parent_id_fkey`, "missing constraint zoo.child.child_parent_id_fkey"},
		{"foreign key's action", `alter table zoo.child drop constraint child_parent_id_fkey, add constraint child_parent_id_fkey foreign key (parent_id) references zoo.parent (id)`, "different constraint zoo.child.child_parent_id_fkey"},
		{"unique", `alter table zoo.parent drop constraint parent_name_key, add constraint parent_name_key unique (name, size)`, "different constraint zoo.parent.parent_name_key"},
		{"exclusion", `alter table zoo.parent drop constraint parent_during_excl`, "missing constraint zoo.parent.parent_during_excl"},
		{"index definition", `drop index zoo.child_parent_id_idx; create index child_parent_id_idx on zoo.child (parent_id desc)`, "different index zoo.child.child_parent_id_idx"},
		{"invalid index", `update pg_index set indisvalid = false where indexrelid = 'zoo.child_parent_id_idx'::regclass`, "different index zoo.child.child_parent_id_idx"},
		{"partial predicate", `drop index zoo.child_note_idx; create index child_note_idx on zoo.child (note) where note <> ''`, "different index zoo.child.child_note_idx"},
		{"trigger", `create or replace trigger child_touch before update of note on zoo.child for each row execute function zoo.touch()`, "different trigger zoo.child.child_touch"},
		{"disabled trigger", `alter table zoo.child disable trigger child_touch`, "different trigger zoo.child.child_touch"},
		{"function body", `create or replace function zoo.touch() returns trigger language plpgsql as 'begin return null; end'`, "different function zoo.touch()"},
		{"volatility", `alter function zoo.touch() stable`, "different function zoo.touch()"},
		{"view", `create or replace view zoo.names as select id, upper(name) as name from zoo.parent`, "different view zoo.names"},
		{"enum value", `alter type zoo.mood add value 'glad'`, "different enum zoo.mood"},
		{"sequence", `alter sequence zoo.ticket increment 3`, "different sequence zoo.ticket"},
		{"extension", `drop extension citext`, "missing extension citext"},
		{"comment", `comment on table zoo.parent is null`, "different table zoo.parent"},
		{"grant", `grant select on zoo.child to verify_guest`, "different table zoo.child"},
		{"owner", `alter table zoo.heir owner to verify_guest`, "different table zoo.heir"},
		{"row security", `alter table zoo.parent enable row level security`, "different table zoo.parent"},
		{"policy", `alter policy mine on zoo.parent using (true)`, "different policy zoo.parent.mine"},
		{"partition", `alter table zoo.measure detach partition zoo.measure_2026`, "different table zoo.measure_2026"},
		{"inheritance", `alter table zoo.heir no inherit zoo.child`, "different table zoo.heir"},
		{"storage", `alter table zoo.parent alter column document set storage external`, "different column zoo.parent.document"},
		{"renamed", `alter table zoo.parent rename constraint parent_size_check to other_check`, "renamed constraint zoo.parent.parent_size_check"},
		{"extra", `create table zoo.more (id integer)`, "extra table zoo.more"},
		{"nothing", `select 1`, ""},
	} {
		scratch := !testing.Short() || strings.HasPrefix(c.name, "in") // it takes most of the time
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			owner, superuser := open(t, url, set), open(t, pgtest.Superuser(t, url), set)
			if _, err := owner.Up(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			execute(t, pgtest.Superuser(t, url), c.change)
			want := strings.Split(c.want, ", ")
			if c.want == "" {
				want = []string{}
			}
			byEffects := verify(t, owner)
			if byEffects.Against != schema.AgainstEffects || *byEffects.Why != "the login may not create databases" {
				t.Errorf("compared against %s", byEffects.Against)
			}
			if diff := cmp.Diff(want, named(byEffects.Differences)); diff != "" || byEffects.Drift() != (c.want != "") {
				t.Errorf("against the effects (-want +got):\n%s", diff)
			}
			if !scratch {
				return
			}
			byScratch := verify(t, superuser)
			if byScratch.Against != schema.AgainstScratch || byScratch.Why != nil {
				t.Errorf("compared against %s", byScratch.Against)
			}
			if diff := cmp.Diff(byEffects.Differences, byScratch.Differences); diff != "" {
				t.Errorf("a scratch database tells another story (-effects +scratch):\n%s", diff)
			}
		})
	}
}

func TestEngine_Verify(t *testing.T) {
	t.Parallel()

	t.Run("tells apart what is no drift", func(t *testing.T) {
		t.Parallel()
		url := pgtest.New(t)
		execute(t, url, `
			create schema reporting; create table reporting.a (id integer);
			create schema "we.ird"; create view "we.ird".b as select 1 as one;
			create extension unaccent;
			alter table notification_recipients drop column read_at, add column read_at timestamptz;
			alter table notification_recipients drop column delivered_at, add column delivered_at timestamptz not null default now();
			create index ix_notification_recipients_user_unread on notification_recipients (user_id) where read_at is null;
			update roles set description = 'edited' where name = 'coordenador';
			insert into roles (name) values ('of ours');
			update org_units set parent_id = null where code = 'TI-DEV';
			delete from org_units where code = 'GOV-JUR'`)
		for _, login := range []string{url, pgtest.Superuser(t, url)} {
			v := verify(t, open(t, login, migrations.FS))
			if v.Drift() || len(v.Differences) > 0 {
				t.Errorf("got drift: %v", v.Differences)
			}
			if diff := cmp.Diff([]string{"order table public.notification_recipients"}, named(v.ColumnOrder)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]schema.NotOwned{{"extension", "unaccent"}, {"schema", `"we.ird"`}, {"schema", "reporting"}}, v.NotOwned); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]catalog.Difference{
				{Class: catalog.Missing, Kind: "row", Object: "public.org_units.GOV-JUR", Expected: "active: true; name: Jurídico; parent: AGEPAR-GOV"},
				{Class: catalog.Different, Kind: "row", Object: "public.org_units.TI-DEV", Expected: "parent: AGEPAR-TI", Actual: "parent: none"},
				{Class: catalog.Different, Kind: "row", Object: "public.roles.coordenador", Expected: "description: Papel legado sem atribuições padrão", Actual: "description: edited"},
			}, v.ReferenceRows); diff != "" {
				t.Error(diff)
			}
		}
	})

	t.Run("leaves no scratch database, and removes what a dead run left", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Superuser(t, pgtest.New(t))
		db := connect(t, url)
		// Another session's scratch database is not touched while that session lives.
		live := scan[string](t, db, `select format('portaldb_scratch_%s_%s', pid, (extract(epoch from backend_start) * 1000)::bigint) from pg_stat_activity where pid = pg_backend_pid()`)
		const dead, unrelated = "portaldb_scratch_1_1", "portaldb_scratch_of_somebody"
		for _, name := range []string{live, dead, unrelated} {
			if _, err := db.ExecContext(t.Context(), `create database `+name+` template template0`); err != nil {
				t.Fatal(err)
			}
		}
		if v := verify(t, open(t, url, migrations.FS)); v.Against != schema.AgainstScratch {
			t.Fatalf("compared against %s: %s", v.Against, *v.Why)
		}
		if left := scan[string](t, db, `
			select coalesce(string_agg(datname, ', '), '') from pg_database d where datname ~ '^portaldb_scratch_[0-9]+_[0-9]+$'
			  and not exists (select from pg_stat_activity a where a.pid::text = split_part(d.datname, '_', 3))`); left != "" {
			t.Errorf("left by this run or by dead ones: %s", left)
		}
		for _, name := range []string{live, unrelated} {
			if !scan[bool](t, db, `select exists (select from pg_database where datname = $1)`, name) {
				t.Errorf("%s is gone", name)
			} else if _, err := db.ExecContext(t.Context(), `drop database `+name); err != nil {
				t.Error(err)
			}
		}
	})

	t.Run("accepts what a person reviewed", func(t *testing.T) {
		t.Parallel()
		url := pgtest.New(t)
		engine := openWith(t, schema.Config{URL: url, FS: migrations.FS, Actor: schema.Actor{Name: "somebody@somewhere"}})
		execute(t, url, `alter table submissions add column note text; alter table tasks add column more text`)
		first := verify(t, engine)
		if len(first.Differences) != 2 || !first.Drift() {
			t.Fatalf("got %v", first.Differences)
		}
		accept := first.Differences[0]
		accept.Reason = "a reason"
		elsewhere := catalog.Difference{Class: catalog.Extra, Kind: "table", Object: "public.elsewhere", Reason: "there it exists"}
		v := verify(t, engine, accept, elsewhere)
		if !v.Differences[0].Accepted || v.Differences[1].Accepted || !v.Drift() || len(v.NotFound) != 1 || !v.NotFound[0].Same(elsewhere) {
			t.Errorf("got %+v", v)
		}
		db := connect(t, url)
		if got := scan[string](t, db, `select concat_ws('|', difference ->> 'object', reason, actor, role = session_user, count(*) over ()) from portaldb.accepted`); got != "public.submissions.note|a reason|somebody@somewhere|t|1" {
			t.Errorf("kept %q", got)
		}
		accept.Reason = "a better reason"
		verify(t, engine, accept)
		if got := scan[string](t, db, `select string_agg(reason, ', ') from portaldb.accepted`); got != "a better reason" {
			t.Errorf("accepted again, it has the reasons %q", got)
		}
		execute(t, url, `alter table tasks drop column more`)
		if v := verify(t, engine); v.Drift() || v.Differences[0].Reason != "a better reason" {
			t.Errorf("what was accepted is drift: %+v", v)
		}
		if status, err := engine.Status(t.Context()); err != nil || *status.Drift {
			t.Errorf("status calls it drift: %v", err)
		}
		// It covers this difference alone.
		execute(t, url, `alter table submissions alter column note type varchar(10)`)
		if v := verify(t, engine); !v.Drift() {
			t.Error("another type is not told")
		}
	})

	t.Run("of versions that a newer binary applied", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		set := files("create table a (id int);", "create table b (id int);")
		if _, err := open(t, url, withEffects(t, set)).Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		older := maps.Clone(set)
		delete(older, "00002_create_thing2.sql")
		engine := open(t, url, withEffects(t, older))
		if v := verify(t, engine); v.Drift() || v.Version != 2 {
			t.Errorf("got %+v", v)
		}
		execute(t, url, `alter table b add column more text`)
		if v := verify(t, engine); !slices.Equal(named(v.Differences), []string{"extra column public.b.more"}) {
			t.Errorf("got %+v", v)
		}
		execute(t, url, `delete from portaldb.history where version = 2`)
		if _, err := engine.Verify(t.Context(), nil); !errors.Is(err, schema.ErrNewer) {
			t.Errorf("without the effect: %v", err)
		}
	})

	t.Run("at every version on the way", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, migrations.FS)
		for version := int64(0); version <= engine.Latest(); version += 7 {
			if version > 0 {
				if _, err := engine.Up(t.Context(), version); err != nil {
					t.Fatal(err)
				}
			}
			if v := verify(t, engine); v.Version != version || v.Drift() || len(v.ReferenceRows) > 0 {
				t.Errorf("at %d: %+v", version, v)
			}
		}
	})

	t.Run("a legacy database", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		execute(t, url, `create table users (id text)`)
		var refused *schema.RefusedError
		if _, err := open(t, url, migrations.FS).Verify(t.Context(), nil); !errors.As(err, &refused) || !strings.Contains(err.Error(), "portaldb adopt") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("without a way to know", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, files("create table a ();"))
		if _, err := engine.Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := engine.Verify(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "make generate") || !strings.Contains(err.Error(), "may not create databases") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("bookkeeping of an earlier release", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		engine := open(t, url, migrations.FS)
		if _, err := engine.Up(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		execute(t, url, `drop table portaldb.accepted; update portaldb.meta set bookkeeping = 2; alter table submissions add column note text`)
		v := verify(t, engine)
		v.Differences[0].Reason = "a reason"
		if v := verify(t, engine, v.Differences...); v.Drift() {
			t.Errorf("got %+v", v)
		}
	})
}

func TestParseAccepted(t *testing.T) {
	t.Parallel()
	d := catalog.Difference{Class: catalog.Extra, Kind: "column", Object: "public.a.b", Actual: "type: text", Reason: "a reason"}
	array, err := json.Marshal([]catalog.Difference{d})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(array), `"expected":null`) {
		t.Errorf("what is absent is not null: %s", array)
	}
	for _, text := range []string{string(array), `{"version": 1, "differences": ` + string(array) + `}`} {
		got, err := schema.ParseAccepted([]byte(text))
		if diff := cmp.Diff([]catalog.Difference{d}, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	for _, c := range []struct{ text, want string }{
		{``, "no JSON"},
		{`[`, "no JSON"},
		{`[]`, "no differences"},
		{`{"differences": []}`, "no differences"},
		{`{"version": 1}`, "no differences"},
		{`[{"class": "extra", "kind": "column", "object": "public.a.b", "reason": " "}]`, "no reason"},
		{`[{"class": "extra", "reason": "a reason"}]`, "lacks class, kind or object"},
		{`"text"`, "no JSON"},
	} {
		if _, err := schema.ParseAccepted([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in it", c.text, err, c.want)
		}
	}
}
