package main_test

import (
	"database/sql"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"portaldb/internal/pgtest"
)

// readmeSection returns the code blocks of one language below a heading of the README.
func readmeSection(t *testing.T, heading, language string) []string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, match[1])
	}
	if !found || len(blocks) == 0 {
		t.Fatalf("the README has no block of %s below %q", language, heading)
	}
	return blocks
}

// checkout is a folder as a CI job finds it, where make build has only to give the binary of these tests.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Makefile"), []byte("build:\n\tmkdir bin && ln -s '"+binary+"' bin/portaldb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// step runs a step of a job as its shell does.
func step(t *testing.T, dir, script string, env map[string]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", script)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
}

// TestReadme_In_CI runs what the README offers to copy, on a database: after it, that is up to date.
func TestReadme_In_CI(t *testing.T) {
	t.Parallel()
	blocks := readmeSection(t, "In CI", "yaml")
	if len(blocks) != 2 {
		t.Fatalf("%d blocks, want one for GitHub and one for GitLab", len(blocks))
	}
	wantUpToDate := func(t *testing.T, url string) {
		t.Helper()
		step(t, t.TempDir(), binary+" status", map[string]string{"DATABASE_URL": url})
	}

	t.Run("GitHub", func(t *testing.T) {
		t.Parallel()
		var workflow struct {
			Jobs map[string]struct {
				Needs   string
				Env     map[string]string
				Outputs map[string]string
				Steps   []struct{ ID, Run, Uses string }
			}
		}
		if err := yaml.Unmarshal([]byte(blocks[0]), &workflow); err != nil {
			t.Fatal(err)
		}
		url := pgtest.Empty(t)
		expressions := map[string]string{"secrets.DATABASE_URL": url}
		evaluate := func(text string) string {
			return regexp.MustCompile(`\$\{\{ *([\w.]+) *\}\}`).ReplaceAllStringFunc(text, func(expression string) string {
				name := strings.Trim(expression, "${} ")
				value, known := expressions[name]
				if !known {
					t.Fatalf("nothing gives %s", expression)
				}
				return value
			})
		}
		jobs := slices.SortedFunc(maps.Keys(workflow.Jobs), func(a, b string) int { // two, one of which needs the other
			return strings.Compare(workflow.Jobs[a].Needs, workflow.Jobs[b].Needs)
		})
		for _, name := range jobs {
			job, dir := workflow.Jobs[name], checkout(t)
			for _, s := range job.Steps {
				if s.Run == "" {
					continue // an action of GitHub's
				}
				output := filepath.Join(t.TempDir(), "output")
				env := map[string]string{"GITHUB_OUTPUT": output}
				for variable, value := range job.Env {
					env[variable] = evaluate(value)
				}
				step(t, dir, evaluate(s.Run), env)
				written, _ := os.ReadFile(output) // most steps write none
				for line := range strings.Lines(string(written)) {
					key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
					expressions["steps."+s.ID+".outputs."+key] = value
				}
			}
			for key, value := range job.Outputs {
				expressions["needs."+name+".outputs."+key] = evaluate(value)
			}
		}
		if !strings.HasPrefix(expressions["needs.plan.outputs.digest"], "sha256:") {
			t.Errorf("the deploy ran without the digest that was reviewed: %q", expressions["needs.plan.outputs.digest"])
		}
		wantUpToDate(t, url)
	})

	t.Run("GitLab", func(t *testing.T) {
		t.Parallel()
		var pipeline struct {
			Deploy struct {
				Image     string
				Variables map[string]string
				Script    []string
				Retry     struct {
					Max   int
					Codes any `yaml:"exit_codes"`
				}
			}
		}
		if err := yaml.Unmarshal([]byte(blocks[1]), &pipeline); err != nil {
			t.Fatal(err)
		}
		deploy := pipeline.Deploy
		if deploy.Image == "" || deploy.Retry.Codes != 5 || deploy.Retry.Max == 0 {
			t.Errorf("got %+v", deploy)
		}
		url := pgtest.Empty(t)
		deploy.Variables["DATABASE_URL"] = url
		step(t, checkout(t), strings.Join(deploy.Script, "\n"), deploy.Variables)
		wantUpToDate(t, url)
	})
}

// TestReadme_Adding_a_migration runs what the README walks through, line by line, on a copy of the repository as it is here.
func TestReadme_Adding_a_migration(t *testing.T) {
	t.Parallel()
	list, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name := range strings.SplitSeq(strings.TrimRight(string(list), "\x00"), "\x00") {
		info, err := os.Stat(filepath.Join("../..", name))
		if err != nil {
			continue // removed here
		}
		data, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	script := "set -x\ngit init --quiet --initial-branch=main .\ngit add --all\ngit commit --quiet --message 'as it is'\n" +
		strings.Join(readmeSection(t, "Adding a migration", "sh"), "\n")
	cmd := exec.CommandContext(t.Context(), "bash", "-e", "-o", "pipefail", "-c", script)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(pair string) bool { return strings.HasPrefix(pair, "DATABASE_URL=") }),
		"GIT_AUTHOR_NAME=somebody", "GIT_AUTHOR_EMAIL=somebody@example.org", "GIT_COMMITTER_NAME=somebody", "GIT_COMMITTER_EMAIL=somebody@example.org")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"nullable, or with a constant default", "adds column public.users.nickname (type: text)", "ACCESS EXCLUSIVE on public.users: readers and writers wait",
		"the way back drops data, which portaldb rollback keeps (R1)", "no findings",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("not there: %q\n%s", want, out)
		}
	}
}

var endsWith = regexp.MustCompile(`# ends with (\d+)`)

// TestReadme_At_3_am runs the lines for a person on call, one by one, on a database that is up to date: each ends as it says.
func TestReadme_At_3_am(t *testing.T) {
	t.Parallel()
	url, dir := pgtest.Empty(t), checkout(t)
	step(t, dir, "make build", nil)
	path := "PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH")
	do := func(line string) int {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Env = []string{path, "HOME=" + os.Getenv("HOME"), "DATABASE_URL=" + url}
		out, err := cmd.CombinedOutput()
		t.Logf("%s\n%s", line, out)
		if cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode()
	}
	if code := do("portaldb up"); code != 0 {
		t.Fatalf("code %d", code)
	}
	blocks := readmeSection(t, "At 3 am", "sh")
	if len(blocks) != 1 {
		t.Fatalf("%d blocks", len(blocks))
	}
	lines := strings.Split(strings.TrimSpace(blocks[0]), "\n")
	for _, line := range lines {
		want := 0
		if match := endsWith.FindStringSubmatch(line); match != nil {
			want, _ = strconv.Atoi(match[1])
		}
		if code := do(line); code != want {
			t.Fatalf("%s: code %d, want %d", line, code, want)
		}
	}
	if len(lines) < 5 {
		t.Errorf("%d lines", len(lines))
	}
	if code := do("portaldb verify"); code != 0 {
		t.Errorf("afterwards: code %d", code)
	}
}

// TestRollbackDoc_psql does by hand what docs/rollback.md says for when portaldb is not there: it brings a table and a column back,
// and goes back itself.
func TestRollbackDoc_psql(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/rollback.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for i, part := range strings.Split(string(page), "```sql\n") {
		if block, _, found := strings.Cut(part, "```"); i > 0 && found {
			blocks = append(blocks, block)
		}
	}
	if len(blocks) != 3 {
		t.Fatalf("the page has %d blocks of SQL", len(blocks))
	}
	// by sends a block to the database, with the statements of a file and the name of what was kept put in.
	by := func(t *testing.T, url, block, file string) {
		t.Helper()
		db, err := sql.Open("pgx", url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		if file != "" {
			body, err := os.ReadFile("../../migrations/" + file)
			if err != nil {
				t.Fatal(err)
			}
			up, _, _ := strings.Cut(string(body), "-- +goose Down")
			var kept string
			if err := db.QueryRowContext(t.Context(), `select kept_in from portaldb.trash where kept_in is not null and restored_at is null`).Scan(&kept); err != nil {
				t.Fatal(err)
			}
			block = strings.Replace(block, "-- here: the statements of the Up half", up, 1)
			block = regexp.MustCompile(`portaldb_trash\.v\w+`).ReplaceAllString(block, kept)
		}
		if _, err := db.ExecContext(t.Context(), block); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("a table", func(t *testing.T) {
		t.Parallel()
		url, dir := pgtest.Empty(t), t.TempDir()
		env := map[string]string{"DATABASE_URL": url}
		step(t, dir, binary+" up --to 50 && "+binary+" token create reports --role reader > token && "+binary+" rollback --to 49 --apply", env)
		by(t, url, blocks[0], "00050_create_service_api_tokens.sql")
		step(t, dir, binary+" verify && "+binary+" token list | grep reports && "+binary+" up", env)
	})

	t.Run("a column", func(t *testing.T) {
		t.Parallel()
		url, dir := pgtest.Empty(t), t.TempDir()
		env := map[string]string{"DATABASE_URL": url}
		step(t, dir, binary+" up --to 65", env)
		by(t, url, `insert into fileshare_items (id, filename, size, path, expires_at, max_downloads) values ('x', 'x', 1, '/x', now(), 7)`, "")
		step(t, dir, binary+" rollback --to 64 --apply", env)
		by(t, url, blocks[1], "00065_add_fileshare_items_max_downloads.sql")
		by(t, url, `do $$ begin if (select max_downloads from fileshare_items) is distinct from 7 then raise 'the value is lost'; end if; end $$`, "")
		step(t, dir, binary+" verify && "+binary+" up", env)
	})

	t.Run("the way back", func(t *testing.T) {
		t.Parallel()
		url, dir := pgtest.Empty(t), t.TempDir()
		env := map[string]string{"DATABASE_URL": url}
		step(t, dir, binary+" up --to 50 && "+binary+" token create reports --role reader > token", env)
		by(t, url, blocks[2], "")
		// The version is gone, nothing of the schema differs, and nobody makes it again.
		step(t, dir, binary+" verify && ! "+binary+" up 2> refused && grep 'rolled back by hand' refused && "+binary+" status | grep 49", env)
	})
}
