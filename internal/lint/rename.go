package lint

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

var rename = Rule{
	Name:     "rename",
	Severity: Error,
	What:     "A table, view, column, schema or enum value that is in use gets another name, or a table another schema.",
	Why: "The release that runs asks for the old name and fails from that moment on; so does the one that a rollback of " +
		"the binary brings back.",
	Safe: `-- the new name beside the old one, which a later release drops
{beside};`,
	statement: checkRename,
}

func checkRename(s *statement) {
	switch n := s.node.Node.(type) {
	case *pg.Node_RenameStmt:
		r := n.RenameStmt
		kind, name := relationKind(r.RenameType), QuoteIdent(r.Newname)
		schema, _, _ := strings.Cut(relationKey(r.Relation), ".")
		switch {
		case kind == "schema":
			s.report(0, "schema "+QuoteIdent(r.Subname)+" gets another name under the code that runs; make the new one beside it", "{beside}", "CREATE SCHEMA "+name)
		case kind != "table" && kind != "view" && kind != "column" || !s.half.inUse(r.Relation):
		case kind == "column":
			typ := "text"
			if c := s.half.before.table(relationKey(r.Relation)).columns[r.Subname]; c != nil {
				typ = c.typ.String()
			}
			s.report(0, "column "+QuoteIdent(r.Subname)+" of "+Relation(r.Relation)+" gets another name under the code that runs; add the new name beside it, write both, and drop the old one in a later release",
				"{beside}", "ALTER TABLE "+Relation(r.Relation)+" ADD COLUMN "+name+" "+typ)
		default:
			s.report(0, kind+" "+Relation(r.Relation)+" gets another name under the code that runs; make a view of the new name, move over, and drop the old name in a later release",
				"{beside}", "CREATE VIEW "+QuoteIdent(schema)+"."+name+" AS SELECT * FROM "+Relation(r.Relation))
		}
	case *pg.Node_AlterObjectSchemaStmt:
		r, to := n.AlterObjectSchemaStmt.Relation, n.AlterObjectSchemaStmt.Newschema
		if kind := relationKind(n.AlterObjectSchemaStmt.ObjectType); (kind == "table" || kind == "view") && s.half.inUse(r) {
			s.report(0, kind+" "+Relation(r)+" moves to another schema under the code that runs; make a view there, move over, and drop the old name in a later release",
				"{beside}", "CREATE VIEW "+QuoteIdent(to)+"."+QuoteIdent(r.Relname)+" AS SELECT * FROM "+Relation(r))
		}
	case *pg.Node_AlterEnumStmt:
		if e := n.AlterEnumStmt; e.OldVal != "" && !s.half.fresh[named("type", words(e.TypeName)).key()] {
			s.report(0, "enum value '"+e.OldVal+"' gets another name under the code that runs; add the new value, move the rows over in batches, and leave the old one",
				"{beside}", "ALTER TYPE "+display(named("type", words(e.TypeName)).key())+" ADD VALUE '"+strings.ReplaceAll(e.NewVal, "'", "''")+"'")
		}
	}
}
