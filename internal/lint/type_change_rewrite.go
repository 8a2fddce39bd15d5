package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var typeChangeRewrite = Rule{
	Name:     "type-change-rewrite",
	Severity: Error,
	What:     "ALTER COLUMN TYPE that writes every row anew.",
	Why: "The table is copied under ACCESS EXCLUSIVE, with all of its indexes, and the code that runs meets another type " +
		"from one statement to the next. Only few changes spare the rows: a longer varchar, varchar to text, numeric " +
		"with more digits and the same scale.",
	Safe: `-- in one file
ALTER TABLE {table} ADD COLUMN {column}_new {type};
-- a trigger keeps both in step, a backfill in batches fills the old rows, the code moves over,
-- and a later release drops the old column`,
	statement: checkTypeChangeRewrite,
}

func checkTypeChangeRewrite(s *statement) {
	for table, cmd := range s.alterations() {
		if cmd.Subtype != pg.AlterTableType_AT_AlterColumnType {
			continue
		}
		if !s.rewritesType(table, cmd) {
			continue
		}
		to := typeOf(cmd.Def.GetColumnDef().GetTypeName())
		from := "its old type, which these files do not tell,"
		if known := s.half.before.table(table).columns[cmd.Name]; known != nil {
			from = known.typ.String()
		}
		s.report(0, "changing "+QuoteIdent(cmd.Name)+" from "+from+" to "+to.String()+" writes all of "+display(table)+" anew while nobody can read or write it; add a column beside it and move over",
			"{table}", display(table), "{column}", cmd.Name, "{type}", to.String())
	}
}

// rewritesType reports whether ALTER COLUMN TYPE writes the rows; it does where the old type is not known.
func (s *statement) rewritesType(table string, cmd *pg.AlterTableCmd) bool {
	def := cmd.Def.GetColumnDef()
	to := typeOf(def.GetTypeName())
	known := s.half.before.table(table).columns[cmd.Name]
	return known == nil || !known.typ.keepsRows(to) || !castsOnly(def.GetRawDefault(), cmd.Name, to)
}

// castsOnly reports whether USING is absent or says no more than the change itself: the column, cast to the new type.
func castsOnly(using *pg.Node, column string, to dataType) bool {
	if cast := using.GetTypeCast(); cast != nil {
		known := typeOf(cast.TypeName)
		return columnName(cast.Arg) == column && known.String() == to.String()
	}
	return using == nil || columnName(using) == column
}
