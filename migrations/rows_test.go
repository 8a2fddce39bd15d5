package migrations_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/schema"
)

// tables lists the tables of the portal and the service, qualified.
const tables = `
	SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
	WHERE schemaname IN ('public', 'service') AND tablename <> 'goose_db_version' ORDER BY 1`

// content is what a table holds: in the columns that it had when its rows were read.
type content struct {
	columns string
	rows    []string
}

func (d database) columns(t *testing.T, table string) string {
	t.Helper()
	return strings.Join(d.strings(t, fmt.Sprintf(`
		SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`, table)), ", ")
}

func (d database) rows(t *testing.T, table, columns string) []string {
	t.Helper()
	return d.strings(t, fmt.Sprintf(`SELECT ROW(%s)::text FROM %s ORDER BY 1`, columns, table))
}

func (d database) contents(t *testing.T) map[string]content {
	t.Helper()
	all := map[string]content{}
	for _, table := range d.strings(t, tables) {
		columns := d.columns(t, table)
		all[table] = content{columns, d.rows(t, table, columns)}
	}
	return all
}

// insertRows puts in the rows that belong right after a version, if it has any.
func (d database) insertRows(t *testing.T, version int64) {
	t.Helper()
	path := fmt.Sprintf("testdata/rows/%05d.sql", version)
	if _, err := os.Stat(path); err == nil {
		d.execFile(t, path)
	}
}

// wantRows checks that every row is still there as it was, in the columns that it had.
func (d database) wantRows(t *testing.T, want map[string]content, when string) {
	t.Helper()
	for table, was := range want {
		now := map[string]int{}
		for _, row := range d.rows(t, table, was.columns) {
			now[row]++
		}
		for _, row := range was.rows {
			if now[row]--; now[row] < 0 {
				t.Errorf("%s: %s lost or changed %s", when, table, row)
			}
		}
	}
}

// TestRows lets every version meet rows: what was put in after one is unchanged after each later one, and after the way
// back down to the baseline.
func TestRows(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	var before, baseline map[string]content
	for version := int64(1); version <= db.latest(); version++ {
		db.up(t, version)
		db.wantRows(t, before, fmt.Sprintf("%05d up", version))
		db.insertRows(t, version)
		before = db.contents(t)
		if version == schema.Baseline {
			baseline = before
		}
		if t.Failed() {
			return
		}
	}
	for table, now := range before {
		if len(now.rows) < 2 {
			t.Errorf("%s has %d rows, want two or more: add some to testdata/rows", table, len(now.rows))
		}
	}
	db.down(t, schema.Baseline)
	db.wantRows(t, baseline, "down to the baseline")
	db.up(t, db.latest())
	db.wantRows(t, baseline, "down to the baseline and up")
}

// TestSeedsDown: the seeds leave as they came, but not from under rows that refer to them, which the foreign keys would
// take along.
func TestSeedsDown(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		version     int64
		uses, frees string
	}{
		{"user_roles", 35, `INSERT INTO user_roles (user_id, role_id) SELECT u.id, r.id FROM users u, roles r WHERE r.name = 'rh'`,
			`DELETE FROM user_roles`},
		{"user_org_units", 36, `INSERT INTO user_org_units (user_id, org_unit_id) SELECT u.id, o.id FROM users u, org_units o WHERE o.code = 'TI-DEV'`,
			`DELETE FROM user_org_units`},
		{"employment", 36, `INSERT INTO employment (user_id, type, status, org_unit_id) SELECT u.id, 'efetivo', 'ativo', o.id FROM users u, org_units o WHERE o.code = 'GOV-RH'`,
			`DELETE FROM employment`},
		{"org_units", 36, `INSERT INTO org_units (parent_id, code, name) SELECT id, 'below', 'below' FROM org_units WHERE code = 'AGEPAR'`,
			`UPDATE org_units SET parent_id = NULL WHERE code = 'below'`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t)
			db.up(t, 34)
			db.exec(t, `
				INSERT INTO users (name) VALUES ('somebody');
				INSERT INTO roles (name) VALUES ('of ours');
				INSERT INTO org_units (code, name) VALUES ('of ours', 'of ours')`)
			before := db.contents(t)
			db.up(t, test.version)
			db.exec(t, test.uses)
			used := db.contents(t)
			_, err := db.goose.DownTo(t.Context(), test.version-1)
			wantRefusal(t, err, "")
			if diff := cmp.Diff(used, db.contents(t), cmp.AllowUnexported(content{})); diff != "" {
				t.Errorf("the refused Down changed rows: %s", diff)
			}
			db.exec(t, test.frees)
			db.down(t, 34)
			db.wantRows(t, before, "seeds down")
			if roles := db.strings(t, `SELECT name FROM roles`); len(roles) != 1 {
				t.Errorf("roles left: %q", roles)
			}
			if units := db.strings(t, `SELECT code FROM org_units WHERE code NOT IN ('of ours', 'below')`); len(units) > 0 {
				t.Errorf("units left: %q", units)
			}
		})
	}
}
