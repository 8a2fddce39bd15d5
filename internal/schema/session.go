package schema

import (
	"context"
	"database/sql"
	"database/sql/driver"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// session is the one connection that a run of migrations owns. The lock lives on it, so it must never be replaced in
// silence: the connector connects once, and a run whose connection is lost ends.
type session struct {
	db   *sql.DB
	seam *seam
	pid  uint32 // the server's process, as the protocol announced it
}

// openSession connects. It returns a *ConnectError when that fails.
func openSession(ctx context.Context, config *pgx.ConnConfig, purpose string, actor Actor) (*session, error) {
	config = config.Copy()
	config.RuntimeParams["application_name"] = applicationName(purpose, actor)
	config.RuntimeParams["timezone"] = "UTC" // goose's tstamp has no time zone
	s := &session{seam: &seam{sending: func(Sending) {}}}
	s.db = sql.OpenDB(&connectOnce{Connector: stdlib.GetConnector(*config), seam: s.seam})
	s.db.SetMaxOpenConns(1)
	if err := s.db.PingContext(ctx); err != nil {
		s.db.Close()
		return nil, &ConnectError{Target: Target(config), Err: err}
	}
	return s, nil
}

func (s *session) close() { s.db.Close() }

// raw lends the driver's connection.
func (s *session) raw(ctx context.Context, use func(*pgx.Conn) error) error {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(c any) error { return use(c.(*seamConn).Conn.Conn()) })
}

// Target names a server and database without secrets, for messages.
func Target(config *pgx.ConnConfig) string {
	return fmt.Sprintf("%s:%d/%s", config.Host, config.Port, config.Database)
}

// applicationName is what other runs and the server's own views show of this one; PostgreSQL cuts it at 63 bytes.
func applicationName(purpose string, actor Actor) string {
	name := "portaldb " + purpose + " " + actor.Name
	return strings.ToValidUTF8(name[:min(len(name), 63)], "")
}

// errConnectionLost is what every statement gets after the run's connection broke.
var errConnectionLost = errors.New("the connection to the database was lost")

// connectOnce is a connector that gives out one connection, which passes its statements through the seam.
type connectOnce struct {
	driver.Connector
	seam *seam
	used atomic.Bool
}

func (c *connectOnce) Connect(ctx context.Context) (driver.Conn, error) {
	if c.used.Swap(true) {
		return nil, errConnectionLost
	}
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &seamConn{Conn: conn.(*stdlib.Conn), seam: c.seam}, nil
}

// seamConn is the driver's connection, with every statement without a result going through the seam.
type seamConn struct {
	*stdlib.Conn
	seam *seam
}

func (c *seamConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.seam.exec(ctx, c.Conn, query, args)
}

// BeginTx begins a file's transaction, or any other.
func (c *seamConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.seam.file == nil || !c.seam.together {
		return c.Conn.BeginTx(ctx, opts)
	}
	c.seam.tx = &fileTx{ctx: ctx, seam: c.seam, conn: c.Conn.Conn()}
	return c.seam.tx, nil
}

// fileTx is a file's transaction in two round trips where the file has one statement: BEGIN goes with the first, COMMIT
// with the record of the version. Far from the server, a file takes as long as its round trips.
type fileTx struct {
	ctx  context.Context
	seam *seam
	conn *pgx.Conn
	// begun tells that BEGIN was sent.
	begun bool
	// last is what is to be sent together with COMMIT.
	last pgx.Batch
}

// Commit sends what waits for it, and COMMIT; when either fails, the transaction is undone.
func (t *fileTx) Commit() error {
	t.seam.tx = nil
	if !t.begun {
		return errors.New("the file sent no statement")
	}
	committed := false
	t.last.Queue("commit").Exec(func(tag pgconn.CommandTag) error {
		committed = tag.String() == "COMMIT"
		return nil
	})
	err := t.conn.SendBatch(t.ctx, &t.last).Close()
	if err == nil && !committed {
		err = pgx.ErrTxCommitRollback
	}
	if err != nil && !t.conn.IsClosed() && t.conn.PgConn().TxStatus() != 'I' {
		_, undone := t.conn.Exec(context.WithoutCancel(t.ctx), "rollback") // database/sql does not, after a Commit
		err = errors.Join(err, undone)
	}
	return err
}

func (t *fileTx) Rollback() error {
	t.seam.tx = nil
	if !t.begun {
		return nil
	}
	_, err := t.conn.Exec(context.WithoutCancel(t.ctx), "rollback")
	return err
}

// seam stands between goose and the driver: it knows which file's statements pass, sets the timeouts of their class,
// and says where a failing one stands.
type seam struct {
	// file is the migration whose statements pass now; nil between files.
	file *File
	// effect is the file's effect as JSON, nil when there is none.
	effect []byte
	// done tells that the file's work was done by a run that could not record it: its statement is not sent again.
	done bool
	// line is where the statement that passed last begins in the file; a watcher reads it.
	line     atomic.Int64
	timeouts timeouts
	// started is when the file's first statement passed.
	started time.Time
	// failed is the statement that failed, in the file above.
	failed *failedStatement
	// sending is told each statement of a file before it is sent.
	sending func(Sending)
	// tracer, when set, looks at what each statement of a file does.
	tracer *tracer
	// rewrite, when set, is called before each statement of a file and returns what to send in its place; empty for nothing.
	rewrite func(ctx context.Context, conn *pgx.Conn, query string) (string, error)
	// together lets a file's transaction begin and end in the round trips of its statements: not where somebody looks at each.
	together bool
	// tx is the file's transaction when it does.
	tx *fileTx
	// conn is the driver's connection, once a statement of a file has passed.
	conn *pgx.Conn
	// announced tells a watcher that others wait for something of which they were told before.
	announced atomic.Bool
}

type failedStatement struct {
	line int
	sql  string
}

// timeouts bound how long a statement may wait or run.
type timeouts struct {
	// lock is the lock_timeout of every statement but CREATE INDEX CONCURRENTLY and its like.
	lock time.Duration
	// concurrent is the statement_timeout of those: they wait for every older snapshot, and under a lock_timeout any
	// of them leaves an invalid index behind.
	concurrent time.Duration
}

type bookkeepingKey struct{}

// bookkeeping marks statements that are the engine's own, not a file's.
func bookkeeping(ctx context.Context) context.Context {
	return context.WithValue(ctx, bookkeepingKey{}, true)
}

func (s *seam) exec(ctx context.Context, conn *stdlib.Conn, query string, args []driver.NamedValue) (driver.Result, error) {
	if s.file == nil || ctx.Value(bookkeepingKey{}) != nil {
		if s.tx != nil && !s.tx.begun { // goose makes its table in the same way
			if _, err := conn.ExecContext(ctx, "begin", nil); err != nil {
				return nil, err
			}
			s.tx.begun = true
		}
		return conn.ExecContext(ctx, query, args)
	}
	if s.started.IsZero() {
		s.started = time.Now()
	}
	s.line.Store(int64(s.file.line(query, int(s.line.Load())+1)))
	s.conn = conn.Conn()
	s.sending(Sending{File: s.file, Line: int(s.line.Load()), SQL: query})
	if s.done {
		return driver.ResultNoRows, nil
	}
	if s.rewrite != nil {
		instead, err := s.rewrite(ctx, conn.Conn(), query)
		if err != nil {
			s.failed = &failedStatement{line: int(s.line.Load()), sql: query}
			return nil, err
		}
		if instead == "" {
			return driver.ResultNoRows, nil
		}
		query = instead
	}
	var result driver.Result
	send := func() (err error) {
		result, err = s.send(ctx, conn, query, args)
		return err
	}
	var err error
	if s.tracer != nil {
		err = s.tracer.around(ctx, conn.Conn(), int(s.line.Load()), query, send)
	} else {
		err = send()
	}
	if err != nil {
		s.failed = &failedStatement{line: int(s.line.Load()), sql: query}
	}
	return result, err
}

// send sends a file's statement with the timeouts of its class.
func (s *seam) send(ctx context.Context, conn *stdlib.Conn, query string, args []driver.NamedValue) (_ driver.Result, err error) {
	index, concurrent := parseConcurrent(query)
	if !concurrent {
		if s.tx != nil && !s.tx.begun {
			s.tx.begun = true
			query = "begin;" + query
		}
		return conn.ExecContext(ctx, query, args)
	}
	if err := s.setTimeouts(ctx, conn, 0, s.timeouts.concurrent); err != nil {
		return nil, err
	}
	defer func() {
		if !conn.Conn().IsClosed() {
			err = errors.Join(err, s.setTimeouts(context.WithoutCancel(ctx), conn, s.timeouts.lock, 0))
		}
	}()
	if index.create {
		return driver.ResultNoRows, index.build(ctx, conn.Conn(), query, s.effect)
	}
	return conn.ExecContext(ctx, query, args)
}

// setTimeouts sets the session's timeouts; 0 means none.
func (s *seam) setTimeouts(ctx context.Context, conn *stdlib.Conn, lock, statement time.Duration) error {
	_, err := conn.Conn().Exec(ctx, `select set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)`,
		milliseconds(lock), milliseconds(statement))
	if err != nil {
		return fmt.Errorf("set timeouts: %w", err)
	}
	return nil
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
