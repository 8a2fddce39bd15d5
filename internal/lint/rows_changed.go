package lint

var rowsChanged = Rule{
	Name:     "rows-changed",
	Severity: Warning,
	What: "Rows that were there before are changed or gone after Up, or after Up and Down. portaldb check finds it, on a " +
		"database with rows.",
	Why: "A migration of the schema leaves the data alone. Where changing it is what the migration is for, say so: the comment " +
		"is what a reviewer looks for, and what tells on call what a rollback brings back.",
	Safe: `-- portaldb:nolint rows-changed: fills the new column; the old one stays as it is
UPDATE {table} SET {column} = 'x' WHERE {column} IS NULL;`,
	elsewhere: true,
}
