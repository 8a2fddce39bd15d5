package lint

var numberGap = Rule{
	Name:     "number-gap",
	Severity: Error,
	What:     "A number is missing before this file.",
	Why: "A file that comes later with the missing number would lie below databases that are past it: they would never " +
		"get it, or get it out of order.",
	Safe:       `git mv {old} {file}`,
	everywhere: true,
	refused:    true,
}
