package schema_test

import (
	"cmp"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// rollbackZoo are migrations of every kind that loses something on its way back.
func rollbackZoo(t testing.TB) fs.FS {
	t.Helper()
	set := fstest.MapFS{}
	folder := os.DirFS("testdata/rollback")
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			t.Fatal(err)
		}
		set[name] = &fstest.MapFile{Data: data}
	}
	return os.DirFS(writeMigrations(t, set))
}

// TestRollback_restores_every_row climbs a zoo of migrations and the portal's own. At each it puts in random rows, applies, puts in
// more, rolls back, and goes up with what was kept: the rows are the same, byte for byte, and no sequence went back.
func TestRollback_restores_every_row(t *testing.T) {
	t.Parallel()
	if err := errors.Join(flag.Set("rapid.checks", "5"), flag.Set("rapid.nofailfile", "true")); err != nil { // one with -short
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		set  func(testing.TB) fs.FS
		// lossy are the files of which rows are lost on the way back: they say so, and need a person.
		lossy []string
	}{
		{"zoo", rollbackZoo, nil},
		{"portal", func(testing.TB) fs.FS { return migrations.FS }, []string{"seed_roles", "seed_org_units"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Empty(t)
			engine, db := open(t, url, c.set(t)), connect(t, url)
			names, err := fs.Glob(c.set(t), "*.sql")
			if err != nil {
				t.Fatal(err)
			}
			for low := 1; low <= len(names); {
				high := min(low+sized(20, 1), len(names)+1)
				for i := low; i < high; i++ { // what loses rows stands for itself
					if slices.ContainsFunc(c.lossy, func(part string) bool { return strings.Contains(names[i-1], part) }) {
						high = max(i, low+1)
						break
					}
				}
				climb := &climber{t: t, url: url, db: db, engine: engine, low: int64(low), high: int64(high - 1), name: names[high-2]}
				climb.lossy = slices.ContainsFunc(c.lossy, func(part string) bool { return strings.Contains(names[low-1], part) })
				rapid.Check(t, climb.check)
				low = high
			}
			t.Logf("%d migrations up and back", len(names))
		})
	}
}

// climber is one migration of a database, or several with -short, which is at the version before or has just been there.
type climber struct {
	t         *testing.T
	url       string
	db        *sql.DB
	engine    *schema.Engine
	low, high int64 // the first and the last
	name      string
	lossy     bool
}

func (c *climber) check(r *rapid.T) {
	ctx := c.t.Context()
	seeds := rapid.SliceOfN(rapid.Int64Range(1, 1<<30), 2, 2).Draw(r, "seeds")
	count := rapid.IntRange(0, 40).Draw(r, "rows")
	for version := c.low; version <= c.high; version++ {
		if version == c.low || version%sized[int64](5, 1) == 0 {
			c.fill(r, count, seeds[0]+version)
		}
		if _, err := c.engine.UpRestoring(ctx, version, ""); err != nil {
			r.Fatalf("%s: up: %v", c.name, err)
		}
	}
	c.fill(r, count, seeds[1])
	before, sequences := dump(c.t, c.url), positions(c.t, c.url)
	request := to(c.low - 1)
	done, err := c.engine.Rollback(ctx, request)
	var refused *schema.RefusedError
	if c.lossy {
		if !errors.As(err, &refused) || done.Class != catalog.DataLost {
			r.Fatalf("%s: it loses rows, got class %s, %v", c.name, done.Class, err)
		}
		return
	}
	if err != nil {
		var failed *schema.MigrationError
		if errors.As(err, &failed) {
			r.Fatalf("%s: rollback: %v\n%s\n%s", c.name, err, failed.Statement, failed.State)
		}
		r.Fatalf("%s: rollback: %v", c.name, err)
	}
	if done.To != c.low-1 || len(done.Applied) != int(c.high-c.low+1) {
		r.Fatalf("%s: got %+v", c.name, done)
	}
	up, err := c.engine.UpRestoring(ctx, c.high, "")
	if err != nil {
		r.Fatalf("%s: up again: %v", c.name, err)
	}
	for _, restored := range up.Restored {
		if restored.Left != 0 || restored.Gone != 0 || restored.Changed != 0 {
			r.Errorf("%s: restored %+v", c.name, restored)
		}
	}
	if after := dump(c.t, c.url); !equal(before, after) {
		r.Fatalf("%s: not the same rows: %s", c.name, firstDifference(before, after))
	}
	stand := positions(c.t, c.url)
	for name, was := range sequences {
		if now, ok := stand[name]; !ok || now < was {
			r.Errorf("%s: sequence %s was at %d and is at %d", c.name, name, was, now)
		}
	}
	if left := scan[int](c.t, c.db, `select count(*) from pg_class where relnamespace = to_regnamespace('portaldb_trash')`); left != 0 {
		r.Errorf("%s: %d objects are still in the trash", c.name, left)
	}
	if v, err := c.engine.Verify(ctx, nil); err != nil || v.Drift() {
		r.Fatalf("%s: afterwards %+v, %v", c.name, v.Differences, err)
	}
}

func (c *climber) fill(r *rapid.T, count int, seed int64) {
	if count == 0 {
		return
	}
	conn, err := pgx.Connect(c.t.Context(), c.url)
	if err != nil {
		r.Fatal(err)
	}
	defer conn.Close(c.t.Context())
	if err := schema.GenerateRows(c.t.Context(), conn, count, seed); err != nil {
		r.Fatal(err)
	}
}

// positions are where the sequences stand.
func positions(t testing.TB, url string) map[string]int64 {
	t.Helper()
	db := connect(t, url)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `
		select c.oid::regclass::text, coalesce(pg_sequence_last_value(c.oid), 0) from pg_class c
		where relkind = 'S' and relnamespace in (select oid from pg_namespace where nspname !~ '^pg_' and nspname not in ('information_schema', 'portaldb', 'portaldb_trash'))
		  and relname <> 'goose_db_version_id_seq'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	found := map[string]int64{}
	for rows.Next() {
		var name string
		var at int64
		if err := rows.Scan(&name, &at); err != nil {
			t.Fatal(err)
		}
		found[name] = at
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}

func firstDifference(before, after []string) string {
	for i := range max(len(before), len(after)) {
		var a, b string
		if i < len(before) {
			a = before[i]
		}
		if i < len(after) {
			b = after[i]
		}
		if a != b {
			return fmt.Sprintf("row %d of %d, %d: was %q, is %q", i, len(before), len(after), cmp.Or(a, "nothing"), cmp.Or(b, "nothing"))
		}
	}
	return "none"
}
