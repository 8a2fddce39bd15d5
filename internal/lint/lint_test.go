package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
	"portaldb/internal/schema"
)

var update = flag.Bool("update", false, "write docs/lint.md instead of comparing with it")

// Cases lie in testdata, one folder a rule: ok_*.sql must give no finding that is not marked, bad_*.sql must give the rule's.
// A finding is marked by -- want RULE, RULE at the end of its line, or by -- want-on LINE RULE anywhere. The files of before.sql
// and, where there is one, CASE.before.sql come first; CASE.json is the case's effect. Rules of names have lists of names instead.
func TestRules(t *testing.T) {
	t.Parallel()
	for _, rule := range lint.Rules() {
		if slices.Contains([]string{"breaks-previous-release", "rows-changed", "rows-refuse-it", "hidden-lock"}, rule.Name) || rule.Name == "too-large" { // TestFound, and TestLint_refuses_no_file in schema
			continue
		}
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			for _, kind := range []string{"ok", "bad"} {
				cases, _ := filepath.Glob(filepath.Join("testdata", rule.Name, kind+"*"))
				cases = slices.DeleteFunc(cases, func(name string) bool {
					return strings.HasSuffix(name, ".before.sql") || strings.HasSuffix(name, ".json")
				})
				if len(cases) == 0 {
					t.Errorf("no %s case", kind)
				}
				for _, name := range cases {
					t.Run(filepath.Base(name), func(t *testing.T) {
						t.Parallel()
						got, want := examine(t, name)
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("findings (-want +got):\n%s", diff)
						}
						found := slices.ContainsFunc(got, func(f string) bool { return slices.Contains(strings.Fields(f), rule.Name) })
						if found != (kind == "bad") {
							t.Errorf("a finding of the rule: %v", found)
						}
					})
				}
			}
		})
	}
}

// TestCases_have_a_rule fails on a folder whose rule is gone.
func TestCases_have_a_rule(t *testing.T) {
	t.Parallel()
	folders, _ := filepath.Glob("testdata/*/")
	for _, folder := range folders {
		name := filepath.Base(folder)
		if name != "fuzz" && !slices.ContainsFunc(lint.Rules(), func(r lint.Rule) bool { return r.Name == name }) {
			t.Errorf("no rule %s", name)
		}
	}
}

var marker = regexp.MustCompile(`-- want ([a-z, -]+)$|-- want-on (\d+) ([a-z-]+)`)

// examine returns a case's findings and those that it marks, as LINE RULE.
func examine(t *testing.T, name string) (got, want []string) {
	t.Helper()
	body := read(t, name)
	got, want = []string{}, []string{}
	if strings.HasSuffix(name, ".names") {
		var names []string
		for line := range strings.Lines(body) {
			file, marked, found := strings.Cut(strings.TrimSpace(line), " want ")
			names = append(names, file)
			if found {
				rule, to, _ := strings.Cut(marked, " ")
				want = append(want, strings.TrimSpace(file+" "+rule+" "+to))
			}
		}
		for _, f := range lint.Names(names) {
			_, to, _ := strings.Cut(strings.TrimPrefix(f.Safe, "git mv "), " ")
			if f.Rule == "name-pattern" {
				to = ""
			}
			got = append(got, strings.TrimSpace(f.File+" "+f.Rule+" "+to))
		}
		return got, want
	}
	for i, line := range strings.Split(strings.TrimRight(body, "\n"), "\n") {
		if match := marker.FindStringSubmatch(line); match != nil && match[1] != "" {
			for rule := range strings.SplitSeq(match[1], ",") {
				want = append(want, fmt.Sprintf("%d %s", i+1, strings.TrimSpace(rule)))
			}
		} else if match != nil {
			want = append(want, match[2]+" "+match[3])
		}
	}
	set := fstest.MapFS{
		"00001_create_schema.sql": {Data: []byte(read(t, "testdata/before.sql"))},
		"00002_add_more.sql":      {Data: []byte("-- +goose Up\nSELECT;\n-- +goose Down\nSELECT;")},
		"00003_add_case.sql":      {Data: []byte(body)},
	}
	base := strings.TrimSuffix(name, ".sql")
	if before, err := os.ReadFile(base + ".before.sql"); err == nil {
		set["00002_add_more.sql"] = &fstest.MapFile{Data: before}
	}
	if effect, err := os.ReadFile(base + ".json"); err == nil {
		for i, name := range []string{"00001_create_schema.sql", "00002_add_more.sql"} {
			set[fmt.Sprintf("effects/%05d.json", i+1)] = &fstest.MapFile{Data: fmt.Appendf(nil, `{"version": %d, "name": %q}`, i+1, name)}
		}
		set["effects/00003.json"] = &fstest.MapFile{Data: bytes.Replace(effect, []byte("{"), []byte(`{"name": "00003_add_case.sql", `), 1)}
	}
	findings, err := schema.Lint(set, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.File == "00003_add_case.sql" {
			got = append(got, fmt.Sprintf("%d %s", f.Line, f.Rule))
			t.Logf("%d %s: %s\n%s", f.Line, f.Rule, f.Message, f.Safe)
			if strings.ContainsAny(f.Safe, "{}") && !strings.Contains(f.Safe, "'{}'") {
				t.Errorf("a placeholder is left in: %s", f.Safe)
			}
			if strings.Contains(f.Message, "constraint  ") || strings.Contains(f.Safe, "CONSTRAINT ;") || strings.Contains(f.Safe, "DROP column") {
				t.Errorf("a name is missing in: %s\n%s", f.Message, f.Safe)
			}
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	return got, want
}

func read(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRules_are_sorted_and_described(t *testing.T) {
	t.Parallel()
	all := lint.Rules()
	if !slices.IsSortedFunc(all, func(a, b lint.Rule) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not in the order of their names")
	}
	for _, r := range all {
		if r.What == "" || r.Why == "" || r.Safe == "" || r.Severity != lint.Error && r.Severity != lint.Warning {
			t.Errorf("%s is not described in full", r.Name)
		}
	}
}

// TestNames_quotes holds that what is told to be typed can be pasted, whatever a file is called.
func TestNames_quotes(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"00001_Add.sql": "git mv 00001_Add.sql NNNNN_verb_object.sql", "1 it's.sql": `git mv '1 it'\''s.sql' NNNNN_verb_object.sql`,
		"-f.sql": "git mv './-f.sql' NNNNN_verb_object.sql",
	} {
		if got := lint.Names([]string{name}); len(got) == 0 || got[0].Safe != want {
			t.Errorf("%s: got %+v, want %s", name, got, want)
		}
	}
}

// TestSafe has the parser read the safe way of each rule, as far as it is SQL; the others are commands.
func TestSafe(t *testing.T) {
	t.Parallel()
	for _, r := range lint.Rules() {
		safe := strings.ReplaceAll(r.SafeExample(), "SET ...", "SET a = 1")
		if strings.ContainsAny(strings.ReplaceAll(safe, "'{}'", ""), "{}") {
			t.Errorf("%s: a placeholder is left in\n%s", r.Name, safe)
		}
		if _, err := lint.Parse(safe); err != nil && !strings.HasPrefix(safe, "git mv ") {
			t.Errorf("%s: %v\n%s", r.Name, err, safe)
		}
	}
}

func TestFound(t *testing.T) {
	t.Parallel()
	plain := lint.Migration{Version: 3, Name: "00003_drop_a.sql", Body: "-- +goose Up\nSELECT;\n"}
	want := []lint.Finding{{Rule: "breaks-previous-release", Severity: lint.Error, File: "00003_drop_a.sql", Line: 2, Message: "m"}}
	got := lint.Found(plain, "breaks-previous-release", 2, "m")
	if len(got) != 1 || got[0].Safe == "" {
		t.Fatalf("got %+v", got)
	}
	got[0].Safe = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	plain.Body += "-- portaldb:nolint breaks-previous-release: nobody runs it\n"
	if got := lint.Found(plain, "breaks-previous-release", 2, "m"); len(got) != 0 {
		t.Errorf("not suppressed: %+v", got)
	}
}

// TestRun_effect holds that what a DO block did is known to the files after it.
func TestRun_effect(t *testing.T) {
	t.Parallel()
	half := func(sql string) lint.Half {
		return lint.Half{Tx: true, Statements: []lint.Statement{{SQL: sql, Line: 1}}}
	}
	column := func(name, typ string) catalog.Object {
		return catalog.Object{Kind: "column", Parent: `public."Odd.one"`, Name: name, Attrs: map[string]string{"type": typ}}
	}
	made := lint.Migration{Version: 1, Name: "1", Up: half("DO $$ $$"), Down: half("DO $$ $$"), Effect: &catalog.Effect{Added: []catalog.Object{
		{Kind: "table", Parent: "public", Name: `"Odd.one"`}, column("a", "character varying(20)"), column(`"B"`, "bigint"), column("c", "integer"),
		{Kind: "constraint", Parent: `public."Odd.one"`, Name: "c_there", Attrs: map[string]string{"definition": "CHECK ((c IS NOT NULL))"}},
		{Kind: "index", Parent: `public."Odd.one"`, Name: "b_idx", Attrs: map[string]string{"definition": `btree ("B")`}},
	}}}
	used := func(effect *catalog.Effect) []lint.Migration {
		made.Effect = effect
		return []lint.Migration{made, {Version: 2, Name: "2", Down: half("SELECT"), Up: half(`
			ALTER TABLE "Odd.one" ALTER a TYPE text, ALTER c SET NOT NULL,
				ADD CONSTRAINT b_fkey FOREIGN KEY ("B") REFERENCES d (e) NOT VALID;
			ALTER TABLE "Odd.one" DROP CONSTRAINT b_fkey;`)}}
	}
	findings := lint.Run(used(made.Effect), lint.Options{})
	findings = slices.DeleteFunc(findings, func(f lint.Finding) bool { return f.Rule == "drop-constraint-weakens" })
	if len(findings) > 0 {
		t.Errorf("got %+v", findings)
	}
	if findings = lint.Run(used(nil), lint.Options{}); len(findings) < 2 {
		t.Errorf("without the effect only %+v", findings)
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		sql    string
		want   string
		offset int
	}{
		"zero byte": {"select 1\x00 drop", "zero byte", 8},
		"not UTF-8": {"select '\xff'", "UTF-8", 8},
		"syntax":    {"select 'ç' frm x y", "syntax error", 16},
		"plus":      {"select 1" + strings.Repeat("+1", 100_000), "nests", 0},
		"union":     {"select 1, 2" + strings.Repeat(" union select 1, 2", 100_000), "nests", 0},
		"join":      {"select 1 from a" + strings.Repeat(" join a on b and c", 100_000), "nests", 0},
		"cast":      {"select 1" + strings.Repeat("::a", 100_000), "nests", 0},
		"calls":     {"select " + strings.Repeat("f(a,", 100_000), "nests", 0},
		"brackets":  {"select " + strings.Repeat("[", 100_000), "nests", 0},
		"not":       {"select " + strings.Repeat("not ", 100_000), "nests", 0},
		"collate":   {"select a" + strings.Repeat(` collate "x"`, 100_000), "nests", 0},
		"in string": {"select 1" + strings.Repeat("+','||1", 100_000), "nests", 0},
		"case":      {"select " + strings.Repeat("case when a then ", 100_000), "nests", 0},
		"fields":    {"select (a)" + strings.Repeat(".b[1]", 100_000), "nests", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := lint.Parse(c.sql)
			var wrong *lint.SyntaxError
			if !errors.As(err, &wrong) || !strings.Contains(wrong.Message, c.want) || wrong.Offset != c.offset {
				t.Errorf("got %#v, want %q at %d", err, c.want, c.offset)
			}
		})
	}
}

func TestParse_reads_what_is_long_and_flat(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"values":     "insert into a values (1, lower('b'))" + strings.Repeat(", (1, lower('b') || 'c')", 5_000),
		"conditions": "select 1 where a" + strings.Repeat(" or b = 1 and c", 1_000),
		"columns":    "create table a (b text not null default 'x'" + strings.Repeat(", b text not null default 'x' check (b <> '')", 1_000) + ")",
		"statements": strings.Repeat("select 1 + 1;", 5_000),
	} {
		if _, err := lint.Parse(sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFinding_GitHub(t *testing.T) {
	t.Parallel()
	f := lint.Finding{Rule: "a:b", Severity: lint.Warning, File: "x,y%/z.sql", Line: 7, Message: "100%\r\nof: it, all", Safe: "SELECT"}
	const want = "::warning file=x%2Cy%25/z.sql,line=7,title=a%3Ab::100%25%0D%0Aof: it, all%0ASELECT"
	if got := f.GitHub(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestWriteSARIF(t *testing.T) {
	t.Parallel()
	findings := []lint.Finding{{Rule: "rename", Severity: lint.Error, File: "migrations/00003 a.sql", Line: 4, Message: "<m>", Safe: "SELECT"}}
	var b bytes.Buffer
	if err := lint.WriteSARIF(&b, "1.0", findings); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Schema  string `json:"$schema"`
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID                                      string
						ShortDescription, FullDescription, Help struct{ Text string }
						DefaultConfiguration                    struct{ Level string }
					}
				}
			}
			Results []struct {
				RuleID    string `json:"ruleId"`
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	driver, result := log.Runs[0].Tool.Driver, log.Runs[0].Results[0]
	if log.Version != "2.1.0" || !strings.Contains(log.Schema, "sarif-2.1.0") || driver.Name == "" || driver.Version != "1.0" || len(driver.Rules) != len(lint.Rules()) {
		t.Errorf("head: %s %s %s, %d rules", log.Version, log.Schema, driver.Name, len(driver.Rules))
	}
	for _, r := range driver.Rules {
		if r.ID == "" || r.ShortDescription.Text == "" || r.FullDescription.Text == "" || r.Help.Text == "" || r.DefaultConfiguration.Level == "" {
			t.Errorf("rule %+v", r)
		}
	}
	at := result.Locations[0].PhysicalLocation
	if driver.Rules[result.RuleIndex].ID != "rename" || result.RuleID != "rename" || result.Level != "error" || result.Message.Text != "<m>" ||
		at.ArtifactLocation.URI != "migrations/00003%20a.sql" || at.Region.StartLine != 4 {
		t.Errorf("result %+v", result)
	}
	b.Reset()
	if err := lint.WriteSARIF(&b, "1.0", nil); err != nil || !strings.Contains(b.String(), `"results": []`) {
		t.Errorf("without findings: %v\n%s", err, b.String())
	}
}

// TestDocs_Fresh compares docs/lint.md with the rules, or writes it: it is part of make generate.
func TestDocs_Fresh(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("<!-- Written by make generate from internal/lint. Do not edit. -->\n# What portaldb lint finds\n\n" +
		"`portaldb lint` reads migrations as PostgreSQL does. It ends with 3 when a finding is an error; warnings are told and nothing more.\n" +
		"A table that a file makes is nobody's yet: what only concerns it is no finding.\n\n" +
		"A comment on the lines before a statement, or inside it, suppresses a finding; one on the file as a whole anywhere in the file.\nIt counts only with a reason:\n\n" +
		"```sql\n-- portaldb:nolint RULE: reason\n```\n\n" +
		"Rules marked *up refuses* cannot be suppressed. Those marked *always* hold for files up to the baseline too.\n\n" +
		"| rule | severity | |\n|---|---|---|\n")
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.Name, r.Name, r.Severity, r.Marks())
	}
	for _, r := range lint.Rules() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n%s\n\n```sql\n%s\n```\n", r.Name, r.What, r.Why, r.SafeExample())
	}
	const file = "../../docs/lint.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != b.String() {
		t.Errorf("docs/lint.md is out of step with the rules; run make generate (%v)", err)
	}
}
