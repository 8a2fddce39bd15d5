package schema_test

import (
	"fmt"
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
