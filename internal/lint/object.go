package lint

import (
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"
)

// object is something that a statement makes or removes. Names are as the catalog holds them, without quotes.
type object struct {
	// kind is what PostgreSQL calls it; views of both sorts, domains and types of all sorts have one kind each.
	kind string
	// in is the schema, or the key of the table that it lives in.
	in, name string
}

// key tells relations, types and the like apart: schema and name.
func (o object) key() string { return o.in + "." + o.name }

// fresh reports whether nobody else uses what the object is, or hangs on, when it has just been made.
func (o object) fresh() bool { return o.kind == "table" || o.kind == "view" || o.kind == "type" }

func (o object) String() string {
	switch o.kind {
	case "column", "constraint", "trigger", "policy":
		return o.kind + " " + QuoteIdent(o.name) + " of " + display(o.in)
	case "schema", "extension":
		return o.kind + " " + QuoteIdent(o.name)
	default:
		return o.kind + " " + display(o.key())
	}
}

// display is a relation's key as SQL writes it, without the schema that need not be named.
func display(key string) string {
	schema, name, _ := strings.Cut(key, ".")
	if schema == "public" {
		return QuoteIdent(name)
	}
	return QuoteIdent(schema) + "." + QuoteIdent(name)
}

// relationKey is the key of a relation; what names no schema is taken to live in public.
func relationKey(r *pg.RangeVar) string {
	if r.GetSchemaname() == "" {
		return "public." + r.GetRelname()
	}
	return r.GetSchemaname() + "." + r.GetRelname()
}

// keyOf is the key of a name that SQL wrote, with quotes where it needs them.
func keyOf(quoted string) string {
	parts := identifiers(quoted)
	if len(parts) == 1 {
		return "public." + parts[0]
	}
	return strings.Join(parts, ".")
}

// unquote is a single identifier as the catalog holds it.
func unquote(quoted string) string { return identifiers(quoted)[0] }

// identifiers splits a name at its dots and takes the quotes off.
func identifiers(quoted string) []string {
	parts := []string{""}
	inQuotes := false
	for i := 0; i < len(quoted); i++ {
		switch c := quoted[i]; {
		case c == '"' && inQuotes && i+1 < len(quoted) && quoted[i+1] == '"':
			parts[len(parts)-1] += `"`
			i++
		case c == '"':
			inQuotes = !inQuotes
		case c == '.' && !inQuotes:
			parts = append(parts, "")
		default:
			parts[len(parts)-1] += quoted[i : i+1]
		}
	}
	return parts
}

// words are the names in a list of string nodes.
func words(nodes []*pg.Node) []string {
	all := make([]string, len(nodes))
	for i, n := range nodes {
		all[i] = n.GetString_().GetSval()
	}
	return all
}

// named is an object whose name is a list: schema and name, or name alone.
func named(kind string, name []string) object {
	switch len(name) {
	case 0:
		return object{kind: kind}
	case 1:
		return object{kind, "public", name[0]}
	default:
		return object{kind, name[len(name)-2], name[len(name)-1]}
	}
}

func relation(kind string, r *pg.RangeVar) object {
	o := named(kind, []string{r.GetRelname()})
	if r.GetSchemaname() != "" {
		o.in = r.GetSchemaname()
	}
	return o
}

// created are the objects with a name that a statement makes.
func created(node *pg.Node) []object {
	switch n := node.GetNode().(type) {
	case *pg.Node_CreateStmt:
		return []object{relation("table", n.CreateStmt.Relation)}
	case *pg.Node_CreateForeignTableStmt:
		return []object{relation("table", n.CreateForeignTableStmt.GetBaseStmt().GetRelation())}
	case *pg.Node_CreateTableAsStmt:
		return []object{relation(relationKind(n.CreateTableAsStmt.Objtype), n.CreateTableAsStmt.GetInto().GetRel())}
	case *pg.Node_SelectStmt:
		if into := n.SelectStmt.GetIntoClause(); into != nil {
			return []object{relation("table", into.Rel)}
		}
	case *pg.Node_ViewStmt:
		return []object{relation("view", n.ViewStmt.View)}
	case *pg.Node_CreateSeqStmt:
		return []object{relation("sequence", n.CreateSeqStmt.Sequence)}
	case *pg.Node_IndexStmt:
		if n.IndexStmt.Idxname != "" {
			o := relation("index", n.IndexStmt.Relation)
			o.name = n.IndexStmt.Idxname
			return []object{o}
		}
	case *pg.Node_AlterTableStmt:
		return createdByAlter(n.AlterTableStmt)
	case *pg.Node_CreateTrigStmt:
		return []object{{"trigger", relationKey(n.CreateTrigStmt.Relation), n.CreateTrigStmt.Trigname}}
	case *pg.Node_CreatePolicyStmt:
		return []object{{"policy", relationKey(n.CreatePolicyStmt.Table), n.CreatePolicyStmt.PolicyName}}
	case *pg.Node_CreateFunctionStmt:
		return []object{named("function", words(n.CreateFunctionStmt.Funcname))}
	case *pg.Node_CreateEnumStmt:
		return []object{named("type", words(n.CreateEnumStmt.TypeName))}
	case *pg.Node_CreateRangeStmt:
		return []object{named("type", words(n.CreateRangeStmt.TypeName))}
	case *pg.Node_CompositeTypeStmt:
		return []object{relation("type", n.CompositeTypeStmt.Typevar)}
	case *pg.Node_CreateDomainStmt:
		return []object{named("type", words(n.CreateDomainStmt.Domainname))}
	case *pg.Node_CreateStatsStmt:
		if len(n.CreateStatsStmt.Defnames) > 0 {
			return []object{named("statistics", words(n.CreateStatsStmt.Defnames))}
		}
	case *pg.Node_CreateSchemaStmt:
		all := []object{{kind: "schema", name: n.CreateSchemaStmt.Schemaname}}
		for _, e := range n.CreateSchemaStmt.SchemaElts {
			for _, o := range created(e) {
				if o.in == "public" {
					o.in = n.CreateSchemaStmt.Schemaname
				}
				all = append(all, o)
			}
		}
		return all
	case *pg.Node_CreateExtensionStmt:
		return []object{{kind: "extension", name: n.CreateExtensionStmt.Extname}}
	}
	return nil
}

func createdByAlter(alter *pg.AlterTableStmt) []object {
	var all []object
	table := relationKey(alter.Relation)
	for _, node := range alter.Cmds {
		cmd := node.GetAlterTableCmd()
		switch cmd.GetSubtype() {
		case pg.AlterTableType_AT_AddColumn:
			all = append(all, object{"column", table, cmd.Def.GetColumnDef().GetColname()})
		case pg.AlterTableType_AT_AddConstraint:
			if name := cmd.Def.GetConstraint().GetConname(); name != "" {
				all = append(all, object{"constraint", table, name})
			}
		}
	}
	return all
}

// removed are the objects that a statement drops by name.
func removed(node *pg.Node) []object {
	var all []object
	switch n := node.GetNode().(type) {
	case *pg.Node_AlterTableStmt:
		table := relationKey(n.AlterTableStmt.Relation)
		for _, c := range n.AlterTableStmt.Cmds {
			switch cmd := c.GetAlterTableCmd(); cmd.GetSubtype() {
			case pg.AlterTableType_AT_DropColumn:
				all = append(all, object{"column", table, cmd.Name})
			case pg.AlterTableType_AT_DropConstraint:
				all = append(all, object{"constraint", table, cmd.Name})
			}
		}
	case *pg.Node_DropStmt:
		kind := relationKind(n.DropStmt.RemoveType)
		for _, o := range n.DropStmt.Objects {
			all = append(all, dropped(kind, o))
		}
	}
	return all
}

// dropped is one object of a DROP; the way in which the parser names it depends on its kind.
func dropped(kind string, node *pg.Node) object {
	switch n := node.GetNode().(type) {
	case *pg.Node_List:
		name := words(n.List.Items)
		if kind == "trigger" || kind == "policy" {
			if len(name) < 2 {
				return object{kind: kind}
			}
			return object{kind, named("table", name[:len(name)-1]).key(), name[len(name)-1]}
		}
		return named(kind, name)
	case *pg.Node_TypeName:
		return named(kind, words(n.TypeName.Names))
	case *pg.Node_ObjectWithArgs:
		return named(kind, words(n.ObjectWithArgs.Objname))
	default: // schemas and extensions
		return object{kind: kind, name: node.GetString_().GetSval()}
	}
}

// relationKind is what PostgreSQL calls an object in catalogs, by the parser's name.
func relationKind(t pg.ObjectType) string {
	switch t {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_FOREIGN_TABLE:
		return "table"
	case pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW:
		return "view"
	case pg.ObjectType_OBJECT_INDEX:
		return "index"
	case pg.ObjectType_OBJECT_SEQUENCE:
		return "sequence"
	case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		return "type"
	case pg.ObjectType_OBJECT_FUNCTION, pg.ObjectType_OBJECT_PROCEDURE, pg.ObjectType_OBJECT_ROUTINE, pg.ObjectType_OBJECT_AGGREGATE:
		return "function"
	case pg.ObjectType_OBJECT_TRIGGER:
		return "trigger"
	case pg.ObjectType_OBJECT_POLICY:
		return "policy"
	case pg.ObjectType_OBJECT_SCHEMA:
		return "schema"
	case pg.ObjectType_OBJECT_EXTENSION:
		return "extension"
	case pg.ObjectType_OBJECT_STATISTIC_EXT:
		return "statistics"
	case pg.ObjectType_OBJECT_COLUMN:
		return "column"
	case pg.ObjectType_OBJECT_ATTRIBUTE:
		return "attribute"
	default:
		return "object"
	}
}
