package schema_test

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
)

var update = flag.Bool("update", false, "write the effect files instead of comparing with them")

// TestEffects_Fresh compares the effect files with what the migrations do, or writes them: it is half of make generate.
func TestEffects_Fresh(t *testing.T) {
	t.Parallel()
	url := pgtest.Superuser(t, pgtest.Empty(t))
	folder := filepath.Join("..", "..", "migrations")
	m, err := open(t, url, os.DirFS(folder)).Measure(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range m.Unfilled {
		t.Errorf("no rows were made for %s: %s", table.Table, table.Reason)
	}
	if *update {
		if err := schema.WriteEffects(folder, m.Effects); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := schema.Effects(os.DirFS(folder))
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != len(m.Effects) {
		t.Errorf("%d effect files for %d migrations; run make generate", len(kept), len(m.Effects))
	}
	if err := schema.CompareEffects(kept, m.Effects, serverMajor(t, url)); err != nil {
		t.Error(err)
	}
	for _, e := range m.Effects {
		if len(e.Left) > 0 || len(e.Lost) > 0 || len(e.Refused) > 0 {
			t.Errorf("%s leaves %+v, loses rows of %q, refuses %+v", e.Name, e.Left, e.Lost, e.Refused)
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
