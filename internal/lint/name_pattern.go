package lint

var namePattern = Rule{
	Name:     "name-pattern",
	Severity: Error,
	What:     "A file that is not named NNNNN_verb_object.sql.",
	Why: "Files are applied in the order of their numbers, and tools sort them by name: five digits make both the same " +
		"order, and a verb with its object tells what is inside.",
	Safe:       `git mv {old} {file}`,
	everywhere: true,
	refused:    true,
}
