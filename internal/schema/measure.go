package schema

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"

	"portaldb/internal/catalog"
)

// Measurement is what measuring migrations found.
type Measurement struct {
	Effects []catalog.Effect
	// Major is the server's major version.
	Major int
	// Unfilled are the tables for which no rows could be made: what was measured on them was measured on empty ones.
	Unfilled []Unfilled
}

// measuredRows is how many rows a table is given before a migration meets it: enough for times to tell something, and few
// enough to measure all migrations within seconds.
const measuredRows = 2000

// measuredSeed makes the rows the same every time.
const measuredSeed = 0

// Measure runs the migrations one by one on a scratch database of the engine's server, each up, down and up again over
// tables with rows, and returns what those from version from on did. The rows are those of testdata/rows/NNNNN.sql, where that
// lies beside the migrations, put in right after that version, and generated ones. It is how effect files are made.
//
// A half that fails because of rows is no error: it is noted, and measured where there are fewer or none. The login must be
// allowed to create databases.
func (e *Engine) Measure(ctx context.Context, from int64) (m Measurement, err error) {
	l, err := e.openLab(ctx, allRows, 0)
	if err != nil {
		return Measurement{}, err
	}
	defer func() { err = errors.Join(err, l.close(ctx)) }()
	if err := l.db.QueryRowContext(ctx, `select current_setting('server_version_num')::int / 10000`).Scan(&m.Major); err != nil {
		return m, fmt.Errorf("measure: %w", err)
	}
	for _, f := range e.files {
		if f.Version < from {
			if err := l.climb(ctx, f); err != nil {
				return m, fmt.Errorf("measure: %w", err)
			}
			continue
		}
		effect, err := l.measure(ctx, f)
		if err != nil {
			return m, fmt.Errorf("measure: %w", err)
		}
		m.Effects = append(m.Effects, effect)
	}
	m.Unfilled = slices.SortedFunc(maps.Values(l.unfilled), func(a, b Unfilled) int { return strings.Compare(a.Table, b.Table) })
	return m, nil
}

// lab is a scratch database on which migrations are measured.
type lab struct {
	engine *Engine
	admin  *session // on the engine's own database: it made the scratch one
	*session
	drop    func(context.Context) error
	rows    labRows
	version int64 // applied, and its rows put in

	// What is there now.
	catalog, reference catalog.Catalog
	contents           contents
	filled             map[uint32]bool
	unfilled           map[uint32]Unfilled
}

// labRows says which rows a lab's tables get.
type labRows int

const (
	noRows  labRows = iota
	ownRows         // those that lie beside the migrations
	allRows         // and generated ones
)

// openLab makes a scratch database at version to.
func (e *Engine) openLab(ctx context.Context, rows labRows, to int64) (_ *lab, err error) {
	l := &lab{engine: e, rows: rows, filled: map[uint32]bool{}, unfilled: map[uint32]Unfilled{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.close(ctx))
		}
	}()
	if l.admin, err = e.session(ctx, "measure"); err != nil {
		return nil, err
	}
	config, drop, err := e.createScratch(ctx, l.admin)
	if err != nil {
		return nil, err
	}
	l.drop = drop
	if l.session, err = openSession(ctx, config, "measure", e.config.Actor); err != nil {
		return nil, err
	}
	l.seam.timeouts = timeouts{lock: e.config.LockTimeout, concurrent: e.config.IndexTimeout}
	if err := l.look(ctx, nil); err != nil {
		return nil, err
	}
	for _, f := range e.files[:to] {
		if err := l.climb(ctx, f); err != nil {
			return nil, err
		}
	}
	return l, nil
}

func (l *lab) close(ctx context.Context) (err error) {
	if l.session != nil {
		l.session.close()
	}
	if l.drop != nil {
		err = l.drop(ctx)
	}
	if l.admin != nil {
		l.admin.close()
	}
	return err
}

// renew replaces the lab by a new one at version to.
func (l *lab) renew(ctx context.Context, rows labRows, to int64) error {
	next, err := l.engine.openLab(ctx, rows, to)
	if err != nil {
		return err
	}
	old := *l
	*l = *next
	return old.close(ctx)
}

// up applies a file whose rows have not been put in yet. Where it will not have the generated rows it is applied without
// them, which is told; they come back with the next filling.
func (l *lab) up(ctx context.Context, f File) (*tracer, []catalog.Refusal, error) {
	var refused []catalog.Refusal
	t, err := l.run(ctx, f, true)
	if l.rows == allRows && aboutRows(err) {
		refused = append(refused, refusal("up", err))
		if err := l.renew(ctx, ownRows, f.Version-1); err != nil {
			return nil, nil, err
		}
		l.rows = allRows
		t, err = l.run(ctx, f, true)
	}
	return t, refused, err
}

// climb applies a file and puts rows in.
func (l *lab) climb(ctx context.Context, f File) error {
	t, _, err := l.up(ctx, f)
	if err != nil {
		return err
	}
	if err := l.look(ctx, t.touchedRows()); err != nil {
		return err
	}
	return l.fill(ctx, f)
}

// measure runs a file up, down and up, and puts rows in.
func (l *lab) measure(ctx context.Context, f File) (catalog.Effect, error) {
	up, refused, err := l.up(ctx, f)
	if err != nil {
		return catalog.Effect{}, err
	}
	before, reference, rows := l.catalog, l.reference, l.contents
	if err := l.look(ctx, up.touchedRows()); err != nil {
		return catalog.Effect{}, err
	}
	effect := catalog.Compare(before, l.catalog)
	effect.Version, effect.Name, effect.Checksum = f.Version, f.Name, f.Checksum
	effect.Rows = catalog.Compare(reference, l.reference).Added
	effect.Up, effect.Lost, effect.Refused = up.result(rows, l.contents), rows.lost(l.contents, nil), refused
	if f.Irreversible() != "" {
		effect.Class = catalog.Irreversible
	} else if err := l.back(ctx, f, before, rows, &effect); err != nil {
		return catalog.Effect{}, err
	}
	return effect, l.fill(ctx, f)
}

// back measures the Down of a file whose Up has just run, and runs the Up again. before and rows are what was there before.
func (l *lab) back(ctx context.Context, f File, before catalog.Catalog, rows contents, effect *catalog.Effect) error {
	after, afterRows := l.catalog, l.contents
	down, err := l.run(ctx, f, false)
	if serverSaid(err) && l.rows != noRows {
		effect.Refused = append(effect.Refused, refusal("down", err))
		return l.backWithoutRows(ctx, f, effect)
	}
	if err != nil {
		return err
	}
	if err := l.look(ctx, down.touchedRows()); err != nil {
		return err
	}
	backRows := l.contents
	effect.Down, effect.Lost = down.result(afterRows, backRows), rows.lost(afterRows, &backRows)
	effect.Left = slices.DeleteFunc(catalog.Diff(before, l.catalog), func(d catalog.Difference) bool { return d.Class == catalog.Order })

	again, err := l.run(ctx, f, true)
	if err != nil && !serverSaid(err) {
		return err
	}
	var againRows *contents
	if err != nil {
		effect.Refused = append(effect.Refused, refusal("up again", err))
		err = l.renew(ctx, l.rows, f.Version)
	} else if err = l.lookAtRows(ctx, again.touchedRows()); err == nil {
		againRows = &l.contents
		for i, m := range again.result(backRows, l.contents) {
			effect.Up[i].MSPer100k = min(effect.Up[i].MSPer100k, m.MSPer100k) // the other one was disturbed
		}
		l.catalog = after // the same, but for the places of columns
	}
	effect.Class = reversal(rows, afterRows, backRows, againRows, down.truncated)
	if l.rows == noRows && effect.Class != catalog.DataLost && down.wrote(rows, afterRows) {
		effect.Class = catalog.DataLost // there were no rows to see it by
	}
	return err
}

// backWithoutRows measures the Down of a file that would not run over rows, on a database that has none.
func (l *lab) backWithoutRows(ctx context.Context, f File, effect *catalog.Effect) (err error) {
	empty, err := l.engine.openLab(ctx, noRows, f.Version-1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, empty.close(ctx)) }()
	before, rows, lost := empty.catalog, empty.contents, effect.Lost
	up, _, err := empty.up(ctx, f)
	if err != nil {
		return err
	}
	if err := empty.look(ctx, up.touchedRows()); err != nil {
		return err
	}
	if err := empty.back(ctx, f, before, rows, effect); err != nil {
		return err
	}
	effect.Lost = lost
	if up.tx {
		return nil // it was undone here
	}
	return l.renew(ctx, l.rows, f.Version)
}

// run has goose run one half of a file, and traces it.
func (l *lab) run(ctx context.Context, f File, up bool) (*tracer, error) {
	_, tx, err := Statements(f, up)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	provider, err := goose.NewProvider(goose.DialectCustom, l.db, fstest.MapFS{f.Name: {Data: []byte(f.Body)}},
		goose.WithStore(recorderStore{applied: !up}), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	if _, err := l.db.ExecContext(ctx, tracedSettings); err != nil {
		return nil, fmt.Errorf("prepare the session: %w", err)
	}
	t := newTracer(tx)
	l.seam.file, l.seam.tracer, l.seam.failed = &f, t, nil
	l.seam.line.Store(int64(f.linesBefore(up)))
	defer func() { l.seam.file, l.seam.tracer = nil, nil }()
	if _, err := provider.ApplyVersion(ctx, f.Version, up); err != nil {
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			err = partial.Err
		}
		failure := &MeasureError{File: f.Name, Half: "Down", Err: err}
		if up {
			failure.Half = "Up"
		}
		if failed := l.seam.failed; failed != nil {
			failure.Line = failed.line
		}
		err = failure
		if _, resetErr := l.db.ExecContext(bookkeeping(ctx), untracedSettings); resetErr != nil {
			return nil, errors.Join(err, resetErr)
		}
		return nil, err
	}
	if _, err := l.db.ExecContext(bookkeeping(ctx), untracedSettings); err != nil {
		return nil, fmt.Errorf("prepare the session: %w", err)
	}
	return t, nil
}

// MeasureError is returned when a half of a file cannot be measured.
type MeasureError struct {
	// File is the file's name, Line the line in it where the failing statement begins; 0 when none failed. Half is Up or Down.
	File string
	Line int
	Half string
	Err  error
}

func (e *MeasureError) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return fmt.Sprintf("%s: its %s fails on a scratch database, which is removed: %s", where, e.Half, cause(e.Err))
}

func (e *MeasureError) Unwrap() error { return e.Err }

// aboutRows reports whether the server refused because of what rows say: in class 22 a value, in 23 a constraint, else
// what a function raised.
func aboutRows(err error) bool {
	state := sqlState(err)
	return strings.HasPrefix(state, "22") || strings.HasPrefix(state, "23") || state == "P0001"
}

// serverSaid reports whether the server refused for a reason that lies in the file and the database, and not for a lock, a
// connection, or something that it has run out of.
func serverSaid(err error) bool {
	state := sqlState(err)
	return state != "" && !isLockState(state) && !slices.ContainsFunc([]string{"08", "53", "57", "58", "XX"}, func(class string) bool {
		return strings.HasPrefix(state, class)
	})
}

var (
	quotedValue = regexp.MustCompile(`"[^"]*"`)
	anyValue    = regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+`)
)

// refusal tells what the server said without values of rows: in class 22 they are quoted, in 23 they are not in the message,
// and what a function raises may have any.
func refusal(half string, err error) catalog.Refusal {
	var pgErr *pgconn.PgError
	errors.As(err, &pgErr)
	text := pgErr.Message
	switch {
	case strings.HasPrefix(pgErr.Code, "22"):
		text = quotedValue.ReplaceAllString(text, "...")
	case pgErr.Routine == "exec_stmt_raise":
		text = anyValue.ReplaceAllString(text, "...")
	}
	return catalog.Refusal{Half: half, Reason: fmt.Sprintf("%s (SQLSTATE %s)", text, pgErr.Code)}
}

// look reads what is there now. touched are the tables whose rows may have changed since; nil when all may.
func (l *lab) look(ctx context.Context, touched map[uint32]bool) (err error) {
	if l.catalog, err = readCatalog(ctx, l.session); err != nil {
		return err
	}
	return l.lookAtRows(ctx, touched)
}

func (l *lab) lookAtRows(ctx context.Context, touched map[uint32]bool) error {
	old := l.contents
	err := l.raw(ctx, func(conn *pgx.Conn) (err error) {
		l.contents, err = readContents(ctx, conn, old, touched)
		return err
	})
	if err != nil || !slices.ContainsFunc(referenceTables, func(r referenceTable) bool { return !old.named(r.table).same(l.contents.named(r.table)) }) {
		return err
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("read the rows: %w", err)
	}
	l.reference, err = readReference(ctx, tx)
	return errors.Join(err, tx.Rollback()) // it only read
}

// fill puts in the rows that lie beside a file, and fills the tables that have not been filled yet.
func (l *lab) fill(ctx context.Context, f File) error {
	if l.version == f.Version || l.rows == noRows {
		l.version = f.Version
		return nil
	}
	touched := map[uint32]bool{}
	name := fmt.Sprintf("testdata/rows/%05d.sql", f.Version)
	own, err := fs.ReadFile(l.engine.config.FS, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read rows: %w", err)
	}
	err = l.raw(ctx, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, string(own)); err != nil {
				return fmt.Errorf("%s: %s", name, cause(err))
			}
			if l.rows == allRows {
				if err := l.generate(ctx, tx); err != nil {
					return err
				}
			}
			after, err := readTrace(ctx, conn)
			if err != nil {
				return err
			}
			for oid, modes := range after.held {
				if r := after.relations[oid]; r.kind == "r" && slices.Contains(modes, catalog.RowExclusive) {
					touched[oid] = true
					if _, err := tx.Exec(ctx, "analyze "+r.name); err != nil {
						return fmt.Errorf("analyze %s: %w", r.name, err)
					}
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	l.version = f.Version
	return l.lookAtRows(ctx, touched)
}

// generate fills the tables that have not been filled yet.
func (l *lab) generate(ctx context.Context, tx pgx.Tx) error {
	var tables []uint32
	for oid := range l.contents.tables {
		if !l.filled[oid] {
			tables = append(tables, oid)
		}
	}
	l.unfilled = map[uint32]Unfilled{}
	if len(tables) == 0 {
		return nil
	}
	unfilled, err := generateRows(ctx, tx, tables, measuredRows, measuredSeed)
	for _, oid := range tables {
		if why, ok := unfilled[oid]; ok {
			l.unfilled[oid] = why
		} else {
			l.filled[oid] = true
		}
	}
	return err
}
