package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portaldb/internal/pgtest"
)

func TestVerify(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	env := []string{"DATABASE_URL=" + url}
	if got := run(t, env, "verify"); got.code != 0 || !strings.Contains(got.stdout, "drift     none\n") || !strings.Contains(got.stdout, "the effect files; the login may not create databases") {
		t.Errorf("clean: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, []string{"DATABASE_URL=" + pgtest.Superuser(t, url)}, "verify", "--json"); got.code != 0 || got.object(t)["against"] != "scratch" {
		t.Errorf("as a login that may create databases: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	execute(t, url, `
		alter table submissions add column drifted text;
		alter table tasks drop constraint chk_tasks_priority;
		update roles set description = 'edited' where name = 'admin';
		create schema reporting`)

	got := run(t, env, "verify")
	for _, want := range []string{
		"drift     2 differences\n",
		"\nextra column public.submissions.drifted\n  actual    type: text\n",
		"\nmissing constraint public.tasks.chk_tasks_priority\n  expected  definition: CHECK",
		"\nEdited or missing reference rows, no drift\n  different row public.roles.admin\n",
		"\nNot portaldb's, not looked into\n  schema reporting\n",
	} {
		if got.code != 3 || !strings.Contains(got.stdout, want) {
			t.Errorf("code %d, want 3 and %q:\n%s%s", got.code, want, got.stdout, got.stderr)
		}
	}

	asJSON := run(t, env, "verify", "--json")
	v := asJSON.object(t)
	differences := v["differences"].([]any)
	first := differences[0].(map[string]any)
	if asJSON.code != 3 || v["version"].(float64) < 36 || len(differences) != 2 || first["class"] != "extra" || first["kind"] != "column" ||
		first["object"] != "public.submissions.drifted" || first["actual"] != "type: text" || first["accepted"] != false {
		t.Errorf("code %d: %s", asJSON.code, asJSON.stdout)
	}
	if expected, ok := first["expected"]; !ok || expected != nil {
		t.Errorf("what is absent is not null: %v", first)
	}

	// The output is the file to review: it counts when each of its differences has a reason.
	file := filepath.Join(t.TempDir(), "differences.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(asJSON.stdout)
	if got := run(t, env, "verify", "--accept", file); got.code != 2 || !strings.Contains(got.stderr, "has no reason") {
		t.Errorf("without reasons: code %d, %s", got.code, got.stderr)
	}
	write(strings.ReplaceAll(asJSON.stdout, `"reason":null`, `"reason":"the reporting job needs it"`))
	if got := run(t, env, "verify", "--accept", file); got.code != 0 || strings.Count(got.stdout, "accepted  the reporting job needs it") != 2 {
		t.Errorf("accepted: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, env, "verify"); got.code != 0 || !strings.Contains(got.stdout, "drift     none; 2 differences accepted\n") {
		t.Errorf("afterwards: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, []string{"DATABASE_URL=" + pgtest.New(t)}, "verify", "--accept", file); got.code != 0 || !strings.Contains(got.stdout, "not there: nothing was recorded for\n  extra column public.submissions.drifted\n") {
		t.Errorf("on another database: code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, env, "verify", "--accept", "/nonexistent"); got.code != 2 {
		t.Errorf("no file: code %d, %s", got.code, got.stderr)
	}
}
