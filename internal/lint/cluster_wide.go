package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var clusterWide = Rule{
	Name:     "cluster-wide",
	Severity: Error,
	What:     "A statement about the whole server and not about this database: roles, databases, tablespaces, ALTER SYSTEM.",
	Why: "A migration belongs to one database. The next database on the server meets what it made a second time and fails, a " +
		"rollback takes it away from all of them, and portaldb check, which works on copies beside it, cannot undo it.",
	Safe: `-- not in a migration: once on the server, by whoever sets it up, before the migration that needs it
{server};`,
	down:      true,
	statement: checkClusterWide,
}

func checkClusterWide(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_CreateRoleStmt, *pg.Node_AlterRoleStmt, *pg.Node_AlterRoleSetStmt, *pg.Node_DropRoleStmt, *pg.Node_GrantRoleStmt,
		*pg.Node_AlterSystemStmt, *pg.Node_CreatedbStmt, *pg.Node_DropdbStmt, *pg.Node_AlterDatabaseStmt, *pg.Node_AlterDatabaseSetStmt,
		*pg.Node_CreateTableSpaceStmt, *pg.Node_DropTableSpaceStmt, *pg.Node_AlterTableSpaceOptionsStmt, *pg.Node_DropOwnedStmt,
		*pg.Node_ReassignOwnedStmt:
	case *pg.Node_RenameStmt:
		switch n.RenameStmt.RenameType {
		case pg.ObjectType_OBJECT_ROLE, pg.ObjectType_OBJECT_DATABASE, pg.ObjectType_OBJECT_TABLESPACE:
		default:
			return
		}
	default:
		return
	}
	s.report(0, "this is about the whole server, and the next database on it meets it again; do it outside of migrations", "{server}", s.deparse())
}
