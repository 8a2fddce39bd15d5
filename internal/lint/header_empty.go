package lint

import (
	"regexp"
	"strings"
)

var headerEmpty = Rule{
	Name:     "header-empty",
	Severity: Error,
	What:     "A line of the header, Why:, Locks: or Down:, that says nothing.",
	Why: "portaldb new writes them to be filled in, around SQL that is a pattern and not yet a migration. Whoever rolls back at " +
		"night reads what Down loses.",
	Safe: `-- Why:   the operator's note on a run.
ALTER TABLE {table} ADD COLUMN {column} text;`,
	file: checkHeaderEmpty,
}

var emptyHeader = regexp.MustCompile(`^--[ \t]*(Why|Locks|Down):[ \t]*$`)

func checkHeaderEmpty(f *file) {
	lines := strings.Split(f.Body, "\n")
	for i, line := range lines {
		match := emptyHeader.FindStringSubmatch(strings.TrimRight(line, "\r"))
		if match == nil {
			continue
		}
		// The sentence may begin on the next line.
		if i+1 < len(lines) && strings.HasPrefix(lines[i+1], "--   ") {
			continue
		}
		f.report(i+1, "the header's "+match[1]+": says nothing; fill it in, and make the SQL below it yours")
	}
}
