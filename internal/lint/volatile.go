package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// volatile reports whether an expression may give another value for each row, so that a new column with it as default
// has every row written. What it does not know counts as volatile.
func volatile(expr *pg.Node) bool {
	anyOf := func(nodes ...*pg.Node) bool {
		return slices.ContainsFunc(nodes, func(n *pg.Node) bool { return n != nil && volatile(n) })
	}
	switch n := expr.GetNode().(type) {
	case *pg.Node_AConst, *pg.Node_SqlvalueFunction, *pg.Node_SetToDefault:
		return false
	case *pg.Node_TypeCast:
		return volatile(n.TypeCast.Arg)
	case *pg.Node_CollateClause:
		return volatile(n.CollateClause.Arg)
	case *pg.Node_AExpr: // operators are functions, and those that come with PostgreSQL are not volatile
		return anyOf(n.AExpr.Lexpr, n.AExpr.Rexpr)
	case *pg.Node_List:
		return anyOf(n.List.Items...)
	case *pg.Node_BoolExpr:
		return anyOf(n.BoolExpr.Args...)
	case *pg.Node_NullTest:
		return volatile(n.NullTest.Arg)
	case *pg.Node_CoalesceExpr:
		return anyOf(n.CoalesceExpr.Args...)
	case *pg.Node_MinMaxExpr:
		return anyOf(n.MinMaxExpr.Args...)
	case *pg.Node_AArrayExpr:
		return anyOf(n.AArrayExpr.Elements...)
	case *pg.Node_RowExpr:
		return anyOf(n.RowExpr.Args...)
	case *pg.Node_CaseExpr:
		return anyOf(append(n.CaseExpr.Args[:len(n.CaseExpr.Args):len(n.CaseExpr.Args)], n.CaseExpr.Arg, n.CaseExpr.Defresult)...)
	case *pg.Node_CaseWhen:
		return anyOf(n.CaseWhen.Expr, n.CaseWhen.Result)
	case *pg.Node_FuncCall:
		name := words(n.FuncCall.Funcname)
		if len(name) == 2 && name[0] != "pg_catalog" || len(name) == 0 || !slices.Contains(stableFunctions, name[len(name)-1]) {
			return true
		}
		return anyOf(n.FuncCall.Args...)
	default:
		return true
	}
}

// stableFunctions are PostgreSQL's own that give one value within a statement, as far as defaults use them.
var stableFunctions = []string{
	"abs", "age", "array_append", "array_cat", "array_fill", "array_length", "array_to_string", "btrim", "cardinality", "ceil", "ceiling", "chr",
	"concat", "concat_ws", "convert_from", "convert_to", "current_database", "current_schema", "current_setting", "date", "date_part", "date_trunc",
	"decode", "div", "encode", "extract", "floor", "format", "inet_client_addr", "initcap", "int4range", "int8range", "json_build_array",
	"json_build_object", "json_object", "jsonb_build_array", "jsonb_build_object", "jsonb_object", "left", "length", "lower", "lpad", "ltrim",
	"make_date", "make_interval", "make_time", "make_timestamp", "make_timestamptz", "md5", "mod", "now", "nullif", "numrange", "octet_length",
	"pg_backend_pid", "power", "replace", "right", "round", "rpad", "rtrim", "sha256", "sign", "split_part", "sqrt", "statement_timestamp",
	"string_to_array", "substr", "substring", "timezone", "to_char", "to_date", "to_json", "to_jsonb", "to_number", "to_timestamp", "to_tsvector",
	"transaction_timestamp", "trim", "trunc", "tstzrange", "txid_current", "upper", "version",
}

// addedColumn tells what adding a column does to the rows of its table: why they are all written, else empty.
func addedColumn(def *pg.ColumnDef) string {
	if typeOf(def.GetTypeName()).serial() {
		return "numbers them from a sequence"
	}
	for _, node := range def.GetConstraints() {
		switch c := node.GetConstraint(); c.GetContype() {
		case pg.ConstrType_CONSTR_IDENTITY:
			return "numbers them from a sequence"
		case pg.ConstrType_CONSTR_GENERATED:
			return "computes the column for each"
		case pg.ConstrType_CONSTR_DEFAULT:
			if volatile(c.RawExpr) {
				return "computes the default for each"
			}
		}
	}
	return ""
}
