package schema

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"iter"
	"regexp"
	"slices"
	"strings"

	"portaldb/internal/lint"
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

// Files returns the migrations in the root of fsys in the order of their versions. It refuses what goose would accept in
// silence: a name off the pattern NNNNN_verb_object.sql, a gap, two files of one number.
func Files(fsys fs.FS) ([]File, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, fmt.Errorf("list migrations: %w", err)
	}
	if wrong := lint.Names(names); len(wrong) > 0 {
		return nil, fmt.Errorf("%s: %s", wrong[0].File, wrong[0].Message)
	}
	var files []File
	for _, name := range names { // in lexical order, which five digits make the order of versions
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		sum := sha256.Sum256(body)
		files = append(files, File{Version: lint.Version(name), Name: name, Body: string(body), Checksum: "sha256:" + hex.EncodeToString(sum[:])})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no migrations here: a file is named NNNNN_verb_object.sql")
	}
	return files, nil
}

// Validate looks at both halves as goose reads them, and refuses what goose would accept in silence: a half without a
// statement, several statements outside a transaction, a statement that ends the transaction or outlives it.
func (f File) Validate() error {
	for _, finding := range lint.Refused(f.migration()) {
		return fmt.Errorf("%s:%d: %s", f.Name, finding.Line, finding.Message)
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

// linesBefore is the number of lines before a half of the file. The same words may begin a statement in both.
func (f File) linesBefore(up bool) int {
	if up {
		return 0
	}
	return lint.DownLine(f.Body)
}

// lines pairs a half's statements, in the order in which goose sends them, with the lines where they begin, counted from 1;
// 0 for one that goose has put together in another way.
func (f File) lines(statements []string, up bool) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		at := map[string][]int{} // where a line stands
		for i, line := range strings.Split(f.Body, "\n") {
			line = strings.TrimSpace(line)
			at[line] = append(at[line], i+1)
		}
		line := f.linesBefore(up)
		for _, statement := range statements {
			first, _, _ := strings.Cut(statement, "\n")
			lines := at[strings.TrimSpace(first)]
			next, _ := slices.BinarySearch(lines, line+1)
			found := 0
			if next < len(lines) {
				found, line = lines[next], lines[next]
			}
			if !yield(found, statement) {
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
