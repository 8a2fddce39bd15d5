package lint

var rowsRefuseIt = Rule{
	Name:     "rows-refuse-it",
	Severity: Warning,
	What:     "Up or Down that does not run over rows. portaldb check finds it, on a database with rows of every kind.",
	Why: "On an empty database it passes, and in production it fails, or cannot be taken back. The rows that it was tried with " +
		"are made up: where no row can be like them, say why.",
	Safe: `-- portaldb:nolint rows-refuse-it: the table is filled by this migration alone
ALTER TABLE {table} ADD CONSTRAINT {constraint} UNIQUE USING INDEX {index};`,
	elsewhere: true,
}
