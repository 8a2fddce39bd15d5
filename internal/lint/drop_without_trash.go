package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var dropWithoutTrash = Rule{
	Name:     "drop-without-trash",
	Severity: Error,
	What: "Up drops a column or a table, empties a table, or drops something with all that hangs on it " +
		"(CASCADE).",
	Why: "Going up keeps nothing: only a rollback puts what it drops aside. And the release that still runs during the " +
		"deploy reads what is gone.",
	Safe: `-- 1. release N: stop reading and writing {object}; nothing changes in the schema
-- 2. a backup, and proof that it can be restored: portaldb backup
-- 3. release N+1:
-- portaldb:nolint drop-without-trash: unused since release N, backup of 2031-01-31 kept for a year
{statement};`,
	statement: checkDropWithoutTrash,
	file:      checkEffectRemoves,
}

func checkDropWithoutTrash(s *statement) {
	for _, o := range s.destroys() {
		s.report(0, loses(o), "{object}", o.String(), "{statement}", s.deparse())
	}
	cascade := false
	switch n := s.node.Node.(type) {
	case *pg.Node_DropStmt:
		cascade = n.DropStmt.Behavior == pg.DropBehavior_DROP_CASCADE
	case *pg.Node_TruncateStmt:
		cascade = n.TruncateStmt.Behavior == pg.DropBehavior_DROP_CASCADE
	case *pg.Node_AlterTableStmt:
		for _, cmd := range n.AlterTableStmt.Cmds {
			cascade = cascade || cmd.GetAlterTableCmd().GetBehavior() == pg.DropBehavior_DROP_CASCADE
		}
	}
	if cascade && len(s.destroys()) == 0 {
		s.report(0, "CASCADE drops whatever hangs on it, without saying what; name each object, those that depend first",
			"{object}", "what hangs on it", "{statement}", s.deparse())
	}
}

func loses(o object) string {
	return o.String() + " is gone with its data: up keeps nothing, only a rollback does; stop using it first, and drop it in a later release, after a backup"
}

// destroys are the tables and columns that a statement drops or empties.
func (s *statement) destroys() []object {
	if n := s.node.GetTruncateStmt(); n != nil {
		var all []object
		for _, r := range n.Relations {
			if s.half.inUse(r.GetRangeVar()) {
				all = append(all, relation("table", r.GetRangeVar()))
			}
		}
		return all
	}
	return slices.DeleteFunc(removed(s.node), func(o object) bool {
		switch o.kind {
		case "table":
			return s.half.fresh[o.key()]
		case "column":
			return s.node.GetAlterTableStmt().GetObjtype() != pg.ObjectType_OBJECT_TABLE || s.half.fresh[o.in]
		default:
			return true
		}
	})
}

// checkEffectRemoves finds what statements do not show: a DO block or a function that drops.
func checkEffectRemoves(f *file) {
	if f.Effect == nil {
		return
	}
	shown := map[string]bool{} // what the statements say themselves, or give another name
	var dynamic *statement
	for _, s := range f.up.statements {
		for _, o := range removed(s.node) {
			shown[o.key()] = true
		}
		switch n := s.node.Node.(type) {
		case *pg.Node_RenameStmt:
			shown[relationKey(n.RenameStmt.Relation)], shown[relationKey(n.RenameStmt.Relation)+"."+n.RenameStmt.Subname] = true, true
		case *pg.Node_AlterObjectSchemaStmt:
			shown[relationKey(n.AlterObjectSchemaStmt.Relation)] = true
		case *pg.Node_DropStmt:
			if n.DropStmt.Behavior == pg.DropBehavior_DROP_CASCADE {
				return
			}
		}
		if s.dynamic() && dynamic == nil {
			dynamic = s
		}
	}
	for _, removed := range f.Effect.Removed {
		o := effectObject(removed)
		if o.kind != "table" && o.kind != "column" || shown[o.key()] || o.kind == "column" && shown[o.in] {
			continue
		}
		if o.kind == "table" {
			shown[o.key()] = true
		}
		drop := "DROP TABLE " + display(o.key())
		if o.kind == "column" {
			drop = "ALTER TABLE " + display(o.in) + " DROP COLUMN " + QuoteIdent(o.name)
		}
		names := []string{"{object}", o.String(), "{statement}", drop}
		if dynamic != nil {
			dynamic.report(0, loses(o), names...)
		} else {
			f.report(1, loses(o), names...)
		}
	}
}
