package lint

import (
	"iter"
	"regexp"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var comments = regexp.MustCompile(`(?s)^(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)+`)

// alterations are the actions of ALTER TABLE on a table that is in use, with its key.
func (s *statement) alterations() iter.Seq2[string, *pg.AlterTableCmd] {
	return func(yield func(string, *pg.AlterTableCmd) bool) {
		alter := s.node.GetAlterTableStmt()
		if alter.GetObjtype() != pg.ObjectType_OBJECT_TABLE || !s.half.inUse(alter.GetRelation()) {
			return
		}
		for _, node := range alter.Cmds {
			if cmd := node.GetAlterTableCmd(); cmd != nil && !yield(relationKey(alter.Relation), cmd) {
				return
			}
		}
	}
}

// newColumns are the columns of a new table, or those that a statement adds, each with its table's key.
func (s *statement) newColumns() iter.Seq2[string, *pg.ColumnDef] {
	return func(yield func(string, *pg.ColumnDef) bool) {
		create, alter := s.node.GetCreateStmt(), s.node.GetAlterTableStmt()
		for _, e := range create.GetTableElts() {
			if def := e.GetColumnDef(); def.GetTypeName() != nil && !yield(relationKey(create.Relation), def) {
				return
			}
		}
		for _, node := range alter.GetCmds() {
			cmd := node.GetAlterTableCmd()
			def := cmd.GetDef().GetColumnDef()
			if cmd.GetSubtype() == pg.AlterTableType_AT_AddColumn && def.GetTypeName() != nil && !yield(relationKey(alter.Relation), def) {
				return
			}
		}
	}
}

// reportColumn adds a finding on a new column.
func (s *statement) reportColumn(table string, def *pg.ColumnDef, message string) {
	s.report(def.Location, message, "{table}", display(table), "{column}", QuoteIdent(def.Colname), "{constraint}", QuoteIdent(base(table)+"_"+def.Colname+"_check"))
}

// inUse reports whether others may use a relation: the file itself has not made it.
func (h *half) inUse(r *pg.RangeVar) bool { return r != nil && !h.fresh[relationKey(r)] }

// writes are the statements that write rows: this one, and those in its WITH.
func writes(node *pg.Node) []*pg.Node {
	var with *pg.WithClause
	var all []*pg.Node
	switch n := node.GetNode().(type) {
	case *pg.Node_SelectStmt:
		with = n.SelectStmt.WithClause
	case *pg.Node_InsertStmt:
		with, all = n.InsertStmt.WithClause, []*pg.Node{node}
	case *pg.Node_UpdateStmt:
		with, all = n.UpdateStmt.WithClause, []*pg.Node{node}
	case *pg.Node_DeleteStmt:
		with, all = n.DeleteStmt.WithClause, []*pg.Node{node}
	case *pg.Node_MergeStmt:
		with, all = n.MergeStmt.WithClause, []*pg.Node{node}
	}
	for _, cte := range with.GetCtes() { // PostgreSQL lets only these write, not those further down
		all = append(all, writes(cte.GetCommonTableExpr().GetCtequery())...)
	}
	return all
}

// dynamic reports whether what a statement does to the schema cannot be seen in it.
func (s *statement) dynamic() bool {
	switch n := s.node.Node.(type) {
	case *pg.Node_DoStmt, *pg.Node_CallStmt, *pg.Node_ExecuteStmt:
		return true
	case *pg.Node_SelectStmt:
		for _, target := range n.SelectStmt.TargetList {
			if target.GetResTarget().GetVal().GetFuncCall() != nil {
				return true
			}
		}
	}
	return false
}

// deparse is the statement as its tree, which a rule may have changed, says now, without a semicolon.
func (s *statement) deparse() string {
	sql, err := pg.Deparse(&pg.ParseResult{Version: s.half.parser, Stmts: []*pg.RawStmt{{Stmt: s.node}}})
	if err != nil {
		return strings.TrimRight(s.sql, "; \n")
	}
	return sql
}

// base is a relation's name without its schema.
func base(key string) string {
	_, name, _ := strings.Cut(key, ".")
	return name
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = QuoteIdent(name)
	}
	return strings.Join(quoted, ", ")
}
