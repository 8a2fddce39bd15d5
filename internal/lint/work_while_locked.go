package lint

import (
	"slices"

	pg "github.com/pganalyze/pg_query_go/v6"

	"portaldb/internal/catalog"
)

var workWhileLocked = Rule{
	Name:     "work-while-locked",
	Severity: Error,
	What: "A transaction that goes on with long work while it holds ACCESS EXCLUSIVE on a table in use, or that takes " +
		"ACCESS EXCLUSIVE on more than one.",
	Why: "A lock is held until the transaction ends: what comes after it prolongs the time in which nobody reads the " +
		"table. And two tables that are locked one after the other deadlock with whoever uses them in the other order.",
	Safe: `-- in one file: the lock, and nothing else
ALTER TABLE {table} ADD COLUMN {column} text;
-- in a later one: the work, or the next table`,
	statement: checkWorkWhileLocked,
}

func checkWorkWhileLocked(s *statement) {
	h := s.half
	if !h.tx {
		return
	}
	work := s.longWork()
	next := h.held // or what the statement itself locks
	for _, lock := range nodeLocks(s.node) {
		table := s.lockedTable(lock.Relation)
		if table == "" || h.fresh[table] || lock.Mode != catalog.AccessExclusive {
			continue
		}
		if next != "" && next != table {
			s.report(0, "ACCESS EXCLUSIVE on "+display(table)+" while "+display(next)+" is held too: others may lock them in the other order, and both are closed until the end; one table a file",
				"{table}", display(table))
			return
		}
		next = table
	}
	if work != "" && h.held != "" {
		s.report(0, display(h.held)+" is held under ACCESS EXCLUSIVE since an earlier statement, and "+work+"; put it into a file of its own", "{table}", display(h.held))
	}
	h.held = next
}

// lockedTable is the key of the table that a lock of the statement is about: that of an index is the index's. It is empty for
// what is no table, since nobody waits long for that.
func (s *statement) lockedTable(relation string) string {
	key := keyOf(relation)
	if i := s.half.before.indexes[key]; i != nil {
		return i.table
	}
	kind := "table"
	switch n := s.node.Node.(type) {
	case *pg.Node_ViewStmt:
		kind = "view"
	case *pg.Node_DropStmt:
		kind = relationKind(n.DropStmt.RemoveType)
	case *pg.Node_AlterTableStmt:
		kind = relationKind(n.AlterTableStmt.Objtype)
	case *pg.Node_RenameStmt:
		kind = relationKind(n.RenameStmt.RenameType)
	}
	if s.half.before.views[key] || kind == "view" || kind == "sequence" || kind == "index" || kind == "type" {
		return ""
	}
	return key
}

// longWork says what in a statement may take long; empty when nothing does.
func (s *statement) longWork() string {
	for _, node := range writes(s.node) {
		switch n := node.Node.(type) {
		case *pg.Node_UpdateStmt:
			return "UPDATE writes rows"
		case *pg.Node_DeleteStmt:
			return "DELETE writes rows"
		case *pg.Node_MergeStmt:
			return "MERGE writes rows"
		case *pg.Node_InsertStmt:
			if n.InsertStmt.SelectStmt.GetSelectStmt().GetFromClause() != nil {
				return "INSERT copies rows"
			}
		}
	}
	switch s.node.Node.(type) {
	case *pg.Node_InsertStmt: // whose lock is no work
	case *pg.Node_CreateTableAsStmt:
		return "CREATE TABLE AS copies rows"
	case *pg.Node_RefreshMatViewStmt:
		return "REFRESH computes the view"
	case *pg.Node_CallStmt:
		return "CALL does what the procedure does"
	case *pg.Node_AlterTableStmt:
		for table, cmd := range s.alterations() {
			if s.touchesRows(table, cmd) {
				return "ALTER TABLE reads or writes all of " + display(table)
			}
		}
	default:
		for _, lock := range nodeLocks(s.node) {
			if table := s.lockedTable(lock.Relation); (lock.Scans || lock.Rewrites) && !s.half.fresh[table] {
				return "it reads or writes all of " + display(table)
			}
		}
	}
	return ""
}

// touchesRows reports whether an action of ALTER TABLE reads or writes all rows.
func (s *statement) touchesRows(table string, cmd *pg.AlterTableCmd) bool {
	switch cmd.Subtype {
	case pg.AlterTableType_AT_SetNotNull:
		return !s.half.before.table(table).notNull(cmd.Name)
	case pg.AlterTableType_AT_AlterColumnType:
		return s.rewritesType(table, cmd)
	default:
		return slices.ContainsFunc(alterLocks(table, cmd), func(l catalog.Lock) bool { return l.Scans || l.Rewrites })
	}
}
