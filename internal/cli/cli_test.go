package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the tests' own connections

	"portaldb/internal/cli"
	"portaldb/internal/pgtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(bareVariable) != "" {
		serveBare(os.Getenv("DATABASE_URL"))
	}
	pgtest.Main(m)
}

// outcome is what a command left behind.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs one command with the environment given as NAME=value.
func run(t testing.TB, env []string, args ...string) outcome {
	t.Helper()
	return runContext(t.Context(), env, args...)
}

func runContext(ctx context.Context, env []string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	env = append([]string{"GOMAXPROCS=" + strconv.Itoa(runtime.GOMAXPROCS(0))}, env...) // this process is not one up's alone
	code := cli.Run(ctx, args, env, strings.NewReader(""), &stdout, &stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// object reads the one JSON object that --json promises on stdout.
func (o outcome) object(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	dec := json.NewDecoder(strings.NewReader(o.stdout))
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("stdout is no JSON object: %v\n%s", err, o.stdout)
	}
	if dec.More() {
		t.Fatalf("stdout has more than one JSON object:\n%s", o.stdout)
	}
	return v
}

func execute(t testing.TB, url, query string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

// folder writes migrations into a folder of the test's own.
func folder(t testing.TB, bodies map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, body := range bodies {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRun_exit_codes has one case at least for each exit code that exists.
func TestRun_exit_codes(t *testing.T) {
	t.Parallel()
	migrated := pgtest.New(t)
	held, beside := pgtest.Empty(t), pgtest.New(t)
	for _, url := range []string{held, beside} {
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		conn, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		if _, err := conn.ExecContext(t.Context(), `select pg_advisory_lock(x'706f7274616c6462'::bigint)`); err != nil {
			t.Fatal(err)
		}
	}
	locked := pgtest.New(t)
	other, err := sql.Open("pgx", locked)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	tx, err := other.BeginTx(context.Background(), nil) // the test's own context ends before its clean-up
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	if _, err := tx.ExecContext(t.Context(), `lock table tasks in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	newer := pgtest.New(t)
	execute(t, newer, `insert into goose_db_version (version_id, is_applied) values (99990, true)`)
	legacy := pgtest.Empty(t)
	execute(t, legacy, `create table submissions (id text)`)
	broken := folder(t, map[string]string{"00001_create_a.sql": "-- +goose Up\ncreate table a (b nonsense);\n-- +goose Down\ndrop table a;\n"})

	for _, c := range []struct {
		name   string
		env    []string
		args   []string
		code   int
		stderr string
	}{
		{"help", nil, []string{"--help"}, 0, ""},
		{"help of a command", nil, []string{"up", "-h"}, 0, ""},
		{"no command", nil, nil, 0, ""},
		{"version", nil, []string{"version"}, 0, ""},
		{"up to date", []string{"DATABASE_URL=" + migrated}, []string{"up"}, 0, ""},
		{"status up to date", []string{"DATABASE_URL=" + migrated}, []string{"status"}, 0, ""},
		{"a failing migration", []string{"DATABASE_URL=" + pgtest.Empty(t)}, []string{"up", "--dir", broken}, 1,
			"00001_create_a.sql:2: type \"nonsense\" does not exist (SQLSTATE 42704)"},
		{"nothing found", nil, []string{"lint"}, 0, ""},
		{"an error found", nil, []string{"lint", "--dir", folder(t, map[string]string{"00001_create_a.sql": "-- +goose Up\ntruncate a;\n-- +goose Down\nselect;\n"})}, 3, ""},
		{"an unknown command", nil, []string{"nonsense"}, 2, "nonsense"},
		{"an unknown flag", nil, []string{"up", "--nonsense"}, 2, "--nonsense"},
		{"no DATABASE_URL", nil, []string{"up"}, 2, "DATABASE_URL não configurada para Postgres"},
		{"an empty DATABASE_URL", []string{"DATABASE_URL="}, []string{"status"}, 2, "DATABASE_URL não configurada para Postgres"},
		{"no database URL", []string{"DATABASE_URL=postgres://u:S3cret@h:port/d"}, []string{"up"}, 2, "DATABASE_URL takes"},
		{"no duration", []string{"DATABASE_URL=" + migrated, "PORTALDB_LOCK_WAIT=soon"}, []string{"up"}, 2, "PORTALDB_LOCK_WAIT takes a duration"},
		{"a negative duration", []string{"DATABASE_URL=" + migrated, "PORTALDB_LOCK_TIMEOUT=-1s"}, []string{"up"}, 2, "PORTALDB_LOCK_TIMEOUT takes a duration"},
		{"no environment", []string{"DATABASE_URL=" + migrated, "PORTALDB_ENVIRONMENT='; drop"}, []string{"up"}, 2, "PORTALDB_ENVIRONMENT takes"},
		{"no folder", []string{"DATABASE_URL=" + migrated}, []string{"up", "--dir", "/nonexistent"}, 2, "--dir takes"},
		{"a version beyond", []string{"DATABASE_URL=" + migrated}, []string{"up", "--to", "99999"}, 2, "--to takes a version"},
		{"a negative version", []string{"DATABASE_URL=" + migrated}, []string{"up", "--to=-1"}, 2, "--to takes a version"},
		{"an empty digest", []string{"DATABASE_URL=" + migrated}, []string{"up", "--plan", ""}, 2, "--plan takes"},
		{"no digest", []string{"DATABASE_URL=" + migrated}, []string{"up", "--plan", "null"}, 2, "--plan takes"},
		{"a version that is no number", []string{"DATABASE_URL=" + migrated}, []string{"up", "--to", "x"}, 2, "--to"},
		{"pending", []string{"DATABASE_URL=" + pgtest.Empty(t)}, []string{"status"}, 3, ""},
		{"newer, status", []string{"DATABASE_URL=" + newer}, []string{"status"}, 3, ""},
		{"newer, up", []string{"DATABASE_URL=" + newer}, []string{"up"}, 3, "newer than these migrations"},
		{"legacy", []string{"DATABASE_URL=" + legacy}, []string{"up"}, 4, "legacy scripts made it"},
		{"another run", []string{"DATABASE_URL=" + held, "PORTALDB_LOCK_WAIT=100ms"}, []string{"up"}, 5, "safe to retry"},
		{"a table's lock, verify", []string{"DATABASE_URL=" + locked, "PORTALDB_LOCK_TIMEOUT=100ms"}, []string{"verify"}, 5, "idle in transaction on tasks) holds it; nothing changed"},
		{"a table's lock, status", []string{"DATABASE_URL=" + locked, "PORTALDB_LOCK_TIMEOUT=100ms"}, []string{"status"}, 5, "safe to retry"},
		{"a table's lock, rollback", []string{"DATABASE_URL=" + locked, "PORTALDB_LOCK_TIMEOUT=100ms"}, []string{"rollback"}, 5, "idle in transaction on tasks) holds it; nothing changed"},
		{"a table's lock, rollback applied", []string{"DATABASE_URL=" + locked, "PORTALDB_LOCK_TIMEOUT=100ms"}, []string{"rollback", "--steps", "1", "--apply"}, 5, "safe to retry"},
		{"nothing kept", []string{"DATABASE_URL=" + migrated}, []string{"trash", "list"}, 0, ""},
		{"a rollback without a target", []string{"DATABASE_URL=" + migrated}, []string{"rollback"}, 10, "version   "},
		{"a rollback without a target, applied", []string{"DATABASE_URL=" + migrated}, []string{"rollback", "--apply"}, 10, ""},
		{"a dry rollback", []string{"DATABASE_URL=" + migrated}, []string{"rollback", "--steps", "1"}, 0, ""},
		{"a rollback below the baseline", []string{"DATABASE_URL=" + migrated}, []string{"rollback", "--to", "35", "--apply"}, 4, "below the baseline"},
		{"a rollback forward", []string{"DATABASE_URL=" + migrated}, []string{"rollback", "--to", "99999"}, 4, "nothing changed"},
		{"a rollback beside another run", []string{"DATABASE_URL=" + beside, "PORTALDB_LOCK_WAIT=100ms"}, []string{"rollback", "--steps", "1", "--apply"}, 5, "safe to retry"},
		{"no steps", []string{"DATABASE_URL=" + migrated}, []string{"rollback", "--steps", "0"}, 2, "--steps takes"},
		{"steps and a target", []string{"DATABASE_URL=" + migrated}, []string{"rollback", "--steps", "1", "--to", "40"}, 2, "--"},
		{"no digest of a loss", []string{"DATABASE_URL=" + migrated}, []string{"rollback", "--accept-loss", ""}, 2, "--accept-loss takes"},
		{"purge nothing", []string{"DATABASE_URL=" + migrated}, []string{"trash", "purge"}, 2, "trash purge takes"},
		{"purge a name that nothing has", []string{"DATABASE_URL=" + migrated}, []string{"trash", "purge", "public.nothing"}, 4, "nothing that is kept is called public.nothing"},
		{"nobody there", []string{"DATABASE_URL=postgres://u:S3cret@127.0.0.1:1/d"}, []string{"up"}, 6, "127.0.0.1:1/d"},
		{"no such database", []string{"DATABASE_URL=" + strings.Replace(migrated, "/testdb", "/nonexistent", 1)}, []string{"status"}, 6, "3D000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, c.env, c.args...)
			if got.code != c.code || !strings.Contains(got.stderr, c.stderr) {
				t.Errorf("code %d, want %d with %q; stderr:\n%s", got.code, c.code, c.stderr, got.stderr)
			}
			if strings.Contains(got.stdout+got.stderr, "S3cret") {
				t.Error("the password is in the output")
			}
		})
	}
}

// TestRun_help asks every command for its help: two examples at least, and only commands that exist.
func TestRun_help(t *testing.T) {
	t.Parallel()
	root := run(t, nil, "--help").stdout
	for _, code := range []int{0, 1, 2, 3, 4, 5, 6, 10} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^ +%d `, code)).MatchString(root) {
			t.Errorf("exit code %d is not in --help", code)
		}
	}
	for _, command := range [][]string{{"dev"}, {"serve"}, {"up"}, {"status"}, {"plan"}, {"hold"}, {"release-hold"}, {"history"}, {"history", "verify"}, {"history", "export"}, {"token", "create"}, {"token", "list"}, {"token", "revoke"}, {"files", "sweep"}, {"files", "fsck"}, {"new"}, {"lint"}, {"version"}, {"verify"}, {"adopt"}, {"doctor"}, {"check"}, {"rollback"}, {"trash", "list"}, {"trash", "purge"}} {
		if !strings.Contains(root, command[0]) {
			t.Errorf("%s is not in --help", command[0])
		}
		help := run(t, nil, append(command, "-h")...)
		if n := strings.Count(help.stdout, "portaldb "+strings.Join(command, " ")); help.code != 0 || n < 3 { // the usage line and two examples
			t.Errorf("%v -h: code %d, %d examples:\n%s", command, help.code, n-1, help.stdout)
		}
	}
}

func TestUp(t *testing.T) {
	t.Parallel()

	t.Run("reports as JSON", func(t *testing.T) {
		t.Parallel()
		url := pgtest.Empty(t)
		got := run(t, []string{"DATABASE_URL=" + url}, "up", "--to", "2", "--json")
		v := got.object(t)
		applied, ok := v["applied"].([]any)
		if got.code != 0 || v["from"] != 0.0 || v["to"] != 2.0 || !ok || len(applied) != 2 {
			t.Fatalf("code %d: %s", got.code, got.stdout)
		}
		first := applied[0].(map[string]any)
		if _, ok := first["ms"].(float64); !ok || first["version"] != 1.0 || first["name"] != "00001_create_extensions.sql" {
			t.Errorf("got %v", first)
		}
		if entries := run(t, []string{"DATABASE_URL=" + url}, "history", "--json").object(t)["entries"].([]any); entries[1].(map[string]any)["hash"] != v["history_head"] {
			t.Errorf("up printed %v as the history's head", v["history_head"])
		}
		if again := run(t, []string{"DATABASE_URL=" + url}, "up", "--to", "2", "--json").object(t); len(again["applied"].([]any)) != 0 {
			t.Errorf("second run applied %v", again["applied"])
		}
	})

	t.Run("says all about a failure", func(t *testing.T) {
		t.Parallel()
		dir := folder(t, map[string]string{
			"00001_create_a.sql": "-- +goose Up\ncreate table a ();\n-- +goose Down\ndrop table a;\n",
			"00002_create_b.sql": "-- +goose Up\n-- Why: no reason\n\ncreate table b (\n  c text references nowhere\n);\n-- +goose Down\ndrop table b;\n",
		})
		url := pgtest.Empty(t)
		got := run(t, []string{"DATABASE_URL=" + url}, "up", "--dir", dir)
		for _, want := range []string{
			"00002_create_b.sql:4:", "(SQLSTATE 42P01)", "c text references nowhere", "Applied before: 00001_create_a.sql",
			"State: the database is at version 1; 00002_create_b.sql was undone whole.", "Next: ",
		} {
			if !strings.Contains(got.stderr, want) {
				t.Errorf("stderr lacks %q:\n%s", want, got.stderr)
			}
		}
		failure, ok := run(t, []string{"DATABASE_URL=" + url}, "up", "--dir", dir, "--json").object(t)["error"].(map[string]any)
		if !ok || failure["file"] != "00002_create_b.sql" || failure["line"] != 4.0 || failure["sqlstate"] != "42P01" || failure["state"] == "" {
			t.Errorf("got %v", failure)
		}
	})

	t.Run("prefers flags to the environment, and DATABASE_DIRECT_URL to DATABASE_URL", func(t *testing.T) {
		t.Parallel()
		url := pgtest.New(t)
		nowhere := "postgres://u@127.0.0.1:1/d"
		if got := run(t, []string{"DATABASE_URL=" + nowhere}, "up", "--database-url", url); got.code != 0 {
			t.Errorf("the flag does not win: %s", got.stderr)
		}
		if got := run(t, []string{"DATABASE_URL=" + nowhere, "DATABASE_DIRECT_URL=" + url}, "up"); got.code != 0 {
			t.Errorf("the direct URL is not used: %s", got.stderr)
		}
	})
}

func TestStatus(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	v := run(t, []string{"DATABASE_URL=" + url}, "status", "--json").object(t)
	if v["version"] != v["latest"] || v["drift"] != false || v["hold"] != nil || len(v["pending"].([]any)) != 0 || len(v["newer"].([]any)) != 0 || len(v["replicas"].([]any)) != 0 {
		t.Errorf("got %v", v)
	}
	execute(t, url, `alter table submissions add column drifted text`)
	if text := run(t, []string{"DATABASE_URL=" + url}, "status").stdout; !strings.Contains(text, "drift     yes") {
		t.Errorf("drift is not told:\n%s", text)
	}
	empty := run(t, []string{"DATABASE_URL=" + pgtest.Empty(t)}, "status", "--json").object(t)
	first := empty["pending"].([]any)[0].(map[string]any)
	if empty["version"] != 0.0 || first["version"] != 1.0 || first["name"] != "00001_create_extensions.sql" {
		t.Errorf("got %v", empty)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
	v := run(t, env, "plan", "--to", "37", "--json").object(t)
	steps := v["steps"].([]any)
	last := steps[36].(map[string]any)
	statement := last["statements"].([]any)[0].(map[string]any)
	if v["from"] != 0.0 || v["to"] != 37.0 || last["direction"] != "up" || last["class"] != nil || statement["tx"] != false || statement["line"] == 0.0 ||
		!strings.HasPrefix(statement["sql"].(string), "CREATE INDEX CONCURRENTLY") || statement["locks"].([]any)[0].(map[string]any)["mode"] != "SHARE UPDATE EXCLUSIVE" {
		t.Errorf("got %v", last)
	}
	digest := v["digest"].(string)
	text := run(t, env, "plan", "--to", "37")
	for _, want := range []string{"digest " + digest, "00037_index_submissions_created_at.sql  up, outside a transaction", "nobody who reads or writes waits"} {
		if text.code != 0 || !strings.Contains(text.stdout, want) {
			t.Errorf("code %d, the text lacks %q", text.code, want)
		}
	}
	if got := run(t, env, "up", "--to", "36", "--plan", digest); got.code != 4 || !strings.Contains(got.stderr, "nothing changed") {
		t.Errorf("another plan: code %d, %s", got.code, got.stderr)
	}
	for range 2 {
		if got := run(t, env, "up", "--to", "37", "--plan", digest); got.code != 0 {
			t.Errorf("the reviewed plan: code %d, %s", got.code, got.stderr)
		}
	}
	if got := run(t, env, "plan", "--to", "37"); got.code != 0 || !strings.Contains(got.stdout, "nothing to send") {
		t.Errorf("with nothing to do: code %d, %s", got.code, got.stdout)
	}
	if down := run(t, env, "plan", "--to", "0", "--json").object(t); down["to"] != 0.0 || len(down["steps"].([]any)) != 37 {
		t.Errorf("the way back: %v to %v", down["from"], down["to"])
	}
	if got := run(t, env, "plan", "--to", "99999"); got.code != 2 {
		t.Errorf("a version beyond: code %d", got.code)
	}
}

func TestHold(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
	if got := run(t, env, "hold", "incident 42", "--for", "1h", "--json"); got.code != 0 || got.object(t)["hold"].(map[string]any)["reason"] != "incident 42" {
		t.Fatalf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	if got := run(t, env, "up"); got.code != 4 || !strings.Contains(got.stderr, `a hold is set: "incident 42"`) {
		t.Errorf("up under a hold: code %d, %s", got.code, got.stderr)
	}
	if got := run(t, env, "hold", "another"); got.code != 4 {
		t.Errorf("a second hold: code %d", got.code)
	}
	if got := run(t, env, "status"); !strings.Contains(got.stdout, `hold      "incident 42"`) {
		t.Errorf("status does not tell:\n%s", got.stdout)
	}
	if got := run(t, env, "release-hold"); got.code != 0 || !strings.Contains(got.stdout, "incident 42") {
		t.Errorf("release: code %d, %s", got.code, got.stdout)
	}
	if got := run(t, env, "up"); got.code != 0 {
		t.Errorf("up after the release: code %d, %s", got.code, got.stderr)
	}
	for _, args := range [][]string{{"hold"}, {"hold", "  "}, {"hold", "x", "--for=-1h"}} {
		if got := run(t, env, args...); got.code != 2 {
			t.Errorf("%v: code %d", args, got.code)
		}
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	url := pgtest.Empty(t)
	env := []string{"DATABASE_URL=" + url, "CI_JOB_URL=job"}
	if got := run(t, env, "history"); got.code != 0 || !strings.Contains(got.stdout, "no history") {
		t.Fatalf("without one: code %d, %s", got.code, got.stdout)
	}
	run(t, env, "up", "--to", "3")
	entries := run(t, env, "history", "--json").object(t)["entries"].([]any)
	if last := entries[2].(map[string]any); len(entries) != 3 || last["version"] != 3.0 || last["outcome"] != "done" || last["ci_job"] != "job" {
		t.Errorf("got %v", entries)
	}
	verified := run(t, env, "history", "verify", "--json")
	if verified.code != 0 || verified.object(t)["head"] != entries[2].(map[string]any)["hash"] {
		t.Errorf("code %d: %s", verified.code, verified.stdout)
	}
	var exported []string
	for line := range strings.Lines(run(t, env, "history", "export").stdout) {
		exported = append(exported, line)
	}
	if len(exported) != 3 || !strings.Contains(exported[0], "CREATE EXTENSION") {
		t.Errorf("exported %d rows: %v", len(exported), exported)
	}
	execute(t, url, `update portaldb.history set actor = 'x' where seq = 2`)
	if got := run(t, env, "history", "verify"); got.code != 3 || !strings.Contains(got.stdout, "history row 2: it was edited") {
		t.Errorf("code %d: %s", got.code, got.stdout)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	v := run(t, nil, "version", "--json").object(t)
	if v["version"] == "" || v["migrations"].(float64) < 36 || !strings.HasPrefix(v["go"].(string), "go") {
		t.Errorf("got %v", v)
	}
}
