package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var exclusionConstraint = Rule{
	Name:     "exclusion-constraint",
	Severity: Error,
	What:     "An EXCLUDE constraint on a table in use.",
	Why: "It builds its index under ACCESS EXCLUSIVE, and there is no way to build it beforehand: neither CONCURRENTLY " +
		"nor NOT VALID exists for it.",
	Safe: `-- a table of its own, made with the constraint, that is filled in batches and then takes the place of the old one
CREATE TABLE {table}_new (LIKE {table} INCLUDING ALL, CONSTRAINT {constraint} EXCLUDE USING gist (during WITH &&));`,
	statement: checkExclusionConstraint,
}

func checkExclusionConstraint(s *statement) {
	for table, cmd := range s.alterations() {
		c := cmd.Def.GetConstraint()
		if cmd.Subtype == pg.AlterTableType_AT_AddConstraint && c.GetContype() == pg.ConstrType_CONSTR_EXCLUSION {
			s.report(c.Location, "EXCLUDE builds its index on "+display(table)+" while nobody can read or write it, and cannot be built beforehand; make it with a new table",
				"{table}", display(table), "{constraint}", QuoteIdent(s.half.before.constraintName(table, c, nil)))
		}
	}
}
