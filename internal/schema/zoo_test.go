package schema_test

import (
	"fmt"
	neturl "net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

// labels are what a migration of the zoo says of itself, by hand, one line a label: what its Down does to data, the locks of
// each statement of its halves in their order, what is left and lost, and which half refuses.
func labels(t testing.TB, f schema.File) []string {
	t.Helper()
	var all []string
	for line := range strings.Lines(f.Body) {
		for _, label := range []string{"Class", "Lost", "Left", "Refused", "Up", "Down"} {
			if rest, ok := strings.CutPrefix(line, "-- "+label+": "); ok {
				all = append(all, label+": "+strings.TrimSpace(rest))
			}
		}
	}
	if len(all) == 0 {
		t.Errorf("%s has no labels", f.Name)
	}
	return all
}

// measuredLabels are the labels that an effect gives.
func measuredLabels(e catalog.Effect) []string {
	all := []string{"Class: " + string(e.Class)}
	for _, table := range e.Lost {
		all = append(all, "Lost: "+table)
	}
	for _, d := range e.Left {
		all = append(all, fmt.Sprintf("Left: %s %s %s", d.Class, d.Kind, d.Object))
	}
	for _, r := range e.Refused {
		all = append(all, "Refused: "+r.Half)
	}
	half := func(name string, statements []catalog.Measured) {
		for _, m := range statements {
			locks := []string{}
			for _, l := range m.Locks {
				locks = append(locks, l.String())
			}
			text := strings.Join(locks, "; ")
			if text == "" {
				text = "none"
			}
			all = append(all, name+": "+text)
		}
	}
	half("Up", e.Up)
	half("Down", e.Down)
	return all
}

// TestEngine_Measure_zoo compares what is measured of many small migrations with what was said of them by hand, from
// PostgreSQL's documentation.
func TestEngine_Measure_zoo(t *testing.T) {
	t.Parallel()
	zoo := os.DirFS("testdata/zoo")
	files, err := schema.Files(zoo)
	if err != nil {
		t.Fatal(err)
	}
	m, err := open(t, pgtest.Superuser(t, pgtest.Empty(t)), zoo).Measure(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range m.Unfilled {
		t.Errorf("no rows were made for %s: %s", table.Table, table.Reason)
	}
	if err := schema.CompareEffects(m.Effects, zooAgain(t), serverMajor(t, pgtest.Empty(t))); err != nil {
		t.Errorf("another login, from a later version on: %v", err)
	}
	agree := 0
	for i, f := range files {
		if diff := cmp.Diff(labels(t, f), measuredLabels(m.Effects[i])); diff != "" {
			t.Errorf("%s (-by hand +measured):\n%s", f.Name, diff)
		} else {
			agree++
		}
	}
	t.Logf("%d of %d migrations agree with their labels", agree, len(files))
}

// zooAgain measures the last migrations of the zoo as a role that may create databases and nothing else.
func zooAgain(t testing.TB) []catalog.Effect {
	t.Helper()
	url := pgtest.Empty(t)
	execute(t, pgtest.Superuser(t, url), `do $$ begin create role zoo_keeper login createdb password 'zoo_keeper'; exception when duplicate_object then null; end $$`)
	login, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	login.User = neturl.UserPassword("zoo_keeper", "zoo_keeper")
	m, err := open(t, login.String(), os.DirFS("testdata/zoo")).Measure(t.Context(), 40)
	if err != nil {
		t.Fatal(err)
	}
	return m.Effects
}

func TestEngine_Measure_reports_what_it_cannot_do(t *testing.T) {
	t.Parallel()
	superuser := pgtest.Superuser(t, pgtest.Empty(t))

	t.Run("a table without rows", func(t *testing.T) {
		t.Parallel()
		m, err := open(t, superuser, files("create table a (id int not null check (id::bigint * id = 1000003));")).Measure(t.Context(), 1)
		if err != nil || len(m.Unfilled) != 1 || m.Unfilled[0].Table != "public.a" || !strings.Contains(m.Unfilled[0].Reason, "testdata/rows") {
			t.Errorf("got %+v, %v", m.Unfilled, err)
		}
	})
	t.Run("nothing of a table of any kind", func(t *testing.T) {
		t.Parallel()
		m, err := open(t, superuser, files(`
create type mood as enum ('calm', 'cross');
create type span as range (subtype = timestamptz);
create domain percent as integer check (value between 0 and 100);
create domain tight as percent not null check (value > 50);
create domain short as varchar(3);
create table kinds (
    a smallint not null, b numeric(3, 2) not null, c real not null, d boolean not null, e date not null, f time not null, g interval not null, h uuid not null,
    i json not null, j bytea not null check (octet_length(j) = 32), k inet not null, l cidr not null, m macaddr not null, n bit(5) not null, o mood not null,
    p span not null, q tight, r short not null, s text[] not null, t mood[] not null, u int4range not null, v xml not null, w tsvector not null, x money not null,
    y varchar(2) not null, z char(4) not null, exclude using gist (u with &&));
create table checked (
    id bigint generated always as identity primary key, cpf text not null check (cpf ~ '^[0-9]{11}$'), email text check (email like '%@%.%'),
    status text not null default 'open' check (status in ('open', 'closed', 'void')), closed_at timestamptz, until timestamptz not null,
    kind varchar(20) not null check (length(kind) = 7), year integer check (year between 1990 and 2100), ratio numeric(5, 4) check (ratio > 0 and ratio < 1),
    unique (cpf) deferrable, check ((status = 'closed') = (closed_at is not null)), check (until > '2030-01-01'::timestamptz));
create unique index checked_one_open on checked ((1)) where status = 'open';
create table tree (id bigint primary key, parent_id bigint not null references tree (id), peer_id bigint references tree (id));
create table pairs (a bigint, b text, primary key (a, b));
create table refers (a bigint not null, b text not null, c bigint unique references checked (id), foreign key (a, b) references pairs (a, b) match full);
create table circle_a (id bigint primary key, b_id bigint);
create table circle_b (id bigint primary key, a_id bigint references circle_a (id));
alter table circle_a add foreign key (b_id) references circle_b (id);
create table parts (at date not null, region text not null, n int) partition by range (at);
create table parts_2031 partition of parts for values from ('2031-01-01') to ('2032-01-01') partition by list (region);
create table parts_2031_south partition of parts_2031 for values in ('PR', 'SC');
create table parts_rest partition of parts default partition by hash (n);
create table parts_rest_0 partition of parts_rest for values with (modulus 2, remainder 0);
create table parts_rest_1 partition of parts_rest for values with (modulus 2, remainder 1);`)).Measure(t.Context(), 1)
		if err != nil || len(m.Unfilled) > 0 {
			t.Errorf("got %+v, %v", m.Unfilled, err)
		}
	})
	t.Run("a file that fails", func(t *testing.T) {
		t.Parallel()
		_, err := open(t, superuser, files("create table a (id int);", "alter table b add column c int;")).Measure(t.Context(), 1)
		if err == nil || !strings.Contains(err.Error(), "00002_create_thing2.sql:2") || !strings.Contains(err.Error(), "42P01") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a Down that fails without rows too", func(t *testing.T) {
		t.Parallel()
		_, err := open(t, superuser, files("create table a (id int);\n-- +goose Down\ndrop table b;")).Measure(t.Context(), 1)
		if err == nil || !strings.Contains(err.Error(), "00001_create_thing1.sql:4: its Down fails") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an Up that does not run again", func(t *testing.T) {
		t.Parallel()
		m, err := open(t, superuser, files("create table a (id int);\n-- +goose Down\nselect 1;", "create table b (id int);")).Measure(t.Context(), 1)
		if err != nil || len(m.Effects) != 2 || len(m.Effects[0].Left) != 1 || len(m.Effects[0].Refused) != 1 || m.Effects[0].Refused[0].Half != "up again" {
			t.Errorf("got %+v, %v", m.Effects, err)
		}
	})
	t.Run("a login without the right", func(t *testing.T) {
		t.Parallel()
		if _, err := open(t, pgtest.Empty(t), files("create table a ();")).Measure(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "may not create databases") {
			t.Errorf("got %v", err)
		}
	})
}

// TestCompareEffects changes one thing at a time in an effect.
func TestCompareEffects(t *testing.T) {
	t.Parallel()
	effect := func() catalog.Effect {
		return catalog.Effect{Version: 1, Name: "00001_add_x.sql", Checksum: "sha256:1", Class: catalog.NoData, Up: []catalog.Measured{
			{Line: 2, Locks: []catalog.Lock{{Mode: catalog.Share, Relation: "public.a", Scans: true}}, MSPer100k: 5},
		}}
	}
	for name, c := range map[string]struct {
		change func(*catalog.Effect)
		want   string
	}{
		"time":     {func(e *catalog.Effect) { e.Up[0].MSPer100k = 900 }, ""},
		"checksum": {func(e *catalog.Effect) { e.Checksum = "sha256:2" }, "sha256:2"},
		"class":    {func(e *catalog.Effect) { e.Class = catalog.DataLost }, "R2"},
		"lock":     {func(e *catalog.Effect) { e.Up[0].Locks[0].Mode = catalog.AccessExclusive }, "ACCESS EXCLUSIVE"},
		"scan":     {func(e *catalog.Effect) { e.Up[0].Locks[0].Scans = false }, "scans"},
		"version":  {func(e *catalog.Effect) { e.Version = 2 }, "effects/00002.json is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			measured := effect()
			c.change(&measured)
			err := schema.CompareEffects([]catalog.Effect{effect()}, []catalog.Effect{measured}, catalog.Postgres)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "make generate")) {
				t.Errorf("got %v", err)
			}
		})
	}
}
