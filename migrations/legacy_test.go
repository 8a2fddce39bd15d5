package migrations_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/schema"
)

// TestLegacyStartup: the start of the legacy application finds nothing to do at any version from the baseline on. It
// puts back dev@local and the seeds that are missing, and leaves all other rows alone.
func TestLegacyStartup(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		rows bool
	}{{"on seeds alone", false}, {"on rows", true}} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t)
			for version := int64(1); version <= db.latest(); version++ {
				db.up(t, version)
				if test.rows {
					db.insertRows(t, version)
				}
				if version < schema.Baseline {
					continue
				}
				when := fmt.Sprintf("start at %05d", version)
				before, rows := db.catalog(t), db.contents(t)
				db.execFile(t, "testdata/legacy_startup.sql")
				db.wantCatalog(t, before, when)
				after := db.contents(t)
				for table := range rows {
					switch table {
					case "public.users", "public.user_roles": // dev@local
						continue
					}
					if diff := cmp.Diff(rows[table], after[table], cmp.AllowUnexported(content{})); diff != "" {
						t.Errorf("%s changed %s: %s", when, table, diff)
					}
				}
				if t.Failed() {
					return
				}
				const dev = `SELECT is_superuser::text || ' ' || status FROM users WHERE email = 'dev@local'`
				if got := db.strings(t, dev); len(got) != 1 || got[0] != "true active" {
					t.Errorf("%s: dev@local is %q", when, got)
				}
				db.exec(t, `UPDATE users SET is_superuser = false, status = 'blocked' WHERE email = 'dev@local'`)
			}
		})
	}
}

// TestLegacyStatements: the statements of the legacy application work at every version from the baseline on.
func TestLegacyStatements(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	for version := int64(schema.Baseline); version <= db.latest(); version++ {
		db.up(t, version)
		t.Run(fmt.Sprintf("%05d", version), func(t *testing.T) {
			db.execFile(t, "testdata/legacy_statements.sql")
		})
	}
}
