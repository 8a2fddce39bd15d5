package lint

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	pg "github.com/pganalyze/pg_query_go/v6"

	"portaldb/internal/catalog"
)

// model is a schema as far as the statements of the files before tell it, corrected by their effects. Keys are schema and
// name. What it does not know is taken to exist and to be in use.
type model struct {
	tables map[string]*table
	// indexes are those of all tables, which each table has too.
	indexes map[string]*index
	views   map[string]bool
}

type table struct {
	columns     map[string]*column
	constraints map[string]*constraint
	indexes     map[string]*index
	// partitionKey are the columns by which a partitioned table is divided, partitioned that it is; parent is what the table is
	// a part of.
	partitionKey []string
	partitioned  bool
	parent       string
}

type column struct {
	typ       dataType
	collation string // empty for the type's own
	notNull   bool
}

type constraint struct {
	kind    pg.ConstrType
	columns []string
	// check is the condition of a CHECK.
	check *pg.Node
	valid bool
}

type index struct {
	table   string
	columns []string // those before the first expression
	unique  bool
	partial bool
}

func newModel() *model {
	return &model{tables: map[string]*table{}, indexes: map[string]*index{}, views: map[string]bool{}}
}

func newTable() *table {
	return &table{columns: map[string]*column{}, constraints: map[string]*constraint{}, indexes: map[string]*index{}}
}

// table returns a table that may be unknown; it has no columns then.
func (m *model) table(key string) *table {
	if t := m.tables[key]; t != nil {
		return t
	}
	return &table{}
}

// notNull reports whether a valid constraint proves that a column holds no null.
func (t *table) notNull(name string) bool {
	if c := t.columns[name]; c != nil && c.notNull {
		return true
	}
	for _, c := range t.constraints {
		if c.valid && c.kind == pg.ConstrType_CONSTR_CHECK && provesNotNull(c.check, name) {
			return true
		}
	}
	return false
}

// provesNotNull reports whether a condition says, alone or with AND, that a column is not null.
func provesNotNull(condition *pg.Node, name string) bool {
	if test := condition.GetNullTest(); test != nil {
		return test.Nulltesttype == pg.NullTestType_IS_NOT_NULL && columnName(test.Arg) == name
	}
	if and := condition.GetBoolExpr(); and.GetBoolop() == pg.BoolExprType_AND_EXPR {
		return slices.ContainsFunc(and.Args, func(arg *pg.Node) bool { return provesNotNull(arg, name) })
	}
	return false
}

// columnName is the column that an expression is; empty for any other.
func columnName(expr *pg.Node) string {
	fields := expr.GetColumnRef().GetFields()
	if len(fields) == 0 {
		return ""
	}
	return fields[len(fields)-1].GetString_().GetSval()
}

// apply changes the model as a statement changes the schema.
func (m *model) apply(node *pg.Node) {
	switch n := node.GetNode().(type) {
	case *pg.Node_CreateStmt:
		key := relationKey(n.CreateStmt.Relation)
		if m.tables[key] != nil && n.CreateStmt.IfNotExists {
			return
		}
		m.tables[key] = newTable()
		m.partition(key, n.CreateStmt)
		for _, e := range n.CreateStmt.TableElts {
			if def := e.GetColumnDef(); def != nil {
				m.addColumn(key, def)
			} else if c := e.GetConstraint(); c != nil {
				m.addConstraint(key, c)
			}
		}
	case *pg.Node_IndexStmt:
		m.addIndex(n.IndexStmt)
	case *pg.Node_AlterTableStmt:
		m.alter(n.AlterTableStmt)
	case *pg.Node_RenameStmt:
		m.rename(n.RenameStmt)
	case *pg.Node_AlterObjectSchemaStmt:
		if r := n.AlterObjectSchemaStmt.Relation; r != nil {
			m.move(relationKey(r), n.AlterObjectSchemaStmt.Newschema+"."+r.Relname)
		}
	default:
		for _, o := range created(node) {
			switch o.kind {
			case "table":
				m.tables[o.key()] = newTable()
			case "view":
				m.views[o.key()] = true
			}
		}
		for _, o := range removed(node) {
			m.drop(o)
		}
	}
}

// partition notes how a new table is divided, and what it is a part of.
func (m *model) partition(key string, create *pg.CreateStmt) {
	t := m.tables[key]
	t.partitioned = create.Partspec != nil
	for _, p := range create.GetPartspec().GetPartParams() {
		t.partitionKey = append(t.partitionKey, p.GetPartitionElem().GetName())
	}
	if create.Partbound != nil && len(create.InhRelations) > 0 {
		t.parent = relationKey(create.InhRelations[0].GetRangeVar())
	}
}

// partitions are the keys of a table's partitions, sorted.
func (m *model) partitions(of string) []string {
	var all []string
	for key, t := range m.tables {
		if t.parent == of {
			all = append(all, key)
		}
	}
	slices.Sort(all)
	return all
}

func (m *model) alter(alter *pg.AlterTableStmt) {
	key := relationKey(alter.Relation)
	t := m.tables[key]
	if t == nil || alter.Objtype != pg.ObjectType_OBJECT_TABLE {
		return
	}
	for _, node := range alter.Cmds {
		cmd := node.GetAlterTableCmd()
		c := t.columns[cmd.GetName()]
		switch cmd.GetSubtype() {
		case pg.AlterTableType_AT_AddColumn:
			m.addColumn(key, cmd.Def.GetColumnDef())
		case pg.AlterTableType_AT_AddConstraint:
			m.addConstraint(key, cmd.Def.GetConstraint())
		case pg.AlterTableType_AT_ValidateConstraint:
			if c := t.constraints[cmd.Name]; c != nil {
				c.valid = true
			}
		case pg.AlterTableType_AT_SetNotNull, pg.AlterTableType_AT_DropNotNull:
			if c != nil {
				c.notNull = cmd.Subtype == pg.AlterTableType_AT_SetNotNull
			}
		case pg.AlterTableType_AT_AlterColumnType:
			if c != nil {
				c.typ, c.collation = typeOf(cmd.Def.GetColumnDef().GetTypeName()), collation(cmd.Def.GetColumnDef())
			}
		case pg.AlterTableType_AT_AttachPartition, pg.AlterTableType_AT_DetachPartition:
			if part := m.tables[relationKey(cmd.Def.GetPartitionCmd().GetName())]; part != nil {
				part.parent = ""
				if cmd.Subtype == pg.AlterTableType_AT_AttachPartition {
					part.parent = key
				}
			}
		case pg.AlterTableType_AT_DropColumn:
			m.drop(object{"column", key, cmd.Name})
		case pg.AlterTableType_AT_DropConstraint:
			m.drop(object{"constraint", key, cmd.Name})
		}
	}
}

func (m *model) addColumn(key string, def *pg.ColumnDef) {
	t := m.tables[key]
	c := &column{typ: typeOf(def.GetTypeName()), collation: collation(def)}
	if stored, ok := serials[c.typ.name]; ok {
		c.typ, c.notNull = dataType{name: stored}, true
	}
	t.columns[def.GetColname()] = c
	for _, node := range def.GetConstraints() {
		switch con := node.GetConstraint(); con.GetContype() {
		case pg.ConstrType_CONSTR_NOTNULL, pg.ConstrType_CONSTR_IDENTITY:
			c.notNull = true
		case pg.ConstrType_CONSTR_PRIMARY, pg.ConstrType_CONSTR_UNIQUE, pg.ConstrType_CONSTR_CHECK, pg.ConstrType_CONSTR_FOREIGN:
			m.add(key, con, []string{def.Colname})
		}
	}
}

func (m *model) addConstraint(key string, c *pg.Constraint) {
	columns := words(c.GetKeys())
	if c.GetContype() == pg.ConstrType_CONSTR_FOREIGN {
		columns = words(c.FkAttrs)
	}
	m.add(key, c, columns)
}

// add puts a constraint on a table, with the index that it brings.
func (m *model) add(key string, c *pg.Constraint, columns []string) {
	t := m.tables[key]
	schema, _, _ := strings.Cut(key, ".")
	name := m.constraintName(key, c, columns)
	if used := m.indexes[schema+"."+c.GetIndexname()]; used != nil {
		columns = used.columns
		m.dropIndex(schema + "." + c.GetIndexname())
	}
	t.constraints[name] = &constraint{kind: c.GetContype(), columns: columns, check: c.GetRawExpr(), valid: !c.GetSkipValidation()}
	switch c.GetContype() {
	case pg.ConstrType_CONSTR_PRIMARY:
		for _, column := range columns {
			if known := t.columns[column]; known != nil {
				known.notNull = true
			}
		}
		m.putIndex(schema+"."+name, &index{table: key, columns: columns, unique: true})
	case pg.ConstrType_CONSTR_UNIQUE:
		m.putIndex(schema+"."+name, &index{table: key, columns: columns, unique: true})
	}
}

// constraintName is the name of a constraint on columns of a table, the one that PostgreSQL makes up where it has none.
func (m *model) constraintName(table string, c *pg.Constraint, columns []string) string {
	if c.GetConname() != "" {
		return c.Conname
	}
	suffix := map[pg.ConstrType]string{
		pg.ConstrType_CONSTR_PRIMARY: "pkey", pg.ConstrType_CONSTR_UNIQUE: "key", pg.ConstrType_CONSTR_FOREIGN: "fkey",
		pg.ConstrType_CONSTR_CHECK: "check", pg.ConstrType_CONSTR_EXCLUSION: "excl",
	}[c.GetContype()]
	switch c.GetContype() {
	case pg.ConstrType_CONSTR_PRIMARY:
		columns = nil
	case pg.ConstrType_CONSTR_FOREIGN:
		if len(columns) == 0 {
			columns = words(c.FkAttrs)
		}
	case pg.ConstrType_CONSTR_CHECK: // named after its column where there is only one
		if len(columns) == 0 {
			columns = columnsIn(c.RawExpr)
		}
		if len(columns) != 1 {
			columns = nil
		}
	case pg.ConstrType_CONSTR_EXCLUSION:
		for _, e := range c.Exclusions {
			if name := e.GetList().GetItems()[0].GetIndexElem().GetName(); name != "" {
				columns = append(columns, name)
			}
		}
	}
	name := strings.Join(append(append([]string{base(table)}, columns...), suffix), "_")
	free := name
	for i := 1; m.table(table).constraints[free] != nil; i++ {
		free = name + strconv.Itoa(i)
	}
	return free
}

// columnsIn are the columns in a condition, each once, as far as conditions usually go.
func columnsIn(expr *pg.Node) []string {
	found := map[string]bool{}
	var look func(nodes ...*pg.Node)
	look = func(nodes ...*pg.Node) {
		for _, node := range nodes {
			switch n := node.GetNode().(type) {
			case *pg.Node_ColumnRef:
				found[columnName(node)] = true
			case *pg.Node_AExpr:
				look(n.AExpr.Lexpr, n.AExpr.Rexpr)
			case *pg.Node_BoolExpr:
				look(n.BoolExpr.Args...)
			case *pg.Node_NullTest:
				look(n.NullTest.Arg)
			case *pg.Node_BooleanTest:
				look(n.BooleanTest.Arg)
			case *pg.Node_TypeCast:
				look(n.TypeCast.Arg)
			case *pg.Node_CollateClause:
				look(n.CollateClause.Arg)
			case *pg.Node_FuncCall:
				look(n.FuncCall.Args...)
			case *pg.Node_CoalesceExpr:
				look(n.CoalesceExpr.Args...)
			case *pg.Node_List:
				look(n.List.Items...)
			case *pg.Node_AArrayExpr:
				look(n.AArrayExpr.Elements...)
			case *pg.Node_RowExpr:
				look(n.RowExpr.Args...)
			}
		}
	}
	look(expr)
	return slices.Sorted(maps.Keys(found))
}

func (m *model) addIndex(i *pg.IndexStmt) {
	key := relationKey(i.Relation)
	schema, relation, _ := strings.Cut(key, ".")
	var columns []string
	for _, node := range i.IndexParams {
		name := node.GetIndexElem().GetName()
		if name == "" {
			break
		}
		columns = append(columns, name)
	}
	name := i.Idxname
	if name == "" {
		name = strings.Join(append(append([]string{relation}, columns...), "idx"), "_")
	}
	if m.indexes[schema+"."+name] == nil || !i.IfNotExists {
		m.putIndex(schema+"."+name, &index{table: key, columns: columns, unique: i.Unique, partial: i.WhereClause != nil})
	}
}

func (m *model) putIndex(key string, i *index) {
	m.indexes[key] = i
	if t := m.tables[i.table]; t != nil {
		t.indexes[key] = i
	}
}

func (m *model) dropIndex(key string) {
	if i := m.indexes[key]; i != nil {
		delete(m.table(i.table).indexes, key)
		delete(m.indexes, key)
	}
}

func (m *model) rename(r *pg.RenameStmt) {
	key := relationKey(r.Relation)
	schema, _, _ := strings.Cut(key, ".")
	switch r.RenameType {
	case pg.ObjectType_OBJECT_TABLE, pg.ObjectType_OBJECT_VIEW, pg.ObjectType_OBJECT_MATVIEW, pg.ObjectType_OBJECT_INDEX:
		m.move(key, schema+"."+r.Newname)
	case pg.ObjectType_OBJECT_COLUMN:
		t := m.tables[key]
		if t == nil {
			return
		}
		rekey(t.columns, r.Subname, r.Newname)
		swap := func(columns []string) {
			for i := range columns {
				if columns[i] == r.Subname {
					columns[i] = r.Newname
				}
			}
		}
		for _, c := range t.constraints {
			swap(c.columns)
		}
		for _, i := range t.indexes {
			swap(i.columns)
		}
	case pg.ObjectType_OBJECT_TABCONSTRAINT:
		if t := m.tables[key]; t != nil {
			rekey(t.constraints, r.Subname, r.Newname)
			m.moveIndex(schema+"."+r.Subname, schema+"."+r.Newname)
		}
	}
}

// move gives a relation another key.
func (m *model) move(from, to string) {
	rekey(m.views, from, to)
	m.moveIndex(from, to)
	if t := m.tables[from]; t != nil {
		for _, i := range t.indexes {
			i.table = to
		}
		rekey(m.tables, from, to)
	}
}

func (m *model) moveIndex(from, to string) {
	if i := m.indexes[from]; i != nil {
		m.dropIndex(from)
		m.putIndex(to, i)
	}
}

func rekey[V any](all map[string]V, from, to string) {
	if v, ok := all[from]; ok {
		delete(all, from)
		all[to] = v
	}
}

func (m *model) drop(o object) {
	switch o.kind {
	case "table":
		for key := range m.table(o.key()).indexes {
			delete(m.indexes, key)
		}
		delete(m.tables, o.key())
	case "view":
		delete(m.views, o.key())
	case "index":
		m.dropIndex(o.key())
	case "schema":
		inside := func(key string) bool { return strings.HasPrefix(key, o.name+".") }
		maps.DeleteFunc(m.tables, func(key string, _ *table) bool { return inside(key) })
		maps.DeleteFunc(m.views, func(key string, _ bool) bool { return inside(key) })
		maps.DeleteFunc(m.indexes, func(key string, _ *index) bool { return inside(key) })
	case "constraint":
		schema, _, _ := strings.Cut(o.in, ".")
		delete(m.table(o.in).constraints, o.name)
		if i := m.indexes[schema+"."+o.name]; i != nil && i.table == o.in {
			m.dropIndex(schema + "." + o.name)
		}
	case "column":
		if m.table(o.in).columns[o.name] == nil {
			return
		}
		delete(m.table(o.in).columns, o.name)
		maps.DeleteFunc(m.table(o.in).constraints, func(_ string, c *constraint) bool { return slices.Contains(c.columns, o.name) })
		for key, i := range m.table(o.in).indexes {
			if slices.Contains(i.columns, o.name) {
				m.dropIndex(key)
			}
		}
	}
}

// applyEffect corrects the model, to which the statements of a file were applied, by what the file was measured to do: what
// a DO block did, or a statement that the model reads in another way.
func (m *model) applyEffect(e catalog.Effect) {
	for _, o := range e.Removed {
		m.drop(effectObject(o))
	}
	for _, c := range e.Changed {
		if c.Before.Kind == "index" { // which may be invalid now
			m.drop(effectObject(c.Before))
		}
		m.applySQL(effectSQL(c.After))
	}
	for _, o := range e.Added {
		if o.Kind == "table" && m.tables[keyOf(o.Key().QualifiedName())] == nil {
			sql := "CREATE TABLE " + o.Key().QualifiedName() + " ()"
			if by := o.Attrs["partitioned by"]; by != "" {
				sql += " PARTITION BY " + by
			}
			m.applySQL(sql)
		}
	}
	for _, o := range e.Added {
		if !m.has(effectObject(o)) {
			m.applySQL(effectSQL(o))
		}
	}
}

// has reports whether the model knows an object already.
func (m *model) has(o object) bool {
	t := m.table(o.in)
	schema, _, _ := strings.Cut(o.in, ".")
	switch o.kind {
	case "column":
		return t.columns[o.name] != nil
	case "constraint":
		return t.constraints[o.name] != nil
	case "index":
		return m.indexes[schema+"."+o.name] != nil || m.indexes[o.key()] != nil
	default:
		return false
	}
}

// effectObject is an object of an effect file as statements name it.
func effectObject(o catalog.Object) object {
	name := unquote(o.Name)
	switch o.Kind {
	case "column", "constraint", "trigger", "policy":
		return object{o.Kind, keyOf(o.Parent), name}
	case "index": // which lives in its table's schema
		schema, _, _ := strings.Cut(keyOf(o.Parent), ".")
		return object{o.Kind, schema, name}
	case "materialized view":
		return object{"view", unquote(o.Parent), name}
	case "foreign table":
		return object{"table", unquote(o.Parent), name}
	default:
		return object{o.Kind, unquote(o.Parent), name}
	}
}

// effectSQL makes an object of an effect file, as far as the model holds such; empty for others.
func effectSQL(o catalog.Object) string {
	switch o.Kind {
	case "column":
		sql := "ALTER TABLE " + o.Parent + " ADD COLUMN " + o.Name + " " + o.Attrs["type"]
		if o.Attrs["not null"] != "" {
			sql += " NOT NULL"
		}
		return sql
	case "constraint":
		sql := "ALTER TABLE " + o.Parent + " ADD CONSTRAINT " + o.Name + " " + o.Attrs["definition"]
		if o.Attrs["not valid"] != "" {
			sql += " NOT VALID"
		}
		return sql
	case "index":
		if o.Attrs["invalid"] != "" {
			return "" // it finds nothing
		}
		unique := ""
		if o.Attrs["unique"] != "" {
			unique = "UNIQUE "
		}
		return "CREATE " + unique + "INDEX " + o.Name + " ON " + o.Parent + " USING " + o.Attrs["definition"]
	case "view", "materialized view":
		return "CREATE VIEW " + o.Key().QualifiedName() + " AS SELECT"
	default:
		return ""
	}
}

func (m *model) applySQL(sql string) {
	tree, err := Parse(sql)
	if err != nil {
		return // printed by a newer PostgreSQL than the parser's
	}
	for _, raw := range tree.Stmts {
		m.apply(raw.Stmt)
	}
}
