package lint

var banChar = Rule{
	Name:     "ban-char",
	Severity: Warning,
	What:     "A new column of type char(n).",
	Why:      "char fills up with blanks, which count in some comparisons and not in others. It saves nothing over text.",
	Safe: `ALTER TABLE {table} ADD COLUMN {column} text;
ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK (length({column}) = 2) NOT VALID;`,
	statement: checkBanChar,
}

func checkBanChar(s *statement) {
	for table, def := range s.newColumns() {
		if typeOf(def.TypeName).name == "bpchar" {
			s.reportColumn(table, def, "char fills "+QuoteIdent(def.Colname)+" up with blanks; use text, with a CHECK where the length matters")
		}
	}
}
