package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var sessionSet = Rule{
	Name:     "session-set",
	Severity: Error,
	What:     "SET, RESET or DISCARD that outlives the migration, set_config(..., false) included; or an advisory lock of the session.",
	Why: "The session goes on with it: later files run under settings that they do not know. With another search_path " +
		"goose does not even find its own version table. And a lock that nobody gives back keeps others waiting.",
	Safe: `SET LOCAL lock_timeout = '1s';
SELECT pg_advisory_xact_lock(1); -- given back with the transaction`,
	everywhere: true,
	refused:    true,
	down:       true,
	statement:  checkSessionSet,
}

var sessionLocks = []string{"pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared"}

func checkSessionSet(s *statement) {
	outlives := s.node.GetDiscardStmt() != nil
	switch n := s.node.Node.(type) {
	case *pg.Node_VariableSetStmt:
		outlives = !n.VariableSetStmt.IsLocal && n.VariableSetStmt.Name != "TRANSACTION"
	case *pg.Node_SelectStmt:
		for _, target := range n.SelectStmt.TargetList {
			call := target.GetResTarget().GetVal().GetFuncCall()
			name := words(call.GetFuncname())
			switch {
			case len(name) == 0:
			case name[len(name)-1] == "set_config" && len(call.Args) == 3:
				outlives = outlives || !isTrue(call.Args[2])
			case slices.Contains(sessionLocks, name[len(name)-1]):
				s.report(0, name[len(name)-1]+" must not outlive the migration: use pg_advisory_xact_lock")
			}
		}
	}
	if outlives {
		s.report(0, "a setting must not outlive the migration: use SET LOCAL")
	}
}

func isTrue(expr *pg.Node) bool {
	if cast := expr.GetTypeCast(); cast != nil {
		expr = cast.Arg
	}
	return expr.GetAConst().GetBoolval().GetBoolval() || slices.Contains([]string{"t", "true", "on", "1", "yes"}, expr.GetAConst().GetSval().GetSval())
}
