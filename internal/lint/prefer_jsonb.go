package lint

var preferJSONB = Rule{
	Name:     "prefer-jsonb",
	Severity: Warning,
	What:     "A new column of type json.",
	Why: "json is text that is read anew by every query: it has no equality, so DISTINCT and GROUP BY fail on it, and no " +
		"index looks into it.",
	Safe:      `ALTER TABLE {table} ADD COLUMN {column} jsonb;`,
	statement: checkPreferJSONB,
}

func checkPreferJSONB(s *statement) {
	for table, def := range s.newColumns() {
		if typeOf(def.TypeName).name == "json" {
			s.reportColumn(table, def, QuoteIdent(def.Colname)+" can neither be compared nor indexed; use jsonb")
		}
	}
}
