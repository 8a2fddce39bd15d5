package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var uniqueOrPrimaryBuildsIndex = Rule{
	Name:     "unique-or-primary-builds-index",
	Severity: Error,
	What:     "A UNIQUE or PRIMARY KEY constraint on a table in use that builds its index itself.",
	Why: "The index is built under ACCESS EXCLUSIVE: nobody reads or writes until all rows have been sorted. An index " +
		"that was built CONCURRENTLY before becomes the constraint in an instant.",
	Safe: `-- in one file, which begins with: -- +goose NO TRANSACTION
CREATE UNIQUE INDEX CONCURRENTLY {constraint} ON {table} ({column});
-- in a later one
-- +goose Up
ALTER TABLE {table} ADD CONSTRAINT {constraint} {kind} USING INDEX {constraint};

-- +goose Down
ALTER TABLE {table} DROP CONSTRAINT {constraint}; -- and the index with it
CREATE UNIQUE INDEX {constraint} ON {table} ({column}); -- writers wait, as far as a rollback needs it`,
	statement: checkUniqueOrPrimaryBuildsIndex,
}

func checkUniqueOrPrimaryBuildsIndex(s *statement) {
	report := func(table string, c *pg.Constraint, columns []string) {
		kind := map[pg.ConstrType]string{pg.ConstrType_CONSTR_PRIMARY: "PRIMARY KEY", pg.ConstrType_CONSTR_UNIQUE: "UNIQUE"}[c.GetContype()]
		if kind == "" || c.Indexname != "" {
			return
		}
		name := s.half.before.constraintName(table, c, columns)
		s.report(c.Location, kind+" builds its index on "+display(table)+" while nobody can read or write it; build a unique index CONCURRENTLY first and add the constraint USING INDEX",
			"{table}", display(table), "{constraint}", QuoteIdent(name), "{column}", quoteAll(columns), "{kind}", kind)
	}
	for table, cmd := range s.alterations() {
		switch cmd.Subtype {
		case pg.AlterTableType_AT_AddConstraint:
			report(table, cmd.Def.GetConstraint(), words(cmd.Def.GetConstraint().GetKeys()))
		case pg.AlterTableType_AT_AddColumn:
			def := cmd.Def.GetColumnDef()
			for _, node := range def.GetConstraints() {
				report(table, node.GetConstraint(), []string{def.Colname})
			}
		}
	}
}
