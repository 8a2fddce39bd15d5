package schema

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// tracer looks, from inside a file's own transaction, at what each statement took and did. Outside a transaction there is
// nothing to see when a statement is over; its kind tells then.
//
// What it finds depends on neither statistics nor speed. Locks are those that the transaction holds. A rewrite is another
// file under a table. A scan is counted by the server, and would depend on the planner: so sessions that measure have
// sequential scans disabled, and one happens only where no index can serve, in what commands like ALTER TABLE and
// CREATE INDEX do themselves, and nowhere else. Only validating a foreign key goes through the planner and reads the whole table in
// any case: it is told by the constraint's being valid afterwards.
type tracer struct {
	measured []catalog.Measured
	// start is the state before the file, last the one before the current statement.
	start, last *traceState
	// truncated are the tables that the file emptied by TRUNCATE, touched all whose rows it may have changed.
	truncated, touched map[uint32]bool
	tx                 bool
	elapsed            time.Duration // of the last statement
}

// tracedSettings make measuring the same everywhere: see tracer. Parallel workers count their scans apart.
const tracedSettings = `
	set enable_seqscan = off; set enable_indexonlyscan = off; set jit = off;
	set max_parallel_workers_per_gather = 0; set max_parallel_maintenance_workers = 0`

const untracedSettings = `
	reset enable_seqscan; reset enable_indexonlyscan; reset jit;
	reset max_parallel_workers_per_gather; reset max_parallel_maintenance_workers`

type traceState struct {
	relations map[uint32]traceRelation
	held      map[uint32][]string // modes, by relation
	// validated are the foreign keys that hold for all rows, with their tables.
	validated map[uint32]traceKey
}

type traceRelation struct {
	name     string // qualified, quoted as SQL needs it
	kind     string // pg_class.relkind
	file     uint32
	scans    int64
	columns  int     // that it ever had
	rows     float64 // as of the last ANALYZE
	ofTable  uint32  // of an index
	reported bool    // its locks are told
}

type traceKey struct {
	table uint32
	first int // its first column's number
}

func newTracer(tx bool) *tracer {
	return &tracer{tx: tx, truncated: map[uint32]bool{}, touched: map[uint32]bool{}}
}

// around sends a statement of a file and takes down what it did.
func (t *tracer) around(ctx context.Context, conn *pgx.Conn, line int, query string, send func() error) (err error) {
	if t.last == nil {
		if t.last, err = readTrace(ctx, conn); err != nil {
			return err
		}
		t.start = t.last
	}
	told, err := t.told(ctx, conn, query)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := send(); err != nil {
		return err
	}
	t.elapsed = time.Since(begin)
	after, err := readTrace(ctx, conn)
	if err != nil {
		return err
	}
	locks := told
	for oid := range told {
		t.touched[oid] = true
	}
	if t.tx {
		if locks, err = t.locks(ctx, conn, told, after); err != nil {
			return err
		}
	}
	m := catalog.Measured{Line: line, MSPer100k: t.per100k(locks)}
	for _, oid := range slices.Sorted(maps.Keys(locks)) {
		m.Locks = append(m.Locks, locks[oid])
	}
	slices.SortFunc(m.Locks, func(a, b catalog.Lock) int { return cmp.Compare(a.Relation, b.Relation) })
	t.measured = append(t.measured, m)
	t.last = after
	return nil
}

// told are the locks that the statement's kind tells, by relation, as far as they are of relations that were there before
// the file. The lock of an index stands for its table's.
func (t *tracer) told(ctx context.Context, conn *pgx.Conn, query string) (map[uint32]catalog.Lock, error) {
	found := map[uint32]catalog.Lock{}
	for _, lock := range lint.Locks(query) {
		var oid uint32
		if err := conn.QueryRow(ctx, `select coalesce(to_regclass($1)::oid, 0)`, lock.Relation).Scan(&oid); err != nil {
			return nil, fmt.Errorf("look for %s: %w", lock.Relation, err)
		}
		if table := t.start.relations[oid].ofTable; table != 0 {
			oid = table
		}
		relation, existed := t.start.relations[oid]
		if !existed || !relation.reported {
			continue
		}
		lock.Relation = t.name(oid)
		if old, ok := found[oid]; ok {
			lock.Rewrites, lock.Scans = lock.Rewrites || old.Rewrites, lock.Scans || old.Scans
			if catalog.Strength(old.Mode) > catalog.Strength(lock.Mode) {
				lock.Mode = old.Mode
			}
		}
		lock.Scans = lock.Scans && !lock.Rewrites
		found[oid] = lock
	}
	return found, nil
}

// name is what a relation is called when the current statement comes.
func (t *tracer) name(oid uint32) string {
	if relation, ok := t.last.relations[oid]; ok {
		return relation.name
	}
	return t.start.relations[oid].name
}

// locks are the strongest lock that the statement took of each relation: those that the transaction did not hold before,
// and those of its kind which it would have taken, had an earlier statement not held them already.
func (t *tracer) locks(ctx context.Context, conn *pgx.Conn, told map[uint32]catalog.Lock, after *traceState) (map[uint32]catalog.Lock, error) {
	locks := map[uint32]catalog.Lock{}
	for oid, before := range t.start.relations {
		if !before.reported {
			continue
		}
		taken, held := strongest(after.held[oid], t.last.held[oid]), strongest(after.held[oid], nil)
		lock := catalog.Lock{Mode: taken, Relation: t.name(oid)}
		if kind, ok := told[oid]; ok && catalog.Strength(kind.Mode) > catalog.Strength(taken) && catalog.Strength(kind.Mode) <= catalog.Strength(held) {
			lock.Mode = kind.Mode
		}
		rewritten, err := t.rewritten(ctx, conn, oid, after)
		if err != nil {
			return nil, err
		}
		lock.Rewrites = rewritten
		truncated := t.truncated[oid] && after.relations[oid].file != t.last.relations[oid].file // its indexes are built over no rows
		lock.Scans = !rewritten && !truncated && (after.relations[oid].scans > t.last.relations[oid].scans || t.validated(oid, after))
		if lock.Rewrites || lock.Scans {
			lock.Mode = cmp.Or(lock.Mode, held)
		}
		least := catalog.RowExclusive
		if before.kind == "S" {
			least = catalog.ShareUpdateExclusive // taking a number waits for nobody
		}
		if catalog.Strength(held) >= catalog.Strength(catalog.RowExclusive) {
			t.touched[oid] = true
		}
		if catalog.Strength(lock.Mode) >= catalog.Strength(least) {
			locks[oid] = lock
		}
	}
	return locks, nil
}

// strongest is the strongest of modes that is not among without; empty when there is none.
func strongest(modes, without []string) string {
	found := ""
	for _, mode := range modes {
		if !slices.Contains(without, mode) && catalog.Strength(mode) > catalog.Strength(found) {
			found = mode
		}
	}
	return found
}

// rewritten reports whether a relation lies in another file than before the statement, which TRUNCATE gives it too.
func (t *tracer) rewritten(ctx context.Context, conn *pgx.Conn, oid uint32, after *traceState) (bool, error) {
	was, now := t.last.relations[oid], after.relations[oid]
	if now.file == was.file || now.kind != "r" && now.kind != "m" {
		return false, nil
	}
	var empty bool
	if err := conn.QueryRow(ctx, `select pg_relation_size($1) = 0`, oid).Scan(&empty); err != nil {
		return false, fmt.Errorf("look at the size of %s: %w", now.name, err)
	}
	if empty && now.kind == "r" {
		t.truncated[oid] = true
	}
	return !empty, nil
}

// validated reports whether a foreign key of the table began to hold for all rows. One on columns that are new with it
// holds for them by being null.
func (t *tracer) validated(table uint32, after *traceState) bool {
	for oid, key := range after.validated {
		if _, before := t.last.validated[oid]; !before && key.table == table && key.first <= t.last.relations[table].columns {
			return true
		}
	}
	return false
}

// per100k scales a statement's time to 100,000 rows of the relations that it went over, in two digits.
func (t *tracer) per100k(locks map[uint32]catalog.Lock) int64 {
	var rows float64
	for oid, lock := range locks {
		if lock.Rewrites || lock.Scans {
			rows += max(t.start.relations[oid].rows, 0)
		}
	}
	return scaleTime(t.elapsed, rows)
}

// touchedRows are the tables whose rows may have changed; nil where that could not be seen.
func (t *tracer) touchedRows() map[uint32]bool {
	if !t.tx && (len(t.measured) != 1 || len(t.measured[0].Locks) == 0) {
		return nil
	}
	return t.touched
}

// result is what was measured, given the rows before and after. Outside a transaction it adds the tables whose rows differ:
// a CALL tells nothing by its kind, and is how a backfill is done.
func (t *tracer) result(before, after contents) []catalog.Measured {
	if t.tx || len(t.measured) != 1 || len(t.measured[0].Locks) > 0 {
		return t.measured
	}
	m := &t.measured[0]
	var rows float64
	for oid := range before.changed(after) {
		if relation, existed := t.start.relations[oid]; existed {
			m.Locks = append(m.Locks, catalog.Lock{Mode: catalog.RowExclusive, Relation: relation.name})
			rows += max(relation.rows, 0)
		}
	}
	slices.SortFunc(m.Locks, func(a, b catalog.Lock) int { return cmp.Compare(a.Relation, b.Relation) })
	m.MSPer100k = scaleTime(t.elapsed, rows)
	return t.measured
}

// wrote reports whether the file may have updated or deleted rows of a table that was there before it, into which its Up had
// not put any.
func (t *tracer) wrote(before, up contents) bool {
	for _, m := range t.measured {
		for _, lock := range m.Locks {
			if lock.Mode == catalog.RowExclusive && len(up.named(lock.Relation).rows) == len(before.named(lock.Relation).rows) {
				return true
			}
		}
	}
	return false
}

// scaleTime scales the time for some rows to 100,000 of them, in two digits; 0 for no rows.
func scaleTime(elapsed time.Duration, rows float64) int64 {
	if rows == 0 {
		return 0
	}
	ms := elapsed.Seconds() * 1000 * 100_000 / rows
	digit := math.Pow(10, max(math.Floor(math.Log10(ms))-1, 0))
	return max(int64(math.Round(ms/digit)*digit), 1)
}

// readTrace reads what the session's transaction holds, and the relations of the database but the system's.
func readTrace(ctx context.Context, conn *pgx.Conn) (*traceState, error) {
	state := &traceState{relations: map[uint32]traceRelation{}, held: map[uint32][]string{}, validated: map[uint32]traceKey{}}
	batch := &pgx.Batch{}
	batch.Queue(`
		select c.oid, format('%I.%I', n.nspname, c.relname), c.relkind::text, coalesce(pg_relation_filenode(c.oid), 0)::oid,
		       coalesce(pg_stat_get_xact_numscans(c.oid), 0), c.relnatts::int, c.reltuples::float8, coalesce(i.indrelid, 0)::oid,
		       c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
		from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_index i on i.indexrelid = c.oid
		where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'i', 'I') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`).
		Query(func(rows pgx.Rows) error {
			var oid uint32
			var r traceRelation
			_, err := pgx.ForEachRow(rows, []any{&oid, &r.name, &r.kind, &r.file, &r.scans, &r.columns, &r.rows, &r.ofTable, &r.reported}, func() error {
				state.relations[oid] = r
				return nil
			})
			return err
		})
	batch.Queue(`
		select l.relation, upper(btrim(regexp_replace(replace(l.mode, 'Lock', ''), '([A-Z])', ' \1', 'g')))
		from pg_locks l
		where l.pid = pg_backend_pid() and l.locktype = 'relation' and l.granted
		  and l.database = (select oid from pg_database where datname = current_database())`).
		Query(func(rows pgx.Rows) error {
			var oid uint32
			var mode string
			_, err := pgx.ForEachRow(rows, []any{&oid, &mode}, func() error {
				state.held[oid] = append(state.held[oid], mode)
				return nil
			})
			return err
		})
	batch.Queue(`select oid, conrelid, conkey[1]::int from pg_constraint where contype = 'f' and convalidated`).
		Query(func(rows pgx.Rows) error {
			var oid uint32
			var key traceKey
			_, err := pgx.ForEachRow(rows, []any{&oid, &key.table, &key.first}, func() error {
				state.validated[oid] = key
				return nil
			})
			return err
		})
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return nil, fmt.Errorf("look at the locks of a migration: %w", err)
	}
	return state, nil
}
