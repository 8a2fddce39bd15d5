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
	Safe: `-- alone in a file; where it is CONCURRENTLY, one that begins with: -- +goose NO TRANSACTION
{drop};`,
	down:      true,
	statement: checkDropIndexBlocking,
}

func checkDropIndexBlocking(s *statement) {
	drop := s.node.GetDropStmt()
	if drop == nil || drop.RemoveType != pg.ObjectType_OBJECT_INDEX {
		return
	}
	for _, o := range removed(s.node) {
		i := s.half.before.indexes[o.key()]
		switch partitioned := i != nil && s.half.before.table(i.table).partitioned; {
		case partitioned && drop.Concurrent:
			s.report(0, "PostgreSQL does not drop "+display(o.key())+" CONCURRENTLY, since its table is partitioned; drop it in a file that does nothing else",
				"{drop}", "DROP INDEX "+display(o.key()))
			continue
		case partitioned, drop.Concurrent, i != nil && s.half.fresh[i.table]:
			continue
		}
		s.report(0, "DROP INDEX "+display(o.key())+" makes readers and writers of its table wait; drop it CONCURRENTLY, alone in a NO TRANSACTION file",
			"{drop}", "DROP INDEX CONCURRENTLY "+display(o.key()))
	}
}
