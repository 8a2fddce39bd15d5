package migrations_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/catalog"
	"portaldb/internal/schema"
)

// TestBaselineCatalog compares the baseline with the legacy schema, object by object. It reads the live catalog in the
// form of testdata/catalog-head.json with a query of its own, so that an error of the catalog reader cannot hide one here.
func TestBaselineCatalog(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	db.up(t, schema.Baseline)
	db.SetMaxOpenConns(1)
	// As the legacy catalog was read.
	db.exec(t, `SET search_path = public; SET intervalstyle = postgres; SET datestyle = 'ISO, MDY'; SET timezone = 'UTC'`)

	content, err := os.ReadFile("testdata/catalog-head.json")
	if err != nil {
		t.Fatal(err)
	}
	query, err := os.ReadFile("testdata/catalog.sql")
	if err != nil {
		t.Fatal(err)
	}
	var want, got map[string]map[string]any
	if err := json.Unmarshal(content, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(db.strings(t, string(query))[0]), &got); err != nil {
		t.Fatal(err)
	}
	major := db.strings(t, `SELECT (current_setting('server_version_num')::int / 10000)::text`)[0]
	legacyMajor := fmt.Sprint(catalog.Postgres)

	delete(want, "meta")
	for _, name := range []string{"users", "user_roles", "row_counts", "note"} { // dev@local is no migration
		delete(want["seed"], name)
	}
	if kinds := slices.Sorted(maps.Keys(want)); !slices.Equal(kinds, slices.Sorted(maps.Keys(got))) {
		t.Errorf("the legacy catalog has %v, the query reads %v", kinds, slices.Sorted(maps.Keys(got)))
	}
	objects := 0
	for kind := range want {
		for name := range maps.Keys(got[kind]) {
			if _, ok := want[kind][name]; !ok {
				t.Errorf("%s: %s is not in the legacy schema", kind, name)
			}
		}
		for name, wanted := range want[kind] {
			objects++
			if object, ok := wanted.(map[string]any); ok {
				for _, about := range []string{"description", "created_by", "central"} { // for readers
					delete(object, about)
				}
				if kind == "extensions" && major != legacyMajor {
					object["version"] = got[kind][name].(map[string]any)["version"]
				}
			}
			if diff := cmp.Diff(wanted, got[kind][name]); diff != "" {
				t.Errorf("%s: %s differs (- legacy, + baseline):\n%s", kind, name, diff)
			}
		}
	}
	if len(want["tables"]) != 28 || objects != 28+2+2+3+11+2+2 {
		t.Errorf("compared %d objects with %d tables", objects, len(want["tables"]))
	}

	// The legacy start-up replaces these at each run: the text must be its own.
	for _, test := range []struct{ object, query, sum string }{
		{"set_updated_at", `SELECT btrim(regexp_replace(prosrc, '\s+', ' ', 'g')) FROM pg_proc WHERE oid = 'set_updated_at'::regproc`,
			"f0d06986b74c3f9c5fc1dca65235e916c66f08200eb7495f9ac4aeb5f238173a"},
		{"touch_updated_at", `SELECT btrim(regexp_replace(prosrc, '\s+', ' ', 'g')) FROM pg_proc WHERE oid = 'touch_updated_at'::regproc`,
			"37a6687cead2e980d97b09ae3f5d5a35379f4db24d10b83768421803a8c29a8f"},
		{"audits", `SELECT pg_get_viewdef('audits'::regclass, true)`,
			"060f8a517186264272bacb1ad965df200dc87aea53a9a7ef4b45592d64d26bc3"},
		{"v_rh_users", `SELECT pg_get_viewdef('v_rh_users'::regclass, true)`,
			"58efceff24e7744780d9147b35b42254cb03c1d09c621a0b1e4e3c9106f7f2aa"},
	} {
		if test.object == "audits" && major != legacyMajor {
			continue // printed in another way since 16
		}
		text := db.strings(t, test.query)[0]
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(text))); sum != test.sum {
			t.Errorf("%s has another text than the legacy one: SHA-256 %s, want %s\n%s", test.object, sum, test.sum, text)
		}
	}
}
