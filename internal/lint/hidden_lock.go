package lint

var hiddenLock = Rule{
	Name:     "hidden-lock",
	Severity: Error,
	What: "A DO block or a function that reads all of a table, or writes it anew, under a lock that keeps others out. portaldb " +
		"check finds it, by what it was measured to do.",
	Why: "Nobody sees it in the statement, and no rule of the statements looks inside: readers and writers wait for as long as " +
		"the table is large.",
	Safe: `-- as a plain statement, in the way that its own rule knows
ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IS NOT NULL) NOT VALID;`,
	elsewhere: true,
}
