package lint

var transactionControl = Rule{
	Name:     "transaction-control",
	Severity: Error,
	What:     "BEGIN, COMMIT, ROLLBACK or a savepoint as a statement of a migration.",
	Why: "goose opens and ends the transaction. A COMMIT in between ends it early: when a later statement fails, what " +
		"came before stays, and the version is not recorded.",
	Safe: `-- +goose Up
ALTER TABLE {table} ADD COLUMN {column} text; -- the file is one transaction already`,
	everywhere: true,
	refused:    true,
	down:       true,
	statement:  checkTransactionControl,
}

func checkTransactionControl(s *statement) {
	if s.node.GetTransactionStmt() != nil {
		s.report(0, "a migration must not begin or end transactions: what came before would survive its undoing")
	}
}
