package lint

var preferIdentity = Rule{
	Name:     "prefer-identity",
	Severity: Warning,
	What:     "A new column of type serial or bigserial.",
	Why: "Its sequence is an object of its own with its own rights: who may INSERT may still not draw a number, and a " +
		"copy of the table draws from the same sequence. Identity columns belong to the table.",
	Safe:      `CREATE TABLE {table} ({column} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);`,
	statement: checkPreferIdentity,
}

func checkPreferIdentity(s *statement) {
	for table, def := range s.newColumns() {
		if typeOf(def.TypeName).serial() {
			s.reportColumn(table, def, QuoteIdent(def.Colname)+" draws from a sequence with rights of its own; use bigint GENERATED ALWAYS AS IDENTITY")
		}
	}
}
