package catalog_test

import (
	"database/sql"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// zoo returns a connection, as superuser, to a database with one of everything.
func zoo(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", pgtest.Superuser(t, pgtest.Empty(t)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	script, err := os.ReadFile("testdata/zoo.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), string(script)); err != nil {
		t.Fatal(err)
	}
	return db
}

func begin(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func read(t *testing.T, tx *sql.Tx) catalog.Catalog {
	t.Helper()
	c, err := catalog.Read(t.Context(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestDiff_single_changes makes one change at a time to a schema with one of everything: exactly that is found.
func TestDiff_single_changes(t *testing.T) {
	t.Parallel()
	db := zoo(t)
	if _, err := db.ExecContext(t.Context(), `do $$ begin create role catalog_zoo_guest; exception when duplicate_object then null; end $$`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, change, want string }{
		{"column added", `alter table zoo.child add column extra integer`, "extra column zoo.child.extra"},
		{"column dropped", `alter table zoo.child drop column id`, "missing column zoo.child.id, missing constraint zoo.child.child_pkey, missing sequence zoo.child_id_seq, missing column zoo.heir.id"},
		{"column renamed", `alter table zoo.parent rename column document to paper`, "renamed column zoo.parent.document"},
		{"type", `alter table zoo.heir alter column extra type bigint`, "different column zoo.heir.extra"},
		{"default", `alter table zoo.parent alter column name set default 'y'`, "different column zoo.parent.name"},
		{"null", `alter table zoo.parent alter column name drop not null`, "different column zoo.parent.name"},
		{"generated", `alter table zoo.parent alter column double_size drop expression`, "different column zoo.parent.double_size"},
		{"identity", `alter table zoo.parent alter column id set generated always`, "different column zoo.parent.id"},
		{"collation", `alter table zoo.heir alter column remark type text collate "C"`, "different column zoo.heir.remark"},
		{"storage", `alter table zoo.parent alter column document set storage external`, "different column zoo.parent.document"},
		{"check", `alter table zoo.parent drop constraint parent_size_check, add constraint parent_size_check check (size > 1)`, "different constraint zoo.parent.parent_size_check"},
		{"check not valid", `alter table zoo.parent drop constraint parent_size_check, add constraint parent_size_check check (size > 0) not valid`, "different constraint zoo.parent.parent_size_check"},
		{"check renamed", `alter table zoo.parent rename constraint parent_size_check to size_check`, "renamed constraint zoo.parent.parent_size_check"},
		{"foreign key action", `alter table zoo.child drop constraint child_parent_id_fkey, add constraint child_parent_id_fkey foreign key (parent_id) references zoo.parent (id)`, "different constraint zoo.child.child_parent_id_fkey"},
		{"foreign key dropped", `alter table zoo.child drop constraint child_parent_id_fkey`, "missing constraint zoo.child.child_parent_id_fkey"},
		{"unique", `alter table zoo.parent drop constraint parent_name_key, add constraint parent_name_key unique (name) deferrable`, "different constraint zoo.parent.parent_name_key"},
		{"exclusion", `alter table zoo.parent drop constraint parent_during_excl`, "missing constraint zoo.parent.parent_during_excl"},
		{"index", `drop index zoo.child_parent_id_idx; create index child_parent_id_idx on zoo.child (parent_id desc)`, "different index zoo.child.child_parent_id_idx"},
		{"index renamed", `alter index zoo.child_parent_id_idx rename to other_idx`, "renamed index zoo.child.child_parent_id_idx"},
		{"index invalid", `update pg_index set indisvalid = false where indexrelid = 'zoo.child_parent_id_idx'::regclass`, "different index zoo.child.child_parent_id_idx"},
		{"partial predicate", `drop index zoo.child_note_idx; create index child_note_idx on zoo.child (note) where note <> ''`, "different index zoo.child.child_note_idx"},
		{"trigger", `create or replace trigger child_touch before update of note on zoo.child for each row execute function zoo.touch()`, "different trigger zoo.child.child_touch"},
		{"trigger disabled", `alter table zoo.child disable trigger child_touch`, "different trigger zoo.child.child_touch"},
		{"trigger renamed", `alter trigger child_touch on zoo.child rename to t2`, "renamed trigger zoo.child.child_touch"},
		{"function body", `create or replace function zoo.touch() returns trigger language plpgsql as 'begin return null; end'`, "different function zoo.touch()"},
		{"volatility", `alter function zoo.touch() stable`, "different function zoo.touch()"},
		{"security definer", `alter function zoo.touch() security definer`, "different function zoo.touch()"},
		{"procedure", `drop procedure zoo.nothing()`, "missing procedure zoo.nothing()"},
		{"aggregate", `drop aggregate zoo.total (integer)`, "missing aggregate zoo.total(integer)"},
		{"view", `create or replace view zoo.names as select id, upper(name) as name from zoo.parent`, "different view zoo.names"},
		{"view option", `alter view zoo.names set (security_barrier)`, "different view zoo.names"},
		{"materialized view", `drop materialized view zoo.sizes`, "missing materialized view zoo.sizes"},
		{"enum value", `alter type zoo.mood rename value 'cross' to 'angry'`, "different enum zoo.mood"},
		{"enum renamed", `create type zoo.other as enum ('q'); alter type zoo.other rename to other2`, "extra enum zoo.other2"},
		{"domain", `alter domain zoo.percent drop constraint percent_check`, "missing constraint zoo.percent.percent_check"},
		{"composite type", `alter type zoo.pair add attribute c integer`, "extra column zoo.pair.c"},
		{"sequence", `alter sequence zoo.ticket increment 3`, "different sequence zoo.ticket"},
		{"extension", `create extension unaccent`, "extra extension unaccent"},
		{"comment", `comment on table zoo.parent is null`, "different table zoo.parent"},
		{"column comment", `comment on column zoo.parent.name is 'its name'`, "different column zoo.parent.name"},
		{"grant", `grant select on zoo.child to catalog_zoo_guest`, "different table zoo.child"},
		{"column grant", `grant select (note) on zoo.child to catalog_zoo_guest`, "different column zoo.child.note"},
		{"function revoke", `revoke execute on function zoo.touch() from public`, "different function zoo.touch()"},
		{"schema grant", `grant usage on schema zoo to catalog_zoo_guest`, "different schema zoo"},
		{"owner", `alter sequence zoo.ticket owner to catalog_zoo_guest`, "different sequence zoo.ticket"},
		{"row security", `alter table zoo.parent enable row level security`, "different table zoo.parent"},
		{"policy", `alter policy mine on zoo.parent using (true)`, "different policy zoo.parent.mine"},
		{"rule", `drop rule quiet on zoo.measure`, "missing rule zoo.measure.quiet"},
		{"statistics", `drop statistics zoo.pairs`, "missing statistics zoo.pairs"},
		{"partition", `alter table zoo.measure detach partition zoo.measure_2026`, "different table zoo.measure_2026"},
		{"inheritance", `alter table zoo.heir no inherit zoo.child`, "different table zoo.heir"},
		{"unlogged", `alter table zoo.heir set unlogged`, "different table zoo.heir"},
		{"options", `alter table zoo.child set (fillfactor = 70)`, "different table zoo.child"},
		{"table dropped", `drop table zoo.measure`, "missing table zoo.measure, missing table zoo.measure_2026"},
		{"table renamed", `alter table zoo.heir rename to successor`, "renamed table zoo.heir"},
		{"table added", `create table zoo.new (id integer primary key)`, "extra table zoo.new"},
		{"schema added", `create schema annex; create table annex.a ()`, "extra schema annex"},
		{"bookkeeping", `create schema portaldb; create table portaldb.a (); create table goose_db_version (id serial)`, ""},
		{"white space in a body", `create or replace function zoo.touch() returns trigger language plpgsql as E'\tbegin new.note := ''touched FROM here FOR EACH ROW'';\n return new; end  '`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			tx := begin(t, db)
			defer func() { _ = tx.Rollback() }()
			before := read(t, tx)
			if _, err := tx.ExecContext(t.Context(), c.change); err != nil {
				t.Fatal(err)
			}
			after := read(t, tx)
			var got []string
			for _, d := range catalog.Diff(before, after) {
				got = append(got, fmt.Sprintf("%s %s %s", d.Class, d.Kind, d.Object))
			}
			want := strings.Split(c.want, ", ")
			if c.want == "" {
				want = nil
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
			extensionOnly := c.name == "extension"
			if same := before.Fingerprint() == after.Fingerprint(); same != (c.want == "" || extensionOnly) {
				t.Errorf("fingerprints equal: %v", same)
			}
		})
	}
}

// TestRead_column_order adds the same columns in another order: reported, and no drift.
func TestRead_column_order(t *testing.T) {
	t.Parallel()
	db := zoo(t)
	tx := begin(t, db)
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(t.Context(), `create table zoo.t (a integer, b text)`); err != nil {
		t.Fatal(err)
	}
	before := read(t, tx)
	if _, err := tx.ExecContext(t.Context(), `drop table zoo.t; create table zoo.t (b text, a integer)`); err != nil {
		t.Fatal(err)
	}
	after := read(t, tx)
	want := []catalog.Difference{{Class: catalog.Order, Kind: "table", Object: "zoo.t", Expected: "a, b", Actual: "b, a"}}
	if diff := cmp.Diff(want, catalog.Diff(before, after)); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
	if want[0].Drift() {
		t.Error("an order of columns counts as drift")
	}
	if before.Fingerprint() != after.Fingerprint() {
		t.Error("the order of columns shows in the fingerprint")
	}
}

// TestRead_is_independent_of_the_session reads under another search_path and leaves that as it was.
func TestRead_is_independent_of_the_session(t *testing.T) {
	t.Parallel()
	db := zoo(t)
	tx := begin(t, db)
	defer func() { _ = tx.Rollback() }()
	before := read(t, tx)
	_, err := tx.ExecContext(t.Context(), `set local search_path = zoo, public; set local intervalstyle = iso_8601;
		set local datestyle = german; set local timezone = 'America/Sao_Paulo'; set local quote_all_identifiers = on; set local bytea_output = escape`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, read(t, tx)); diff != "" {
		t.Errorf("another search_path gives another catalog:\n%s", diff)
	}
	var path string
	if err := tx.QueryRowContext(t.Context(), `show search_path`).Scan(&path); err != nil || path != "zoo, public" {
		t.Errorf("search_path is %q afterwards, error %v", path, err)
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	want := catalog.Catalog{}
	extra := catalog.Object{Kind: "column", Parent: "public.a", Name: "b", Attrs: map[string]string{"type": "text"}}
	got := catalog.Catalog{extra.Key(): extra}
	first := catalog.Diff(want, got)
	if len(first) != 1 || !first[0].Drift() {
		t.Fatalf("got %+v", first)
	}
	first[0].Reason = "a reason"
	again := catalog.Diff(want, got)
	if catalog.Accept(again, first); len(again) != 1 || again[0].Drift() || again[0].Reason != "a reason" {
		t.Errorf("accepted, it still counts: %+v", again)
	}
	// Another difference on the same object is not what was accepted.
	extra.Attrs["type"] = "integer"
	again = catalog.Diff(want, got)
	if catalog.Accept(again, first); !again[0].Drift() {
		t.Errorf("what was accepted covers something else: %+v", again)
	}
}

// catalogs draws small catalogs in which objects often have the same name.
func catalogs() *rapid.Generator[catalog.Catalog] {
	return rapid.Custom(func(t *rapid.T) catalog.Catalog {
		c := catalog.Catalog{}
		for range rapid.IntRange(0, 12).Draw(t, "objects") {
			o := catalog.Object{
				Kind:   rapid.SampledFrom([]string{"table", "column", "index", "enum"}).Draw(t, "kind"),
				Parent: rapid.SampledFrom([]string{"public", "public.a", "public.b"}).Draw(t, "parent"),
				Name:   rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "name"),
				Attrs: map[string]string{
					"type":     rapid.SampledFrom([]string{"text", "integer"}).Draw(t, "type"),
					"position": strconv.Itoa(len(c)),
				},
			}
			c[o.Key()] = o
		}
		return c
	})
}

func TestFold_undoes_Compare(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(catalogs(), 1, 5).Draw(t, "steps")
		var effects []catalog.Effect
		before := catalog.Catalog{}
		for _, after := range steps {
			effects = append(effects, catalog.Compare(before, after))
			before = after
		}
		folded, err := catalog.Fold(effects...)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(catalog.Diff(before, folded), catalog.Difference.Drift) {
			t.Fatalf("folded %v, want %v", folded, before)
		}
	})
}

func TestDiff_agrees_with_fingerprint(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := catalogs().Draw(t, "a"), catalogs().Draw(t, "b")
		if len(catalog.Diff(a, a)) != 0 {
			t.Fatal("a catalog differs from itself")
		}
		drift := slices.ContainsFunc(catalog.Diff(a, b), catalog.Difference.Drift)
		if same := a.Fingerprint() == b.Fingerprint(); same == drift {
			t.Fatalf("fingerprints equal: %v, differences %+v", same, catalog.Diff(a, b))
		}
	})
}

func TestFold_refuses_effects_that_do_not_fit(t *testing.T) {
	t.Parallel()
	o := catalog.Object{Kind: "table", Parent: "public", Name: "a"}
	other := catalog.Object{Kind: "table", Parent: "public", Name: "a", Attrs: map[string]string{"comment": "x"}}
	for name, effects := range map[string][]catalog.Effect{
		"added twice":        {{Added: []catalog.Object{o}}, {Added: []catalog.Object{o}}},
		"removed, not there": {{Removed: []catalog.Object{o}}},
		"changed, not there": {{Changed: []catalog.Change{{Before: o, After: other}}}},
		"changed, not so":    {{Added: []catalog.Object{other}}, {Changed: []catalog.Change{{Before: o, After: other}}}},
	} {
		if _, err := catalog.Fold(effects...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
