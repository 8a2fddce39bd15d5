package lint

import "errors"

var tooLarge = Rule{
	Name:     "too-large",
	Severity: Error,
	What:     "A file of more than 4 MiB, which lint does not look at.",
	Why: "A statement of that size takes gigabytes of memory to read, here and on the server, and everybody who clones the project " +
		"carries the data along.",
	Safe: `-- a small file, and the data from another place, in batches
CREATE TABLE {table} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author text);
-- psql: \copy public.notes (author) from 'notes.csv' csv`,
	everywhere: true,
	file:       checkTooLarge,
}

func checkTooLarge(f *file) {
	if errors.Is(f.Err, ErrTooLarge) {
		f.report(1, f.Err.Error()+"; load data from another place than a migration")
	}
}
