package lint

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var dropConstraintWeakens = Rule{
	Name:     "drop-constraint-weakens",
	Severity: Warning,
	What:     "Up drops NOT NULL, a check, a foreign key or another constraint.",
	Why: "From then on rows come in that the old rule would have refused. Putting the constraint back, as a rollback " +
		"does, fails on them.",
	Safe: `-- where the rule only changes: the new one beside the old one, which is dropped last
{add};
ALTER TABLE {table} DROP CONSTRAINT {constraint};`,
	statement: checkDropConstraintWeakens,
}

func checkDropConstraintWeakens(s *statement) {
	for table, cmd := range s.alterations() {
		t := s.half.before.table(table)
		switch cmd.Subtype {
		case pg.AlterTableType_AT_DropNotNull:
			s.report(0, QuoteIdent(cmd.Name)+" of "+display(table)+" may be null from now on, and NOT NULL cannot be put back once it is; see that all who read it can",
				"{table}", display(table), "{constraint}", QuoteIdent(cmd.Name+"_present"), "{add}", "ALTER TABLE "+display(table)+" ADD CONSTRAINT "+QuoteIdent(cmd.Name+"_present")+" CHECK ("+QuoteIdent(cmd.Name)+" IS NOT NULL OR ...) NOT VALID")
		case pg.AlterTableType_AT_DropConstraint:
			if s.half.replacesConstraint(table, cmd.Name) || t.impliedByNotNull(cmd.Name) {
				continue
			}
			s.report(0, "without constraint "+QuoteIdent(cmd.Name)+" rows come into "+display(table)+" that it would have refused, and it cannot be put back over them; add what takes its place first",
				"{table}", display(table), "{constraint}", QuoteIdent(cmd.Name))
		}
	}
}

// replacesConstraint reports whether the half adds a constraint of the same name, or one of the same kind and columns.
func (h *half) replacesConstraint(table, name string) bool {
	if h.added[addedConstraint{table: table, name: name}] {
		return true
	}
	old := h.before.table(table).constraints[name]
	return old != nil && h.added[addedConstraint{table: table, kind: old.kind, columns: strings.Join(old.columns, ",")}]
}

// impliedByNotNull reports whether a constraint says no more than that a column is not null which is NOT NULL itself.
func (t *table) impliedByNotNull(name string) bool {
	test := t.constraints[name].condition().GetNullTest()
	c := t.columns[columnName(test.GetArg())]
	return test.GetNulltesttype() == pg.NullTestType_IS_NOT_NULL && c != nil && c.notNull
}

func (c *constraint) condition() *pg.Node {
	if c == nil {
		return nil
	}
	return c.check
}
