package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var volatileDefault = Rule{
	Name:     "volatile-default",
	Severity: Error,
	What: "ADD COLUMN on a table that exists whose value differs from row to row: a volatile default, serial, identity, " +
		"or a stored generated column.",
	Why: "Every row is written under ACCESS EXCLUSIVE. A constant, and now() too, is kept once for all rows that are " +
		"there, and costs nothing.",
	Safe: `-- {file}: the default for new rows only
ALTER TABLE {table} ADD COLUMN {column} {type};
ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default};
-- {new}: the old rows in batches, by a procedure that commits between them
CALL {table}_backfill_{column}();`,
	statement: checkVolatileDefault,
}

func checkVolatileDefault(s *statement) {
	for table, cmd := range s.alterations() {
		def := cmd.Def.GetColumnDef()
		if cmd.Subtype != pg.AlterTableType_AT_AddColumn {
			continue
		}
		if why := addedColumn(def); why != "" {
			s.report(def.Location, "column "+QuoteIdent(def.Colname)+" writes all rows of "+display(table)+" while nobody can read or write it, since it "+why+"; add it without, set the default for new rows, and fill the old ones in batches",
				"{table}", display(table), "{column}", QuoteIdent(def.Colname), "{type}", typeOf(def.TypeName).plain(), "{default}", "gen_random_uuid()")
		}
	}
}

// plain is the type without the sequence of serial.
func (d dataType) plain() string {
	if stored, ok := serials[d.name]; ok {
		d.name = stored
	}
	return d.String()
}
