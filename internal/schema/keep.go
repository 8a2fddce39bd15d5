package schema

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	pg "github.com/pganalyze/pg_query_go/v6"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// trashSchema is where kept data lies.
const trashSchema = "portaldb_trash"

// Ways to keep what a Down destroys.
const (
	Moved    = "moved"    // the table itself, under another name
	Copied   = "copied"   // the table's rows, or the columns with the key of their rows
	Recorded = "recorded" // a sequence's position
	Lost     = "lost"     // no way: the rows have no key
)

// Keep is something that a step back destroys, and how it is kept.
type Keep struct {
	// Kind is table, column or sequence; Object the table or sequence.
	Kind    string   `json:"kind"`
	Object  string   `json:"object"`
	Columns []string `json:"columns"`
	// Key are the columns by which the rows of copied columns are found again.
	Key []string `json:"key"`
	How string   `json:"how"`
	// Rows is how many there are, of large tables as PostgreSQL estimates it; Bytes is their size on disk.
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
	// Set is how many rows have another value than the default in one of the columns; nil where that was not counted.
	Set *int64 `json:"set"`

	oid uint32
	// casts are the columns that are kept as text, since their types go too.
	casts []string
	// altered tells columns that were there before the migration; restorable an object that the migration makes again.
	altered, restorable bool
	// heirs tells that other tables inherit from it, which keep their own rows; secured that row security may hide rows of it.
	heirs, secured bool
}

// from is the table as a FROM clause names it: without its heirs.
func (k Keep) from() string {
	if k.heirs {
		return "only " + k.Object
	}
	return k.Object
}

// downStatements is what the statements of a Down say openly; a DO block or a function may do more.
type downStatements struct {
	tables, types []string            // dropped
	columns       map[string][]string // by table: dropped, or given another type
	renamed       map[string]bool     // tables that get another name or schema
	renamedColumn map[[2]string]bool
	// writes are the tables whose rows are changed; plain tells that nothing but DDL is sent, which changes no rows.
	writes []string
	plain  bool
}

func readDown(statements []string) downStatements {
	d := downStatements{columns: map[string][]string{}, renamed: map[string]bool{}, renamedColumn: map[[2]string]bool{}, plain: true}
	for _, sql := range statements {
		tree, err := pg.Parse(sql)
		if err != nil || len(tree.Stmts) != 1 {
			d.plain = false
			continue
		}
		switch n := tree.Stmts[0].Stmt.Node.(type) {
		case *pg.Node_DropStmt:
			names := dropped(n.DropStmt)
			switch n.DropStmt.RemoveType {
			case pg.ObjectType_OBJECT_TABLE:
				d.tables = append(d.tables, names...)
			case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
				d.types = append(d.types, names...)
			}
		case *pg.Node_AlterTableStmt:
			table := lint.Relation(n.AlterTableStmt.Relation)
			for _, c := range n.AlterTableStmt.Cmds {
				cmd := c.GetAlterTableCmd()
				if cmd.Subtype == pg.AlterTableType_AT_DropColumn || cmd.Subtype == pg.AlterTableType_AT_AlterColumnType {
					d.columns[table] = append(d.columns[table], lint.QuoteIdent(cmd.Name))
				}
			}
		case *pg.Node_RenameStmt:
			table := lint.Relation(n.RenameStmt.Relation)
			switch n.RenameStmt.RenameType {
			case pg.ObjectType_OBJECT_TABLE:
				d.renamed[table] = true
			case pg.ObjectType_OBJECT_COLUMN:
				d.renamedColumn[[2]string{table, lint.QuoteIdent(n.RenameStmt.Subname)}] = true
			}
		case *pg.Node_AlterObjectSchemaStmt:
			if n.AlterObjectSchemaStmt.Relation != nil {
				d.renamed[lint.Relation(n.AlterObjectSchemaStmt.Relation)] = true
			}
		case *pg.Node_InsertStmt:
			d.plain, d.writes = false, append(d.writes, lint.Relation(n.InsertStmt.Relation))
		case *pg.Node_UpdateStmt:
			d.plain, d.writes = false, append(d.writes, lint.Relation(n.UpdateStmt.Relation))
		case *pg.Node_DeleteStmt:
			d.plain, d.writes = false, append(d.writes, lint.Relation(n.DeleteStmt.Relation))
		case *pg.Node_TruncateStmt:
			d.plain = false
			for _, r := range n.TruncateStmt.Relations {
				d.writes = append(d.writes, lint.Relation(r.GetRangeVar()))
			}
		case *pg.Node_CreateStmt, *pg.Node_CreateSeqStmt, *pg.Node_CreateEnumStmt, *pg.Node_CreateDomainStmt, *pg.Node_CompositeTypeStmt,
			*pg.Node_CreateRangeStmt, *pg.Node_AlterEnumStmt, *pg.Node_IndexStmt, *pg.Node_ViewStmt, *pg.Node_CreateTrigStmt, *pg.Node_CreateFunctionStmt,
			*pg.Node_RuleStmt, *pg.Node_CreatePolicyStmt, *pg.Node_CreateSchemaStmt, *pg.Node_CommentStmt, *pg.Node_GrantStmt,
			*pg.Node_CreateStatsStmt, *pg.Node_AlterDomainStmt, *pg.Node_AlterOwnerStmt, *pg.Node_AlterFunctionStmt, *pg.Node_AlterPolicyStmt:
		default:
			d.plain = false
		}
	}
	return d
}

// dropped are the names in a DROP, as SQL writes them.
func dropped(drop *pg.DropStmt) []string {
	var names []string
	for _, object := range drop.Objects {
		items := object.GetList().GetItems()
		if name := object.GetTypeName(); name != nil {
			items = name.Names
		}
		var parts []string
		for _, item := range items {
			parts = append(parts, lint.QuoteIdent(item.GetString_().GetSval()))
		}
		names = append(names, strings.Join(parts, "."))
	}
	return names
}

// liveTable is a table as it is now.
type liveTable struct {
	name        string
	partition   bool // of a table
	inherited   bool // has heirs that are no partitions
	partitioned bool
	secured     bool // row security hides rows of it from the login, or may
	bytes       int64
	estimate    int64
}

// countedBytes is how large a table may be for its rows to be counted; of a larger one PostgreSQL's estimate is told.
const countedBytes = 256 << 20

// keeps finds what the Down of f destroys of a live database that is at f's version, and how it is kept: from the effect of its
// Up, and from what its statements say. want is the schema of that version. count tells whether rows are to be counted.
func (e *Engine) keeps(ctx context.Context, conn *pgx.Conn, f File, effect catalog.Effect, want catalog.Catalog, count bool) ([]Keep, error) {
	statements, _, err := Statements(f, false)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	look := &keepLooker{conn: conn, down: readDown(statements), written: writtenFirst(statements, effect.Down), count: count}
	list, err := look.find(ctx, effect, want)
	if err != nil {
		return nil, fmt.Errorf("look what the Down of %s destroys: %w", f.Name, err)
	}
	return list, nil
}

// writtenFirst are the tables whose rows a Down may change before it drops any: those that its statements name, and those that
// a statement which names none was measured to lock. Where that was not measured, it is all that are dropped.
func writtenFirst(statements []string, measured []catalog.Measured) []string {
	var names []string
	for i, sql := range statements {
		one := readDown([]string{sql})
		switch {
		case one.plain:
		case len(measured) == len(statements):
			names = append(names, one.writes...)
			for _, lock := range measured[i].Locks {
				names = append(names, lock.Relation)
			}
		default:
			return readDown(statements).tables
		}
	}
	return names
}

type keepLooker struct {
	conn *pgx.Conn
	down downStatements
	// written are tables whose rows the Down may change: they are copied before it begins, and not moved in the middle of it.
	written []string
	count   bool
	// going are the types that go with the Down; openly those that a DROP TYPE names.
	going, openly map[uint32]bool
}

func (l *keepLooker) find(ctx context.Context, effect catalog.Effect, want catalog.Catalog) ([]Keep, error) {
	var added, types, enums, sequences []string
	for _, o := range effect.Added {
		switch o.Kind {
		case "table":
			added = append(added, o.Key().QualifiedName())
		case "enum", "domain", "composite type", "range":
			types = append(types, o.Key().QualifiedName())
		case "sequence":
			sequences = append(sequences, o.Key().QualifiedName())
		}
	}
	for _, c := range effect.Changed {
		if c.After.Kind == "enum" && c.Before.Attrs["values"] != c.After.Attrs["values"] {
			enums = append(enums, c.After.Key().QualifiedName())
		}
	}
	// An attribute that is added to a composite type, or changed, goes in every column of the type.
	attribute := func(o catalog.Object) {
		if _, ok := want[typeKey(o)]; ok && o.Kind == "column" && !slices.Contains(types, o.Parent) {
			enums = append(enums, o.Parent)
		}
	}
	for _, o := range effect.Added {
		attribute(o)
	}
	for _, c := range effect.Changed {
		attribute(c.After)
	}
	var err error
	if l.going, err = l.typeOIDs(ctx, slices.Concat(types, enums), ""); err != nil {
		return nil, err
	}
	if l.openly, err = l.typeOIDs(ctx, l.down.types, "r"); err != nil {
		return nil, err
	}
	written, err := l.families(ctx, l.written)
	if err != nil {
		return nil, err
	}
	if err := l.qualify(ctx); err != nil {
		return nil, err
	}
	isAdded, err := l.tables(ctx, added)
	if err != nil {
		return nil, err
	}
	openly, err := l.tables(ctx, l.down.tables)
	if err != nil {
		return nil, err
	}
	renamed, err := l.tables(ctx, slices.Collect(maps.Keys(l.down.renamed)))
	if err != nil {
		return nil, err
	}

	var list []Keep
	whole := map[uint32]bool{} // tables that are kept whole
	candidates := maps.Clone(isAdded)
	maps.Copy(candidates, openly)
	for _, oid := range slices.SortedFunc(maps.Keys(candidates), func(a, b uint32) int { return strings.Compare(candidates[a].name, candidates[b].name) }) {
		t := candidates[oid]
		_, isOpen := openly[oid]
		_, isRenamed := renamed[oid]
		_, restorable := isAdded[oid]
		if isRenamed && !isOpen || t.partition && !isOpen {
			continue // it stays, or goes with the table that it is a part of
		}
		whole[oid] = true
		keep := Keep{Kind: "table", Object: t.name, Columns: []string{}, Key: []string{}, How: Copied, Bytes: t.bytes, oid: oid, restorable: restorable, heirs: t.inherited, secured: t.secured}
		columns, err := l.columns(ctx, oid)
		if err != nil {
			return nil, err
		}
		hidden := false
		for _, c := range columns {
			if l.going[c.base] {
				keep.casts = append(keep.casts, c.name)
				hidden = hidden || !l.openly[c.base]
			}
		}
		if isOpen && !hidden && !written[oid] {
			keep.How, keep.casts = Moved, nil
		}
		if keep.Rows, err = l.rows(ctx, t); err != nil {
			return nil, err
		}
		list = append(list, keep)
	}
	columns, err := l.keptColumns(ctx, effect, want, enums, isAdded, whole)
	if err != nil {
		return nil, err
	}
	list = append(list, columns...)
	for _, keep := range list {
		if keep.How == Copied && keep.secured {
			return nil, &StepError{fmt.Sprintf("row security would hide rows of %s from the copy: roll back as a role that bypasses it", keep.Object)}
		}
	}
	for _, name := range sequences {
		var exists bool
		if err := l.conn.QueryRow(ctx, `select to_regclass($1) is not null`, name).Scan(&exists); err != nil {
			return nil, err
		}
		if exists {
			list = append(list, Keep{Kind: "sequence", Object: name, Columns: []string{}, Key: []string{}, How: Recorded, restorable: true})
		}
	}
	return list, nil
}

// typeKey is the key of the composite type that a column may be an attribute of.
func typeKey(o catalog.Object) catalog.Key {
	i := strings.Index(o.Parent, ".")
	return catalog.Key{Kind: "composite type", Parent: o.Parent[:max(i, 0)], Name: o.Parent[i+1:]}
}

// qualify gives the tables of the Down's statements the names that effects use.
func (l *keepLooker) qualify(ctx context.Context) error {
	qualified := func(name string) (q string, err error) {
		err = l.conn.QueryRow(ctx, `
			select coalesce((select format('%I.%I', n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass($1)), $1)`, name).Scan(&q)
		return q, err
	}
	columns, renamed := map[string][]string{}, map[[2]string]bool{}
	for table, names := range l.down.columns {
		q, err := qualified(table)
		if err != nil {
			return err
		}
		columns[q] = append(columns[q], names...)
	}
	for pair := range l.down.renamedColumn {
		q, err := qualified(pair[0])
		if err != nil {
			return err
		}
		renamed[[2]string{q, pair[1]}] = true
	}
	l.down.columns, l.down.renamedColumn = columns, renamed
	return nil
}

// keptColumns are the columns that go, or change, in tables that stay.
func (l *keepLooker) keptColumns(ctx context.Context, effect catalog.Effect, want catalog.Catalog, enums []string, isAdded map[uint32]liveTable, whole map[uint32]bool) ([]Keep, error) {
	type group struct{ gone, altered []string }
	groups := map[string]*group{}
	add := func(table, column string, altered bool) {
		g := groups[table]
		if g == nil {
			g = &group{}
			groups[table] = g
		}
		if slices.Contains(g.gone, column) || slices.Contains(g.altered, column) {
			return
		}
		if altered {
			g.altered = append(g.altered, column)
		} else {
			g.gone = append(g.gone, column)
		}
	}
	for _, o := range effect.Added {
		if o.Kind == "column" && !l.down.renamedColumn[[2]string{o.Parent, o.Name}] {
			add(o.Parent, o.Name, false)
		}
	}
	for _, c := range effect.Changed {
		if c.After.Kind == "column" && (c.Before.Attrs["type"] != c.After.Attrs["type"] || c.Before.Attrs["generated"] != "" && c.After.Attrs["generated"] == "") {
			add(c.After.Parent, c.After.Name, true)
		}
	}
	for key, o := range want {
		if key.Kind == "column" && slices.Contains(enums, strings.TrimSuffix(o.Attrs["type"], "[]")) {
			add(key.Parent, key.Name, true)
		}
	}
	for table, columns := range l.down.columns {
		for _, column := range columns {
			add(table, column, false)
		}
	}
	var list []Keep
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		found, err := l.tables(ctx, []string{name})
		if err != nil {
			return nil, err
		}
		for oid, t := range found {
			_, added := isAdded[oid]
			if whole[oid] || added && len(l.down.columns[name]) == 0 {
				continue
			}
			for _, altered := range []bool{false, true} {
				names := groups[name].gone
				if altered {
					names = groups[name].altered
				}
				if added {
					// The effect names every column of a table that was renamed; what goes is what the Down says.
					names = slices.DeleteFunc(slices.Clone(names), func(c string) bool { return !slices.Contains(l.down.columns[name], c) })
				}
				keep, err := l.columnKeep(ctx, oid, t, names, altered)
				if err != nil {
					return nil, err
				}
				if keep != nil {
					list = append(list, *keep)
				}
			}
		}
	}
	return list, nil
}

func (l *keepLooker) columnKeep(ctx context.Context, oid uint32, t liveTable, names []string, altered bool) (*Keep, error) {
	live, err := l.columns(ctx, oid)
	if err != nil {
		return nil, err
	}
	keep := &Keep{Kind: "column", Object: t.name, Key: []string{}, How: Copied, oid: oid, altered: altered, restorable: true, secured: t.secured}
	var set []string
	for _, c := range live {
		if !slices.Contains(names, c.name) || c.generated || c.inherited {
			continue
		}
		keep.Columns = append(keep.Columns, c.name)
		if l.going[c.base] {
			keep.casts = append(keep.casts, c.name)
		}
		switch {
		case c.def == "":
			set = append(set, c.name+" is not null")
		case strings.Contains(c.def, "("):
			set = append(set, "true")
		default:
			set = append(set, c.differs(c.name))
		}
	}
	if len(keep.Columns) == 0 {
		return nil, nil
	}
	gone := keep.Columns
	if altered {
		gone = nil // their values may change, and still tell rows apart
	}
	if keep.Key, err = l.key(ctx, oid, gone); err != nil {
		return nil, err
	}
	if len(keep.Key) == 0 || t.inherited {
		keep.How, keep.Key = Lost, []string{}
	}
	if keep.Rows, err = l.rows(ctx, t); err != nil {
		return nil, err
	}
	if l.count && t.bytes <= 4*countedBytes && !t.secured {
		keep.Set = new(int64)
		if err := l.conn.QueryRow(ctx, `select count(*) from `+t.name+` where `+strings.Join(set, " or ")).Scan(keep.Set); err != nil {
			return nil, err
		}
	}
	if keep.Rows > 0 {
		keep.Bytes = t.bytes * int64(len(keep.Columns)+len(keep.Key)) / int64(max(len(live), 1))
	}
	return keep, nil
}

// typeOIDs are the types of those names but for one kind: range types, which are not moved by machine.
func (l *keepLooker) typeOIDs(ctx context.Context, names []string, but string) (map[uint32]bool, error) {
	found := map[uint32]bool{}
	rows, err := l.conn.Query(ctx, `select t.oid from unnest($1::text[]) n join pg_type t on t.oid = to_regtype(n) and t.typtype::text <> $2`, names, but)
	if err != nil {
		return nil, err
	}
	var oid uint32
	_, err = pgx.ForEachRow(rows, []any{&oid}, func() error {
		found[oid] = true
		return nil
	})
	return found, err
}

func (l *keepLooker) tables(ctx context.Context, names []string) (map[uint32]liveTable, error) {
	found := map[uint32]liveTable{}
	rows, err := l.conn.Query(ctx, `
		select c.oid, format('%I.%I', n.nspname, c.relname), c.relispartition, c.relkind = 'p',
		       c.relkind = 'r' and exists (select from pg_inherits where inhparent = c.oid),
		       row_security_active(c.oid),
		       coalesce((select sum(pg_total_relation_size(p.relid)) from pg_partition_tree(c.oid) p), pg_total_relation_size(c.oid))::bigint,
		       coalesce((select sum(greatest(x.reltuples, 0)) from pg_partition_tree(c.oid) p join pg_class x on x.oid = p.relid where p.isleaf), greatest(c.reltuples, 0))::bigint
		from unnest($1::text[]) name
		join pg_class c on c.oid = to_regclass(name) and c.relkind in ('r', 'p') and c.relpersistence <> 't'
		join pg_namespace n on n.oid = c.relnamespace`, names)
	if err != nil {
		return nil, err
	}
	var oid uint32
	var t liveTable
	_, err = pgx.ForEachRow(rows, []any{&oid, &t.name, &t.partition, &t.partitioned, &t.inherited, &t.secured, &t.bytes, &t.estimate}, func() error {
		found[oid] = t
		return nil
	})
	return found, err
}

func (l *keepLooker) rows(ctx context.Context, t liveTable) (n int64, err error) {
	switch {
	case !l.count || t.secured:
		return t.estimate, nil
	case t.bytes > countedBytes:
		// Also of a table that was never analyzed the planner has an idea, by its size.
		var plan []struct {
			Plan struct {
				Rows float64 `json:"Plan Rows"`
			}
		}
		if err := l.conn.QueryRow(ctx, `explain (format json) select from `+t.name).Scan(&plan); err != nil || len(plan) == 0 {
			return t.estimate, err
		}
		return int64(plan[0].Plan.Rows), nil
	}
	err = l.conn.QueryRow(ctx, `select count(*) from `+t.name).Scan(&n)
	return n, err
}

// families are tables with all that they are parts of, and all that are parts of them.
func (l *keepLooker) families(ctx context.Context, names []string) (map[uint32]bool, error) {
	found := map[uint32]bool{}
	rows, err := l.conn.Query(ctx, `
		with recursive pair (a, b) as (
			select inhrelid, inhparent from pg_inherits union all select inhparent, inhrelid from pg_inherits
		), family (oid) as (
			select to_regclass(n)::oid from unnest($1::text[]) n where to_regclass(n) is not null
			union select pair.b from pair join family on pair.a = family.oid
		)
		select oid from family`, names)
	if err != nil {
		return nil, err
	}
	var oid uint32
	_, err = pgx.ForEachRow(rows, []any{&oid}, func() error {
		found[oid] = true
		return nil
	})
	return found, err
}

type liveColumn struct {
	name, typ, def       string
	base                 uint32 // the type, or that of an array's elements, or what a domain is over
	generated, inherited bool
	identity             bool
}

// differs is the condition that a value is not the column's default, compared as text: not every type can be compared.
func (c liveColumn) differs(value string) string {
	return fmt.Sprintf("%s::text is distinct from (%s)::%s::text", value, cmp.Or(c.def, "null"), c.typ)
}

func (l *keepLooker) columns(ctx context.Context, oid uint32) ([]liveColumn, error) {
	rows, err := l.conn.Query(ctx, `
		select quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
		       case when t.typelem <> 0 and t.typcategory = 'A' then t.typelem else t.oid end, a.attgenerated <> '', a.attinhcount > 0, a.attidentity <> ''
		from pg_attribute a join pg_type t on t.oid = a.atttypid
		left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum`, oid)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c liveColumn, err error) {
		err = row.Scan(&c.name, &c.typ, &c.def, &c.base, &c.generated, &c.inherited, &c.identity)
		return c, err
	})
}

// key are the columns that tell a table's rows apart: the primary key's, else those of a unique index on columns that
// are never null; none of them among gone.
func (l *keepLooker) key(ctx context.Context, oid uint32, gone []string) ([]string, error) {
	rows, err := l.conn.Query(ctx, `
		select array_agg(quote_ident(a.attname) order by k.place)
		from pg_index i
		cross join lateral unnest(i.indkey::int2[]) with ordinality k (number, place)
		join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number
		where i.indrelid = $1 and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and i.indexprs is null and k.place <= i.indnkeyatts
		group by i.indexrelid, i.indisprimary
		having bool_and(a.attnotnull)
		order by i.indisprimary desc, count(*), i.indexrelid`, oid)
	if err != nil {
		return nil, err
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[[]string])
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if !slices.ContainsFunc(key, func(c string) bool { return slices.Contains(gone, c) }) {
			return key, nil
		}
	}
	return []string{}, nil
}

// keeper keeps, inside the transaction of one step back, what the step destroys, and looks before the end of the transaction
// whether the step did what it should, and no more.
type keeper struct {
	run  *run
	step RollbackStep
	// want is the schema at the version before the step, target after it.
	want, target expectation
	// tx tells that the file runs in a transaction; else the keeper makes one, where something is to be kept.
	tx, own bool
	// last tells the last step of a rollback, from and to the versions of all of it.
	from, to int64
	number   int64 // of the run, in the names of what is kept
	major    int
	releases []Release // of the replicas that serve now
	accepted []catalog.Difference

	conn   *pgx.Conn
	begun  bool
	before catalog.Catalog
	shapes map[uint32]shape
	// attributes are those of composite types that columns are of.
	attributes map[attribute]bool
	keeps      []Keep
	kept       []Trash
	types      int // that were moved
}

// begin keeps all but the tables that a statement drops openly.
func (k *keeper) begin(ctx context.Context, conn *pgx.Conn) error {
	k.begun, k.conn, k.kept, k.types = true, conn, nil, 0
	var err error
	if k.shapes, err = readShapes(ctx, conn); err != nil {
		return err
	}
	if k.attributes, err = readAttributes(ctx, conn); err != nil {
		return err
	}
	if k.keeps, err = k.run.engine.keeps(ctx, conn, *k.run.file, k.step.effect, k.want.catalog, false); err != nil {
		return err
	}
	if len(k.step.Losses) > 0 {
		if err := k.recount(ctx); err != nil {
			return err
		}
	}
	if len(k.keeps) == 0 {
		return nil
	}
	var locked []string
	for _, keep := range k.keeps {
		if keep.How == Lost && !slices.ContainsFunc(k.step.Keeps, func(shown Keep) bool { return shown.How == Lost && shown.Object == keep.Object }) {
			return fmt.Errorf("rows of %s have no key any more by which columns could be put back", keep.Object)
		}
		if keep.How == Copied {
			locked = append(locked, keep.Object)
		}
	}
	if _, err := conn.Exec(ctx, `create schema if not exists `+trashSchema); err != nil {
		return fmt.Errorf("make the schema of kept data: %w", err)
	}
	if err := k.each(ctx, `
		select distinct format('revoke all on schema %I from %s cascade', n.nspname, case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end)
		from pg_namespace n cross join lateral aclexplode(n.nspacl) x where n.nspname = $1 and x.grantee <> n.nspowner and pg_has_role(n.nspowner, 'usage')`, trashSchema); err != nil {
		return fmt.Errorf("keep others out of the schema of kept data: %w", err)
	}
	if len(locked) > 0 {
		// Readers go on; whoever writes waits until the copy is there, which was told before.
		if _, err := conn.Exec(ctx, `lock table `+strings.Join(locked, ", ")+` in share mode`); err != nil {
			return fmt.Errorf("lock what is to be copied: %w", err)
		}
		k.run.session.seam.announced.Store(true)
		defer k.run.session.seam.announced.Store(false)
	}
	for _, keep := range k.keeps {
		switch keep.How {
		case Copied:
			err = k.copy(ctx, keep)
		case Recorded:
			err = k.recordSequence(ctx, keep)
		}
		if err != nil {
			return fmt.Errorf("keep %s: %w", keep.Object, err)
		}
	}
	return nil
}

// recount refuses to lose more than was accepted: rows may have come since they were counted. From here to the end of the
// transaction, whoever writes to them waits.
func (k *keeper) recount(ctx context.Context) error {
	var locked []string
	for _, loss := range k.step.Losses {
		if loss.table != "" {
			locked = append(locked, loss.table)
		}
	}
	if len(locked) > 0 && (k.tx || k.own) {
		if _, err := k.conn.Exec(ctx, `lock table `+strings.Join(locked, ", ")+` in share mode`); err != nil {
			return fmt.Errorf("lock what is to be lost: %w", err)
		}
	}
	now := RollbackStep{Step: k.step.Step, effect: k.step.effect}
	var err error
	if now.Keeps, err = k.run.engine.keeps(ctx, k.conn, *k.run.file, k.step.effect, k.want.catalog, true); err != nil {
		return err
	}
	if err := now.judge(ctx, k.conn, *k.run.file); err != nil {
		return err
	}
	for _, loss := range now.Losses {
		accepted := slices.ContainsFunc(k.step.Losses, func(shown Loss) bool {
			return shown.What == loss.What && roundedUp(shown.Rows) >= roundedUp(loss.Rows)
		})
		if !accepted {
			return &StepError{fmt.Sprintf("more would be lost than was accepted: %s (%d rows); look at it again without --apply", loss.What, loss.Rows)}
		}
	}
	return nil
}

// name is a free name in the trash for something called so: it carries version and run.
func (k *keeper) name(of string) string {
	plain := strings.ReplaceAll(of[strings.LastIndex(of, ".")+1:], `"`, "")
	name := fmt.Sprintf("v%05d_r%d_%d_%s", k.run.file.Version, k.number, len(k.kept)+1, plain)
	return lint.QuoteIdent(strings.ToValidUTF8(name[:min(len(name), 63)], ""))
}

// copy copies a table's rows, or columns with their rows' key. Generated columns are left out: they are made anew.
func (k *keeper) copy(ctx context.Context, keep Keep) error {
	columns := slices.Concat(keep.Key, keep.Columns)
	if keep.Kind == "table" {
		look := &keepLooker{conn: k.conn}
		live, err := look.columns(ctx, keep.oid)
		if err != nil {
			return err
		}
		columns = nil
		for _, c := range live {
			if !c.generated {
				columns = append(columns, c.name)
			}
		}
	}
	selected := []string{}
	for i, c := range columns {
		if slices.Index(columns, c) < i {
			continue
		}
		if slices.Contains(keep.casts, c) {
			c += "::text as " + c
		}
		selected = append(selected, c)
	}
	kept := k.trash(keep)
	k.run.engine.config.Progress(Event{Keeping: &keep})
	err := steadily(ctx, k.conn, func() error {
		tag, err := k.conn.Exec(ctx, fmt.Sprintf(`create table %s as select %s from %s`, *kept.KeptIn, strings.Join(selected, ", "), keep.from()))
		kept.Rows = tag.RowsAffected()
		return err
	})
	if err != nil {
		return err
	}
	if err := k.identify(ctx, *kept.KeptIn); err != nil {
		return err
	}
	if err := k.conn.QueryRow(ctx, `select pg_total_relation_size(to_regclass($1))`, *kept.KeptIn).Scan(&kept.Bytes); err != nil {
		return err
	}
	if err := k.revoke(ctx, []uint32{}, *kept.KeptIn); err != nil {
		return err
	}
	return k.insert(ctx, kept)
}

// identify lets the rows of a kept table, which has no key, be changed also where all tables are published.
func (k *keeper) identify(ctx context.Context, table string) error {
	_, err := k.conn.Exec(ctx, `alter table `+table+` replica identity full`)
	return err
}

// steadily calls do under settings by which text says what the values are, whatever the login's own are, and by which row security
// hides nothing but is an error.
func steadily(ctx context.Context, conn *pgx.Conn, do func() error) error {
	set := func(values []string) ([]string, error) {
		names := []string{"datestyle", "intervalstyle", "extra_float_digits", "row_security"}
		var was []string
		err := conn.QueryRow(ctx, `select array_agg(current_setting(n) order by o) from unnest($1::text[]) with ordinality u (n, o)`, names).Scan(&was)
		if err != nil {
			return nil, err
		}
		_, err = conn.Exec(ctx, `select set_config(n, v, false) from unnest($1::text[], $2::text[]) u (n, v)`, names, values)
		return was, err
	}
	was, err := set([]string{"ISO, MDY", "postgres", "1", "off"})
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err // the transaction is undone, and the settings with it
	}
	_, err = set(was)
	return err
}

// trash is the entry of something that is about to be kept.
func (k *keeper) trash(keep Keep) Trash {
	in := trashSchema + "." + k.name(keep.Object)
	return Trash{
		Version: k.run.file.Version, Name: k.run.file.Name, Run: k.number, Kind: keep.Kind, Object: keep.Object, Columns: keep.Columns, Key: keep.Key,
		KeptIn: &in, Rows: keep.Rows, Bytes: keep.Bytes, Actor: k.run.engine.config.Actor.Name, Restorable: keep.restorable,
		types: []string{}, altered: keep.altered, source: keep.oid,
	}
}

func (k *keeper) insert(ctx context.Context, t Trash) error {
	err := k.conn.QueryRow(ctx, `
		insert into portaldb.trash (version, name, run, kind, object, columns, key, kept_in, position, foreign_keys, types, altered, restorable, rows, bytes, actor)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) returning id, kept_at`,
		t.Version, t.Name, t.Run, t.Kind, t.Object, t.Columns, t.Key, t.KeptIn, t.position, t.ForeignKeys, t.types, t.altered, t.Restorable, t.Rows, t.Bytes, t.Actor).
		Scan(&t.ID, &t.KeptAt)
	if err != nil {
		return fmt.Errorf("record what is kept: %w", err)
	}
	t.KeptAt = t.KeptAt.UTC()
	k.kept = append(k.kept, t)
	return nil
}

// position is where a sequence stands.
type position struct {
	Last   int64 `json:"last_value"`
	Called bool  `json:"is_called"`
}

// recordSequence keeps a sequence's position. Nobody takes a number of it from then on.
func (k *keeper) recordSequence(ctx context.Context, keep Keep) error {
	var increment int64
	if err := k.conn.QueryRow(ctx, `select seqincrement from pg_sequence where seqrelid = to_regclass($1)`, keep.Object).Scan(&increment); err != nil {
		return err
	}
	if _, err := k.conn.Exec(ctx, fmt.Sprintf(`alter sequence %s increment by %d`, keep.Object, increment)); err != nil { // only for its lock
		return err
	}
	var p position
	if err := k.conn.QueryRow(ctx, `select last_value, is_called from `+keep.Object).Scan(&p.Last, &p.Called); err != nil {
		return err
	}
	kept := k.trash(keep)
	kept.KeptIn, kept.position = nil, &p
	return k.insert(ctx, kept)
}

// rewrite is called before each statement, and returns what to send in its place.
func (k *keeper) rewrite(ctx context.Context, conn *pgx.Conn, query string) (string, error) {
	if !k.begun && !k.tx && len(k.step.Keeps) > 0 {
		if _, concurrent := parseConcurrent(query); concurrent {
			return "", errors.New("it runs outside a transaction, where nothing can be kept")
		}
		if _, err := conn.Exec(ctx, "begin"); err != nil {
			return "", err
		}
		k.own = true
		if err := k.inOwn(ctx, conn, query); err != nil {
			_, _ = conn.Exec(context.WithoutCancel(ctx), "rollback")
			k.own = false
			return "", err
		}
		return "", nil
	}
	return k.instead(ctx, conn, query)
}

// inOwn runs the one statement of a file without a transaction in a transaction of the keeper's.
func (k *keeper) inOwn(ctx context.Context, conn *pgx.Conn, query string) error {
	instead, err := k.instead(ctx, conn, query)
	if err == nil && instead != "" {
		_, err = conn.Exec(ctx, instead)
	}
	return err
}

func (k *keeper) instead(ctx context.Context, conn *pgx.Conn, query string) (string, error) {
	if !k.begun {
		if err := k.begin(ctx, conn); err != nil {
			return "", err
		}
	}
	drop := parseDrop(query)
	if drop == nil {
		return query, nil
	}
	switch drop.RemoveType {
	case pg.ObjectType_OBJECT_TABLE:
		return k.moveTables(ctx, query, drop)
	case pg.ObjectType_OBJECT_EXTENSION:
		for _, object := range drop.Objects {
			if err := k.freeFrom(ctx, object.GetString_().GetSval()); err != nil {
				return "", fmt.Errorf("keep what is of a type of extension %s: %w", object.GetString_().GetSval(), err)
			}
		}
	case pg.ObjectType_OBJECT_TYPE, pg.ObjectType_OBJECT_DOMAIN:
		for _, name := range dropped(drop) {
			if err := k.moveType(ctx, name); err != nil {
				return "", fmt.Errorf("keep type %s: %w", name, err)
			}
		}
	}
	return query, nil
}

// parseDrop is a statement that is one DROP and nothing else; nil when it is another.
func parseDrop(query string) *pg.DropStmt {
	tree, err := pg.Parse(query)
	if err != nil || len(tree.Stmts) != 1 {
		return nil // PostgreSQL will say what is wrong with it
	}
	return tree.Stmts[0].Stmt.GetDropStmt()
}

// moveTables moves those tables of a DROP TABLE that are to be kept, and returns a DROP of the others.
func (k *keeper) moveTables(ctx context.Context, query string, drop *pg.DropStmt) (string, error) {
	cascade := drop.Behavior == pg.DropBehavior_DROP_CASCADE
	var moved []Keep
	var others []string
	for _, name := range dropped(drop) {
		var oid uint32
		if err := k.conn.QueryRow(ctx, `select coalesce(to_regclass($1), 0::regclass)::oid`, name).Scan(&oid); err != nil {
			return "", err
		}
		i := slices.IndexFunc(k.keeps, func(keep Keep) bool { return keep.oid == oid && keep.How == Moved })
		if i < 0 {
			others = append(others, name)
			continue
		}
		moved = append(moved, k.keeps[i])
	}
	if len(moved) == 0 {
		return query, nil
	}
	// PostgreSQL itself says whether the tables may be dropped, and what stands in the way.
	for _, sql := range []string{"savepoint portaldb_drop", query, "rollback to savepoint portaldb_drop", "release savepoint portaldb_drop"} {
		if _, err := k.conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	oids := make([]uint32, len(moved))
	for i, keep := range moved {
		oids[i] = keep.oid
	}
	if err := k.move(ctx, moved, oids, cascade); err != nil {
		return "", fmt.Errorf("keep %s: %w", moved[0].Object, err)
	}
	if len(others) == 0 {
		return "", nil
	}
	rest := "drop table "
	if drop.MissingOk {
		rest += "if exists "
	}
	rest += strings.Join(others, ", ")
	if cascade {
		rest += " cascade"
	}
	return rest, nil
}

// stripping are queries that say, each when those before it have been carried out, what to take from the tables with the
// oids $1 so that nothing of them depends on anything but types.
var stripping = []string{
	// Foreign keys in and out.
	`select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint
	where contype = 'f' and conparentid = 0 and (conrelid = any ($1) or confrelid = any ($1)) order by oid`,
	// Views and the like, which a DROP with CASCADE would take along.
	`select distinct format('drop %s if exists %s cascade', case c.relkind when 'm' then 'materialized view' else 'view' end, c.oid::regclass)
	from pg_depend d join pg_rewrite w on w.oid = d.objid join pg_class c on c.oid = w.ev_class
	where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = any ($1) and c.relkind in ('v', 'm')`,
	`select distinct format('drop policy %I on %s', p.polname, p.polrelid::regclass) from pg_policy p
	where p.polrelid = any ($1) or exists (select from pg_depend d
		where d.classid = 'pg_policy'::regclass and d.objid = p.oid and d.refclassid = 'pg_class'::regclass and d.refobjid = any ($1))`,
	`select distinct format('drop %s %s cascade', case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure)
	from pg_depend d join pg_proc p on p.oid = d.objid
	where d.classid = 'pg_proc'::regclass and (d.refclassid = 'pg_class'::regclass and d.refobjid = any ($1)
		or d.refclassid = 'pg_type'::regclass and d.refobjid in (select unnest(array[c.reltype, t.typarray]) from pg_class c join pg_type t on t.oid = c.reltype where c.oid = any ($1)))`,
	// Its place in a family of tables.
	`select case when c.relispartition then format('alter table %s detach partition %s', i.inhparent::regclass, c.oid::regclass)
	             else format('alter table %s no inherit %s', c.oid::regclass, i.inhparent::regclass) end
	from pg_inherits i join pg_class c on c.oid = i.inhrelid
	where c.relkind in ('r', 'p') and (c.oid = any ($1) and not i.inhparent = any ($1) or not c.relispartition and i.inhparent = any ($1))`,
	`select format('drop trigger %I on %s', tgname, tgrelid::regclass) from pg_trigger where tgrelid = any ($1) and not tgisinternal and tgparentid = 0`,
	`select format('drop rule %I on %s', rulename, ev_class::regclass) from pg_rewrite where ev_class = any ($1) and rulename <> '_RETURN'`,
	`select format('alter table %s drop constraint %I', conrelid::regclass, conname) from pg_constraint
	where conrelid = any ($1) and contype in ('c', 'x', 'u', 'p') and conparentid = 0 and coninhcount = 0 order by contype = 'p', oid`,
	`select format('drop index %s', indexrelid::regclass) from pg_index
	where indrelid = any ($1) and not exists (select from pg_inherits where inhrelid = indexrelid)`,
	`select format('drop statistics %I.%I', n.nspname, s.stxname) from pg_statistic_ext s join pg_namespace n on n.oid = s.stxnamespace where s.stxrelid = any ($1)`,
	`select format('alter publication %I drop table %s', p.pubname, r.prrelid::regclass) from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prrelid = any ($1)`,
	`select format('alter table %s alter column %I drop %s', a.attrelid::regclass, a.attname, case when a.attgenerated <> '' then 'expression' else 'default' end)
	from pg_attribute a where a.attrelid = any ($1) and a.atthasdef and not a.attisdropped and a.attinhcount = 0`,
	`select format('alter table only %s alter column %I drop default', a.attrelid::regclass, a.attname)
	from pg_attribute a where a.attrelid = any ($1) and a.atthasdef and not a.attisdropped and a.attgenerated = ''`,
	`select format('alter table %s disable row level security, no force row level security', oid::regclass) from pg_class
	where oid = any ($1) and (relrowsecurity or relforcerowsecurity)`,
	`select format('alter table %s not of', oid::regclass) from pg_class where oid = any ($1) and reloftype <> 0`,
}

// move moves tables, with their partitions and heirs, into the trash as bare heaps: nothing of them may depend on what the
// same Down drops, and nobody but their owner may read them. It is a matter of the catalog, whatever their size.
func (k *keeper) move(ctx context.Context, moved []Keep, oids []uint32, cascade bool) error {
	rows, err := k.conn.Query(ctx, `
		with recursive family as (
			select unnest($1::oid[]) as oid union select i.inhrelid from pg_inherits i join family f on f.oid = i.inhparent
		)
		select oid from family`, oids)
	if err != nil {
		return err
	}
	if oids, err = pgx.CollectRows(rows, pgx.RowTo[uint32]); err != nil {
		return err
	}
	for _, oid := range oids {
		if s := k.shapes[oid]; s.whole == 0 && !slices.ContainsFunc(moved, func(keep Keep) bool { return keep.oid == oid }) {
			return fmt.Errorf("%s inherits from it, and CASCADE would take that along: name both in one DROP", s.name)
		}
	}
	var foreignKeys json.RawMessage
	err = k.conn.QueryRow(ctx, `
		select json_agg(json_build_object('table', conrelid::regclass::text, 'name', conname, 'definition', pg_get_constraintdef(oid)) order by oid)
		from pg_constraint where contype = 'f' and conparentid = 0 and (conrelid = any ($1) or confrelid = any ($1))`, oids).Scan(&foreignKeys)
	if err != nil {
		return err
	}
	for _, query := range stripping {
		if err := k.each(ctx, query, oids); err != nil {
			return err
		}
	}
	if cascade {
		// What is left would have gone with them in a way that is none of the above.
		var left string
		err := k.conn.QueryRow(ctx, `
			select coalesce(string_agg(distinct pg_describe_object(classid, objid, objsubid), ', '), '') from pg_depend
			where deptype = 'n' and not (classid = 'pg_class'::regclass and objid = any ($1)) and (
				refclassid = 'pg_class'::regclass and refobjid = any ($1)
				or refclassid = 'pg_type'::regclass and refobjid in (select unnest(array[c.reltype, t.typarray]) from pg_class c join pg_type t on t.oid = c.reltype where c.oid = any ($1)))`,
			oids).Scan(&left)
		if err != nil {
			return err
		}
		if left != "" {
			return fmt.Errorf("%s depends on it, and CASCADE would take that along in a way that cannot be kept", left)
		}
	}
	if err := k.revoke(ctx, oids, ""); err != nil {
		return err
	}
	return k.away(ctx, moved, oids, foreignKeys)
}

// away renames tables and their sequences, moves them, and records that.
func (k *keeper) away(ctx context.Context, moved []Keep, oids []uint32, foreignKeys json.RawMessage) error {
	names := map[uint32]string{}
	rows, err := k.conn.Query(ctx, `
		select d.objid, d.objid::regclass::text, true from pg_depend d join pg_class s on s.oid = d.objid and s.relkind = 'S'
		where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = any ($1) and d.deptype in ('a', 'i')
		union all
		select o, o::regclass::text, false from unnest($1::oid[]) o`, oids)
	if err != nil {
		return err
	}
	var oid uint32
	var name string
	var sequence bool
	var sequences, tables []uint32
	_, err = pgx.ForEachRow(rows, []any{&oid, &name, &sequence}, func() error {
		names[oid] = name
		if sequence {
			sequences = append(sequences, oid)
		} else {
			tables = append(tables, oid)
		}
		return nil
	})
	if err != nil {
		return err
	}
	free := 0
	unique := func(of string) string {
		free++
		plain := strings.ReplaceAll(of[strings.LastIndex(of, ".")+1:], `"`, "")
		name := fmt.Sprintf("v%05d_r%d_%d_%d_%s", k.run.file.Version, k.number, len(k.kept)+1, free, plain)
		return lint.QuoteIdent(strings.ToValidUTF8(name[:min(len(name), 63)], ""))
	}
	for _, oid := range sequences {
		if _, err := k.conn.Exec(ctx, fmt.Sprintf(`alter sequence %s rename to %s`, names[oid], unique(names[oid]))); err != nil {
			return err
		}
	}
	for _, oid := range tables {
		i := slices.IndexFunc(moved, func(keep Keep) bool { return keep.oid == oid })
		var kept Trash
		to := unique(names[oid])
		if i >= 0 {
			kept = k.trash(moved[i])
			to = strings.TrimPrefix(*kept.KeptIn, trashSchema+".")
		}
		if _, err := k.conn.Exec(ctx, fmt.Sprintf(`alter table %s rename to %s`, names[oid], to)); err != nil {
			return err
		}
		if err := k.each(ctx, `select format('alter table %s set schema `+trashSchema+`', o::regclass) from unnest($1::oid[]) o`, []uint32{oid}); err != nil {
			return err
		}
		if i < 0 {
			continue
		}
		if err := k.identify(ctx, *kept.KeptIn); err != nil {
			return err
		}
		kept.ForeignKeys = foreignKeys
		if shown := slices.IndexFunc(k.step.Keeps, func(keep Keep) bool { return keep.Kind == "table" && keep.Object == kept.Object }); shown >= 0 {
			kept.Rows = k.step.Keeps[shown].Rows // counted before: it would take its time under this lock
		}
		if err := k.insert(ctx, kept); err != nil {
			return err
		}
	}
	return nil
}

// each carries out the statements that a query makes for the tables.
func (k *keeper) each(ctx context.Context, query string, args ...any) error {
	rows, err := k.conn.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err := k.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// revoke takes the rights of all but the owner from tables, by oid or by name, and from their sequences.
func (k *keeper) revoke(ctx context.Context, oids []uint32, name string) error {
	if name != "" {
		var oid uint32
		if err := k.conn.QueryRow(ctx, `select to_regclass($1)::oid`, name).Scan(&oid); err != nil {
			return err
		}
		oids = append(oids, oid)
	}
	return k.each(ctx, `
		select distinct format('revoke all on %s %s from %s cascade', case c.relkind when 'S' then 'sequence' else 'table' end, c.oid::regclass,
			case x.grantee when 0 then 'public' else quote_ident(pg_get_userbyid(x.grantee)) end)
		from pg_class c
		cross join lateral (
			select * from aclexplode(c.relacl)
			union all select acl.* from pg_attribute a cross join lateral aclexplode(a.attacl) acl where a.attrelid = c.oid
		) x
		where x.grantee <> c.relowner and (c.oid = any ($1) or exists (
			select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.refclassid = 'pg_class'::regclass
				and d.refobjid = any ($1) and d.deptype in ('a', 'i') and c.relkind = 'S'))`, oids)
}

// freeFrom makes kept columns text that are of a type of an extension which is about to be dropped.
func (k *keeper) freeFrom(ctx context.Context, extension string) error {
	rows, err := k.conn.Query(ctx, `
		select format('alter table %s alter column %I type text using %I::text', a.attrelid::regclass, a.attname, a.attname)
		from pg_attribute a
		join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and c.relnamespace = to_regnamespace('`+trashSchema+`')
		join pg_type t on t.oid = a.atttypid
		where not a.attisdropped and a.attnum > 0 and a.attinhcount = 0 and exists (
			select from pg_depend d join pg_extension e on e.oid = d.refobjid and d.refclassid = 'pg_extension'::regclass
			where d.classid = 'pg_type'::regclass and d.objid in (t.oid, t.typelem) and d.deptype = 'e' and e.extname = $1)`, extension)
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err := k.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// moveType moves a type that is about to be dropped, if kept columns are of it, and leaves an empty one of its name to be dropped.
func (k *keeper) moveType(ctx context.Context, name string) error {
	var qualified, kind, space string
	err := k.conn.QueryRow(ctx, `
		select format('%I.%I', n.nspname, t.typname), t.typtype::text, quote_ident(n.nspname) from pg_type t join pg_namespace n on n.oid = t.typnamespace
		where t.oid = to_regtype($1) and exists (
			select from pg_attribute a join pg_class c on c.oid = a.attrelid
			where c.relnamespace = to_regnamespace('`+trashSchema+`') and not a.attisdropped and (a.atttypid = t.oid or a.atttypid = t.typarray))`, name).
		Scan(&qualified, &kind, &space)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	noun, standIn := "type", "create type %s as enum ()"
	switch kind {
	case "e":
	case "d":
		noun, standIn = "domain", "create domain %s as integer"
	case "c":
		standIn = "create type %s as ()"
	default:
		return errors.New("kept columns are of it, and a type of this kind is not moved by machine")
	}
	k.types++
	to := k.name(fmt.Sprintf("t%d_%s", k.types, qualified[strings.LastIndex(qualified, ".")+1:]))
	for _, sql := range []string{
		fmt.Sprintf(`alter %s %s rename to %s`, noun, qualified, to),
		fmt.Sprintf(`alter %s %s.%s set schema %s`, noun, space, to, trashSchema),
		fmt.Sprintf(standIn, qualified),
	} {
		if _, err := k.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	moved := trashSchema + "." + to
	if kind == "d" {
		// What it checks may call functions that go too.
		if err := k.each(ctx, `select format('alter domain %s drop constraint %I', contypid::regtype, conname) from pg_constraint where contypid = any ($1)`, k.typeOID(ctx, moved)); err != nil {
			return err
		}
		if _, err := k.conn.Exec(ctx, `alter domain `+moved+` drop default`); err != nil {
			return err
		}
	}
	// It belongs to whatever of this run is of it; it goes with the last.
	_, err = k.conn.Exec(ctx, `update portaldb.trash set types = types || $1 where version = $2 and run = $3 and kind = 'table' and kept_in is not null`,
		[]string{noun + " " + moved}, k.run.file.Version, k.number)
	return err
}

func (k *keeper) typeOID(ctx context.Context, name string) []uint32 {
	var oid uint32
	if err := k.conn.QueryRow(ctx, `select to_regtype($1)::oid`, name).Scan(&oid); err != nil {
		return nil
	}
	return []uint32{oid}
}

// references names what was kept, for the history.
func (k *keeper) references() []string {
	var list []string
	for _, t := range k.kept {
		list = append(list, t.reference())
	}
	return list
}
