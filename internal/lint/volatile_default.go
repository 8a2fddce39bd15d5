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
	Safe: `-- in one file: the default for new rows only
ALTER TABLE {table} ADD COLUMN {column} {type};
{later};
-- in a later one: the old rows in batches, by a procedure that commits between them
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
				"{table}", display(table), "{column}", QuoteIdent(def.Colname), "{type}", typeOf(def.TypeName).plain(), "{later}", s.laterDefault(def))
		}
	}
}

// laterDefault gives new rows the value that the column was to have.
func (s *statement) laterDefault(def *pg.ColumnDef) string {
	alter := s.node.GetAlterTableStmt()
	table, column := Relation(alter.Relation), QuoteIdent(def.Colname)
	for _, node := range def.Constraints {
		switch c := node.GetConstraint(); c.GetContype() {
		case pg.ConstrType_CONSTR_DEFAULT:
			cmd := &pg.AlterTableCmd{Subtype: pg.AlterTableType_AT_ColumnDefault, Name: def.Colname, Def: c.RawExpr, Behavior: pg.DropBehavior_DROP_RESTRICT}
			later := &pg.AlterTableStmt{Relation: alter.Relation, Objtype: alter.Objtype, Cmds: []*pg.Node{{Node: &pg.Node_AlterTableCmd{AlterTableCmd: cmd}}}}
			return (&statement{half: s.half, sql: s.sql, node: &pg.Node{Node: &pg.Node_AlterTableStmt{AlterTableStmt: later}}}).deparse()
		case pg.ConstrType_CONSTR_GENERATED:
			return "CREATE TRIGGER " + QuoteIdent(alter.Relation.Relname+"_"+def.Colname) + " BEFORE INSERT OR UPDATE ON " + table +
				" FOR EACH ROW EXECUTE FUNCTION " + QuoteIdent(alter.Relation.Relname+"_"+def.Colname) + "()"
		}
	}
	sequence := QuoteIdent(alter.Relation.Relname + "_" + def.Colname + "_seq")
	return "CREATE SEQUENCE " + sequence + " OWNED BY " + table + "." + column + ";\nALTER TABLE " + table + " ALTER COLUMN " + column +
		" SET DEFAULT nextval('" + sequence + "')"
}

// plain is the type without the sequence of serial.
func (d dataType) plain() string {
	if stored, ok := serials[d.name]; ok {
		d.name = stored
	}
	return d.String()
}
