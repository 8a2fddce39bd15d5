package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var concurrentInTransaction = Rule{
	Name:     "concurrent-in-transaction",
	Severity: Error,
	What: "A statement that PostgreSQL refuses inside a transaction, such as CREATE INDEX CONCURRENTLY or VACUUM, in a " +
		"file that runs in one.",
	Why: "The migration fails when it is applied, always.",
	Safe: `-- +goose NO TRANSACTION
-- +goose Up
{create};`,
	everywhere: true,
	down:       true,
	statement:  checkConcurrentInTransaction,
}

func checkConcurrentInTransaction(s *statement) {
	what := ""
	switch n := s.node.Node.(type) {
	case *pg.Node_IndexStmt:
		if n.IndexStmt.Concurrent {
			what = "CREATE INDEX CONCURRENTLY"
		}
	case *pg.Node_DropStmt:
		if n.DropStmt.Concurrent {
			what = "DROP INDEX CONCURRENTLY"
		}
	case *pg.Node_ReindexStmt:
		if concurrently(n.ReindexStmt.Params) {
			what = "REINDEX CONCURRENTLY"
		}
	case *pg.Node_VacuumStmt:
		if n.VacuumStmt.IsVacuumcmd {
			what = "VACUUM"
		}
	case *pg.Node_AlterTableStmt:
		for _, cmd := range n.AlterTableStmt.Cmds {
			if cmd.GetAlterTableCmd().GetDef().GetPartitionCmd().GetConcurrent() {
				what = "DETACH PARTITION CONCURRENTLY"
			}
		}
	}
	if what != "" && s.half.tx {
		s.report(0, what+" cannot run inside a transaction; begin the file with -- +goose NO TRANSACTION and keep the statement alone in it", "{create}", s.deparse())
	}
}

// concurrently reports whether REINDEX says so.
func concurrently(params []*pg.Node) bool {
	return slices.ContainsFunc(params, func(p *pg.Node) bool { return p.GetDefElem().GetDefname() == "concurrently" })
}
