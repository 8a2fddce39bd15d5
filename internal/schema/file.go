package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"iter"
	"regexp"
	"strconv"
	"strings"
)

// File is one migration: a goose file with both halves.
type File struct {
	Version int64
	// Name is the file's name without its folder: 00007_create_user_roles.sql.
	Name string
	Body string
	// Checksum is the SHA-256 of the body, as "sha256:" and hexadecimal digits.
	Checksum string
}

var fileName = regexp.MustCompile(`^([0-9]{5})_[a-z][a-z0-9]*(_[a-z0-9]+)+\.sql$`)

// Files returns the migrations in the root of fsys in the order of their versions. It refuses what goose would accept in
// silence: a name off the pattern NNNNN_verb_object.sql, a gap, two files of one number.
func Files(fsys fs.FS) ([]File, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	var files []File
	for _, name := range names { // in lexical order, which five digits make the order of versions
		match := fileName.FindStringSubmatch(name)
		if match == nil {
			return nil, fmt.Errorf("%s: a migration is named NNNNN_verb_object.sql: five digits, lower case, words joined by _", name)
		}
		version, _ := strconv.ParseInt(match[1], 10, 64) // five digits always fit
		switch want := int64(len(files) + 1); {
		case version == 0:
			return nil, fmt.Errorf("%s: numbers begin at 00001", name)
		case version < want:
			return nil, fmt.Errorf("%s: number %05d is taken by %s; give the newer of the two the next free number", name, version, files[version-1].Name)
		case version > want:
			return nil, fmt.Errorf("%s: number %05d is missing before it; numbers have no gaps", name, want)
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		sum := sha256.Sum256(body)
		files = append(files, File{Version: version, Name: name, Body: string(body), Checksum: "sha256:" + hex.EncodeToString(sum[:])})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no migrations here: a file is named NNNNN_verb_object.sql")
	}
	return files, nil
}

// Validate looks at both halves as goose reads them, and refuses what goose would accept in silence: a half without a
// statement, several statements outside a transaction, a statement that ends the transaction or outlives it.
func (f File) Validate() error {
	for _, up := range []bool{true, false} {
		statements, tx, err := Statements(f, up)
		half := "Up"
		if !up {
			half = "Down"
		}
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", f.Name, err)
		case len(statements) == 0:
			return fmt.Errorf("%s: its %s has no statement; a Down that must not run says irreversible: REASON in the header and raises it", f.Name, half)
		case !tx && len(statements) > 1:
			return fmt.Errorf("%s: its %s has %d statements; a NO TRANSACTION file holds exactly one, so that a crash leaves nothing half done", f.Name, half, len(statements))
		}
		for line, statement := range f.lines(statements, up) {
			if why := forbidden(statement); why != "" {
				return fmt.Errorf("%s:%d: %s", f.Name, line, why)
			}
		}
	}
	return nil
}

var irreversible = regexp.MustCompile(`(?m)^--[ \t]*irreversible:[ \t]*(\S.*?)[ \t]*$`)

// Irreversible is the reason why the file's Down must not run, as its header says: "irreversible: REASON"; empty when it
// does not.
func (f File) Irreversible() string {
	if match := irreversible.FindStringSubmatch(f.Body); match != nil {
		return match[1]
	}
	return ""
}

var (
	comments           = regexp.MustCompile(`(?s)^(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)+`)
	transactionControl = regexp.MustCompile(`(?i)^(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|prepare\s+transaction)\b`)
	sessionSetting     = regexp.MustCompile(`(?i)^(?:set\s+(?:session\s+)?(\w+)|reset|discard)\b`)
)

// forbidden says why a statement must not stand in a migration; empty when it may.
func forbidden(statement string) string {
	statement = comments.ReplaceAllString(statement, "")
	if transactionControl.MatchString(statement) {
		return "a migration must not begin or end transactions: what came before would survive its undoing"
	}
	if index, _ := parseConcurrent(statement); index.create && index.name == "" {
		return "CREATE INDEX CONCURRENTLY has to name its index, so that an invalid one can be found and dropped"
	}
	if match := sessionSetting.FindStringSubmatch(statement); match != nil {
		switch strings.ToLower(match[1]) {
		case "local", "constraints", "transaction":
		default:
			return "a setting must not outlive the migration: use SET LOCAL"
		}
	}
	return ""
}

var downMark = regexp.MustCompile(`(?m)^--[ \t]*\+goose[ \t]+Down\b`)

// half is the number of lines before a half of the file. The same words may begin a statement in both.
func (f File) half(up bool) int {
	if at := downMark.FindStringIndex(f.Body); at != nil && !up {
		return strings.Count(f.Body[:at[0]], "\n")
	}
	return 0
}

// lines pairs the statements of a half, in the order in which goose sends them, with the lines where they begin.
func (f File) lines(statements []string, up bool) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		line := f.half(up)
		for _, statement := range statements {
			line = f.line(statement, line+1)
			if !yield(line, statement) {
				return
			}
		}
	}
}

// line finds the line, counted from 1, where a statement that goose sent begins, searching from line after on.
func (f File) line(statement string, after int) int {
	first, _, _ := strings.Cut(statement, "\n")
	lines := strings.Split(f.Body, "\n")
	for i := max(after-1, 0); i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) == strings.TrimSpace(first) {
			return i + 1
		}
	}
	return 0
}
