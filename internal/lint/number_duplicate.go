package lint

var numberDuplicate = Rule{
	Name:       "number-duplicate",
	Severity:   Error,
	What:       "Two files have one number, most often from two branches.",
	Why:        "goose refuses the folder; and where one of the two was applied, the other can never be.",
	Safe:       `git mv {old} {file}`,
	everywhere: true,
	refused:    true,
}
