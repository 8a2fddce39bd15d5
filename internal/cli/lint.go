package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"portaldb/internal/lint"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

type lintCommand struct {
	Files  []string `arg:"" optional:"" name:"FILE" help:"Show the findings of these files only; those before them in the folder are read too."`
	Dir    string   `placeholder:"DIR" help:"The folder of migrations; without it, migrations/ here, else the embedded ones."`
	Format string   `enum:"text,json,sarif,github" default:"text" help:"text, json, sarif or github (annotations of a workflow)."`
}

// Help is the long help.
func (lintCommand) Help() string {
	return `Reads migrations as PostgreSQL does and finds what would block, break or lose something when they are applied. Needs no
database. Ends with 3 when a finding is an error. docs/lint.md describes the rules. A comment before the statement suppresses
a finding: -- portaldb:nolint RULE: reason

Examples:

    portaldb lint
    portaldb lint migrations/00058_add_users_nickname.sql --format github`
}

// Run prints the findings.
func (c lintCommand) Run(a *app) error {
	if a.json && c.Format != "text" && c.Format != "json" {
		return usageError{"--json prints JSON; leave it out with --format " + c.Format}
	}
	findings, err := c.findings()
	if err != nil {
		return err
	}
	switch c.Format {
	case "sarif":
		err = lint.WriteSARIF(a.stdout, version, findings)
	case "github":
		for _, f := range findings {
			fmt.Fprintln(a.stdout, f.GitHub())
		}
	default:
		a.json = a.json || c.Format == "json"
		err = a.print(map[string]any{"findings": findings}, lintText(findings))
	}
	if err == nil && slices.ContainsFunc(findings, func(f lint.Finding) bool { return f.Severity == lint.Error }) {
		return errNo
	}
	return err
}

// findings are those of the files asked for, or of the whole folder. It is not nil.
func (c lintCommand) findings() ([]lint.Finding, error) {
	findings := []lint.Finding{}
	if len(c.Files) == 0 {
		return lintFolder(findings, c.Dir, nil)
	}
	wanted := map[string][]string{} // by folder
	for _, file := range c.Files {
		info, err := os.Stat(file)
		switch {
		case err != nil:
			return nil, usageError{fmt.Sprintf("there is no file %s; lint takes migrations, as migrations/NNNNN_verb_object.sql", file)}
		case info.IsDir():
			return nil, usageError{fmt.Sprintf("%s is a folder; name it with --dir", file)}
		case !strings.HasSuffix(file, ".sql"):
			return nil, usageError{fmt.Sprintf("%s is no migration: lint takes files that end in .sql", file)}
		}
		dir := filepath.Dir(file)
		if c.Dir != "" && filepath.Clean(c.Dir) != dir {
			return nil, usageError{fmt.Sprintf("%s does not lie in %s; leave --dir out", file, c.Dir)}
		}
		wanted[dir] = append(wanted[dir], filepath.Base(file))
	}
	for dir, names := range wanted {
		var err error
		if findings, err = lintFolder(findings, dir, names); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(findings, func(x, y lint.Finding) int { return strings.Compare(x.File, y.File) })
	return findings, nil
}

// lintFolder appends the findings in a folder, of all files or of those named.
func lintFolder(findings []lint.Finding, dir string, names []string) ([]lint.Finding, error) {
	var files fs.FS = migrations.FS
	if dir == "" {
		if info, err := os.Stat("migrations"); err == nil && info.IsDir() {
			dir = "migrations"
		}
	}
	if dir != "" {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, usageError{fmt.Sprintf("--dir takes a folder of migrations; %s is none", dir)}
		}
		files = os.DirFS(dir)
	}
	if found, err := fs.Glob(files, "*.sql"); err != nil || len(found) == 0 {
		return nil, usageError{fmt.Sprintf("there are no migrations in %s: a file is named NNNNN_verb_object.sql", dir)}
	}
	all, err := schema.Lint(files, baseline(files))
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if names == nil || slices.Contains(names, f.File) {
			f.File = path.Join(filepath.ToSlash(here(dir)), f.File)
			findings = append(findings, f)
		}
	}
	return findings, nil
}

// here is a folder as seen from the working directory where it lies below that: machines show a finding beside its line only
// under a relative path.
func here(dir string) string {
	if wd, err := os.Getwd(); err == nil && filepath.IsAbs(dir) {
		if relative, err := filepath.Rel(wd, dir); err == nil && filepath.IsLocal(relative) {
			return relative
		}
	}
	return dir
}

// baseline is the portal's where a folder's files up to it are the embedded ones, else 0.
func baseline(files fs.FS) int64 {
	if files == fs.FS(migrations.FS) {
		return schema.Baseline
	}
	ours, err := schema.Files(migrations.FS)
	if err != nil {
		return 0
	}
	for _, f := range ours[:schema.Baseline] {
		if body, err := fs.ReadFile(files, f.Name); err != nil || string(body) != f.Body {
			return 0
		}
	}
	return schema.Baseline
}

// indent sets SQL apart, without blanks at the ends of lines.
func indent(sql string) string {
	return strings.ReplaceAll(strings.ReplaceAll(sql, "\n", "\n    "), "\n    \n", "\n\n")
}

// lintText is findings as a person reads them.
func lintText(findings []lint.Finding) string {
	var b strings.Builder
	count := map[lint.Severity]int{}
	for _, f := range findings {
		count[f.Severity]++
		fmt.Fprintf(&b, "%s:%d: %s %s\n  %s\n\n    %s\n\n", f.File, f.Line, f.Severity, f.Rule, f.Message, indent(f.Safe))
	}
	if len(findings) == 0 {
		return "no findings\n"
	}
	fmt.Fprintf(&b, "errors: %d, warnings: %d\n", count[lint.Error], count[lint.Warning])
	return b.String()
}
