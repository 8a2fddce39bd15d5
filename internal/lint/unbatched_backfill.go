package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var unbatchedBackfill = Rule{
	Name:     "unbatched-backfill",
	Severity: Error,
	What: "An UPDATE, DELETE or MERGE over a whole table in one statement, or one in the transaction that also alters the " +
		"table.",
	Why: "Every row that it writes stays locked until the end, the old versions pile up, and replicas fall behind. With " +
		"DDL in the same transaction nobody can read the table meanwhile either. A backfill in batches commits every " +
		"few thousand rows and can be stopped and taken up again.",
	Safe: `-- alone in a file that begins with -- +goose NO TRANSACTION; the procedure was made in the file before:
--   LOOP
--     UPDATE {table} SET ... WHERE id IN (SELECT id FROM {table} WHERE {column} IS NULL LIMIT 5000);
--     EXIT WHEN NOT FOUND;
--     COMMIT;
--   END LOOP;
CALL {table}_backfill();`,
	statement: checkUnbatchedBackfill,
}

func checkUnbatchedBackfill(s *statement) {
	for _, node := range writes(s.node) {
		checkWrite(s, node)
	}
}

func checkWrite(s *statement, node *pg.Node) {
	var r *pg.RangeVar
	var where *pg.Node
	var from bool
	var verb string
	switch n := node.Node.(type) {
	case *pg.Node_UpdateStmt:
		r, where, verb = n.UpdateStmt.Relation, n.UpdateStmt.WhereClause, "UPDATE"
		from = fewRows(n.UpdateStmt.FromClause)
	case *pg.Node_DeleteStmt:
		r, where, verb = n.DeleteStmt.Relation, n.DeleteStmt.WhereClause, "DELETE"
		from = fewRows(n.DeleteStmt.UsingClause)
	case *pg.Node_MergeStmt:
		r, verb = n.MergeStmt.Relation, "MERGE"
		from = fewRows([]*pg.Node{n.MergeStmt.SourceRelation})
	default:
		return
	}
	switch {
	case !s.half.inUse(r):
	case !from && !selective(where):
		s.report(0, verb+" may write every row of "+Relation(r)+" in one statement; do it in batches that commit, by a procedure, in a NO TRANSACTION file", "{table}", Relation(r))
	case s.half.tx && s.half.altered[relationKey(r)]:
		s.report(0, verb+" of "+Relation(r)+" in the transaction that also alters it; put data and schema into files of their own", "{table}", Relation(r))
	}
}

// fewRows reports whether what a statement joins is a list of values.
func fewRows(from []*pg.Node) bool {
	for _, node := range from {
		if len(node.GetRangeSubselect().GetSubquery().GetSelectStmt().GetValuesLists()) > 0 {
			return true
		}
	}
	return false
}

// selective reports whether a condition picks rows by value: column = constant, one of a list, between two constants, or
// no more than LIMIT says.
func selective(where *pg.Node) bool {
	switch n := where.GetNode().(type) {
	case *pg.Node_BoolExpr:
		if n.BoolExpr.Boolop == pg.BoolExprType_AND_EXPR {
			lower := slices.ContainsFunc(n.BoolExpr.Args, func(a *pg.Node) bool { return compares(a, ">", ">=") })
			upper := slices.ContainsFunc(n.BoolExpr.Args, func(a *pg.Node) bool { return compares(a, "<", "<=") })
			return lower && upper || slices.ContainsFunc(n.BoolExpr.Args, selective)
		}
		return n.BoolExpr.Boolop == pg.BoolExprType_OR_EXPR && !slices.ContainsFunc(n.BoolExpr.Args, func(a *pg.Node) bool { return !selective(a) })
	case *pg.Node_AExpr:
		switch n.AExpr.Kind {
		case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_BETWEEN_SYM:
			return true
		case pg.A_Expr_Kind_AEXPR_IN, pg.A_Expr_Kind_AEXPR_OP_ANY, pg.A_Expr_Kind_AEXPR_OP:
			return slices.Equal(words(n.AExpr.Name), []string{"="}) && (constantOrFew(n.AExpr.Rexpr) || constantOrFew(n.AExpr.Lexpr))
		}
	case *pg.Node_SubLink: // IN (SELECT ... LIMIT)
		return n.SubLink.Subselect.GetSelectStmt().GetLimitCount() != nil
	}
	return false
}

// compares reports whether a condition compares a column with a constant by one of these operators.
func compares(condition *pg.Node, operators ...string) bool {
	e := condition.GetAExpr()
	return e != nil && len(e.Name) == 1 && slices.Contains(operators, words(e.Name)[0]) && constantOrFew(e.Rexpr)
}

// constantOrFew reports whether an expression is a constant, a list of them, or the rows of a subquery with LIMIT.
func constantOrFew(expr *pg.Node) bool {
	switch n := expr.GetNode().(type) {
	case *pg.Node_AConst:
		return true
	case *pg.Node_TypeCast:
		return constantOrFew(n.TypeCast.Arg)
	case *pg.Node_List:
		return !slices.ContainsFunc(n.List.Items, func(i *pg.Node) bool { return !constantOrFew(i) })
	case *pg.Node_AArrayExpr:
		return !slices.ContainsFunc(n.AArrayExpr.Elements, func(i *pg.Node) bool { return !constantOrFew(i) })
	case *pg.Node_SubLink:
		return n.SubLink.Subselect.GetSelectStmt().GetLimitCount() != nil
	default:
		return false
	}
}
