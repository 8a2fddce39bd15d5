package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var preferBigint = Rule{
	Name:     "prefer-bigint",
	Severity: Warning,
	What:     "A new key or counter of type integer or smallint: a primary key, an identity or a serial column.",
	Why: "It ends at 2,147,483,647, and with it all INSERTs. Changing it to bigint writes every row of the table, and of " +
		"those that refer to it.",
	Safe:      `CREATE TABLE {table} ({column} bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);`,
	statement: checkPreferBigint,
}

func checkPreferBigint(s *statement) {
	for table, def := range s.newColumns() {
		t := typeOf(def.TypeName)
		small := t.is("int4", "int2") || t.serial() && serials[t.name] != "int8"
		if small && (t.serial() || s.isKey(def)) {
			s.reportColumn(table, def, "key "+QuoteIdent(def.Colname)+" runs out of numbers one day; use bigint")
		}
	}
}

// isKey reports whether a new column is a primary key of its own or counts by itself.
func (s *statement) isKey(def *pg.ColumnDef) bool {
	for _, node := range def.Constraints {
		if c := node.GetConstraint().GetContype(); c == pg.ConstrType_CONSTR_PRIMARY || c == pg.ConstrType_CONSTR_IDENTITY {
			return true
		}
	}
	for _, e := range s.node.GetCreateStmt().GetTableElts() {
		if c := e.GetConstraint(); c.GetContype() == pg.ConstrType_CONSTR_PRIMARY && slices.Equal(words(c.Keys), []string{def.Colname}) {
			return true
		}
	}
	return false
}
