package lint

var concurrentIfNotExists = Rule{
	Name:     "concurrent-if-not-exists",
	Severity: Error,
	What:     "CREATE INDEX CONCURRENTLY with IF NOT EXISTS.",
	Why: "A build that fails leaves an invalid index of that name. The next run finds the name taken, says nothing, and " +
		"the version is recorded over an index that no query uses.",
	Safe: `-- up drops an invalid index that an earlier run left, and builds it again
{create};`,
	down:      true,
	statement: checkConcurrentIfNotExists,
}

func checkConcurrentIfNotExists(s *statement) {
	i := s.node.GetIndexStmt()
	if i == nil || !i.Concurrent || !i.IfNotExists {
		return
	}
	i.IfNotExists = false
	safe := s.deparse()
	i.IfNotExists = true
	s.report(0, "IF NOT EXISTS passes over an invalid index that a failed build left; remove it", "{create}", safe)
}
