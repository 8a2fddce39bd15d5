package lint

import (
	"slices"
	"strconv"
	"strings"

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

// maxBatch is how many rows one statement may write that says so.
const maxBatch = 10_000

// selective reports whether a condition picks rows by value: column = constant, one of a list, between two constants that
// are not far apart, or no more than LIMIT says.
func selective(where *pg.Node) bool {
	switch n := where.GetNode().(type) {
	case *pg.Node_BoolExpr:
		args := n.BoolExpr.Args
		if n.BoolExpr.Boolop == pg.BoolExprType_AND_EXPR {
			return slices.ContainsFunc(args, selective) || slices.ContainsFunc(args, func(lower *pg.Node) bool {
				return slices.ContainsFunc(args, func(upper *pg.Node) bool { return encloses(lower, upper) })
			})
		}
		return n.BoolExpr.Boolop == pg.BoolExprType_OR_EXPR && !slices.ContainsFunc(args, func(a *pg.Node) bool { return !selective(a) })
	case *pg.Node_AExpr:
		left, right := n.AExpr.Lexpr, n.AExpr.Rexpr
		switch n.AExpr.Kind {
		case pg.A_Expr_Kind_AEXPR_BETWEEN, pg.A_Expr_Kind_AEXPR_BETWEEN_SYM:
			bounds := right.GetList().GetItems()
			return isColumn(left) && len(bounds) == 2 && near(bounds[0], bounds[1])
		case pg.A_Expr_Kind_AEXPR_IN, pg.A_Expr_Kind_AEXPR_OP_ANY, pg.A_Expr_Kind_AEXPR_OP:
			return slices.Equal(words(n.AExpr.Name), []string{"="}) && (isColumn(left) && constantOrFew(right) || isColumn(right) && constantOrFew(left))
		}
	case *pg.Node_SubLink: // IN (SELECT ...)
		return isColumn(n.SubLink.Testexpr) && fewFrom(n.SubLink)
	}
	return false
}

// isColumn reports whether an expression is a column and nothing else, or a row of such.
func isColumn(expr *pg.Node) bool {
	if row := expr.GetRowExpr(); row != nil {
		return !slices.ContainsFunc(row.Args, func(a *pg.Node) bool { return !isColumn(a) })
	}
	return columnName(expr) != ""
}

// encloses reports whether two conditions are the lower and the upper bound of one column, near to each other.
func encloses(lower, upper *pg.Node) bool {
	l, u := lower.GetAExpr(), upper.GetAExpr()
	return l != nil && u != nil && slices.Contains([]string{">", ">="}, strings.Join(words(l.Name), ".")) &&
		slices.Contains([]string{"<", "<="}, strings.Join(words(u.Name), ".")) &&
		columnName(l.Lexpr) != "" && columnName(l.Lexpr) == columnName(u.Lexpr) && near(l.Rexpr, u.Rexpr)
}

// near reports whether no more than a batch lies between two constants. Nobody can tell for other things than numbers.
func near(lower, upper *pg.Node) bool {
	from, isNumber := number(lower)
	to, both := number(upper)
	if isNumber && both {
		return to-from <= maxBatch
	}
	return !isNumber && !both && constantOrFew(lower) && constantOrFew(upper)
}

// number is the value of a constant that is one, with or without a sign.
func number(expr *pg.Node) (float64, bool) {
	switch n := expr.GetNode().(type) {
	case *pg.Node_TypeCast:
		return number(n.TypeCast.Arg)
	case *pg.Node_AExpr:
		value, ok := number(n.AExpr.Rexpr)
		return -value, ok && n.AExpr.Lexpr == nil && slices.Equal(words(n.AExpr.Name), []string{"-"})
	case *pg.Node_AConst:
		if f := n.AConst.GetFval(); f != nil { // which holds an integer too that is large
			value, err := strconv.ParseFloat(f.Fval, 64)
			return value, err == nil
		}
		return float64(n.AConst.GetIval().GetIval()), n.AConst.GetIval() != nil
	default:
		return 0, false
	}
}

// constantOrFew reports whether an expression is a constant, a list or a row of them, or a subquery of few rows.
func constantOrFew(expr *pg.Node) bool {
	all := func(nodes []*pg.Node) bool {
		return !slices.ContainsFunc(nodes, func(n *pg.Node) bool { return !constantOrFew(n) })
	}
	if _, ok := number(expr); ok {
		return true
	}
	switch n := expr.GetNode().(type) {
	case *pg.Node_AConst:
		return true
	case *pg.Node_TypeCast:
		return constantOrFew(n.TypeCast.Arg)
	case *pg.Node_List:
		return all(n.List.Items)
	case *pg.Node_AArrayExpr:
		return all(n.AArrayExpr.Elements)
	case *pg.Node_RowExpr:
		return all(n.RowExpr.Args)
	case *pg.Node_SubLink:
		return fewFrom(n.SubLink)
	default:
		return false
	}
}

// fewFrom reports whether a subquery gives few rows: no more than LIMIT says, or the one of an aggregate.
func fewFrom(link *pg.SubLink) bool {
	query := link.GetSubselect().GetSelectStmt()
	if limit, ok := number(query.GetLimitCount()); ok {
		return limit <= maxBatch
	}
	if len(query.GetTargetList()) != 1 || len(query.GetGroupClause()) > 0 || query.GetOp() != pg.SetOperation_SETOP_NONE {
		return false
	}
	call := query.TargetList[0].GetResTarget().GetVal().GetFuncCall()
	name := words(call.GetFuncname())
	return len(name) == 1 && call.GetOver() == nil && slices.Contains([]string{"avg", "count", "max", "min", "sum"}, name[0])
}
