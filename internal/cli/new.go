package cli

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"portaldb/internal/schema"
)

type newCommand struct {
	Name string `arg:"" help:"Verb and object: add_users_nickname."`
	Dir  string `default:"migrations" placeholder:"DIR" help:"The folder of migrations."`
}

// Help is the long help.
func (newCommand) Help() string {
	return `Writes the next number with both halves in the safe pattern that fits the name, and prints the traps to think of. Verbs: create, add
(a column; _check or _fkey at the end, a constraint), drop, rename, index, backfill, validate, seed. The pattern is a start: fill in
why, and make the SQL yours.

Examples:

    portaldb new add_users_nickname
    portaldb new index_submissions_version --dir migrations`
}

var migrationName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)+$`)

// patterns holds, by verb, the traps of a kind of migration and, below them, its safe pattern.
//
//go:embed templates/*.sql
var patterns embed.FS

// subject is what a name says that a migration is about.
type subject struct {
	verb string
	// Table is qualified, Base its name alone and Space its schema. Column is what the name has after the table.
	Table, Space, Base, Column string
}

// Key is the column that a foreign key's name tells.
func (s subject) Key() string { return strings.TrimSuffix(s.Column, "_fkey") }

// Run writes the file.
func (c newCommand) Run(a *app) error {
	if !migrationName.MatchString(c.Name) || len(c.Name) > 100 {
		return usageError{"a migration is named by verb and object, in lower case and joined by _, at most 100 letters: add_users_nickname"}
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return usageError{fmt.Sprintf("there is no folder %s here: run this in the project's root, or name the folder with --dir", c.Dir)}
	}
	files, err := schema.Files(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	number := files[len(files)-1].Version + 1
	path := filepath.Join(c.Dir, fmt.Sprintf("%05d_%s.sql", number, c.Name))
	body, traps := subjectOf(c.Name, files).pattern()
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the migration: %w", err)
	}
	if _, err := file.WriteString(body); err != nil {
		file.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return a.print(map[string]any{"version": number, "file": path, "traps": traps}, path+"\n\n  - "+strings.Join(traps, "\n  - ")+"\n")
}

var createdTable = regexp.MustCompile(`(?i)\bcreate\s+table\s+(?:if\s+not\s+exists\s+)?(?:([a-z_][a-z0-9_]*)\.)?([a-z_][a-z0-9_]*)`)

// subjectOf reads a name. The table is the longest that the files before have made and the name begins with.
func subjectOf(name string, files []schema.File) subject {
	verb, object, _ := strings.Cut(name, "_")
	s := subject{verb: verb, Space: "public", Base: object, Column: "..."}
	if verb != "create" {
		if table, column, found := strings.Cut(object, "_"); found {
			s.Base, s.Column = table, column
		}
		longest := 0
		for _, f := range files {
			for _, match := range createdTable.FindAllStringSubmatch(f.Body, -1) {
				space, table := match[1], match[2]
				column, found := strings.CutPrefix(object+"_", table+"_")
				if !found || len(table) < longest {
					continue
				}
				longest = len(table)
				s.Base, s.Column = table, strings.TrimSuffix(column, "_")
				if space != "" {
					s.Space = space
				}
			}
		}
	}
	s.Table = s.Space + "." + s.Base
	return s
}

// pattern is the file to start from, and the traps to think of.
func (s subject) pattern() (body string, traps []string) {
	file := s.verb
	switch {
	case s.verb == "add" && strings.HasSuffix(s.Column, "_check"):
		file = "check"
	case s.verb == "add" && strings.HasSuffix(s.Column, "_fkey"):
		file = "fkey"
	}
	set := template.Must(template.ParseFS(patterns, "templates/*.sql"))
	chosen := set.Lookup(file + ".sql")
	if chosen == nil {
		chosen = set.Lookup("other.sql")
	}
	var text strings.Builder
	if err := chosen.Execute(&text, s); err != nil {
		panic(err) // a method that is not there: the test of every pattern tells
	}
	for line := range strings.Lines(text.String()) {
		if trap, isTrap := strings.CutPrefix(line, "trap: "); isTrap {
			traps = append(traps, strings.TrimSpace(trap))
		} else {
			body += line
		}
	}
	return body, traps
}
