package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	warned = "-- +goose Up\ncreate table a (b json);\n-- +goose Down\ndrop table a;\n"
	failed = "-- +goose Up\n\ncreate index a_c_idx on a (c);\n-- +goose Down\ndrop index concurrently a_c_idx;\n"
)

func TestLint(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"00001_create_a.sql": warned, "00002_index_a.sql": failed})
	first, second := filepath.Join(dir, "00001_create_a.sql"), filepath.Join(dir, "00002_index_a.sql")
	for _, c := range []struct {
		name  string
		args  []string
		code  int
		rules []string
	}{
		{"folder", []string{"--dir", dir}, 3, []string{first + " prefer-jsonb", second + " index-not-concurrent", second + " concurrent-in-transaction"}},
		{"a file", []string{second}, 3, []string{second + " index-not-concurrent", second + " concurrent-in-transaction"}},
		{"warnings", []string{first}, 0, []string{first + " prefer-jsonb"}},
		{"both files", []string{second, first, "--dir", dir}, 3, []string{first + " prefer-jsonb", second + " index-not-concurrent", second + " concurrent-in-transaction"}},
		{"embedded", nil, 0, []string{}},
		{"the same as a folder", []string{"--dir", "../../migrations"}, 0, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := run(t, nil, append([]string{"lint", "--json"}, c.args...)...)
			var answer struct{ Findings []map[string]any }
			if err := json.Unmarshal([]byte(got.stdout), &answer); err != nil || got.code != c.code {
				t.Fatalf("code %d, %v: %s%s", got.code, err, got.stdout, got.stderr)
			}
			rules := []string{}
			for _, f := range answer.Findings {
				if len(f) != 6 || f["line"].(float64) < 1 || f["message"] == "" || f["safe"] == "" || f["severity"] != "error" && f["severity"] != "warning" {
					t.Errorf("finding %v", f)
				}
				rules = append(rules, f["file"].(string)+" "+f["rule"].(string))
			}
			if diff := cmp.Diff(c.rules, rules); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLint_formats(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"00001_index_a.sql": failed})
	for format, want := range map[string][]string{
		"text":   {"00001_index_a.sql:3: error index-not-concurrent\n", "CREATE INDEX CONCURRENTLY a_c_idx ON a USING btree (c);", "errors: 2, warnings: 0\n"},
		"github": {"::error file=" + dir + "/00001_index_a.sql,line=3,title=index-not-concurrent::CREATE INDEX makes"},
		"sarif":  {`"version": "2.1.0"`, `"ruleId": "index-not-concurrent"`, `"startLine": 3`},
		"json":   {`{"findings":[{"rule":"index-not-concurrent","severity":"error","file":"` + dir + `/00001_index_a.sql","line":3,"message":"`},
	} {
		got := run(t, nil, "lint", "--dir", dir, "--format", format)
		for _, part := range want {
			if got.code != 3 || !strings.Contains(got.stdout, part) {
				t.Errorf("%s: code %d, no %q in\n%s%s", format, got.code, part, got.stdout, got.stderr)
			}
		}
		if (format == "json" || format == "sarif") && !json.Valid([]byte(got.stdout)) {
			t.Errorf("%s is no JSON", format)
		}
	}
}

// TestLint_baseline holds that a folder which is not the portal's has no exemption.
func TestLint_baseline(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../migrations")); err != nil {
		t.Fatal(err)
	}
	if got := run(t, nil, "lint", "--dir", dir); got.code != 0 || got.stdout != "no findings\n" {
		t.Errorf("code %d: %s", got.code, got.stdout)
	}
	first := filepath.Join(dir, "00001_create_extensions.sql")
	body, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(first, append(body, "-- edited\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := run(t, nil, "lint", "--dir", dir); !strings.Contains(got.stdout, "00005_create_users.sql:8: warning ban-char") {
		t.Errorf("code %d: %s", got.code, got.stdout)
	}
}

func TestLint_usage(t *testing.T) {
	t.Parallel()
	dir := folder(t, map[string]string{"00001_create_a.sql": warned, "notes.txt": ""})
	file := filepath.Join(dir, "00001_create_a.sql")
	for _, c := range []struct {
		args   []string
		stderr string
	}{
		{[]string{"-"}, "there is no file -"},
		{[]string{filepath.Join(dir, "00002_create_b.sql")}, "there is no file"},
		{[]string{filepath.Join(dir, "notes.txt")}, "end in .sql"},
		{[]string{dir}, "is a folder"},
		{[]string{file, "--dir", t.TempDir()}, "does not lie in"},
		{[]string{"--dir", filepath.Join(dir, "none")}, "--dir takes"},
		{[]string{"--dir", t.TempDir()}, "no migrations"},
		{[]string{"--format", "xml"}, "--format"},
		{[]string{"--format", "sarif", "--json"}, "--json"},
	} {
		if got := run(t, nil, append([]string{"lint"}, c.args...)...); got.code != 2 || got.stdout != "" || !strings.Contains(got.stderr, c.stderr) {
			t.Errorf("%q: code %d, %q", c.args, got.code, got.stderr)
		}
	}
}
