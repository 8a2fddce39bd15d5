// Package postgres opens the database for package portal and translates what the driver returns into portal's errors.
package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// DefaultReadTimeout bounds a list or a count unless Config says otherwise.
const DefaultReadTimeout = 10 * time.Second

// cancelTimeout is how long the server may take to cancel a statement before the connection is given up.
const cancelTimeout = 5 * time.Second

// Config says which database to open, and how.
type Config struct {
	// URL names the database that takes changes: any URL or keywords of libpq, pgxpool's pool_* settings too. It may
	// be that of a pooler in transaction mode; if that cannot keep prepared statements, add
	// default_query_exec_mode=exec.
	URL string

	// ReadURL names a replica for lists and counts. Empty means URL.
	ReadURL string

	// ApplicationName is what the server shows of these connections.
	ApplicationName string

	// ReadTimeout is how long the server works on one list or count. 0 means DefaultReadTimeout.
	ReadTimeout time.Duration

	// Registry gets what is measured of statements and pools. nil means that nothing is.
	Registry prometheus.Registerer

	// Tracer gets a span for each statement. nil means none.
	Tracer trace.Tracer
}

// DB is a database, with two pools of connections: slow searches can use up one of them, and changes go on.
type DB struct {
	primary *pgxpool.Pool
	reads   *pgxpool.Pool
	timeout time.Duration
	name    string // of the application
}

// Open prepares the pools. It does not connect: an error means that a connection string is malformed, and does not
// quote it.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.ReadURL == "" {
		cfg.ReadURL = cfg.URL
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = DefaultReadTimeout
	}
	observer := newObserver(cfg.Registry, cfg.Tracer)
	primary, err := open(ctx, cfg.URL, cfg.ApplicationName, observer)
	if err != nil {
		return nil, fmt.Errorf("read the connection string: %w", err)
	}
	reads, err := open(ctx, cfg.ReadURL, cfg.ApplicationName, observer)
	if err != nil {
		primary.Close()
		return nil, fmt.Errorf("read the connection string for reads: %w", err)
	}
	if cfg.Registry != nil {
		cfg.Registry.MustRegister(poolCollector{map[string]*pgxpool.Pool{"primary": primary, "reads": reads}})
	}
	return &DB{primary: primary, reads: reads, timeout: cfg.ReadTimeout, name: cfg.ApplicationName}, nil
}

// maxConns is how many connections each pool opens at most, where the URL does not say: pgxpool's own default is four on a
// small machine, and as many slow requests would leave none for the others.
const maxConns = 10

func open(ctx context.Context, url, application string, observer *observer) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The text of err and of its causes may quote the string, password included.
		return nil, errors.New("it is not one that libpq would take")
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = maxConns
	}
	// Poolers keep these two apart for each client; others they refuse, or let leak from one client to the next.
	config.ConnConfig.RuntimeParams["application_name"] = application
	config.ConnConfig.RuntimeParams["timezone"] = "UTC"
	// A statement whose context ends is cancelled at the server, and its end waited for: whether it has changed anything
	// is then known, and the connection can be used again.
	config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelTimeout}
	}
	if observer != nil {
		config.ConnConfig.Tracer = observer
	}
	config.AfterConnect = func(_ context.Context, conn *pgx.Conn) error {
		conn.TypeMap().RegisterType(&pgtype.Type{
			Name: "jsonb", OID: pgtype.JSONBOID, Codec: &pgtype.JSONBCodec{Marshal: json.Marshal, Unmarshal: unmarshalJSON},
		})
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: finite{&pgtype.TimestamptzCodec{}}})
		return nil
	}
	return pgxpool.NewWithConfig(ctx, config)
}

// Close waits for the statements under way and closes every connection.
func (d *DB) Close() {
	d.primary.Close()
	d.reads.Close()
}

// unmarshalJSON is json.Unmarshal, but takes over raw JSON as it is: the database has checked it, and to check it again is
// a fifth of the work on a list.
func unmarshalJSON(data []byte, v any) error {
	if raw, ok := v.(*json.RawMessage); ok {
		*raw = bytes.Clone(data)
		return nil
	}
	return json.Unmarshal(data, v)
}
