package cli_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portaldb/internal/cli"
	"portaldb/internal/pgtest"
)

// repository is a git repository with migrations, as a developer has it.
type repository struct {
	t    *testing.T
	root string
	env  []string
}

// newRepository has two merged migrations, with their effects, on branch main, and branch change checked out.
func newRepository(t *testing.T) repository {
	t.Helper()
	r := repository{t: t, root: t.TempDir(), env: []string{"DATABASE_URL=" + pgtest.Superuser(t, pgtest.Empty(t))}}
	r.git("init", "--quiet", "--initial-branch=main")
	r.write("migrations/00001_create_notes.sql", "CREATE TABLE public.notes (id bigint PRIMARY KEY, title text);", "DROP TABLE public.notes;")
	r.write("migrations/00002_add_notes_author.sql", "ALTER TABLE public.notes ADD COLUMN author text;", "ALTER TABLE public.notes DROP COLUMN author;")
	if got := r.check("--write"); got.code != 0 {
		t.Fatalf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	r.commit("merged")
	r.git("checkout", "--quiet", "-b", "change")
	return r
}

func (r repository) git(args ...string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), "git", append([]string{"-C", r.root, "-c", "user.name=somebody", "-c", "user.email=somebody@example.org"}, args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

func (r repository) commit(message string) {
	r.t.Helper()
	r.git("add", "--all")
	r.git("commit", "--quiet", "--message", message)
}

// write writes a migration, or with one text any file.
func (r repository) write(name, text string, down ...string) {
	r.t.Helper()
	if len(down) > 0 {
		text = "-- +goose Up\n" + text + "\n\n-- +goose Down\n" + down[0] + "\n"
	}
	path := filepath.Join(r.root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r repository) check(args ...string) outcome {
	r.t.Helper()
	return run(r.t, r.env, append([]string{"check", "--dir", filepath.Join(r.root, "migrations")}, args...)...)
}

// findings are those of a check as RULE FILE.
func (r repository) findings(args ...string) (outcome, []string) {
	r.t.Helper()
	got := r.check(append(args, "--json")...)
	var found []string
	for _, f := range got.object(r.t)["findings"].([]any) {
		finding := f.(map[string]any)
		if finding["message"] == "" || finding["safe"] == "" || finding["line"].(float64) < 1 {
			r.t.Errorf("a finding without a message or the next step: %v", finding)
		}
		found = append(found, fmt.Sprint(finding["rule"], " ", filepath.Base(fmt.Sprint(finding["file"]))))
	}
	return got, found
}

// want checks the findings, and that the exit code says whether one is an error.
func (r repository) want(code int, want string, args ...string) outcome {
	r.t.Helper()
	got, found := r.findings(args...)
	if strings.Join(found, ", ") != want || got.code != code {
		r.t.Errorf("check %v: code %d, want %d; found %q, want %q\n%s%s", args, got.code, code, found, want, got.stdout, got.stderr)
	}
	return got
}

func TestCheck(t *testing.T) {
	t.Parallel()

	t.Run("tells what a change does", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.write("migrations/00003_create_tags.sql", "CREATE TABLE public.tags (id bigint PRIMARY KEY, name text);", "DROP TABLE public.tags;")
		r.write("migrations/00004_add_notes_kind.sql", "ALTER TABLE public.notes ADD COLUMN kind bigint;\nALTER TABLE public.notes RENAME author TO writer;",
			"ALTER TABLE public.notes RENAME writer TO author;\nALTER TABLE public.notes DROP COLUMN kind;")
		r.want(3, "rename 00004_add_notes_kind.sql, effect-out-of-step 00003_create_tags.sql, effect-out-of-step 00004_add_notes_kind.sql", "--base", "main")
		r.check("--write")
		got := r.check("--base", "main")
		for _, want := range []string{
			"since main, version 2 to 4\n",
			"\n00003_create_tags.sql\n  adds table public.tags (id bigint, name text)\n  -- the way back drops data, which portaldb rollback keeps (R1)\n",
			"\n00004_add_notes_kind.sql\n  renames column public.notes.author to writer\n  adds column public.notes.kind (type: bigint)\n  -- ACCESS EXCLUSIVE on public.notes: readers and writers wait\n",
			"\ncatalog\n", "  added column public.notes.kind\n    + type: bigint\n", "  renamed column public.notes.author\n    - author\n    + writer\n", "  added table public.tags\n",
		} {
			if !strings.Contains(got.stdout, want) {
				t.Errorf("not there: %q\n%s%s", want, got.stdout, got.stderr)
			}
		}
		change := r.check("--base", "main", "--json").object(t)["change"].(map[string]any)
		if change["from"] != 2.0 || change["to"] != 4.0 || len(change["files"].([]any)) != 2 || len(change["catalog"].([]any)) != 3 {
			t.Errorf("got %v", change)
		}
	})

	t.Run("a change of nothing", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		if got := r.check("--base", "main"); got.code != 0 || got.stdout != "since main, version 2: the schema stays as it is\nnot looked at: queries: no sqlc.yaml above the folder\nno findings\n" {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
		r.want(0, "")
		r.want(0, "", "--offline")
	})

	t.Run("a change where nothing has an effect file", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.git("rm", "--quiet", "-r", "migrations/effects")
		r.commit("without effects")
		r.git("checkout", "--quiet", "-B", "main")
		r.git("checkout", "--quiet", "-b", "more")
		r.write("migrations/00003_add_notes_kind.sql", "ALTER TABLE public.notes ADD COLUMN kind text;", "ALTER TABLE public.notes DROP COLUMN kind;")
		if got := r.check("--base", "main"); got.code != 0 || !strings.Contains(got.stdout, "adds column public.notes.kind (type: text)") {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
		if got := r.check("--base", "main", "--offline"); got.code != 0 || !strings.Contains(got.stdout, "not looked at: what the change does: not every file has an effect") {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
	})

	t.Run("line ends", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		text, err := os.ReadFile(filepath.Join(r.root, "migrations/00001_create_notes.sql"))
		if err != nil {
			t.Fatal(err)
		}
		r.write("migrations/00001_create_notes.sql", strings.ReplaceAll(string(text), "\n", "\r\n"))
		if got := r.check("--base", "main", "--offline"); got.code != 3 || !strings.Contains(got.stdout, "its line ends were changed") || !strings.Contains(got.stdout, ".gitattributes") {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
	})

	t.Run("merged files", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.write("migrations/00001_create_notes.sql", "CREATE TABLE public.notes (id bigint PRIMARY KEY, title text); -- edited", "DROP TABLE public.notes;")
		got := r.want(3, "merged-file-edited 00001_create_notes.sql, effect-out-of-step 00001_create_notes.sql", "--base", "main")
		if !strings.Contains(got.stdout, `"line":2`) || !strings.Contains(got.stdout, "git restore --source=") {
			t.Errorf("got %s", got.stdout)
		}
		r.git("restore", ".")
		r.git("mv", "migrations/00002_add_notes_author.sql", "migrations/00002_add_notes_writer.sql")
		r.want(3, "merged-file-gone 00002_add_notes_author.sql, number-taken 00002_add_notes_writer.sql, effect-out-of-step 00002.json", "--base", "main")
	})

	t.Run("two branches with one number", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.git("checkout", "--quiet", "main")
		r.write("migrations/00003_add_notes_place.sql", "ALTER TABLE public.notes ADD COLUMN place text;", "ALTER TABLE public.notes DROP COLUMN place;")
		r.commit("theirs")
		r.git("checkout", "--quiet", "change")
		r.write("migrations/00003_add_notes_kind.sql", "ALTER TABLE public.notes ADD COLUMN kind text;", "ALTER TABLE public.notes DROP COLUMN kind;")
		r.write("migrations/00004_add_notes_more.sql", "ALTER TABLE public.notes ADD COLUMN more text;", "ALTER TABLE public.notes DROP COLUMN more;")
		r.commit("ours")
		r.check("--write")
		got, _ := r.findings("--base", "main")
		dir := filepath.Join(r.root, "migrations")
		if want := "git mv " + dir + "/00003_add_notes_kind.sql " + dir + "/00004_add_notes_kind.sql"; got.code != 3 || !strings.Contains(got.stdout, want) {
			t.Errorf("code %d, want %q in %s", got.code, want, got.stdout)
		}
		r.want(0, "") // alone it is as it should be
	})

	t.Run("what is wrong with a file", func(t *testing.T) {
		t.Parallel()
		for name, c := range map[string]struct{ up, down, want string }{
			"a Down that leaves something": {"CREATE TABLE public.tags (id bigint PRIMARY KEY);", "-- +goose StatementBegin\nDO $$ BEGIN END $$;\n-- +goose StatementEnd", "down-not-inverse"},
			"it does not apply":            {"ALTER TABLE public.notes ADD COLUMN kind nonsense;", "ALTER TABLE public.notes DROP COLUMN kind;", "does-not-apply"},
			"rows are changed":             {"-- +goose StatementBegin\nDO $$ BEGIN UPDATE public.notes SET title = 'x'; END $$;\n-- +goose StatementEnd", "SELECT 1;", "rows-changed"},
			"rows in its way":              {"ALTER TABLE public.notes ADD COLUMN kind int CONSTRAINT kind_check CHECK (kind > 0) NOT NULL DEFAULT NULL;", "ALTER TABLE public.notes DROP COLUMN kind;", "rows-refuse-it"},
			"a lock that a block hides":    {"-- +goose StatementBegin\nDO $$ BEGIN EXECUTE 'ALTER TABLE public.notes ALTER COLUMN title TYPE varchar(500)'; END $$;\n-- +goose StatementEnd", "ALTER TABLE public.notes ALTER COLUMN title TYPE text;", "hidden-lock"},
			"a drop that a block hides":    {"-- +goose StatementBegin\nDO $$ BEGIN EXECUTE 'ALTER TABLE public.notes DROP COLUMN title'; END $$;\n-- +goose StatementEnd", "ALTER TABLE public.notes ADD COLUMN title text;", "drop-without-trash"},
			"a syntax error":               {"ALTER TABLE public.notes ADD COLUMN;", "SELECT 1;", "syntax"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				r := newRepository(t)
				r.write("migrations/00003_add_thing.sql", c.up, c.down)
				_, found := r.findings()
				if !strings.Contains(strings.Join(found, ", "), c.want+" 00003_add_thing.sql") {
					t.Errorf("found %q, want %s", found, c.want)
				}
			})
		}
	})

	t.Run("effect files", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		effect := filepath.Join(r.root, "migrations/effects/00002.json")
		text, err := os.ReadFile(effect)
		if err != nil {
			t.Fatal(err)
		}
		r.write("migrations/effects/00002.json", strings.Replace(string(text), `"type":"text"`, `"type":"bigint"`, 1))
		r.want(3, "effect-out-of-step 00002_add_notes_author.sql")
		r.want(3, "effect-out-of-step 00002_add_notes_author.sql", "--base", "main") // what was merged too
		r.write("migrations/effects/00002.json", "{")
		r.want(3, "effect-out-of-step 00002.json")
		r.write("migrations/effects/00002.json", string(text))
		r.want(0, "")
		if err := os.Remove(effect); err != nil {
			t.Fatal(err)
		}
		r.want(3, "effect-out-of-step 00002_add_notes_author.sql")
		r.want(3, "effect-out-of-step 00002_add_notes_author.sql", "--offline")
		if got := r.check("--write"); got.code != 0 {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
		if now, err := os.ReadFile(effect); err != nil || len(now) != len(text) {
			t.Errorf("written again: %v\n%s", err, now)
		}
		if err := os.RemoveAll(filepath.Dir(effect)); err != nil {
			t.Fatal(err)
		}
		r.want(0, "effect-out-of-step effects") // a scratch folder
	})

	t.Run("queries", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.write("sqlc.yaml", "version: \"2\"\nsql:\n  - {engine: postgresql, schema: migrations, queries: queries, database: {uri: \"${TEST_SQLC_URL}\"}, analyzer: {database: false}, rules: [sqlc/db-prepare], gen: {go: {package: db, out: db, sql_package: pgx/v5}}}\n")
		r.write("queries/notes.sql", "-- name: GetNote :one\nSELECT title FROM notes WHERE id = $1;\n")
		tools, err := filepath.Abs("../../tools")
		if err != nil {
			t.Fatal(err)
		}
		r.write("go.mod", "module example\n")
		for _, name := range []string{"go.mod", "go.sum"} {
			text, err := os.ReadFile(filepath.Join(tools, name))
			if err != nil {
				t.Fatal(err)
			}
			r.write("tools/"+name, string(text))
		}
		r.want(3, "queries-out-of-step sqlc.yaml", "--offline")
		generate := exec.CommandContext(t.Context(), "go", "tool", "-modfile=tools/go.mod", "sqlc", "generate")
		generate.Dir = r.root
		if out, err := generate.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		r.want(0, "")
		r.git("checkout", "--quiet", "main")
		r.commit("queries")
		r.git("checkout", "--quiet", "-b", "rename")
		r.write("migrations/00003_rename_notes_title.sql", "-- portaldb:nolint rename: for the test\nALTER TABLE public.notes RENAME title TO heading;", "ALTER TABLE public.notes RENAME heading TO title;")
		r.check("--write")
		r.want(3, "queries-out-of-step sqlc.yaml, query-does-not-prepare sqlc.yaml, breaks-previous-release 00003_rename_notes_title.sql", "--base", "main")
	})

	t.Run("usage", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		outside := folder(t, map[string]string{"00001_create_a.sql": "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 1;\n"})
		for _, c := range []struct {
			args   []string
			stderr string
		}{
			{[]string{"check", "--dir", "/nonexistent"}, "there is no folder"},
			{[]string{"check", "--dir", t.TempDir()}, "there are no migrations"},
			{[]string{"check", "--dir", outside, "--base", "main"}, "is in none"},
			{[]string{"check", "--dir", filepath.Join(r.root, "migrations"), "--base", "nonsense"}, "fetch it first"},
			{[]string{"check", "--dir", filepath.Join(r.root, "migrations"), "--base=--help"}, "fetch it first"},
			{[]string{"check", "--dir", filepath.Join(r.root, "migrations"), "--base="}, "it is empty"},
			{[]string{"check", "--dir", outside, "--offline", "--write"}, "leave --offline out"},
		} {
			if got := run(t, r.env, c.args...); got.code != 2 || !strings.Contains(got.stderr, c.stderr) {
				t.Errorf("%v: code %d, %s", c.args, got.code, got.stderr)
			}
		}
		if got := run(t, []string{"DATABASE_URL=postgres://u:S3cret@127.0.0.1:1/d"}, "check", "--dir", outside); got.code != 6 || strings.Contains(got.stderr, "S3cret") {
			t.Errorf("nobody there: code %d, %s", got.code, got.stderr)
		}
	})

	t.Run("a login that may not create databases", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.write("migrations/00003_add_notes_kind.sql", "ALTER TABLE public.notes ADD COLUMN kind varchar(5);", "ALTER TABLE public.notes DROP COLUMN kind;")
		r.env = []string{"DATABASE_URL=" + pgtest.Empty(t)}
		// What was found before is told all the same.
		if got := r.check(); got.code != 4 || !strings.Contains(got.stdout, "prefer-text") || !strings.Contains(got.stderr, "CREATEDB") {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
	})

	t.Run("a migration of the whole server", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.write("migrations/00003_create_reader.sql", "CREATE ROLE check_reader;", "DROP ROLE check_reader;")
		if got := r.check(); got.code != 3 || !strings.Contains(got.stdout, "cluster-wide") || !strings.Contains(got.stdout, "leave DATABASE_URL unset") {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
	})

	t.Run("interrupted", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.write("migrations/00003_add_notes_kind.sql", "SELECT pg_sleep(600);", "SELECT 1;")
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		ended := make(chan int)
		go func() {
			ended <- cli.Run(ctx, []string{"check", "--dir", filepath.Join(r.root, "migrations")}, r.env, nil, &stdout, &stderr)
		}()
		db, err := sql.Open("pgx", strings.TrimPrefix(r.env[0], "DATABASE_URL="))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		count := func(query string) (n int) {
			if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for deadline := time.Now().Add(time.Minute); count(`select count(*) from pg_stat_activity where query like '%pg_sleep(600)%' and pid <> pg_backend_pid()`) == 0; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal("it was not measured within a minute")
			}
		}
		cancel()
		if code := <-ended; code != 1 || !strings.Contains(stderr.String(), "interrupted") || strings.Contains(stdout.String(), "does-not-apply") {
			t.Errorf("code %d: %s%s", code, &stdout, &stderr)
		}
	})

	t.Run("on a server of its own", func(t *testing.T) {
		t.Parallel()
		r := newRepository(t)
		r.env = nil
		r.want(0, "")
	})
}
