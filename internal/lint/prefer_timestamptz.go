package lint

var preferTimestamptz = Rule{
	Name:     "prefer-timestamptz",
	Severity: Warning,
	What:     "A new column of type timestamp without time zone.",
	Why: "It holds what a clock on some wall said: which moment that was depends on the session that reads it. " +
		"timestamptz holds the moment and takes the same eight bytes.",
	Safe:      `ALTER TABLE {table} ADD COLUMN {column} timestamptz;`,
	statement: checkPreferTimestamptz,
}

func checkPreferTimestamptz(s *statement) {
	for table, def := range s.newColumns() {
		if typeOf(def.TypeName).name == "timestamp" {
			s.reportColumn(table, def, QuoteIdent(def.Colname)+" does not say in which time zone; use timestamptz")
		}
	}
}
