package lint

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var setNotNullScan = Rule{
	Name:     "set-not-null-scan",
	Severity: Error,
	What: "SET NOT NULL, or a primary key over a column that may be null, where no valid constraint proves that the " +
		"column holds no null.",
	Why: "PostgreSQL reads the whole table under ACCESS EXCLUSIVE: nobody reads or writes meanwhile. A validated CHECK " +
		"(column IS NOT NULL) makes the proof beforehand, and then nothing is read.",
	Safe: `-- in one file
ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} IS NOT NULL) NOT VALID;
-- in a later one: reads go on, and so do writes
ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};
-- and in the one after that
ALTER TABLE {table} ALTER COLUMN {column} SET NOT NULL;
ALTER TABLE {table} DROP CONSTRAINT {constraint};`,
	statement: checkSetNotNullScan,
}

func checkSetNotNullScan(s *statement) {
	for table, cmd := range s.alterations() {
		var columns []string
		switch c := cmd.Def.GetConstraint(); {
		case cmd.Subtype == pg.AlterTableType_AT_SetNotNull:
			columns = []string{cmd.Name}
		case c.GetContype() == pg.ConstrType_CONSTR_PRIMARY && c.Indexname != "":
			schema, _, _ := strings.Cut(table, ".")
			if i := s.half.before.indexes[schema+"."+c.Indexname]; i != nil {
				columns = i.columns
			}
		}
		for _, column := range columns {
			if !s.half.before.table(table).notNull(column) {
				s.report(0, "NOT NULL on "+QuoteIdent(column)+" reads all of "+display(table)+" while nobody can read or write it; let a validated CHECK prove it first",
					"{table}", display(table), "{column}", QuoteIdent(column), "{constraint}", QuoteIdent(base(table)+"_"+column+"_not_null"))
			}
		}
	}
}
