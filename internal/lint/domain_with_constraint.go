package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var domainWithConstraint = Rule{
	Name:     "domain-with-constraint",
	Severity: Warning,
	What:     "A domain with a constraint, or a constraint added to a domain.",
	Why: "Changing it later reads every table that has a column of the domain, under locks on all of them; and a domain " +
		"that is NOT NULL still gives null in outer joins.",
	Safe: `-- the rule where it is checked: on the column
ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({column} <> '') NOT VALID;`,
	statement: checkDomainWithConstraint,
}

func checkDomainWithConstraint(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_CreateDomainStmt:
		for _, node := range n.CreateDomainStmt.Constraints {
			if c := node.GetConstraint().GetContype(); c == pg.ConstrType_CONSTR_CHECK || c == pg.ConstrType_CONSTR_NOTNULL {
				s.report(0, "the constraint of domain "+display(named("type", words(n.CreateDomainStmt.Domainname)).key())+" can later be changed only by reading all tables that use it; put it on the columns")
				return
			}
		}
	case *pg.Node_AlterDomainStmt:
		key := named("type", words(n.AlterDomainStmt.TypeName)).key()
		// By PostgreSQL's letters: C adds a constraint, O sets NOT NULL.
		if kind := n.AlterDomainStmt.Subtype; !s.half.fresh[key] && (kind == "O" || kind == "C" && !n.AlterDomainStmt.Def.GetConstraint().GetSkipValidation()) {
			s.report(0, "the constraint reads every table with a column of domain "+display(key)+", under locks on all of them; add it NOT VALID, or put it on the columns")
		}
	}
}
