package lint

import (
	"regexp"
	"strings"
)

var downMissing = Rule{
	Name:     "down-missing",
	Severity: Error,
	What:     "A file whose Down has no statement.",
	Why: "goose takes it for a migration that is undone by doing nothing: it removes the version and leaves the table, " +
		"and the next up fails over it.",
	Safe: `-- +goose Down
ALTER TABLE {table} DROP COLUMN {column};
-- or, where there is no way back, with "irreversible: REASON" in the header:
DO $$ BEGIN RAISE EXCEPTION 'irreversible: the old values are not kept'; END $$;`,
	everywhere: true,
	refused:    true,
	file:       checkDownMissing,
}

func checkDownMissing(f *file) {
	if f.Err == nil && len(f.Down.Statements) == 0 {
		f.report(DownLine(f.Body), "its Down has no statement; a Down that must not run says irreversible: REASON in the header and raises it")
	}
}

// DownLine is the line in which Down begins, 1 where it does not.
func DownLine(body string) int {
	for i, line := range strings.Split(body, "\n") {
		if downAnnotation.MatchString(line) {
			return i + 1
		}
	}
	return 1
}

var downAnnotation = regexp.MustCompile(`(?i)^--\s*\+goose\s+down\s*$`)
