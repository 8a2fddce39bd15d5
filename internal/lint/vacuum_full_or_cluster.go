package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var vacuumFullOrCluster = Rule{
	Name:     "vacuum-full-or-cluster",
	Severity: Error,
	What:     "VACUUM FULL or CLUSTER in a migration.",
	Why: "Both copy the table under ACCESS EXCLUSIVE, with all of its indexes: nobody reads or writes it until they are " +
		"done.",
	Safe:      `VACUUM (ANALYZE) {table}; -- gives the space to new rows, while others read and write`,
	down:      true,
	statement: checkVacuumFullOrCluster,
}

func checkVacuumFullOrCluster(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_VacuumStmt:
		if slices.ContainsFunc(n.VacuumStmt.Options, func(o *pg.Node) bool { return o.GetDefElem().GetDefname() == "full" }) {
			s.report(0, "VACUUM FULL copies the table while nobody can read or write it; a plain VACUUM is enough for new rows")
		}
	case *pg.Node_ClusterStmt:
		if n.ClusterStmt.Relation == nil || s.half.inUse(n.ClusterStmt.Relation) {
			s.report(0, "CLUSTER copies the table while nobody can read or write it; leave the order to an index")
		}
	}
}
