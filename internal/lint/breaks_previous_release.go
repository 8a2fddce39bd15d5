package lint

var breaksPreviousRelease = Rule{
	Name:     "breaks-previous-release",
	Severity: Error,
	What: "Statements of the release before no longer prepare on the schema after the migration. portaldb check finds it, " +
		"on a database.",
	Why: "During a deploy both releases run, and after a rollback of the binary the old one runs again: what it asks for " +
		"must be there.",
	Safe: `-- add what the new release needs, keep what the old one reads
ALTER TABLE {table} ADD COLUMN {column} text;
-- and drop the old column one release later`,
	everywhere: true,
	elsewhere:  true,
}
