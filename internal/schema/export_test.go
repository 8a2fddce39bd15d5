package schema

import (
	"context"
	"maps"
	"net"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// GenerateRows puts up to count rows into each table of a database; the seed says which.
func GenerateRows(ctx context.Context, conn *pgx.Conn, count int, seed int64) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		all, err := readRowTables(ctx, tx)
		if err != nil {
			return err
		}
		maps.DeleteFunc(all, func(_ uint32, t *rowTable) bool { return t.name == "public.goose_db_version" })
		_, err = generateRows(ctx, tx, slices.Collect(maps.Keys(all)), count, seed)
		return err
	})
}

// HistoryHash is the SQL of the hash of a row of the history called entry.
const HistoryHash = historyHash

// RoundedUp is what a digest says of a count.
var RoundedUp = roundedUp

// Unheard is how long the other side of a connection may be silent.
const Unheard = unheard

// WithIdle is the configuration with a shorter time for a run that sends nothing inside a transaction.
func (c Config) WithIdle(d time.Duration) Config {
	c.idle = d
	return c
}

// WithConnection lends a connection as a run has it.
func (e *Engine) WithConnection(ctx context.Context, use func(net.Conn) error) error {
	s, err := e.session(ctx, "test")
	if err != nil {
		return err
	}
	defer s.close()
	return s.raw(ctx, func(conn *pgx.Conn) error { return use(conn.PgConn().Conn()) })
}
