package lint

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var partitionBlocking = Rule{
	Name:     "partition-blocking",
	Severity: Warning,
	What: "ATTACH PARTITION of a table in use without a validated CHECK that says the partition's bound, or DETACH PARTITION without " +
		"CONCURRENTLY.",
	Why: "ATTACH reads all of the new partition under ACCESS EXCLUSIVE, unless a constraint proves that its rows belong there. DETACH closes " +
		"the whole partitioned table to readers and writers.",
	Safe:      `{attach};`,
	statement: checkPartitionBlocking,
}

func checkPartitionBlocking(s *statement) {
	alter := s.node.GetAlterTableStmt()
	if alter.GetObjtype() != pg.ObjectType_OBJECT_TABLE {
		return
	}
	for _, node := range alter.GetCmds() {
		cmd := node.GetAlterTableCmd()
		part := cmd.GetDef().GetPartitionCmd()
		switch {
		case cmd.GetSubtype() == pg.AlterTableType_AT_DetachPartition && !part.Concurrent && s.half.inUse(alter.Relation):
			part.Concurrent = true
			safe := s.deparse()
			part.Concurrent = false
			s.report(0, "DETACH PARTITION closes all of "+Relation(alter.Relation)+" until its last query has ended; do it CONCURRENTLY, alone in a NO TRANSACTION file",
				"{attach}", aloneOutsideTransaction+safe)
		case cmd.GetSubtype() == pg.AlterTableType_AT_AttachPartition && s.half.inUse(part.Name) && !s.half.before.table(relationKey(part.Name)).proves(part.Bound):
			table, constraint := Relation(part.Name), QuoteIdent(part.Name.Relname+"_bound")
			s.report(0, "ATTACH PARTITION reads all of "+table+" while nobody can read or write it; let a validated CHECK prove the bound first",
				"{attach}", "-- in one file: ALTER TABLE "+table+" ADD CONSTRAINT "+constraint+" CHECK (...) NOT VALID, with the bound and NOT NULL in it\n-- in a later one\n"+
					"ALTER TABLE "+table+" VALIDATE CONSTRAINT "+constraint+";\n-- and in the one after that, which reads nothing\n"+s.deparse())
		}
	}
}

// proves reports whether a valid CHECK of a table names all constants of a partition's bound. PostgreSQL itself knows no proof
// for a bound by hash, so that none is asked for.
func (t *table) proves(bound *pg.PartitionBoundSpec) bool {
	if bound.GetStrategy() == "h" {
		return true
	}
	constants := append(append(bound.GetListdatums(), bound.GetLowerdatums()...), bound.GetUpperdatums()...)
	for _, c := range t.constraints {
		if c.valid && c.check != nil && len(constants) > 0 && says(expressionSQL(c.check), constants) {
			return true
		}
	}
	return false
}

func says(condition string, constants []*pg.Node) bool {
	for _, c := range constants {
		if columnName(c) != "" { // as MINVALUE is read
			continue
		}
		if constant := expressionSQL(c); constant == "" || !strings.Contains(condition, constant) {
			return false
		}
	}
	return true
}

// expressionSQL is an expression as SQL writes it; empty where it cannot be written.
func expressionSQL(expr *pg.Node) string {
	tree, err := Parse("SELECT 1") // whose constant gives way to it
	if err != nil {
		return ""
	}
	tree.Stmts[0].Stmt.GetSelectStmt().TargetList[0].GetResTarget().Val = expr
	sql, err := pg.Deparse(tree)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(sql, "SELECT ")
}
