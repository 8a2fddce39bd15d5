package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var sessionSet = Rule{
	Name:     "session-set",
	Severity: Error,
	What:     "SET, RESET or DISCARD that outlives the migration, set_config(..., false) included.",
	Why: "The session goes on with it: later files run under settings that they do not know. With another search_path " +
		"goose does not even find its own version table.",
	Safe:       `SET LOCAL lock_timeout = '1s';`,
	everywhere: true,
	refused:    true,
	down:       true,
	statement:  checkSessionSet,
}

func checkSessionSet(s *statement) {
	outlives := s.node.GetDiscardStmt() != nil
	switch n := s.node.Node.(type) {
	case *pg.Node_VariableSetStmt:
		outlives = !n.VariableSetStmt.IsLocal && n.VariableSetStmt.Name != "TRANSACTION"
	case *pg.Node_SelectStmt:
		for _, target := range n.SelectStmt.TargetList {
			call := target.GetResTarget().GetVal().GetFuncCall()
			if name := words(call.GetFuncname()); len(name) > 0 && name[len(name)-1] == "set_config" && len(call.Args) == 3 {
				outlives = outlives || !isTrue(call.Args[2])
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
