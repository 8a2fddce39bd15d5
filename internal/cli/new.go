package cli

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
	"portaldb/internal/schema"
)

type newCommand struct {
	Name string `arg:"" help:"Verb and object: add_users_nickname."`
	Dir  string `default:"migrations" placeholder:"DIR" help:"The folder of migrations."`
}

// Help is the long help.
func (newCommand) Help() string {
	return `Writes the next number with both halves in the safe pattern that fits the name, and prints the traps to think of. A name is a verb, a
table that the files make, and what of it: create, add (a column; _idx, _check, _fkey or _key at the end, an index or a constraint),
drop (the same, or the table), rename (users_name_to_title), index, backfill, validate, seed. The pattern is a start: fill in why, and
make the SQL yours.

Examples:

    portaldb new add_users_nickname
    portaldb new index_submissions_version --dir migrations`
}

var migrationName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)+$`)

// patterns holds, by kind, the traps of a migration and, below them, its safe pattern.
//
//go:embed templates/*.sql
var patterns embed.FS

// grammar tells the kind of a migration by its name; the first that fits counts. T stands for a table that the files make,
// C for what the name has after it.
var grammar = []struct {
	kind, name string
	// suffix ends the name of the index or constraint; that of the file's name where it is empty.
	suffix string
	// column tells that C has to be columns of the table, where they are known: users_api_key may be a column, too.
	column bool
}{
	{kind: "other", name: `(add|rename|index|backfill|validate)_T`},
	{kind: "index", name: `(create_|add_)?index_T_C(_idx|_index)?`, suffix: "_idx"},
	{kind: "unique", name: `(create|add)_unique_index_T_C(_idx|_index)?`, suffix: "_key"},
	{kind: "other", name: `create_(extension|function|policy|schema|sequence|trigger|type|view)s?(_.+)?`},
	{kind: "create", name: `(create_table|add_table|create)_(?P<new>.+)`},
	{kind: "add", name: `add_column_T_C`},
	{kind: "index", name: `add_T_C(_idx|_index)`, suffix: "_idx"},
	{kind: "check", name: `add_(constraint_)?T_C_check`, suffix: "_check"},
	{kind: "fkey", name: `add_(constraint_)?T_C(_fkey|_fk)`, suffix: "_fkey"},
	{kind: "unique", name: `add_constraint_T_C(_key|_unique)`, suffix: "_key"},
	{kind: "unique", name: `add_T_C(_key|_unique)`, suffix: "_key", column: true},
	{kind: "add", name: `add_T_C`},
	{kind: "drop_table", name: `drop_(table_)?T`},
	{kind: "drop_column", name: `drop_column_T_C`},
	{kind: "drop_index", name: `drop_index_T_C(_idx|_index)?`, suffix: "_idx"},
	{kind: "drop_index", name: `drop_T_C(_idx|_index)`, suffix: "_idx"},
	{kind: "drop_constraint", name: `drop_(constraint_)?T_C(?P<suffix>_check|_fkey|_fk)`},
	{kind: "drop_constraint", name: `drop_T_C(?P<suffix>_key|_unique)`, column: true},
	{kind: "drop_constraint", name: `drop_constraint_T_C(?P<suffix>_key|_unique)?`},
	{kind: "drop_column", name: `drop_T_C`},
	{kind: "rename", name: `rename_(column_)?T_(?P<old>.+)_to_C`},
	{kind: "rename", name: `rename_.+`},
	{kind: "backfill", name: `backfill_T_C`},
	{kind: "validate", name: `validate_(constraint_)?T_C(?P<suffix>_check|_fkey|_fk)?`},
	{kind: "seed", name: `seed_T(_C)?`},
}

// folder is what the migrations made: their tables, by schema and name, with the file that made each where its text says so,
// and the folded effects as far as they go.
type folder struct {
	files  []schema.File
	tables map[[2]string]*schema.File
	schema catalog.Catalog
	// complete tells that every file has its effect.
	complete bool
}

// subject is what a name says that a migration is about.
type subject struct {
	folder
	// Space and Base are the table's schema and name, Rest what the name has after it, Suffix what of that told the kind.
	Space, Base, Rest, Suffix string
	// Old is the column that is to have another name.
	Old string
}

// Run writes the file.
func (c newCommand) Run(a *app) error {
	if !migrationName.MatchString(c.Name) || len(c.Name) > 100 {
		return usageError{"a migration is named by verb and object, in lower case and joined by _, at most 100 letters: add_users_nickname"}
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return usageError{fmt.Sprintf("there is no folder %s here: run this in the project's root, or name the folder with --dir", c.Dir)}
	}
	made, err := readFolder(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	number := len(made.files) + 1 // numbers have no gaps
	path := filepath.Join(c.Dir, fmt.Sprintf("%05d_%s.sql", number, c.Name))
	body, traps := made.pattern(c.Name)
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

var (
	sqlComment   = regexp.MustCompile(`--.*`)
	createdTable = regexp.MustCompile(`(?i)\b(create|drop)\s+(?:unlogged\s+)?table\s+(?:if\s+(?:not\s+)?exists\s+)?(?:"?([a-z_][a-z0-9_]*)"?\.)?"?([a-z_][a-z0-9_]*)`)
)

// readFolder reads the migrations; there may be none yet.
func readFolder(fsys fs.FS) (folder, error) {
	made := folder{tables: map[[2]string]*schema.File{}}
	if names, err := fs.Glob(fsys, "*.sql"); err != nil || len(names) == 0 {
		return made, err
	}
	var err error
	if made.files, err = schema.Files(fsys); err != nil {
		return made, err
	}
	if effects, err := schema.Effects(fsys); err == nil { // check says when they are out of step
		made.complete = len(effects) == len(made.files)
		made.schema, _ = catalog.Fold(effects...)
	}
	for key := range made.schema {
		if key.Kind == "table" {
			made.tables[[2]string{unquoted(key.Parent), unquoted(key.Name)}] = nil
		}
	}
	for i, f := range made.files {
		up, _, _ := strings.Cut(f.Body, "+goose Down")
		for _, match := range createdTable.FindAllStringSubmatch(sqlComment.ReplaceAllString(up, ""), -1) {
			key := [2]string{strings.ToLower(cmp.Or(match[2], "public")), strings.ToLower(match[3])}
			if strings.EqualFold(match[1], "drop") {
				delete(made.tables, key)
			} else {
				made.tables[key] = &made.files[i]
			}
		}
	}
	return made, nil
}

func unquoted(name string) string { return strings.ReplaceAll(name, `"`, "") }

// read finds what kind of migration a name is, and what it is about.
func (f folder) read(name string) (kind string, s subject) {
	tables := map[string][2]string{} // by what a name calls them
	for _, key := range slices.SortedFunc(maps.Keys(f.tables), func(a, b [2]string) int { return -cmp.Compare(a[0], b[0]) }) {
		tables[strings.Join(key[:], "_")], tables[key[1]] = key, key
		if _, public := f.tables[[2]string{"public", key[1]}]; public {
			tables[key[1]] = [2]string{"public", key[1]}
		}
	}
	longest := slices.SortedFunc(maps.Keys(tables), func(a, b string) int { return cmp.Or(len(b)-len(a), cmp.Compare(a, b)) })
	groups := strings.NewReplacer("T", "(?P<table>"+strings.Join(longest, "|")+")", "C", "(?P<rest>.+?)")
	for _, g := range grammar {
		re := regexp.MustCompile("^" + groups.Replace(g.name) + "$")
		match := re.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		told := map[string]string{}
		for i, group := range re.SubexpNames() {
			told[group] = match[i]
		}
		table := tables[told["table"]]
		s = subject{folder: f, Space: cmp.Or(table[0], "public"), Base: cmp.Or(table[1], told["new"]), Rest: told["rest"], Suffix: cmp.Or(g.suffix, told["suffix"]), Old: told["old"]}
		if g.column && f.complete && s.split(s.Rest) == nil {
			continue
		}
		return g.kind, s
	}
	return "other", subject{folder: f}
}

// ident quotes a name where SQL takes it for something else.
func ident(name string) string {
	if _, err := lint.Parse("ALTER TABLE t ADD COLUMN " + name + " text; SELECT " + name); err != nil {
		return `"` + name + `"`
	}
	return name
}

// Table is the table's qualified name.
func (s subject) Table() string { return ident(s.Space) + "." + ident(s.Base) }

// Column is what the name has after the table.
func (s subject) Column() string { return ident(s.Rest) }

// Columns are the columns that it has there.
func (s subject) Columns() string {
	columns := s.split(s.Rest)
	if columns == nil {
		return s.Column()
	}
	for i := range columns {
		columns[i] = ident(columns[i])
	}
	return strings.Join(columns, ", ")
}

// split takes words apart into columns of the table; nil where they are none.
func (s subject) split(words string) []string {
	if s.find("column", words) != nil {
		return []string{words}
	}
	for i := len(words) - 1; i > 0; i-- {
		if words[i] == '_' && s.find("column", words[:i]) != nil {
			if rest := s.split(words[i+1:]); rest != nil {
				return append([]string{words[:i]}, rest...)
			}
		}
	}
	return nil
}

// find finds a column, an index or a constraint of the table, if the effects have it.
func (s subject) find(kind, name string) map[string]string {
	for key, o := range s.schema {
		if key.Kind == kind && unquoted(key.Parent) == s.Space+"."+s.Base && unquoted(key.Name) == name {
			return o.Attrs
		}
	}
	return nil
}

// Name is that of the index or the constraint. One that is there may not be named after its table.
func (s subject) Name() string {
	full := s.Base + "_" + s.Rest + s.Suffix
	for _, name := range []string{full, s.Base + "_" + s.Rest, s.Rest + s.Suffix, s.Rest} {
		if s.find("index", name) != nil || s.find("constraint", name) != nil {
			return name
		}
	}
	return full
}

// Type is what the column is, or the one that it takes the place of, as far as that can be added to rows.
func (s subject) Type() string {
	attrs := s.find("column", cmp.Or(s.Old, s.Rest))
	text := cmp.Or(attrs["type"], "text")
	if value := attrs["default"]; value != "" && !strings.Contains(value, "nextval(") && s.Old == "" {
		text += " DEFAULT " + value
		if attrs["not null"] != "" {
			text += " NOT NULL"
		}
	}
	return text
}

// Index is the index's definition after its name.
func (s subject) Index() string {
	if attrs := s.find("index", s.Name()); attrs != nil {
		return "ON " + s.Table() + " USING " + attrs["definition"]
	}
	return "ON " + s.Table() + " (" + s.Columns() + ")"
}

// Unique is the word that makes the index unique.
func (s subject) Unique() string {
	if s.find("index", s.Name())["unique"] != "" {
		return "UNIQUE "
	}
	return ""
}

// Definition is the constraint's, without a look at rows that are there; empty where nothing tells it.
func (s subject) Definition() string {
	text := s.find("constraint", s.Name())["definition"]
	switch {
	case text != "":
	case strings.HasPrefix(s.Suffix, "_fk"):
		if s.References() == "" {
			return ""
		}
		text = "FOREIGN KEY (" + s.Column() + ") REFERENCES " + s.References() + " (id)"
	case s.Suffix == "_key" || s.Suffix == "_unique":
		text = "UNIQUE (" + s.Columns() + ")"
	default:
		text = "CHECK (true)"
	}
	if strings.HasPrefix(text, "CHECK") || strings.HasPrefix(text, "FOREIGN KEY") {
		text += " NOT VALID"
	}
	return text
}

// References is the table that a column's name tells: users for actor_user_id. Empty where there is none.
func (s subject) References() string {
	for noun, found := strings.TrimSuffix(s.Rest, "_id"), true; found; _, noun, found = strings.Cut(noun, "_") {
		for _, base := range []string{noun, noun + "s", noun + "es", strings.TrimSuffix(noun, "y") + "ies"} {
			for _, space := range []string{s.Space, "public"} {
				if _, ok := s.tables[[2]string{space, base}]; ok {
					return ident(space) + "." + ident(base)
				}
			}
		}
	}
	return ""
}

// Made is the file that made the table, if its text says so.
func (s subject) Made() *schema.File { return s.tables[[2]string{s.Space, s.Base}] }

var ofTable = regexp.MustCompile(`(?i)^(create\s+((unique\s+)?index|trigger|(unlogged\s+)?table)|alter\s+table|comment\s+on)\s`)

// Statements make the table as that file did, with what it has there; nothing where they cannot be told apart.
func (s subject) Statements() []string {
	var all []string
	if s.Made() == nil {
		return nil
	}
	statements, _, err := schema.Statements(*s.Made(), true)
	if err != nil {
		return nil
	}
	for _, statement := range statements {
		match := createdTable.FindStringSubmatch(statement)
		own := match != nil && strings.EqualFold(match[3], s.Base) && strings.EqualFold(cmp.Or(match[2], "public"), s.Space)
		if ofTable.MatchString(statement) && (own || len(all) > 0 && match == nil && s.named().MatchString(statement)) {
			all = append(all, strings.TrimSpace(statement))
		}
	}
	return all
}

// Since are the files that changed the table after it was made.
func (s subject) Since() string {
	var names []string
	for _, f := range s.files {
		up, _, _ := strings.Cut(f.Body, "+goose Down")
		if s.Made() != nil && f.Version > s.Made().Version && s.named().MatchString(sqlComment.ReplaceAllString(up, "")) {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// named matches the table where a statement is about it.
func (s subject) named() *regexp.Regexp {
	space := `"?` + s.Space + `"?\.`
	if s.Space == "public" {
		space = "(" + space + ")?"
	}
	return regexp.MustCompile(`(?i)\b(on|table|column)\s+(if\s+exists\s+)?(only\s+)?` + space + `"?` + s.Base + `\b`)
}

// pattern is the file to start from, and the traps to think of.
func (f folder) pattern(name string) (body string, traps []string) {
	kind, s := f.read(name)
	var text strings.Builder
	if err := template.Must(template.ParseFS(patterns, "templates/*.sql")).ExecuteTemplate(&text, kind+".sql", s); err != nil {
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
