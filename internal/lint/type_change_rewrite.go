package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var typeChangeRewrite = Rule{
	Name:     "type-change-rewrite",
	Severity: Error,
	What:     "ALTER COLUMN TYPE that writes every row, or the column's indexes, anew.",
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
		if s.changesCollation(table, cmd) {
			s.report(0, "another collation of "+QuoteIdent(cmd.Name)+" builds its indexes on "+display(table)+" anew while nobody can read or write it; add a column beside it and move over",
				"{table}", display(table), "{column}", QuoteIdent(cmd.Name), "{type}", s.columnType(cmd))
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

// changesCollation reports whether ALTER COLUMN TYPE gives a column another collation; without COLLATE it is the type's own.
func (s *statement) changesCollation(table string, cmd *pg.AlterTableCmd) bool {
	known := s.half.before.table(table).columns[cmd.Name]
	to := collation(cmd.Def.GetColumnDef())
	return known == nil && to != "" || known != nil && known.collation != to
}

// collation is that of a column's definition; empty for the type's own.
func collation(def *pg.ColumnDef) string {
	name := words(def.GetCollClause().GetCollname())
	if len(name) == 0 || name[len(name)-1] == "default" {
		return ""
	}
	return name[len(name)-1]
}

// columnType is the type that an action of ALTER TABLE asks for, with its collation.
func (s *statement) columnType(cmd *pg.AlterTableCmd) string {
	def := cmd.Def.GetColumnDef()
	to := typeOf(def.GetTypeName())
	if name := collation(def); name != "" {
		return to.String() + " COLLATE " + QuoteIdent(name)
	}
	return to.String()
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
