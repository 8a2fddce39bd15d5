package lint

var upMissing = Rule{
	Name:     "up-missing",
	Severity: Error,
	What:     "A file whose Up has no statement.",
	Why: "It records a version that did nothing, most often because the annotation that begins the other half stands too " +
		"early.",
	Safe: `-- +goose Up
ALTER TABLE {table} ADD COLUMN {column} text;

-- +goose Down
ALTER TABLE {table} DROP COLUMN {column};`,
	everywhere: true,
	refused:    true,
	file:       checkUpMissing,
}

func checkUpMissing(f *file) {
	if f.Err == nil && len(f.Up.Statements) == 0 {
		f.report(1, "its Up has no statement; write one, or remove the file")
	}
}
