package lint

import (
	"slices"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var downNotInverse = Rule{
	Name:     "down-not-inverse",
	Severity: Error,
	What:     "Up makes something that Down does not remove.",
	Why: "After a rollback it is still there: the schema is not that of its version, and the next up fails because the " +
		"name is taken. portaldb check finds it on a database too, whatever the statements look like.",
	Safe: `-- +goose Up
ALTER TABLE {table} ADD COLUMN {column} text;

-- +goose Down
ALTER TABLE {table} DROP COLUMN {column};`,
	everywhere: true,
	elsewhere:  true,
	file:       checkDownNotInverse,
}

func checkDownNotInverse(f *file) {
	if len(f.down.statements) == 0 || len(f.up.unreadable)+len(f.down.unreadable) > 0 {
		return
	}
	gone := map[object]bool{}
	cascade := false
	for _, s := range append(f.up.statements[:len(f.up.statements):len(f.up.statements)], f.down.statements...) {
		switch n := s.node.Node.(type) {
		case *pg.Node_RenameStmt, *pg.Node_AlterObjectSchemaStmt:
			return // names no longer tell
		case *pg.Node_DropStmt:
			cascade = cascade || n.DropStmt.Behavior == pg.DropBehavior_DROP_CASCADE
		}
		if !s.half.goingUp && s.dynamic() {
			return // it may do anything
		}
		for _, o := range removed(s.node) {
			gone[o] = true
		}
		if s.node.GetCreateStmt().GetOncommit() == pg.OnCommitAction_ONCOMMIT_DROP || s.node.GetCreateTableAsStmt().GetInto().GetOnCommit() == pg.OnCommitAction_ONCOMMIT_DROP {
			for _, o := range created(s.node) {
				gone[o] = true // with the transaction
			}
		}
		if !s.half.goingUp {
			for _, o := range created(s.node) {
				gone[o] = true // CREATE OR REPLACE puts the old one back
			}
		}
	}
	for _, s := range f.up.statements {
		for _, o := range created(s.node) {
			if gone[o] || gone[object{kind: "schema", name: o.in}] || cascade && o.kind != "table" && o.kind != "column" || goneWith(s.node, o, gone) {
				continue
			}
			f.down.rule = f.rule
			s.report(0, o.String()+" is made by Up and not removed by Down; drop it there, or say irreversible: REASON in the header and raise it")
		}
	}
}

// goneWith reports whether an object goes with the table or the column that it lives on.
func goneWith(node *pg.Node, o object, gone map[object]bool) bool {
	table := ""
	var columns []string
	switch n := node.Node.(type) {
	case *pg.Node_CreateStmt: // a partition goes with what it is a part of
		if n.CreateStmt.Partbound != nil && len(n.CreateStmt.InhRelations) > 0 {
			table = relationKey(n.CreateStmt.InhRelations[0].GetRangeVar())
		}
	case *pg.Node_CreateSeqStmt:
		for _, option := range n.CreateSeqStmt.Options {
			if name := words(option.GetDefElem().GetArg().GetList().GetItems()); option.GetDefElem().GetDefname() == "owned_by" && len(name) > 1 {
				table = named("table", name[:len(name)-1]).key()
				columns = name[len(name)-1:]
			}
		}
	case *pg.Node_IndexStmt:
		table = relationKey(n.IndexStmt.Relation)
		for _, p := range n.IndexStmt.IndexParams {
			columns = append(columns, p.GetIndexElem().GetName())
		}
	case *pg.Node_AlterTableStmt:
		table = o.in
		for _, cmd := range n.AlterTableStmt.Cmds {
			if c := cmd.GetAlterTableCmd().GetDef().GetConstraint(); o.kind == "constraint" && c.GetConname() == o.name {
				columns = append(words(c.Keys), words(c.FkAttrs)...)
			}
		}
	case *pg.Node_CreateStatsStmt:
		if len(n.CreateStatsStmt.Relations) > 0 {
			table = relationKey(n.CreateStatsStmt.Relations[0].GetRangeVar())
		}
	case *pg.Node_CreateTrigStmt, *pg.Node_CreatePolicyStmt:
		table = o.in
	}
	schema, name, _ := strings.Cut(table, ".")
	return gone[object{"table", schema, name}] || gone[object{"view", schema, name}] || gone[object{kind: "schema", name: schema}] ||
		slices.ContainsFunc(columns, func(c string) bool { return gone[object{"column", table, c}] })
}
