package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var dropIndexBlocking = Rule{
	Name:     "drop-index-blocking",
	Severity: Error,
	What:     "DROP INDEX without CONCURRENTLY on a table in use.",
	Why: "It takes ACCESS EXCLUSIVE on the table and queues behind the longest query that runs; all who come later wait " +
		"behind it.",
	Safe: `-- alone in a file that begins with: -- +goose NO TRANSACTION
{drop};`,
	down:      true,
	statement: checkDropIndexBlocking,
}

func checkDropIndexBlocking(s *statement) {
	drop := s.node.GetDropStmt()
	if drop == nil || drop.RemoveType != pg.ObjectType_OBJECT_INDEX || drop.Concurrent {
		return
	}
	for _, o := range removed(s.node) {
		if i := s.half.before.indexes[o.key()]; i != nil && s.half.fresh[i.table] {
			continue
		}
		s.report(0, "DROP INDEX "+display(o.key())+" makes readers and writers of its table wait; drop it CONCURRENTLY, alone in a NO TRANSACTION file",
			"{drop}", "DROP INDEX CONCURRENTLY "+display(o.key()))
	}
}
