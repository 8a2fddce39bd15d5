package queries_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"portaldb/internal/pgtest"
)

// inputs reads what sqlc reads: go test takes a result from its cache when no file that the test itself has read changed.
func inputs(t *testing.T) {
	t.Helper()
	for _, pattern := range []string{"*.sql", "../migrations/*.sql", "../db/*.go", "../sqlc.yaml", "../tools/go.mod"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			if _, err := os.ReadFile(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestVet prepares every query on a database of the latest version, and holds it to the rules in sqlc.yaml.
func TestVet(t *testing.T) {
	t.Parallel()
	inputs(t)
	vet := exec.CommandContext(t.Context(), "go", "tool", "-modfile=tools/go.mod", "sqlc", "vet")
	vet.Dir = ".."
	vet.Env = append(os.Environ(), "SQLC_DATABASE_URL="+pgtest.New(t))
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("sqlc vet: %v\n%s", err, out)
	}
}

// TestGenerated fails when db/ is not what sqlc makes of queries/ and migrations/.
func TestGenerated(t *testing.T) {
	t.Parallel()
	inputs(t)
	diff := exec.CommandContext(t.Context(), "go", "tool", "-modfile=tools/go.mod", "sqlc", "diff")
	diff.Dir = ".."
	if out, err := diff.CombinedOutput(); err != nil {
		t.Errorf("db/ is out of step; run make generate: %v\n%s", err, out)
	}
}
