package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var indexNotConcurrent = Rule{
	Name:     "index-not-concurrent",
	Severity: Error,
	What:     "CREATE INDEX or REINDEX without CONCURRENTLY on a table that is in use.",
	Why: "It holds a lock against writers until the whole table has been read and sorted. On a large table that is " +
		"minutes in which every INSERT, UPDATE and DELETE waits.",
	Safe: `-- alone in a file that begins with: -- +goose NO TRANSACTION
{create};`,
	down:      true,
	statement: checkIndexNotConcurrent,
}

func checkIndexNotConcurrent(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_IndexStmt:
		i := n.IndexStmt
		if i.Concurrent || !s.half.inUse(i.Relation) || !s.half.goingUp && s.half.consumes(relationKey(i.Relation), i.Idxname) {
			return
		}
		i.Concurrent = true
		safe := s.deparse()
		i.Concurrent = false
		s.report(0, "CREATE INDEX makes writers of "+Relation(i.Relation)+" wait until it is built; build it CONCURRENTLY, alone in a NO TRANSACTION file",
			"{create}", safe)
	case *pg.Node_ReindexStmt:
		if concurrently(n.ReindexStmt.Params) || n.ReindexStmt.Relation != nil && !s.half.inUse(n.ReindexStmt.Relation) {
			return
		}
		s.report(0, "REINDEX makes writers wait, and readers that would use the index; do it CONCURRENTLY, alone in a NO TRANSACTION file",
			"{create}", "REINDEX INDEX CONCURRENTLY "+examples[9])
	}
}

// consumes reports whether the file's Up makes an index a constraint. Its Down drops the constraint and with it the index, so it
// has to build one again, and cannot do so CONCURRENTLY beside the drop.
func (f *file) consumes(table, index string) bool {
	for _, s := range f.up.statements {
		for key, cmd := range s.alterations() {
			if index != "" && key == table && cmd.GetDef().GetConstraint().GetIndexname() == index {
				return true
			}
		}
	}
	return false
}
