package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/database"

	"portaldb/internal/catalog"
)

// shape is a table as far as a loss of it or of a column shows.
type shape struct {
	name    string
	whole   uint32 // the partitioned table that it is a part of; 0 for none
	columns map[int16]shapeColumn
}

type shapeColumn struct {
	name string
	typ  string // the type's oid and modifier: another type may have the same name
	made string // attgenerated
}

// readShapes reads the tables and columns of the database, kept ones too. Their oids outlive renaming.
func readShapes(ctx context.Context, conn *pgx.Conn) (map[uint32]shape, error) {
	rows, err := conn.Query(ctx, `
		select c.oid, format('%I.%I', n.nspname, c.relname), coalesce(a.attnum, 0), coalesce(quote_ident(a.attname), ''), coalesce(a.atttypid || ' ' || a.atttypmod, ''), coalesce(a.attgenerated::text, ''),
		       case when c.relispartition then (select inhparent from pg_inherits where inhrelid = c.oid) else 0 end::oid
		from pg_class c join pg_namespace n on n.oid = c.relnamespace
		left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		where c.relkind in ('r', 'p') and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'portaldb')`)
	if err != nil {
		return nil, fmt.Errorf("look at the tables: %w", err)
	}
	shapes := map[uint32]shape{}
	var oid, whole uint32
	var table string
	var number int16
	var c shapeColumn
	_, err = pgx.ForEachRow(rows, []any{&oid, &table, &number, &c.name, &c.typ, &c.made, &whole}, func() error {
		s, ok := shapes[oid]
		if !ok {
			s = shape{name: table, whole: whole, columns: map[int16]shapeColumn{}}
		}
		if number > 0 {
			s.columns[number] = c
		}
		shapes[oid] = s
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look at the tables: %w", err)
	}
	return shapes, nil
}

// attribute is one of a composite type, and a column of the type, of one made of it, or of an array of either.
type attribute struct {
	table     uint32
	column    string
	composite string
	typ       uint32
	number    int16
}

// readAttributes reads the attributes of composite types that lie in columns of tables that are not kept ones.
func readAttributes(ctx context.Context, conn *pgx.Conn) (map[attribute]bool, error) {
	rows, err := conn.Query(ctx, `
		with recursive part (relid, typ) as (
			select c.oid, c.reltype from pg_class c where c.relkind = 'c' and c.relnamespace <> 'information_schema'::regnamespace
			union
			select p.relid, outside from part p join (
				select typelem, oid from pg_type where typelem <> 0
				union all select typbasetype, oid from pg_type where typbasetype <> 0
				union all select a.atttypid, c.reltype from pg_attribute a join pg_class c on c.oid = a.attrelid where c.reltype <> 0 and not a.attisdropped
			) t (inside, outside) on inside = p.typ
		)
		select distinct a.attrelid, quote_ident(a.attname), p.relid::regclass::text, p.relid, x.attnum
		from part p
		join pg_attribute a on a.atttypid = p.typ and not a.attisdropped
		join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p') and c.relpersistence <> 't' and c.relnamespace is distinct from to_regnamespace('`+trashSchema+`')
		join pg_attribute x on x.attrelid = p.relid and x.attnum > 0 and not x.attisdropped`)
	if err != nil {
		return nil, fmt.Errorf("look at the composite types: %w", err)
	}
	found := map[attribute]bool{}
	var a attribute
	_, err = pgx.ForEachRow(rows, []any{&a.table, &a.column, &a.composite, &a.typ, &a.number}, func() error {
		found[a] = true
		return nil
	})
	return found, err
}

// finish looks, after the statements of a step and before its transaction ends, at what they did, and records it.
func (k *keeper) finish(ctx context.Context, db database.DBTxConn, version int64) (err error) {
	if k.own {
		defer func() {
			end := "commit"
			if err != nil {
				end = "rollback"
			}
			_, endErr := k.conn.Exec(context.WithoutCancel(ctx), end)
			err = errors.Join(err, endErr)
			k.own = false
		}()
	}
	if k.begun && (k.tx || k.own) {
		if err := k.account(ctx); err != nil {
			return err
		}
	}
	if err := k.compare(ctx, db); err != nil {
		return err
	}
	if err := k.replicas(ctx); err != nil {
		return err
	}
	if err := k.run.hold(ctx, db, fmt.Sprintf("rolled back from version %d to %d; portaldb up --restore-trash brings it back", k.from, k.to)); err != nil {
		return err
	}
	return k.run.record(ctx, db, version, nil)
}

// account makes sure that whatever went was kept, and lets go of what was kept and did not go.
func (k *keeper) account(ctx context.Context) error {
	if _, err := k.conn.Exec(ctx, `set constraints all immediate`); err != nil {
		return err
	}
	now, err := readShapes(ctx, k.conn)
	if err != nil {
		return err
	}
	gone := map[uint32][]string{} // by table: its columns that are not as they were
	for oid, was := range k.shapes {
		is, stays := now[oid]
		for number, c := range was.columns {
			other, ok := is.columns[number]
			if kept := strings.HasPrefix(was.name, trashSchema+"."); !ok || !kept && (other.typ != c.typ || other.made != c.made) {
				gone[oid] = append(gone[oid], c.name)
			}
		}
		root := oid
		for k.shapes[root].whole != 0 && !k.keptTable(root) {
			root = k.shapes[root].whole
		}
		if !stays && !k.keptTable(root) {
			return fmt.Errorf("table %s would be lost: no effect tells that the Down drops it, and it was not kept", was.name)
		}
		if !stays {
			continue
		}
		for _, column := range gone[oid] {
			kept := false
			for at := oid; at != 0; at = k.shapes[at].whole {
				kept = kept || slices.ContainsFunc(k.keeps, func(keep Keep) bool {
					return keep.oid == at && keep.Kind == "column" && slices.Contains(keep.Columns, column)
				})
			}
			c := was.column(column)
			if !kept && c.made == "" {
				return fmt.Errorf("column %s.%s would be lost: no effect tells that the Down drops or changes it, and it was not kept", was.name, column)
			}
		}
	}
	attributes, err := readAttributes(ctx, k.conn)
	if err != nil {
		return err
	}
	for a := range k.attributes {
		s, stays := now[a.table]
		if attributes[a] || !stays || strings.HasPrefix(s.name, trashSchema+".") || slices.Contains(gone[a.table], a.column) {
			continue
		}
		if !slices.ContainsFunc(k.keeps, func(keep Keep) bool {
			return keep.oid == a.table && keep.Kind == "column" && slices.Contains(keep.Columns, a.column)
		}) {
			return fmt.Errorf("column %s.%s would lose a part: the Down takes an attribute from type %s, and it was not kept", s.name, a.column, a.composite)
		}
		gone[a.table] = append(gone[a.table], a.column)
	}
	var left []Trash
	for _, t := range k.kept {
		_, stays := now[t.source]
		whole := t.Kind == "table" && stays && (t.KeptIn == nil || now[t.source].name != *t.KeptIn)
		column := t.Kind == "column" && !slices.ContainsFunc(t.Columns, func(c string) bool { return slices.Contains(gone[t.source], c) })
		if !whole && !column {
			left = append(left, t)
			continue
		}
		if err := t.drop(ctx, k.conn); err != nil {
			return fmt.Errorf("let go of %s: %w", t.What(), err)
		}
		if _, err := k.conn.Exec(ctx, `delete from portaldb.trash where id = $1`, t.ID); err != nil {
			return err
		}
	}
	k.kept = left
	for _, t := range k.kept {
		if t.altered {
			if err := k.remember(ctx, t, now[t.source].name); err != nil {
				return err
			}
		}
	}
	return k.intact(ctx)
}

func (k *keeper) keptTable(oid uint32) bool {
	return slices.ContainsFunc(k.kept, func(t Trash) bool { return t.Kind == "table" && t.source == oid })
}

func (s shape) column(name string) shapeColumn {
	for _, c := range s.columns {
		if c.name == name {
			return c
		}
	}
	return shapeColumn{}
}

// remember notes, beside altered columns, what the Down made of them: where that changes until the migration comes again, the
// newer value counts.
func (k *keeper) remember(ctx context.Context, t Trash, table string) error {
	add, set := []string{"add column " + stale + " boolean"}, []string{}
	for _, c := range t.Columns {
		add = append(add, "add column "+afterColumn(c)+" text")
		set = append(set, fmt.Sprintf("%s = t.%s::text", afterColumn(c), c))
	}
	if _, err := k.conn.Exec(ctx, fmt.Sprintf(`alter table %s %s`, *t.KeptIn, strings.Join(add, ", "))); err != nil {
		return err
	}
	return steadily(ctx, k.conn, func() error {
		tag, err := k.conn.Exec(ctx, fmt.Sprintf(`update %s k set %s from %s t where %s`, *t.KeptIn, strings.Join(set, ", "), table, t.sameKey()))
		changed := slices.ContainsFunc(t.Key, func(c string) bool { return slices.Contains(t.Columns, c) })
		if err == nil && changed && tag.RowsAffected() != t.Rows {
			return &StepError{fmt.Sprintf("its Down changes the key of %s, and %d of %d rows could not be found again", t.Object, t.Rows-tag.RowsAffected(), t.Rows)}
		}
		return err
	})
}

// intact makes sure that nothing took a column from what is kept, as a CASCADE does with a type.
func (k *keeper) intact(ctx context.Context) error {
	for _, t := range k.kept {
		if t.KeptIn == nil {
			continue
		}
		var dropped bool
		err := k.conn.QueryRow(ctx, `select to_regclass($1) is null or exists (select from pg_attribute where attrelid = to_regclass($1) and attisdropped and attnum > 0
			and not (attnum = any ($2::int2[])))`, *t.KeptIn, k.holes(t)).Scan(&dropped)
		if err != nil {
			return err
		}
		if dropped {
			return fmt.Errorf("the Down takes a type away from what was kept of %s", t.What())
		}
	}
	return nil
}

// holes are the numbers of columns that a moved table had lost before.
func (k *keeper) holes(t Trash) []int16 {
	was, ok := k.shapes[t.source]
	holes := []int16{}
	if !ok || t.Kind != "table" {
		return holes
	}
	var last int16
	for number := range was.columns {
		last = max(last, number)
	}
	for number := int16(1); number <= last+100; number++ {
		if _, ok := was.columns[number]; !ok {
			holes = append(holes, number)
		}
	}
	return holes
}

// compare refuses a step that has added a difference from the schema of its version, or has taken something that no
// migration made.
func (k *keeper) compare(ctx context.Context, db database.DBTxConn) error {
	var live catalog.Catalog
	var err error
	if tx, ok := db.(*sql.Tx); ok {
		live, err = catalog.Read(ctx, tx)
	} else {
		live, err = k.readOutside(ctx, db)
	}
	if err != nil {
		return err
	}
	before := k.want.diff(k.before, catalog.Catalog{}, k.major).Differences
	catalog.Accept(before, k.accepted)
	now := k.target.diff(live, catalog.Catalog{}, k.major).Differences
	for _, d := range now {
		if d.Drift() && !slices.ContainsFunc(before, d.Same) {
			return &StepError{fmt.Sprintf("its Down leaves something else than version %d should be: %s %s %s", k.target.version, d.Class, d.Kind, d.Object)}
		}
	}
	for _, d := range before {
		if d.Class == catalog.Extra && !slices.ContainsFunc(now, d.Same) {
			return &StepError{fmt.Sprintf("its Down would take along %s %s, which no migration made", d.Kind, d.Object)}
		}
	}
	return nil
}

// readOutside reads the catalog on a connection that goose has opened no transaction on. The reader makes a savepoint, so that
// there has to be one; a keeper's own is.
func (k *keeper) readOutside(ctx context.Context, db database.DBTxConn) (catalog.Catalog, error) {
	conn, ok := db.(*sql.Conn)
	if !ok {
		return nil, fmt.Errorf("read the catalog: goose gave no connection but a %T", db)
	}
	if k.own {
		return catalog.Read(ctx, conn)
	}
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	return catalog.Read(ctx, tx)
}

// StepError says why a step back was undone although its statements ran.
type StepError struct{ Reason string }

func (e *StepError) Error() string { return e.Reason }

// replicas refuses a step after which statements of a replica that serves now would not prepare.
func (k *keeper) replicas(ctx context.Context) error {
	if k.conn == nil || !k.tx && !k.own {
		return nil
	}
	for _, release := range k.releases {
		broken, err := prepare(ctx, k.conn, release, true)
		if err != nil {
			return err
		}
		if len(broken) > 0 {
			return &StepError{fmt.Sprintf("replicas that serve now run release %s, and its statements would not work any more: %s; roll their binary back first",
				release.Name, Compatibility{Broken: broken}.BrokenText())}
		}
	}
	return nil
}

// hold sets a hold in the step's own transaction, unless one is in force: no later run may apply the step again unasked.
func (r *run) hold(ctx context.Context, db database.DBTxConn, reason string) error {
	_, err := db.ExecContext(bookkeeping(ctx), `
		update portaldb.holds set released_at = now(), released_by = 'no longer in force'
		where released_at is null and (until <= now() or environment is distinct from (select environment from portaldb.meta))`)
	if err == nil { // one that ends by itself would let the next up undo the rollback
		_, err = db.ExecContext(bookkeeping(ctx), `
			update portaldb.holds set until = null, reason = reason || '; ' || $1 where released_at is null and until is not null`, reason)
	}
	if err == nil {
		_, err = db.ExecContext(bookkeeping(ctx), `
			insert into portaldb.holds (reason, actor, environment) select $1, $2, (select environment from portaldb.meta)
			where not exists (select from portaldb.holds where released_at is null)
			on conflict do nothing`, reason, r.engine.config.Actor.Name)
	}
	if err != nil {
		return fmt.Errorf("set the hold: %w", err)
	}
	return nil
}
