package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var requiredColumn = Rule{
	Name:     "required-column",
	Severity: Error,
	What:     "ADD COLUMN with NOT NULL and without a default on a table that exists.",
	Why: "It fails as soon as the table holds a row. Where it holds none, the release that still runs fails at its next " +
		"INSERT, which does not know the column.",
	Safe: `-- a constant default costs nothing, whatever the number of rows
ALTER TABLE {table} ADD COLUMN {column} {type} NOT NULL DEFAULT {default};
-- or without one: add it, fill it in batches, and require it in a later release (see set-not-null-scan)
ALTER TABLE {table} ADD COLUMN {column} {type};`,
	statement: checkRequiredColumn,
}

func checkRequiredColumn(s *statement) {
	for table, cmd := range s.alterations() {
		def := cmd.Def.GetColumnDef()
		if cmd.Subtype != pg.AlterTableType_AT_AddColumn || typeOf(def.GetTypeName()).serial() {
			continue
		}
		required, filled := false, false
		for _, node := range def.GetConstraints() {
			switch node.GetConstraint().GetContype() {
			case pg.ConstrType_CONSTR_NOTNULL, pg.ConstrType_CONSTR_PRIMARY:
				required = true
			case pg.ConstrType_CONSTR_DEFAULT, pg.ConstrType_CONSTR_IDENTITY, pg.ConstrType_CONSTR_GENERATED:
				filled = true
			}
		}
		if required && !filled {
			s.report(def.Location, "column "+QuoteIdent(def.Colname)+" is required and has no default: it fails on a row that is there, and breaks the INSERTs of the code that runs; give it a default, or allow null first",
				"{table}", display(table), "{column}", QuoteIdent(def.Colname), "{type}", typeOf(def.TypeName).String(), "{default}", typeOf(def.TypeName).zero())
		}
	}
}

// zero is a constant of the type, for examples.
func (d dataType) zero() string {
	switch {
	case d.is("int2", "int4", "int8", "numeric", "float4", "float8"):
		return "0"
	case d.is("bool"):
		return "false"
	case d.is("timestamptz", "timestamp", "date"):
		return "now()"
	case d.is("jsonb", "json"), d.array:
		return "'{}'"
	default:
		return "''"
	}
}
