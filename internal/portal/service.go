// Package portal is what the portal does with its submissions, audit events, files and tokens, whoever asks for it. Its errors
// are of type Error.
package portal

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portaldb/db"
)

// Service carries out the operations of this package on one database. Its methods may be called at the same time.
type Service struct {
	database Primary
	primary  *db.Queries
	reads    *db.Queries
	planned  *db.Queries // reads, with one plan for all arguments
	reader   Reader
	exports  chan struct{} // has room for those under way
	tokens   tokenCache
	pruned   atomic.Int64 // when the queue was rid of what ended elsewhere, in seconds of Unix time
	now      func() time.Time
}

// Primary is the database that takes changes.
type Primary interface {
	db.DBTX
	// After returns a way to run one statement in the transaction of another one, which comes first.
	After(sql string, args ...any) db.DBTX
}

// Reader is a way to read a database. Its errors are of type Error.
type Reader interface {
	db.DBTX

	// Planned returns a way to run statements that have one plan for all arguments.
	Planned() db.DBTX

	// Count has the database count the rows of a statement.
	Count(ctx context.Context, sql string, args ...any) (int64, error)

	// Estimate returns how many rows the database expects of a statement, without running it.
	Estimate(ctx context.Context, sql string, args ...any) (int64, error)

	// Stream returns any number of rows as they come, until ctx is done.
	Stream(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// New returns a Service that writes and reads single rows through primary, and lists and counts through reads, which
// may be a replica. Both have to return errors of type Error.
func New(primary Primary, reads Reader) *Service {
	return &Service{
		database: primary,
		primary:  db.New(primary),
		reads:    db.New(reads),
		planned:  db.New(reads.Planned()),
		reader:   reads,
		exports:  make(chan struct{}, maxExports),
		tokens:   tokenCache{entries: make(map[tokenHash]tokenEntry)},
		now:      time.Now,
	}
}

// caught is a db.DBTX that keeps the statement it is given instead of running it.
type caught struct {
	sql  string
	args []any
}

var errCaught = errors.New("the statement is caught")

func (c *caught) Query(_ context.Context, sql string, args ...any) (pgx.Rows, error) {
	c.sql, c.args = sql, args
	return nil, errCaught
}

func (c *caught) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.CommandTag{}, errCaught
}

func (c *caught) CopyFrom(context.Context, pgx.Identifier, []string, pgx.CopyFromSource) (int64, error) {
	return 0, errCaught
}

func (c *caught) QueryRow(context.Context, string, ...any) pgx.Row { return c }

// Scan is for QueryRow.
func (c *caught) Scan(...any) error { return errCaught }
