package lint

import (
	pg "github.com/pganalyze/pg_query_go/v6"
)

var rename = Rule{
	Name:     "rename",
	Severity: Error,
	What:     "A table, view, column, schema or enum value that is in use gets another name, or a table another schema.",
	Why: "The release that runs asks for the old name and fails from that moment on; so does the one that a rollback of " +
		"the binary brings back.",
	Safe: `-- {file}: the new name beside the old one
ALTER TABLE {table} ADD COLUMN {column}_new text;
-- write both, fill the old rows in batches, read the new one; a later release drops the old one
-- a table: make a view of the new name
CREATE VIEW {table}_new AS SELECT * FROM {table};`,
	statement: checkRename,
}

func checkRename(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_RenameStmt:
		r := n.RenameStmt
		kind := relationKind(r.RenameType)
		switch {
		case kind == "schema":
			s.report(0, "schema "+QuoteIdent(r.Subname)+" gets another name under the code that runs; make the new one beside it")
		case kind != "table" && kind != "view" && kind != "column" || !s.half.inUse(r.Relation):
		case kind == "column":
			s.report(0, "column "+QuoteIdent(r.Subname)+" of "+Relation(r.Relation)+" gets another name under the code that runs; add the new name beside it and drop the old one in a later release",
				"{table}", Relation(r.Relation), "{column}", r.Subname)
		default:
			s.report(0, kind+" "+Relation(r.Relation)+" gets another name under the code that runs; make a view of the new name, move over, and drop the old name in a later release",
				"{table}", Relation(r.Relation))
		}
	case *pg.Node_AlterObjectSchemaStmt:
		r := n.AlterObjectSchemaStmt.Relation
		if kind := relationKind(n.AlterObjectSchemaStmt.ObjectType); (kind == "table" || kind == "view") && s.half.inUse(r) {
			s.report(0, kind+" "+Relation(r)+" moves to another schema under the code that runs; make a view there, move over, and drop the old name in a later release",
				"{table}", Relation(r))
		}
	case *pg.Node_AlterEnumStmt:
		if e := n.AlterEnumStmt; e.OldVal != "" && !s.half.fresh[named("type", words(e.TypeName)).key()] {
			s.report(0, "enum value '"+e.OldVal+"' gets another name under the code that runs; add the new value, move the rows over in batches, and leave the old one")
		}
	}
}
