package cli_test

import (
	"strings"
	"testing"

	"portaldb/internal/pgtest"
)

// TestRollback walks the way back and forth that a person on call goes, as programs see it.
func TestRollback(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	env := []string{"DATABASE_URL=" + url, "PORTALDB_ENVIRONMENT=staging"}
	if got := run(t, env, "up", "--to", "50"); got.code != 0 {
		t.Fatalf("code %d: %s", got.code, got.stderr)
	}
	token := run(t, env, "token", "create", "reports", "--role", "reader", "--json").object(t)["id"]

	// The legacy service goes on working, so nobody has to go back.
	got := run(t, env, "rollback")
	if got.code != 10 || !strings.Contains(got.stdout, "rolling back the binary is enough") || !strings.Contains(got.stderr, "environment staging") ||
		!strings.Contains(got.stdout, "not dropped but moved to portaldb_trash: service.api_tokens") || !strings.Contains(got.stdout, "R1, data is kept") {
		t.Fatalf("code %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	dry := run(t, env, "rollback", "--to", "48", "--json").object(t)
	if dry["from"] != 50.0 || dry["to"] != 48.0 || dry["class"] != "R1" || len(dry["applied"].([]any)) != 0 || dry["hold"] != nil || dry["restore_command"] != nil ||
		dry["advice"].(map[string]any)["enough"] != true || len(dry["trash"].([]any)) != 0 || len(dry["steps"].([]any)) != 2 {
		t.Errorf("dry: %v", dry)
	}

	done := run(t, env, "rollback", "--to", "48", "--apply", "--json")
	v := done.object(t)
	if done.code != 0 || v["to"] != 48.0 || v["digest"] != dry["digest"] || len(v["applied"].([]any)) != 2 || v["hold"] == nil || v["restore_command"] != "portaldb up --restore-trash" {
		t.Fatalf("code %d: %s%s", done.code, done.stdout, done.stderr)
	}
	kept := v["trash"].([]any)[0].(map[string]any)
	if kept["object"] != "service.api_tokens" || kept["rows"] != 1.0 || kept["kept_in"] == nil {
		t.Errorf("kept: %v", kept)
	}
	if list := run(t, env, "trash", "list", "--json").object(t)["trash"].([]any); len(list) != 1 || list[0].(map[string]any)["restored_at"] != nil {
		t.Errorf("trash: %v", list)
	}
	if got := run(t, env, "trash", "list"); !strings.Contains(got.stdout, "service.api_tokens  1 rows") {
		t.Errorf("trash: %s", got.stdout)
	}
	if got := run(t, env, "up", "--to", "50"); got.code != 4 || !strings.Contains(got.stderr, "portaldb up --restore-trash brings it back") {
		t.Errorf("up under the hold: code %d, %s", got.code, got.stderr)
	}
	if got := run(t, env, "release-hold"); got.code != 0 {
		t.Fatal(got.stderr)
	}
	if got := run(t, env, "up", "--to", "50"); got.code != 4 || !strings.Contains(got.stderr, "portaldb trash purge") {
		t.Errorf("up over what is kept: code %d, %s", got.code, got.stderr)
	}
	if got := run(t, env, "up", "--to", "50", "--restore-trash"); got.code != 0 || !strings.Contains(got.stdout, "restored table service.api_tokens: 1 rows") {
		t.Fatalf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	if list := run(t, env, "token", "list", "--json").object(t)["tokens"].([]any); len(list) != 1 || list[0].(map[string]any)["id"] != token {
		t.Errorf("tokens: %v", list)
	}

	// What is purged is gone, and up no longer asks.
	if got := run(t, env, "rollback", "--to", "49", "--apply"); got.code != 0 || !strings.Contains(got.stdout, "the way back: portaldb up --restore-trash") {
		t.Fatalf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, env, "trash", "purge", "--older-than", "1h", "service.api_tokens"); got.code != 4 {
		t.Errorf("too young: code %d, %s", got.code, got.stderr)
	}
	if got := run(t, env, "trash", "purge", "service.api_tokens"); got.code != 0 || !strings.Contains(got.stdout, "purged") {
		t.Fatalf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, env, "release-hold"); got.code != 0 {
		t.Fatal(got.stderr)
	}
	if got := run(t, env, "up"); got.code != 0 {
		t.Errorf("up: code %d, %s", got.code, got.stderr)
	}
}

// TestRollback_drill rolls a copy back and up again; the database itself is only read.
func TestRollback_drill(t *testing.T) {
	t.Parallel()
	url, empty := pgtest.Empty(t), pgtest.Empty(t)
	env := []string{"DATABASE_URL=" + url}
	for _, args := range [][]string{{"up", "--to", "50"}, {"token", "create", "reports", "--role", "reader"}} {
		if got := run(t, env, args...); got.code != 0 {
			t.Fatalf("%v: code %d, %s", args, got.code, got.stderr)
		}
	}
	got := run(t, env, "rollback", "--to", "48", "--drill", "--json", "--drill-database-url", empty)
	if got.code != 0 {
		t.Fatalf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	drill := got.object(t)["drill"].(map[string]any)
	if rolled := drill["rollback"].(map[string]any); rolled["to"] != 48.0 || len(drill["restored"].([]any)) != 1 || drill["drift"] != false {
		t.Errorf("got %v", drill)
	}
	if status := run(t, env, "status", "--json").object(t); status["version"] != 50.0 || status["hold"] != nil {
		t.Errorf("the database itself: %v", status)
	}
	if got := run(t, env, "rollback", "--to", "49", "--drill"); got.code != 0 || !strings.Contains(got.stdout, "restored table service.api_tokens: 1 rows") {
		t.Errorf("on a server of its own: code %d, %s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, env, "rollback", "--drill", "--apply"); got.code != 2 {
		t.Errorf("with --apply: code %d", got.code)
	}
}

// TestRollback_drill_address: an address in the environment, which PostgreSQL's own clients put before the host that they are given,
// does not take the copy elsewhere. Not parallel: it changes the environment.
func TestRollback_drill_address(t *testing.T) {
	url, empty := pgtest.Empty(t), pgtest.Empty(t)
	env := []string{"DATABASE_URL=" + url, "PORTALDB_ENVIRONMENT=staging"}
	if got := run(t, env, "up", "--to", "50"); got.code != 0 {
		t.Fatalf("code %d: %s", got.code, got.stderr)
	}
	t.Setenv("PGHOSTADDR", "127.0.0.1:1")
	if got := run(t, env, "rollback", "--to", "49", "--drill", "--drill-database-url", empty); got.code != 0 {
		t.Errorf("code %d: %s", got.code, got.stderr)
	}
}
