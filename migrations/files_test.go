package migrations_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"portaldb/internal/schema"
	"portaldb/migrations"
)

var (
	verbs    = []string{"create", "add", "validate", "drop", "rename", "backfill", "index", "seed"}
	header   = regexp.MustCompile(`(?s)-- \+goose Up\n-- Why: +\S.*\n-- Locks: +\S.*\n-- Down: +\S`)
	ifExists = regexp.MustCompile(`IF (NOT )?EXISTS \w`) // not the IF EXISTS ( of PL/pgSQL
)

// TestFiles needs no database: goose itself reads the files, against a driver without a server.
func TestFiles(t *testing.T) {
	t.Parallel()
	files, err := schema.Files(migrations.FS) // names, gaps, duplicates
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < schema.Baseline {
		t.Fatalf("%d files, fewer than the baseline", len(files))
	}
	for _, file := range files {
		t.Run(file.Name, func(t *testing.T) {
			t.Parallel()
			if err := file.Validate(); err != nil { // both halves
				t.Error(err)
			}
			if verb := strings.Split(file.Name, "_")[1]; !slices.Contains(verbs, verb) {
				t.Errorf("verb %s, want one of %v", verb, verbs)
			}
			top, _, _ := strings.Cut(file.Body, "\n\n")
			if !header.MatchString(top) {
				t.Error("no header that says Why:, Locks: and Down: below -- +goose Up")
			}
			for _, up := range []bool{true, false} {
				statements, tx, err := schema.Statements(file, up)
				if err != nil {
					t.Fatal(err)
				}
				for _, statement := range statements {
					concurrently := strings.Contains(statement, "CONCURRENTLY")
					switch {
					case concurrently && tx:
						t.Errorf("CONCURRENTLY inside a transaction: %s", statement)
					case !concurrently && !tx:
						t.Errorf("NO TRANSACTION for what needs none: %s", statement)
					case !tx && file.Version <= schema.Baseline:
						t.Errorf("NO TRANSACTION in the baseline, which runs on an empty database: %s", statement)
					}
					if ifExists.MatchString(statement) && !strings.Contains(file.Body, "-- Exists: ") { // who may already have it
						t.Errorf("IF [NOT] EXISTS hides drift: %s", statement)
					}
				}
			}
		})
	}
}
