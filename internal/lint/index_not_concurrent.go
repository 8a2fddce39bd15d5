package lint

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var indexNotConcurrent = Rule{
	Name:     "index-not-concurrent",
	Severity: Error,
	What:     "CREATE INDEX or REINDEX without CONCURRENTLY on a table that is in use.",
	Why: "It holds a lock against writers until the whole table has been read and sorted. On a large table that is " +
		"minutes in which every INSERT, UPDATE and DELETE waits.",
	Safe:      `{build};`,
	down:      true,
	statement: checkIndexNotConcurrent,
}

func checkIndexNotConcurrent(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_IndexStmt:
		i := n.IndexStmt
		if s.half.before.table(relationKey(i.Relation)).partitioned {
			checkPartitionedIndex(s, i)
			return
		}
		if i.Concurrent || !s.half.inUse(i.Relation) || !s.half.goingUp && s.half.consumes(relationKey(i.Relation), i.Idxname) {
			return
		}
		i.Concurrent = true
		safe := s.deparse()
		i.Concurrent = false
		s.report(0, "CREATE INDEX makes writers of "+Relation(i.Relation)+" wait until it is built; build it CONCURRENTLY, alone in a NO TRANSACTION file",
			"{build}", aloneOutsideTransaction+safe)
	case *pg.Node_ReindexStmt:
		if concurrently(n.ReindexStmt.Params) || n.ReindexStmt.Relation != nil && !s.half.inUse(n.ReindexStmt.Relation) {
			return
		}
		s.report(0, "REINDEX makes writers wait, and readers that would use the index; do it CONCURRENTLY, alone in a NO TRANSACTION file",
			"{build}", aloneOutsideTransaction+"REINDEX INDEX CONCURRENTLY "+examples[9])
	}
}

const aloneOutsideTransaction = "-- alone in a file that begins with: -- +goose NO TRANSACTION\n"

// checkPartitionedIndex looks at an index of a partitioned table, which PostgreSQL does not build CONCURRENTLY: only those of its
// partitions, one by one.
func checkPartitionedIndex(s *statement, i *pg.IndexStmt) {
	if !i.Concurrent && (!i.Relation.Inh || !s.half.inUse(i.Relation)) {
		return
	}
	table, concurrent, name := i.Relation, i.Concurrent, i.Idxname
	key := relationKey(table)
	schema, _, _ := strings.Cut(key, ".")
	if i.Idxname == "" {
		i.Idxname = base(key) + "_idx"
	}
	whole := QuoteIdent(schema) + "." + QuoteIdent(i.Idxname)
	i.Concurrent, i.Relation = false, &pg.RangeVar{Schemaname: table.Schemaname, Relname: table.Relname, Relpersistence: table.Relpersistence}
	safe := "-- in one file\n" + s.deparse() + ";\n"
	parts := s.half.before.partitions(key)
	if len(parts) == 0 {
		parts = []string{key + "_partition"}
	}
	attach := "-- in a last one, when all are built"
	for _, part := range parts {
		in, relation, _ := strings.Cut(part, ".")
		i.Concurrent, i.Idxname = true, relation+"_"+strings.TrimPrefix(strings.TrimPrefix(whole[strings.LastIndex(whole, ".")+1:], base(key)), "_")
		i.Relation = &pg.RangeVar{Schemaname: in, Relname: relation, Relpersistence: table.Relpersistence, Inh: true}
		safe += aloneOutsideTransaction + s.deparse() + ";\n"
		attach += ";\nALTER INDEX " + whole + " ATTACH PARTITION " + QuoteIdent(in) + "." + QuoteIdent(i.Idxname)
	}
	i.Relation, i.Concurrent, i.Idxname = table, concurrent, name
	s.report(0, "an index of the partitioned table "+Relation(table)+" cannot be built CONCURRENTLY, and makes writers wait otherwise; make it ON ONLY the table, build that of each partition CONCURRENTLY and attach them",
		"{build}", safe+strings.Replace(attach, ";", "", 1))
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
