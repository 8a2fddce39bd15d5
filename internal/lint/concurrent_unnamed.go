package lint

var concurrentUnnamed = Rule{
	Name:     "concurrent-unnamed",
	Severity: Error,
	What:     "CREATE INDEX CONCURRENTLY without a name for the index.",
	Why: "A build that is killed leaves an invalid index. Without a name nobody can tell which one to drop before the " +
		"next run.",
	Safe:       `{create};`,
	everywhere: true,
	refused:    true,
	down:       true,
	statement:  checkConcurrentUnnamed,
}

func checkConcurrentUnnamed(s *statement) {
	if i := s.node.GetIndexStmt(); i != nil && i.Concurrent && i.Idxname == "" {
		i.Idxname = base(relationKey(i.Relation)) + "_idx"
		safe := s.deparse()
		i.Idxname = ""
		s.report(0, "CREATE INDEX CONCURRENTLY has to name its index, so that an invalid one can be found and dropped", "{create}", safe)
	}
}
