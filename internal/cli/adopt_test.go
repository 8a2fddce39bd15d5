package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"portaldb/internal/pgtest"
)

// legacy makes a database with the statements of the legacy start-up, and changes it.
func legacy(t testing.TB, changes string) (env []string) {
	t.Helper()
	script, err := os.ReadFile("../../migrations/testdata/legacy_startup.sql")
	if err != nil {
		t.Fatal(err)
	}
	url := pgtest.Empty(t)
	execute(t, url, string(script))
	execute(t, url, changes)
	return []string{"DATABASE_URL=" + url}
}

func TestAdopt(t *testing.T) {
	t.Parallel()

	t.Run("by machine alone", func(t *testing.T) {
		t.Parallel()
		env := legacy(t, `
			alter table platform_alerts rename constraint platform_alerts_level_check to chk_platform_alerts_level;
			drop index ix_submissions_payload_gin; drop table fileshare_items; delete from roles where name = 'daf'`)
		dry := run(t, env, "adopt")
		for _, want := range []string{
			"\n3 differences from the baseline\n",
			"\nrenamed constraint public.platform_alerts.platform_alerts_level_check\n  expected  platform_alerts_level_check\n  actual    chk_platform_alerts_level\n",
			"\n  create index concurrently ix_submissions_payload_gin on public.submissions using gin (payload);\n  -- SHARE UPDATE EXCLUSIVE on public.submissions, reads all of it: nobody who reads or writes waits\n\n  begin;\n",
			"\n  CREATE TABLE public.fileshare_items (",
			"\n  commit;\n",
			"portaldb adopt --apply takes it over.",
		} {
			if dry.code != 3 || !strings.Contains(dry.stdout, want) {
				t.Errorf("code %d, want 3 and %q:\n%s%s", dry.code, want, dry.stdout, dry.stderr)
			}
		}
		v := run(t, env, "adopt", "--json").object(t)
		repair := v["repair"].([]any)
		first := repair[0].(map[string]any)
		if v["state"] != "legacy" || len(v["differences"].([]any)) != 3 || len(v["blocked"].([]any)) != 0 || len(repair) < 5 ||
			!strings.HasPrefix(first["sql"].(string), "create index concurrently") || len(first["locks"].([]any)) != 1 || first["tx"] != false {
			t.Errorf("got %v", v)
		}
		if got := run(t, env, "adopt", "--apply"); got.code != 0 || got.stdout != "taken over at version 36; portaldb up applies the rest\n" {
			t.Errorf("code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		if got := run(t, env, "adopt", "--apply"); got.code != 0 || got.stdout != "portaldb runs this database already, at version 36: nothing to do\n" {
			t.Errorf("again: code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		for _, command := range []string{"verify", "up", "verify"} {
			if got := run(t, env, command); got.code != 0 {
				t.Errorf("%s: code %d\n%s%s", command, got.code, got.stdout, got.stderr)
			}
		}
	})

	t.Run("with something left to a person", func(t *testing.T) {
		t.Parallel()
		env := legacy(t, `
			alter table users drop constraint uq_users_email;
			insert into users (id, name, cpf, email) values
				('00000000-0000-4000-8000-000000000001', 'Segredo Um', '11122233301', 'segredo@example.org'),
				('00000000-0000-4000-8000-000000000002', 'Segredo Dois', '11122233302', 'SEGREDO@example.org');
			alter table employment_efetivo add column matricula text`)
		dry := run(t, env, "adopt")
		for _, want := range []string{
			"\nLeft to a person: do it, or accept the difference. Nothing is changed before\n",
			"\n  missing constraint public.users.uq_users_email\n    rows agree in what must be unique; which of them keeps it is for a person to decide\n" +
				"    row id = '00000000-0000-4000-8000-000000000001'; id = '00000000-0000-4000-8000-000000000002'\n",
			"\n      alter table public.employment_efetivo drop column matricula;\n",
		} {
			if dry.code != 4 || !strings.Contains(dry.stdout, want) {
				t.Errorf("code %d, want 4 and %q:\n%s%s", dry.code, want, dry.stdout, dry.stderr)
			}
		}
		if !strings.Contains(dry.stderr, "2 differences are left to a person; nothing changed") {
			t.Errorf("stderr: %s", dry.stderr)
		}
		asJSON := run(t, env, "adopt", "--json")
		refused := run(t, env, "adopt", "--apply")
		if asJSON.code != 4 || refused.code != 4 || !strings.Contains(refused.stderr, "nothing changed") {
			t.Errorf("codes %d and %d: %s", asJSON.code, refused.code, refused.stderr)
		}
		for _, got := range []outcome{dry, asJSON, refused} {
			if text := got.stdout + got.stderr; strings.Contains(strings.ToLower(text), "segredo") || strings.Contains(text, "111222333") {
				t.Errorf("personal data in the output:\n%s", text)
			}
		}
		if got := run(t, env, "status", "--json").object(t); got["version"] != 0.0 {
			t.Errorf("got %v", got)
		}

		file := filepath.Join(t.TempDir(), "differences.json")
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(asJSON.stdout, `"reason":null`, `"reason":"until HR has cleaned up"`)), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := run(t, env, "adopt", "--accept", file); got.code != 0 || !strings.Contains(got.stdout, "2 differences from the baseline, 2 of them accepted\n") {
			t.Errorf("dry, accepted: code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		if got := run(t, env, "adopt", "--apply", "--accept", file); got.code != 0 || strings.Count(got.stdout, ": until HR has cleaned up\n") != 2 {
			t.Errorf("accepted: code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
		if got := run(t, env, "verify"); got.code != 0 || strings.Count(got.stdout, "accepted  until HR has cleaned up\n") != 2 {
			t.Errorf("verify: code %d\n%s%s", got.code, got.stdout, got.stderr)
		}
	})

	t.Run("in other states", func(t *testing.T) {
		t.Parallel()
		same := legacy(t, `
			alter table platform_alerts rename constraint platform_alerts_level_check to x;
			alter table platform_alerts rename constraint x to platform_alerts_level_check`)
		for _, c := range []struct {
			name   string
			env    []string
			code   int
			stdout string
		}{
			{"empty", []string{"DATABASE_URL=" + pgtest.Empty(t)}, 3, "use portaldb up\n"},
			{"of portaldb", []string{"DATABASE_URL=" + pgtest.New(t)}, 0, "nothing to do\n"},
			{"the same as the baseline", same, 0, "\n0 differences from the baseline\n"},
		} {
			if got := run(t, c.env, "adopt"); got.code != c.code || !strings.Contains(got.stdout, c.stdout) {
				t.Errorf("%s: code %d\n%s%s", c.name, got.code, got.stdout, got.stderr)
			}
		}
		if got := run(t, nil, "adopt"); got.code != 2 {
			t.Errorf("no DATABASE_URL: code %d", got.code)
		}
	})
}
