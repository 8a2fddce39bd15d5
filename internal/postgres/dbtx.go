package postgres

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"portaldb/db"
	"portaldb/internal/portal"
)

// requestName is the application_name of what a request does: it is in every line that the server logs of it (in the
// log_line_prefix as %a, in csvlog and jsonlog always) and in pg_stat_activity. The server cuts it after 63 bytes.
func requestName(ctx context.Context, application string) string {
	if id := portal.RequestID(ctx); id != "" {
		return "portaldb " + id
	}
	return application
}

// naming names the request until the end of the transaction: for one statement.
func naming(ctx context.Context) statement {
	return statement{`SELECT set_config('application_name', $1, true)`, []any{requestName(ctx, "")}}
}

// named says whether a statement goes under the name of its request, which travels with it and costs no round trip, but
// the server a second statement: too much for a row by its key, which is most of the traffic and can hardly fail or be
// slow.
func named(ctx context.Context, sql string) bool {
	return portal.RequestID(ctx) != "" && !strings.HasPrefix(queryName(sql), "Get")
}

// Primary sends each statement to the database that takes changes, those that change something under the name of their
// request. It is a db.DBTX; its errors are of type portal.Error.
type Primary struct{ pool *pgxpool.Pool }

// Primary returns the way to the database that takes changes.
func (d *DB) Primary() Primary { return Primary{d.primary} }

// Exec runs a statement that returns no rows.
func (p Primary) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if named(ctx, sql) {
		return execute(p.Query(ctx, sql, args...))
	}
	tag, err := p.pool.Exec(ctx, sql, args...)
	return tag, translate(err)
}

// execute reads a result to its end.
func execute(result pgx.Rows, err error) (pgconn.CommandTag, error) {
	if err != nil {
		return pgconn.CommandTag{}, err
	}
	result.Close()
	return result.CommandTag(), result.Err()
}

// Query runs a statement that returns rows.
func (p Primary) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if named(ctx, sql) {
		return together(ctx, func() {}, p.pool, naming(ctx), statement{sql, args})
	}
	result, err := p.pool.Query(ctx, sql, args...)
	return &rows{Rows: result}, translate(err)
}

// QueryRow runs a statement that returns one row; scanning gives portal.CodeNotFound if there is none.
func (p Primary) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if named(ctx, sql) {
		result, err := p.Query(ctx, sql, args...)
		return firstRow{result, err}
	}
	return row{p.pool.QueryRow(ctx, sql, args...)}
}

// CopyFrom adds rows to a table, all or none, in the order given, and returns how many. It goes without the name of its
// request: pgx sends COPY as a simple statement of its own, to which nothing can be joined.
func (p Primary) CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, source pgx.CopyFromSource) (int64, error) {
	n, err := p.pool.CopyFrom(ctx, table, columns, source)
	return n, translate(err)
}

// After returns a way to run one statement in the transaction of another one, which comes first: to take a lock before the
// statement looks at what it protects.
func (p Primary) After(sql string, args ...any) db.DBTX {
	return after{p.pool, statement{sql, args}}
}

type statement struct {
	sql  string
	args []any
}

// after is Primary with a statement before each.
type after struct {
	pool  *pgxpool.Pool
	first statement
}

func (a after) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return execute(a.Query(ctx, sql, args...))
}

// CopyFrom refuses: a statement before it would be a transaction of its own.
func (a after) CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error) {
	return 0, &portal.Error{Code: portal.CodeInternal, Message: "the statement cannot be run here", Err: errors.New("postgres: COPY after a statement")}
}

func (a after) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if named(ctx, sql) {
		return together(ctx, func() {}, a.pool, naming(ctx), a.first, statement{sql, args})
	}
	return together(ctx, func() {}, a.pool, a.first, statement{sql, args})
}

func (a after) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	result, err := a.Query(ctx, sql, args...)
	return firstRow{result, err}
}

// together sends statements in one round trip and returns the rows of the last. Without a Sync between them they are one
// transaction, which ends with them, also by an error: no BEGIN and COMMIT to pay for or to clean up after, and a pooler
// in transaction mode keeps them together. done is called when the rows are closed.
func together(ctx context.Context, done context.CancelFunc, pool *pgxpool.Pool, statements ...statement) (pgx.Rows, error) {
	batch := &pgx.Batch{}
	for _, s := range statements {
		batch.Queue(s.sql, s.args...)
	}
	results := pool.SendBatch(ctx, batch)
	var result pgx.Rows
	var err error
	for range len(statements) - 1 {
		if _, err = results.Exec(); err != nil {
			break
		}
	}
	if err == nil {
		result, err = results.Query()
	}
	if err != nil {
		_ = results.Close()
		done()
		return nil, translate(err)
	}
	return &rows{Rows: result, batch: results, done: done}, nil
}

// Reads runs statements that only read, each under settings of its own. It is a db.DBTX; its errors are of type
// portal.Error.
type Reads struct {
	pool     *pgxpool.Pool
	name     string        // of the application
	timeout  time.Duration // of the server, for the statement
	settings string        // the statement that makes them
}

// Reads returns the way to the database that lists and counts come from.
func (d *DB) Reads() Reads {
	return Reads{pool: d.reads, name: d.name, timeout: d.timeout, settings: customSettings}
}

// Planned returns a way to run statements that have one plan for all arguments, in the order of an index. What is made for
// that need not be planned each time, which takes as long as reading a page.
func (r Reads) Planned() db.DBTX {
	r.settings = genericSettings
	return r
}

// readSettings last until the end of the transaction: for one statement.
//
// Plans are made to read few rows: pages cost nothing, or the planner would rather walk along the index on time, whose
// rows lie together, and hope to meet the wanted ones soon. For filters that hardly ever hold together it never does.
const readSettings = `SELECT set_config('transaction_read_only', 'on', true),
       set_config('statement_timeout', $1, true),
       set_config('application_name', $2, true),
       set_config('seq_page_cost', '0', true),
       set_config('random_page_cost', '0', true),
       set_config('cpu_index_tuple_cost', '0.01', true),
       `

// customSettings have plans made for the very arguments, so that filters that are not used vanish; a plan for any
// arguments would scan.
const customSettings = readSettings + `set_config('plan_cache_mode', 'force_custom_plan', true)`

const genericSettings = readSettings + `set_config('plan_cache_mode', 'force_generic_plan', true),
       set_config('enable_bitmapscan', 'off', true),
       set_config('enable_sort', 'off', true)`

// Exec refuses: nothing that changes anything belongs here.
func (r Reads) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errReadOnly
}

// CopyFrom refuses, as Exec does.
func (r Reads) CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error) {
	return 0, errReadOnly
}

var errReadOnly = &portal.Error{
	Code:    portal.CodeInternal,
	Message: "the statement cannot be run here",
	Err:     errors.New("postgres: a change on connections for reading"),
}

// Query sends the settings and the statement together.
func (r Reads) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	// The server's own timeout ends the statement. This one is for what comes before it: a connection that has to be waited
	// for, or that has yet to prepare the statement and meets a lock.
	ctx, cancel := context.WithTimeout(ctx, r.timeout+time.Second)
	timeout := strconv.FormatInt(r.timeout.Milliseconds(), 10) + "ms"
	return together(ctx, cancel, r.pool, statement{r.settings, []any{timeout, requestName(ctx, r.name)}}, statement{sql, args})
}

// QueryRow is Query for one row.
func (r Reads) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	result, err := r.Query(ctx, sql, args...)
	return firstRow{result, err}
}

// Count has the server count the rows of a statement.
func (r Reads) Count(ctx context.Context, sql string, args ...any) (int64, error) {
	var n int64
	err := r.QueryRow(ctx, "SELECT count(*) FROM (\n"+sql+"\n) AS counted", args...).Scan(&n)
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok && refused.Code == canceled {
		return 0, &portal.Error{
			Code:    portal.CodeUnavailable,
			Message: "counting took the database too long; narrow the list down by kind, since and until, or take count=estimated",
			Err:     err,
		}
	}
	return n, err
}

// canceled is the SQLSTATE of a statement that its timeout has ended, too.
const canceled = "57014"

// Estimate returns how many rows the planner expects of a statement. It is not run.
func (r Reads) Estimate(ctx context.Context, sql string, args ...any) (int64, error) {
	var explained []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := r.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+sql, args...).Scan(&explained); err != nil {
		return 0, err
	}
	return int64(explained[0].Plan.Rows), nil
}

// Stream is Query for any number of rows: it lasts until ctx is done or the rows are closed, which has to come soon, since
// a snapshot that is held keeps vacuum from removing what is deleted meanwhile. They come as they are read, so memory is
// that of one row. One statement sees one state of the database, without a cursor and a round trip for each part.
func (r Reads) Stream(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if deadline, ok := ctx.Deadline(); ok {
		r.timeout = time.Until(deadline)
	}
	ctx, cancel := context.WithCancel(ctx)
	result, err := r.Query(ctx, sql, args...)
	if err != nil {
		cancel()
		return nil, err
	}
	return stream{result, cancel}, nil
}

// stream ends the statement at the server when it is closed before its end, rather than read the rest.
type stream struct {
	pgx.Rows
	cancel context.CancelFunc
}

func (s stream) Close() {
	s.cancel()
	s.Rows.Close()
}

// rows translates errors, and closes the batch that the rows came in, if any.
type rows struct {
	pgx.Rows
	batch pgx.BatchResults
	done  context.CancelFunc // after the batch
	ended error              // how the batch did: its transaction is committed after the last row
}

// Next closes after the last row, so that Err is complete then.
func (r *rows) Next() bool {
	if r.Rows.Next() {
		return true
	}
	r.Close()
	return false
}

// Close gives the connection back to its pool.
func (r *rows) Close() {
	r.Rows.Close()
	if r.batch != nil {
		r.ended = r.batch.Close()
		r.batch = nil
		r.done()
	}
}

// Err is complete once the rows are closed.
func (r *rows) Err() error { return translate(cmp.Or(r.Rows.Err(), r.ended)) }

func (r *rows) Scan(dest ...any) error { return translate(r.Rows.Scan(dest...)) }

type row struct{ pgx.Row }

func (r row) Scan(dest ...any) error { return translate(r.Row.Scan(dest...)) }

// firstRow is the first of the rows, of which nothing has been read.
type firstRow struct {
	rows pgx.Rows
	err  error
}

// Scan reads the row and gives the connection back.
func (r firstRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer r.rows.Close()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return translate(pgx.ErrNoRows)
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	r.rows.Close()
	return r.rows.Err()
}
