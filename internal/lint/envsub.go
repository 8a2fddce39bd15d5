package lint

import (
	"errors"
	"regexp"
	"strings"
)

var envsub = Rule{
	Name:     "envsub",
	Severity: Error,
	What:     "A file in which goose replaces variables of the environment: -- +goose ENVSUB ON.",
	Why: "What runs is then not what was read and tested: it is another file on each machine. And the values, which may be secrets, " +
		"come out in messages and in the history.",
	Safe:       `-- without ENVSUB: a literal here, or a row of a table that the operator fills`,
	everywhere: true,
	refused:    true,
	file:       checkEnvsub,
}

// ErrEnvsub is the Err of a migration for which goose would read the environment; it must not be handed to goose.
var ErrEnvsub = errors.New("it asks for variables of the environment (ENVSUB), so that what was read is not what runs; write the values out")

var envsubAnnotation = regexp.MustCompile(`(?i)^envsub\s+on$`)

// EnvsubLine is the line in which a file asks for variables of the environment, as goose reads annotations; 0 where none does.
func EnvsubLine(body string) int {
	for i, line := range strings.Split(body, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "--") || !strings.Contains(line, "+goose") {
			continue
		}
		words := strings.Replace(strings.ReplaceAll(line, "--", ""), "+goose", "", 1)
		if envsubAnnotation.MatchString(strings.TrimSpace(words)) {
			return i + 1
		}
	}
	return 0
}

func checkEnvsub(f *file) {
	if line := EnvsubLine(f.Body); line > 0 {
		f.report(line, ErrEnvsub.Error())
	}
}
