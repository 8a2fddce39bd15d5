package lint

var refreshBlocking = Rule{
	Name:     "refresh-blocking",
	Severity: Error,
	What:     "REFRESH MATERIALIZED VIEW without CONCURRENTLY of a view in use.",
	Why: "Nobody reads the view until it has been computed again. CONCURRENTLY leaves the old rows readable meanwhile; it needs a unique " +
		"index on the view.",
	Safe:      `REFRESH MATERIALIZED VIEW CONCURRENTLY {table};`,
	down:      true,
	statement: checkRefreshBlocking,
}

func checkRefreshBlocking(s *statement) {
	if n := s.node.GetRefreshMatViewStmt(); n != nil && !n.Concurrent && s.half.inUse(n.Relation) {
		s.report(0, "REFRESH closes "+Relation(n.Relation)+" to its readers until it is computed; do it CONCURRENTLY", "{table}", Relation(n.Relation))
	}
}
