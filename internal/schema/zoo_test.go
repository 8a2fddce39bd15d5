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
		m, err := open(t, superuser, files("create table a (id int check (id::bigint * id = 1000003));")).Measure(t.Context(), 1)
		if err != nil || len(m.Unfilled) != 1 || m.Unfilled[0].Table != "public.a" || !strings.Contains(m.Unfilled[0].Reason, "testdata/rows") {
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
