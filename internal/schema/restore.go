package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3/database"

	"portaldb/internal/catalog"
)

// Restored is kept data that was put back.
type Restored struct {
	Version int64    `json:"version"`
	Kind    string   `json:"kind"`
	Object  string   `json:"object"`
	Columns []string `json:"columns"`
	// Rows is how many rows were kept, and are as they were again.
	Rows int64 `json:"rows"`
	// Gone are rows that were deleted meanwhile, whose columns have no place; Changed are rows whose columns got newer values
	// meanwhile, which stay; New are rows that came meanwhile, or from the migration itself.
	Gone    int64 `json:"gone"`
	Changed int64 `json:"changed"`
	New     int64 `json:"new"`
	// Left are rows that could not be put back, since what they refer to was deleted meanwhile, or their key was taken. They stay kept.
	Left int64 `json:"left"`
}

// restorer puts back, in the transaction of a migration that is applied again, what was kept when it was rolled back.
type restorer struct {
	run  *run
	tx   bool // the file runs in a transaction
	conn *pgx.Conn
	kept []Trash
	// later is what is put back once the file's transaction is over; plain tells that the file is DDL alone, which gives the rows
	// of a new column one value.
	later []Trash
	plain bool
	// late tells that the file's transaction is over: values that others have given to the columns since then stay.
	late bool
	// begun tells that the first statement has been seen.
	begun bool
	// waiting are the tables whose rows are not in yet, while one after the other is put back.
	waiting  []Trash
	restored []Restored
	last     []string // statements that leave nothing kept but what could not be put back, when nothing compares with it any more
	raised   []string // statements that put triggers and the like back as they were
}

// stale is the column of a kept table that marks rows of which the live ones have newer values.
const stale = "portaldb_stale"

// after is the prefix of the columns of a kept table that hold what a Down made of altered columns, or the migration of
// those that are put back after it.
const after = "portaldb_after_"

// prepareRestore readies the run to put back what is kept of a file.
func (r *run) prepareRestore(ctx context.Context, f *File) error {
	r.restorer = nil
	if !r.restore {
		return nil
	}
	kept, err := unrestored(ctx, r.session, []File{*f})
	if err != nil || len(kept) == 0 {
		return err
	}
	statements, tx, err := Statements(*f, true)
	if err != nil {
		return err
	}
	// A value that the file adds to an enum cannot be used in its transaction. And as long as that lasts, nobody reads a table
	// that it adds a column to. What has to wait has its own transaction afterwards, under a lock that lets readers pass.
	r.restorer = &restorer{run: r, tx: tx, plain: readDown(statements).plain}
	for _, t := range kept {
		if r.engine.addsEnumValue(f) || t.Kind == "column" && !t.altered && t.Rows > manyRows {
			r.restorer.later = append(r.restorer.later, t)
		} else {
			r.restorer.kept = append(r.restorer.kept, t)
		}
	}
	r.session.seam.rewrite = r.restorer.rewrite
	return nil
}

// manyRows is how many rows of a column are put back while the file's own locks are held.
const manyRows = 20_000

func (e *Engine) addsEnumValue(f *File) bool {
	return int(f.Version) <= len(e.effects) && slices.ContainsFunc(e.effects[f.Version-1].Changed, func(c catalog.Change) bool { return c.After.Kind == "enum" })
}

// restoreRest puts back what is kept of versions that are applied: of this run, where that was postponed, or of one
// that was killed in between.
func (r *run) restoreRest(ctx context.Context, result *Result) error {
	applied := slices.DeleteFunc(slices.Clone(r.engine.files), func(f File) bool { return f.Version > result.To })
	all, err := unrestored(ctx, r.session, applied)
	if err != nil {
		return fmt.Errorf("%w; the database is at version %d, and up --restore-trash goes on from there and puts back what is still kept", err, result.To)
	}
	for i := range applied {
		f := &applied[i]
		kept := slices.DeleteFunc(slices.Clone(all), func(t Trash) bool { return t.Version != f.Version })
		if len(kept) == 0 {
			continue
		}
		_, tx, err := Statements(*f, true)
		if err != nil {
			return err
		}
		var rest *restorer
		blockers, _, err := r.patiently(ctx, f, func() error {
			rest = &restorer{run: r, tx: tx, kept: kept, begun: true, late: true}
			return r.session.raw(ctx, func(conn *pgx.Conn) error {
				return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
					rest.conn = tx.Conn()
					return rest.putBack(ctx)
				})
			})
		})
		if err != nil {
			reason := cause(err)
			if len(blockers) > 0 {
				reason += "; it waited for " + blockersText(blockers)
			}
			return fmt.Errorf("put back what was kept of %s: %s; the database is at version %d, and up --restore-trash goes on from there and puts back what is still kept", f.Name, reason, result.To)
		}
		result.Restored = append(result.Restored, rest.restored...)
	}
	return nil
}

// rewrite sees each statement before it is sent. Before the first it marks the rows whose altered columns were changed since
// the rollback.
func (r *restorer) rewrite(ctx context.Context, conn *pgx.Conn, query string) (string, error) {
	if r.begun {
		return query, nil
	}
	r.begun, r.conn, r.restored = true, conn, nil
	r.run.session.seam.announced.Store(true) // whoever writes to it was told
	defer r.run.session.seam.announced.Store(false)
	for _, t := range slices.Concat(r.kept, r.later) {
		if !t.altered {
			continue
		}
		var exists bool
		if err := conn.QueryRow(ctx, `select to_regclass($1) is not null`, t.Object).Scan(&exists); err != nil {
			return "", err
		}
		if !exists {
			continue // it has another name for now
		}
		var same []string
		for _, c := range t.Columns {
			same = append(same, fmt.Sprintf("t.%s::text is distinct from k.%s", c, afterColumn(c)))
		}
		err := steadily(ctx, conn, func() error {
			if r.tx { // nobody writes to it between this look and the file's own lock
				if _, err := conn.Exec(ctx, `lock table `+t.Object+` in share mode`); err != nil {
					return err
				}
			}
			_, err := conn.Exec(ctx, fmt.Sprintf(`update %s k set %s = (%s) from %s t where %s`, *t.KeptIn, stale, strings.Join(same, " or "), t.Object, t.sameKey()))
			return err
		})
		if err != nil {
			return "", fmt.Errorf("look which rows of %s were changed since the rollback: %w", t.Object, err)
		}
	}
	return query, nil
}

// afterColumn is the column of a kept table that holds what a Down, or the migration again, made of a column.
func afterColumn(name string) string {
	return `"` + after + strings.Trim(name, `"`) + `"`
}

// sameKey is the condition that the rows t and k are the same.
func (t Trash) sameKey() string {
	parts := make([]string, len(t.Key))
	for i, c := range t.Key {
		parts[i] = fmt.Sprintf("t.%s = k.%s", c, c)
	}
	return strings.Join(parts, " and ")
}

// finish puts the rows back after the statements of the file, and records the version.
func (r *restorer) finish(ctx context.Context, db database.DBTxConn, version int64) (err error) {
	for _, t := range r.later {
		if r.tx && t.Kind == "column" {
			if err := steadily(ctx, r.conn, func() error { return r.given(ctx, t) }); err != nil {
				return fmt.Errorf("look what the file made of %s: %w", t.What(), err)
			}
		}
	}
	if len(r.kept) == 0 {
		return r.run.record(ctx, db, version, nil)
	}
	if !r.begun { // the file's work was done by a run that could not record it
		if r.conn = r.run.session.seam.conn; r.conn == nil {
			return errors.New("no statement has passed")
		}
	}
	if !r.tx {
		r.late = true // others may have written since the statement
		if _, err := r.conn.Exec(ctx, "begin"); err != nil {
			return err
		}
		defer func() {
			end := "commit"
			if err != nil {
				end = "rollback"
			}
			_, endErr := r.conn.Exec(context.WithoutCancel(ctx), end)
			err = errors.Join(err, endErr)
		}()
	}
	if err := r.putBack(ctx); err != nil {
		return fmt.Errorf("put back what was kept: %w", err)
	}
	return r.run.record(ctx, db, version, nil)
}

// given notes, beside columns that are put back once the file's transaction is over, what the file has made of them: where it is
// something else by then, that is newer. What DDL alone makes of a new column is the same in all rows, unless its default is an
// expression; then it is not noted.
func (r *restorer) given(ctx context.Context, t Trash) error {
	if t.altered || !r.plain {
		var add, set []string
		for _, c := range t.Columns {
			add = append(add, "add column if not exists "+afterColumn(c)+" text")
			set = append(set, fmt.Sprintf("%s = t.%s::text", afterColumn(c), c))
		}
		if _, err := r.conn.Exec(ctx, fmt.Sprintf(`alter table %s %s`, *t.KeptIn, strings.Join(add, ", "))); err != nil {
			return err
		}
		_, err := r.conn.Exec(ctx, fmt.Sprintf(`update %s k set %s from %s t where %s`, *t.KeptIn, strings.Join(set, ", "), t.Object, t.sameKey()))
		return err
	}
	columns, err := r.columns(ctx, t)
	if err != nil {
		return err
	}
	for _, c := range columns {
		if strings.Contains(c.def, "(") || c.identity {
			continue
		}
		var value *string
		err := r.conn.QueryRow(ctx, fmt.Sprintf(`select %s::text from %s limit 1`, c.name, t.Object)).Scan(&value)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		add := fmt.Sprintf(`alter table %s add column %s text`, *t.KeptIn, afterColumn(c.name))
		if value != nil {
			add += " default '" + strings.ReplaceAll(*value, "'", "''") + "'"
		}
		if _, err := r.conn.Exec(ctx, add); err != nil {
			return err
		}
	}
	return nil
}

// columns are the live columns of an entry.
func (r *restorer) columns(ctx context.Context, t Trash) ([]liveColumn, error) {
	var oid uint32
	if err := r.conn.QueryRow(ctx, `select to_regclass($1)::oid`, t.Object).Scan(&oid); err != nil {
		return nil, err
	}
	columns, err := (&keepLooker{conn: r.conn}).columns(ctx, oid)
	return slices.DeleteFunc(columns, func(c liveColumn) bool { return !slices.Contains(t.Columns, c.name) }), err
}

func (r *restorer) putBack(ctx context.Context) error {
	return steadily(ctx, r.conn, func() error { return r.putAllBack(ctx) })
}

func (r *restorer) putAllBack(ctx context.Context) error {
	r.run.engine.config.Progress(Event{Restoring: r.kept})
	r.run.session.seam.announced.Store(true)
	defer r.run.session.seam.announced.Store(false)
	// Nobody has looked at the kept tables yet, and the joins with them are as large as they are.
	if _, err := r.conn.Exec(ctx, `set local work_mem = '128MB'`); err != nil {
		return err
	}
	var tables, columns, sequences []Trash
	var names []string
	var err error
	for _, t := range r.kept {
		if t.KeptIn != nil {
			if _, err := r.conn.Exec(ctx, `analyze `+*t.KeptIn); err != nil {
				return err
			}
		}
		switch t.Kind {
		case "table":
			tables, names = append(tables, t), append(names, t.Object)
		case "column":
			columns, names = append(columns, t), append(names, t.Object)
		default:
			sequences = append(sequences, t)
		}
	}
	if r.late && len(names) > 0 {
		if _, err := r.conn.Exec(ctx, `lock table `+strings.Join(names, ", ")+` in share row exclusive mode`); err != nil {
			return err
		}
	}
	if err := r.lower(ctx, names, tables); err != nil {
		return err
	}
	for _, t := range sequences {
		if err := r.advance(ctx, t); err != nil {
			return fmt.Errorf("sequence %s: %w", t.Object, err)
		}
	}
	// What the migration itself has put in gives way before, for the sake of unique columns, and where something of
	// the other rows referred to it, after.
	if tables, err = r.parentsFirst(ctx, tables); err != nil {
		return err
	}
	if err := r.giveWay(ctx, tables); err != nil {
		return err
	}
	for i, t := range tables {
		r.waiting = tables[i:]
		if err := r.insert(ctx, t); err != nil {
			return fmt.Errorf("table %s: %w", t.Object, err)
		}
	}
	for _, t := range columns {
		if err := r.update(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.What(), err)
		}
	}
	if err := r.giveWay(ctx, tables); err != nil {
		return err
	}
	for _, sql := range append(r.last, `set constraints all immediate`) {
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	for _, sql := range slices.Backward(r.raised) {
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	for _, t := range r.kept {
		if err := r.close(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// lower disables what would change rows or keep them out, and takes down how to put each back exactly as it is now. Foreign
// keys stay checked; those between tables that are put back are checked when all is in.
func (r *restorer) lower(ctx context.Context, names []string, tables []Trash) error {
	whole := make([]string, len(tables))
	for i, t := range tables {
		whole[i] = t.Object
	}
	of, columns := []string{}, []string{}
	for _, t := range r.kept {
		if t.Kind == "column" {
			for _, c := range t.Columns {
				of, columns = append(of, t.Object), append(columns, c)
			}
		}
	}
	rows, err := r.conn.Query(ctx, `
		with recursive family as (
			select to_regclass(n)::oid as oid from unnest($1::text[]) n union select i.inhrelid from pg_inherits i join family f on f.oid = i.inhparent
		)
		select format('alter table only %s disable trigger %I', tgrelid::regclass, tgname),
		       format('alter table only %s enable %s trigger %I', tgrelid::regclass, case tgenabled when 'R' then 'replica' when 'A' then 'always' end, tgname)
		from pg_trigger join family f on f.oid = tgrelid where not tgisinternal and tgenabled <> 'D'
		union all
		select format('alter table %s disable rule %I', ev_class::regclass, rulename),
		       format('alter table %s enable %s rule %I', ev_class::regclass, case ev_enabled when 'R' then 'replica' when 'A' then 'always' end, rulename)
		from pg_rewrite join family f on f.oid = ev_class where rulename <> '_RETURN' and ev_enabled <> 'D'
		union all
		select format('alter table %s no force row level security', c.oid::regclass), format('alter table %s force row level security', c.oid::regclass)
		from pg_class c join family f on f.oid = c.oid where c.relforcerowsecurity
		union all
		select format('alter table %s alter column %I set generated by default', a.attrelid::regclass, a.attname),
		       format('alter table %s alter column %I set generated always', a.attrelid::regclass, a.attname)
		from pg_attribute a join family f on f.oid = a.attrelid where a.attidentity = 'a' and a.attinhcount = 0 and not a.attisdropped
		  and (a.attrelid in (select to_regclass(n) from unnest($2::text[]) n)
		    or exists (select from unnest($3::text[], $4::text[]) as kept (t, c) where to_regclass(kept.t) = a.attrelid and kept.c = quote_ident(a.attname)))
		union all
		-- A row that its own transaction has written anew is checked again, also where others may refer to nothing.
		select format('alter table %s drop constraint %I', conrelid::regclass, conname),
		       format('alter table %s add constraint %I %s', conrelid::regclass, conname, pg_get_constraintdef(c.oid))
		       || coalesce(format('; comment on constraint %I on %s is %L', conname, conrelid::regclass, obj_description(c.oid, 'pg_constraint')), '')
		from pg_constraint c where contype = 'f' and conparentid = 0 and not convalidated and conrelid in (select to_regclass(n) from unnest($1::text[]) n)
		  and conrelid not in (select to_regclass(n) from unnest($2::text[]) n)
		union all
		select format('alter table %s alter constraint %I deferrable initially deferred', conrelid::regclass, conname),
		       format('alter table %s alter constraint %I %s', conrelid::regclass, conname,
		              case when not condeferrable then 'not deferrable' when condeferred then 'deferrable initially deferred' else 'deferrable initially immediate' end)
		from pg_constraint where contype = 'f' and conparentid = 0
		  and conrelid in (select to_regclass(n) from unnest($2::text[]) n) and confrelid in (select to_regclass(n) from unnest($2::text[]) n)`, names, whole, of, columns)
	if err != nil {
		return err
	}
	var down, up string
	var downs []string
	_, err = pgx.ForEachRow(rows, []any{&down, &up}, func() error {
		downs, r.raised = append(downs, down), append(r.raised, up)
		return nil
	})
	if err != nil {
		return err
	}
	for _, sql := range downs {
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// advance sets a sequence to where it stood, unless it is beyond that: it never goes back.
func (r *restorer) advance(ctx context.Context, t Trash) error {
	done := Restored{Version: t.Version, Kind: t.Kind, Object: t.Object, Columns: []string{}}
	var exists bool
	if err := r.conn.QueryRow(ctx, `select to_regclass($1) is not null`, t.Object).Scan(&exists); err != nil || !exists {
		return err // its column was made without it
	}
	var now position
	var up bool
	err := r.conn.QueryRow(ctx, `select last_value, is_called, (select seqincrement > 0 from pg_sequence where seqrelid = to_regclass($1)) from `+t.Object, t.Object).
		Scan(&now.Last, &now.Called, &up)
	if err != nil {
		return err
	}
	beyond := now.Last > t.position.Last
	if !up {
		beyond = now.Last < t.position.Last
	}
	if !beyond && (now.Last != t.position.Last || !now.Called) {
		if _, err := r.conn.Exec(ctx, `select setval(to_regclass($1), $2, $3)`, t.Object, t.position.Last, t.position.Called); err != nil {
			return err
		}
	}
	r.restored = append(r.restored, done)
	return nil
}

// common are the columns of a kept table that the live one can take, with what to select of the kept row k.
func (r *restorer) common(ctx context.Context, t Trash) (names, values []string, err error) {
	rows, err := r.conn.Query(ctx, `
		select quote_ident(a.attname), case when a.atttypid = k.atttypid and a.atttypmod = k.atttypmod then 'k.' || quote_ident(a.attname)
			else format('k.%I::text::%s', a.attname, format_type(a.atttypid, a.atttypmod)) end
		from pg_attribute a join pg_attribute k on k.attname = a.attname and k.attrelid = to_regclass($2) and not k.attisdropped
		where a.attrelid = to_regclass($1) and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum`, t.Object, *t.KeptIn)
	if err != nil {
		return nil, nil, err
	}
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		names, values = append(names, name), append(values, value)
		return nil
	})
	if err == nil && len(names) == 0 { // a table may be without columns
		var there bool
		if err = r.conn.QueryRow(ctx, `select to_regclass($1) is not null`, t.Object).Scan(&there); err == nil && !there {
			err = fmt.Errorf("the migration has not made it again")
		}
	}
	return names, values, err
}

// primaryKey are the columns of the live table's key; none where it has no key.
func (r *restorer) primaryKey(ctx context.Context, table string) ([]string, error) {
	var oid uint32
	if err := r.conn.QueryRow(ctx, `select to_regclass($1)::oid`, table).Scan(&oid); err != nil {
		return nil, err
	}
	return (&keepLooker{conn: r.conn}).key(ctx, oid, nil)
}

// giveWay deletes rows that a migration has put into tables which are put back, and that were not among the kept
// ones, unless something refers to them.
func (r *restorer) giveWay(ctx context.Context, tables []Trash) error {
	if r.late {
		return nil // by now somebody else's rows may be among them
	}
	for _, t := range slices.Backward(tables) {
		key, err := r.primaryKey(ctx, t.Object)
		if err != nil {
			return err
		}
		condition := "true"
		if len(key) > 0 {
			same, err := r.keyed(ctx, t, key)
			if err != nil {
				return err
			}
			condition = fmt.Sprintf("not exists (select from %s k where %s)", *t.KeptIn, same)
		} else if slices.ContainsFunc(r.restored, func(done Restored) bool { return done.Kind == "table" && done.Object == t.Object }) {
			continue // they have given way, and nothing can refer to them
		}
		rows, err := r.conn.Query(ctx, `
			select format('not exists (select from %s referring where %s)', conrelid::regclass, (
				select string_agg(format('referring.%I = t.%I', x.attname, y.attname), ' and ')
				from unnest(conkey, confkey) as pair (x, y)
				join pg_attribute x on x.attrelid = conrelid and x.attnum = pair.x join pg_attribute y on y.attrelid = confrelid and y.attnum = pair.y))
			from pg_constraint where contype = 'f' and conparentid = 0 and confrelid = to_regclass($1) and conrelid <> confrelid`, t.Object)
		if err != nil {
			return err
		}
		referred, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		only, err := r.only(ctx, t.Object)
		if err != nil {
			return err
		}
		if _, err := r.conn.Exec(ctx, fmt.Sprintf(`delete from %s t where %s`, only, strings.Join(append(referred, condition), " and "))); err != nil {
			return fmt.Errorf("table %s: %w", t.Object, err)
		}
	}
	return nil
}

// only is a table as a clause names it that is about its own rows, without those of its heirs.
func (r *restorer) only(ctx context.Context, table string) (string, error) {
	var only string
	err := r.conn.QueryRow(ctx, `select case relkind when 'r' then 'only ' else '' end from pg_class where oid = to_regclass($1)`, table).Scan(&only)
	return only + table, err
}

// parentsFirst orders tables such that those which others refer to come before them, as far as they do not refer in a circle.
func (r *restorer) parentsFirst(ctx context.Context, tables []Trash) (sorted []Trash, err error) {
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = t.Object
	}
	rows, err := r.conn.Query(ctx, `
		select child.o::int - 1, parent.o::int - 1 from pg_constraint c
		join unnest($1::text[]) with ordinality child (n, o) on to_regclass(child.n) = c.conrelid
		join unnest($1::text[]) with ordinality parent (n, o) on to_regclass(parent.n) = c.confrelid
		where c.contype = 'f' and child.o <> parent.o`, names)
	if err != nil {
		return nil, err
	}
	parents := map[int][]int{}
	var child, parent int
	if _, err := pgx.ForEachRow(rows, []any{&child, &parent}, func() error {
		parents[child] = append(parents[child], parent)
		return nil
	}); err != nil {
		return nil, err
	}
	seen := make([]bool, len(tables))
	var visit func(int)
	visit = func(i int) {
		if seen[i] {
			return
		}
		seen[i] = true
		for _, p := range parents[i] {
			visit(p)
		}
		sorted = append(sorted, tables[i])
	}
	for i := range tables {
		visit(i)
	}
	return sorted, nil
}

// keyed is the condition that a kept row k is the live row t, by the live key.
func (r *restorer) keyed(ctx context.Context, t Trash, key []string) (string, error) {
	names, values, err := r.common(ctx, t)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, c := range key {
		i := slices.Index(names, c)
		if i < 0 {
			return "", fmt.Errorf("its key %s was not kept", c)
		}
		parts = append(parts, fmt.Sprintf("t.%s = %s", c, values[i]))
	}
	return strings.Join(parts, " and "), nil
}

// referred is the condition that what a kept row refers to is there: of the keys that have one of the columns, from tables
// whose rows are not still to come.
func (r *restorer) referred(ctx context.Context, t Trash, columns []string) (string, error) {
	together := []string{}
	for _, other := range r.waiting {
		if t.Kind == "table" {
			together = append(together, other.Object)
		}
	}
	rows, err := r.conn.Query(ctx, `
		select c.confrelid::regclass::text,
		       array(select quote_ident(a.attname) from unnest(c.conkey) with ordinality u (n, o) join pg_attribute a on a.attrelid = c.conrelid and a.attnum = u.n order by u.o),
		       array(select quote_ident(a.attname) from unnest(c.confkey) with ordinality u (n, o) join pg_attribute a on a.attrelid = c.confrelid and a.attnum = u.n order by u.o)
		from pg_constraint c
		where c.contype = 'f' and c.conparentid = 0 and c.conrelid = to_regclass($1)
		  and not coalesce(c.confrelid in (select to_regclass(n) from unnest($2::text[]) n), false)`, t.Object, together)
	if err != nil {
		return "", err
	}
	conditions := []string{"true"}
	var table string
	var mine, theirs []string
	_, err = pgx.ForEachRow(rows, []any{&table, &mine, &theirs}, func() error {
		if !slices.ContainsFunc(mine, func(c string) bool { return slices.Contains(columns, c) }) {
			return nil
		}
		var null, same []string
		for i, c := range mine {
			of := "k." + c
			if !slices.Contains(columns, c) {
				of = "t." + c
			}
			null, same = append(null, of+" is null"), append(same, fmt.Sprintf("referred.%s = %s", theirs[i], of))
		}
		conditions = append(conditions, fmt.Sprintf("(%s or exists (select from %s referred where %s))", strings.Join(null, " or "), table, strings.Join(same, " and ")))
		return nil
	})
	return strings.Join(conditions, " and "), err
}

// insert puts the rows of a table back.
func (r *restorer) insert(ctx context.Context, t Trash) error {
	names, values, err := r.common(ctx, t)
	if err != nil {
		return err
	}
	key, err := r.primaryKey(ctx, t.Object)
	if err != nil {
		return err
	}
	referred, err := r.referred(ctx, t, names)
	if err != nil {
		return err
	}
	conflict := ""
	if r.late && len(key) > 0 {
		if referred, err = r.unlessTaken(ctx, t, key, names, values, referred); err != nil {
			return err
		}
		conflict = fmt.Sprintf("on conflict (%s) do nothing", strings.Join(key, ", "))
	} else if len(key) > 0 {
		var set []string
		for _, c := range names {
			if !slices.Contains(key, c) {
				set = append(set, fmt.Sprintf("%s = excluded.%s", c, c))
			}
		}
		conflict = fmt.Sprintf("on conflict (%s) do update set %s", strings.Join(key, ", "), strings.Join(set, ", "))
		if len(set) == 0 {
			conflict = fmt.Sprintf("on conflict (%s) do nothing", strings.Join(key, ", "))
		}
	}
	done := Restored{Version: t.Version, Kind: t.Kind, Object: t.Object, Columns: []string{}}
	// Rows of a partitioned or inherited table were kept in their parts; all are seen through it.
	into := ""
	if len(names) > 0 {
		into = "(" + strings.Join(names, ", ") + ") overriding system value"
	}
	_, err = r.conn.Exec(ctx, fmt.Sprintf(`insert into %s %s select %s from %s k where %s %s`,
		t.Object, into, strings.Join(values, ", "), *t.KeptIn, referred, conflict))
	if err != nil {
		return err
	}
	only, err := r.only(ctx, t.Object)
	if err != nil {
		return err
	}
	var kept, now int64
	err = r.conn.QueryRow(ctx, fmt.Sprintf(`select (select count(*) from %s), (select count(*) from %s k where %s), (select count(*) from %s)`, *t.KeptIn, *t.KeptIn, referred, only)).
		Scan(&kept, &done.Rows, &now)
	if err != nil {
		return err
	}
	done.Left, done.New = kept-done.Rows, now-done.Rows
	if done.Left > 0 {
		r.last = append(r.last, fmt.Sprintf(`delete from %s k where %s`, *t.KeptIn, referred))
	}
	r.restored = append(r.restored, done)
	return nil
}

// unlessTaken adds to a condition that nobody has, since the migration, made another row of a kept one's key: that one is newer, and
// the kept one stays kept.
func (r *restorer) unlessTaken(ctx context.Context, t Trash, key, names, values []string, condition string) (string, error) {
	same, err := r.keyed(ctx, t, key)
	if err != nil {
		return "", err
	}
	differs := []string{"false"}
	for i, c := range names {
		differs = append(differs, fmt.Sprintf("t.%s::text is distinct from (%s)::text", c, values[i]))
	}
	for _, sql := range []string{
		fmt.Sprintf(`alter table %s add column if not exists %s boolean`, *t.KeptIn, stale),
		fmt.Sprintf(`update %s k set %s = true from %s t where %s and (%s)`, *t.KeptIn, stale, t.Object, same, strings.Join(differs, " or ")),
	} {
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	return condition + " and not coalesce(k." + stale + ", false)", nil
}

// update puts the values of columns back into the rows that are still there.
func (r *restorer) update(ctx context.Context, t Trash) error {
	names, values, err := r.common(ctx, t)
	if err != nil {
		return err
	}
	same, err := r.keyed(ctx, t, t.Key)
	if err != nil {
		return err
	}
	referred, err := r.referred(ctx, t, t.Columns)
	if err != nil {
		return err
	}
	var set, differs, fresh []string
	for _, c := range t.Columns {
		i := slices.Index(names, c)
		if i < 0 {
			return fmt.Errorf("the migration has not made column %s again", c)
		}
		if slices.Contains(t.Key, c) {
			continue
		}
		set, differs = append(set, fmt.Sprintf("%s = %s", c, values[i])), append(differs, fmt.Sprintf("t.%s::text is distinct from (%s)::text", c, values[i])) // not every type can be compared
	}
	if len(set) == 0 {
		differs = []string{"false"}
		set = []string{fmt.Sprintf("%s = t.%s", t.Columns[0], t.Columns[0])}
	}
	if fresh, err = r.numbered(ctx, t); err != nil {
		return err
	}
	current := "true"
	done := Restored{Version: t.Version, Kind: t.Kind, Object: t.Object, Columns: t.Columns}
	if t.altered {
		current = "not coalesce(k." + stale + ", false)"
	}
	if r.late && (r.tx || !t.altered) {
		if current, err = r.untouched(ctx, t); err != nil {
			return err
		}
		if _, err := r.conn.Exec(ctx, fmt.Sprintf(`alter table %s add column if not exists %s boolean`, *t.KeptIn, stale)); err != nil {
			return err
		}
		if _, err := r.conn.Exec(ctx, fmt.Sprintf(`update %s k set %s = true from %s t where %s and not (%s)`, *t.KeptIn, stale, t.Object, same, current)); err != nil {
			return err
		}
		current = "not coalesce(k." + stale + ", false)"
	}
	var statements []string
	if len(fresh) > 0 {
		// Rows that came meanwhile were numbered by the migration; they make room.
		statements = append(statements, fmt.Sprintf(`update %s t set %s where not exists (select from %s k where %s)`, t.Object, strings.Join(fresh, ", "), *t.KeptIn, same))
	}
	statements = append(statements, fmt.Sprintf(`update %s t set %s from %s k where %s and %s and %s and (%s)`, t.Object, strings.Join(set, ", "), *t.KeptIn, same, referred, current, strings.Join(differs, " or ")))
	if err := r.uniquely(ctx, t, statements); err != nil {
		return err
	}
	err = r.conn.QueryRow(ctx, fmt.Sprintf(`
		select count(*) filter (where there and referred and current), count(*) filter (where not there), count(*) filter (where there and not current),
		       count(*) filter (where there and current and not referred)
		from (select t.%s is not null as there, (%s) as referred, (%s) as current from %s k left join %s t on %s) kept`,
		t.Key[0], referred, current, *t.KeptIn, t.Object, same)).Scan(&done.Rows, &done.Gone, &done.Changed, &done.Left)
	if err != nil {
		return err
	}
	if err := r.conn.QueryRow(ctx, fmt.Sprintf(`select count(*) from %s t where not exists (select from %s k where %s)`, t.Object, *t.KeptIn, same)).Scan(&done.New); err != nil {
		return err
	}
	if done.Left > 0 {
		r.last = append(r.last, fmt.Sprintf(`delete from %s k where not exists (select from %s t where %s and %s and not (%s))`, *t.KeptIn, t.Object, same, current, referred))
	}
	r.restored = append(r.restored, done)
	return nil
}

// untouched is the condition that nobody has given a row a value since the migration: it has what the migration gave it where that
// was noted, else the default, where that can be told.
func (r *restorer) untouched(ctx context.Context, t Trash) (string, error) {
	columns, err := r.columns(ctx, t)
	if err != nil {
		return "", err
	}
	conditions := []string{"true"}
	for _, c := range columns {
		var noted bool
		err := r.conn.QueryRow(ctx, `select exists (select from pg_attribute where attrelid = to_regclass($1) and attname = (parse_ident($2))[1]::name)`,
			*t.KeptIn, afterColumn(c.name)).Scan(&noted)
		switch {
		case err != nil:
			return "", err
		case noted:
			conditions = append(conditions, fmt.Sprintf("t.%s::text is not distinct from k.%s", c.name, afterColumn(c.name)))
		case !strings.Contains(c.def, "("):
			conditions = append(conditions, "not ("+c.differs("t."+c.name)+")")
		}
	}
	return strings.Join(conditions, " and "), nil
}

// numbered are assignments that give the columns which a sequence fills a new number.
func (r *restorer) numbered(ctx context.Context, t Trash) ([]string, error) {
	rows, err := r.conn.Query(ctx, `
		select quote_ident(a.attname) || ' = default' from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
		where a.attrelid = to_regclass($1) and quote_ident(a.attname) = any ($2) and (a.attidentity <> '' or pg_get_expr(d.adbin, d.adrelid) like '%nextval(%')`, t.Object, t.Columns)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// uniquely carries out updates that may, on the way, give a value to two rows: where a unique index refuses that, it is
// made again afterwards.
func (r *restorer) uniquely(ctx context.Context, t Trash, statements []string) error {
	carryOut := func() error {
		for _, sql := range statements {
			if _, err := r.conn.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	}
	if _, err := r.conn.Exec(ctx, "savepoint portaldb_restore"); err != nil {
		return err
	}
	err := carryOut()
	var pgErr *pgconn.PgError
	if err == nil || !errors.As(err, &pgErr) || pgErr.Code != "23505" {
		return err
	}
	if _, err := r.conn.Exec(ctx, "rollback to savepoint portaldb_restore"); err != nil {
		return err
	}
	rows, err := r.conn.Query(ctx, `
		select case when c.oid is null then format('drop index %s', i.indexrelid::regclass) else format('alter table %s drop constraint %I', i.indrelid::regclass, c.conname) end,
		       case when c.oid is null then pg_get_indexdef(i.indexrelid) else format('alter table %s add constraint %I %s', i.indrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) end
		from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('p', 'u', 'x') and c.conrelid = i.indrelid
		where i.indrelid = to_regclass($1) and i.indisunique and exists (
			select from unnest(i.indkey::int2[]) n join pg_attribute a on a.attrelid = i.indrelid and a.attnum = n where quote_ident(a.attname) = any ($2))`, t.Object, t.Columns)
	if err != nil {
		return err
	}
	var drop, create string
	var drops, creates []string
	_, err = pgx.ForEachRow(rows, []any{&drop, &create}, func() error {
		drops, creates = append(drops, drop), append(creates, create)
		return nil
	})
	if err != nil {
		return err
	}
	for _, sql := range drops {
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	if err := carryOut(); err != nil {
		return err
	}
	if _, err := r.conn.Exec(ctx, "set constraints all immediate"); err != nil {
		return err
	}
	for _, sql := range creates {
		if _, err := r.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// close ends an entry: what was put back whole is no longer kept.
func (r *restorer) close(ctx context.Context, t Trash) error {
	var left int64
	for _, done := range r.restored {
		if done.Kind == t.Kind && done.Object == t.Object && slices.Equal(done.Columns, t.Columns) {
			left = done.Left
		}
	}
	if left == 0 {
		if err := t.drop(ctx, r.conn); err != nil {
			return fmt.Errorf("drop %s: %w", *t.KeptIn, err)
		}
	}
	_, err := r.conn.Exec(ctx, `update portaldb.trash set restored_at = now(), left_rows = $2 where id = $1`, t.ID, left)
	return err
}
