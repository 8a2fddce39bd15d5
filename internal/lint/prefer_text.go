package lint

var preferText = Rule{
	Name:     "prefer-text",
	Severity: Warning,
	What:     "A new column of type varchar(n).",
	Why: "A shorter limit later writes or reads every row; text is as fast, and a CHECK of the length can be changed " +
		"without touching the rows.",
	Safe: `ALTER TABLE {table} ADD COLUMN {column} text;
ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK (length({column}) <= 200) NOT VALID;`,
	statement: checkPreferText,
}

func checkPreferText(s *statement) {
	for table, def := range s.newColumns() {
		if t := typeOf(def.TypeName); t.name == "varchar" && len(t.mods) > 0 {
			s.reportColumn(table, def, "the limit of "+QuoteIdent(def.Colname)+" is part of its type; use text, with a CHECK where the length matters")
		}
	}
}
