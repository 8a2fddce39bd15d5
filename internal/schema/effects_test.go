package schema_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/catalog"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

var update = flag.Bool("update", false, "write the effect files instead of comparing with them")

// TestEffects_Fresh compares the effect files with what the migrations do, or writes them: it is half of make generate.
func TestEffects_Fresh(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	engine := open(t, url, migrations.FS)
	effects, err := engine.Measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := schema.WriteEffects(filepath.Join("..", "..", "migrations"), effects); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := schema.Effects(migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != len(effects) {
		t.Fatalf("%d effect files for %d migrations; run make generate", len(kept), len(effects))
	}
	major := serverMajor(t, url)
	for i := range effects {
		want, err := catalog.Fold(kept[:i+1]...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := catalog.Fold(effects[:i+1]...)
		if err != nil {
			t.Fatal(err)
		}
		if diff := catalog.Diff(catalog.Comparable(want, major), catalog.Comparable(got, major)); len(diff) > 0 {
			t.Fatalf("effects/%05d.json is out of step; run make generate. First difference: %+v", i+1, diff[0])
		}
		if diff := cmp.Diff(kept[i].Rows, effects[i].Rows); diff != "" {
			t.Fatalf("the rows of effects/%05d.json are out of step; run make generate:\n%s", i+1, diff)
		}
		if kept[i].Version != effects[i].Version || kept[i].Name != effects[i].Name {
			t.Fatalf("effects/%05d.json is of %s, the file is %s; run make generate", i+1, kept[i].Name, effects[i].Name)
		}
	}
}

func TestEffects_Without_a_folder(t *testing.T) {
	t.Parallel()
	effects, err := schema.Effects(os.DirFS(t.TempDir()))
	if err != nil && !errors.Is(err, fs.ErrNotExist) || len(effects) != 0 {
		t.Fatalf("got %d effects, error %v", len(effects), err)
	}
}
