package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var constraintValidatesNow = Rule{
	Name:     "constraint-validates-now",
	Severity: Error,
	What: "A CHECK or FOREIGN KEY that is added to a table in use without NOT VALID, or that is validated in the " +
		"transaction that adds it.",
	Why: "Adding it takes a lock that makes others wait, and checking it reads all rows under that lock. NOT VALID " +
		"checks new rows at once and leaves the old ones to VALIDATE CONSTRAINT, which lets others read and write; but " +
		"only when the lock of ADD has been given back before, by another transaction.",
	Safe: `-- in one file
{add};
-- in a later one
ALTER TABLE {table} VALIDATE CONSTRAINT {constraint};`,
	statement: checkConstraintValidatesNow,
}

func checkConstraintValidatesNow(s *statement) {
	for table, cmd := range s.alterations() {
		switch cmd.Subtype {
		case pg.AlterTableType_AT_AddConstraint:
			c := cmd.Def.GetConstraint()
			if !checked(c) || c.SkipValidation {
				continue
			}
			name, given := s.half.before.constraintName(table, c, words(c.Keys)), c.Conname
			c.SkipValidation, c.InitiallyValid, c.Conname = true, false, name
			safe := s.deparse()
			c.SkipValidation, c.InitiallyValid, c.Conname = false, true, given
			s.report(c.Location, "constraint "+QuoteIdent(name)+" reads all of "+display(table)+" under its lock; add it NOT VALID and validate it in a later file",
				"{add}", safe, "{table}", display(table), "{constraint}", QuoteIdent(name))
		case pg.AlterTableType_AT_AddColumn:
			checkColumnConstraints(s, table, cmd.Def.GetColumnDef())
		case pg.AlterTableType_AT_ValidateConstraint:
			if s.half.tx && s.half.added[addedConstraint{table: table, name: cmd.Name}] {
				s.report(0, "constraint "+QuoteIdent(cmd.Name)+" is validated in the transaction that adds it, under the lock of ADD; validate it in a later file",
					"{add}", "-- ADD CONSTRAINT "+QuoteIdent(cmd.Name)+" ... NOT VALID", "{table}", display(table), "{constraint}", QuoteIdent(cmd.Name))
			}
		}
	}
}

// checkColumnConstraints looks at a new column: its CHECK reads all rows, its foreign key only where a default gives them
// a value.
func checkColumnConstraints(s *statement, table string, def *pg.ColumnDef) {
	for _, node := range def.GetConstraints() {
		c := node.GetConstraint()
		if !checked(c) || c.Contype == pg.ConstrType_CONSTR_FOREIGN && !hasDefault(def) {
			continue
		}
		name := s.half.before.constraintName(table, c, []string{def.Colname})
		s.report(c.Location, "the constraint of the new column "+QuoteIdent(def.Colname)+" reads all of "+display(table)+" under ACCESS EXCLUSIVE; add the column, then the constraint NOT VALID, and validate it in a later file",
			"{add}", "ALTER TABLE "+display(table)+" ADD COLUMN "+QuoteIdent(def.Colname)+" "+typeOf(def.TypeName).String()+";\nALTER TABLE "+display(table)+" ADD CONSTRAINT "+QuoteIdent(name)+" ... NOT VALID",
			"{table}", display(table), "{constraint}", QuoteIdent(name))
	}
}

// hasDefault reports whether a new column gives the rows that are there a value.
func hasDefault(def *pg.ColumnDef) bool {
	return slices.ContainsFunc(def.GetConstraints(), func(n *pg.Node) bool {
		return n.GetConstraint().GetContype() == pg.ConstrType_CONSTR_DEFAULT && !isNull(n.GetConstraint().RawExpr)
	})
}

// checked reports whether a constraint is one that can be NOT VALID.
func checked(c *pg.Constraint) bool {
	return c.GetContype() == pg.ConstrType_CONSTR_CHECK || c.GetContype() == pg.ConstrType_CONSTR_FOREIGN
}

func isNull(expr *pg.Node) bool { return expr.GetAConst().GetIsnull() }
