// Package schema is what an operator does to a database's schema: apply migrations, and tell where it stands. goose is
// the engine; this package stands between goose and the driver, and nothing else knows goose.
package schema

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"portaldb/internal/catalog"
)

// Baseline is the number of the last migration that builds the legacy schema as it was. Everything after it is additive.
const Baseline = 36

// Config says which database, which migrations and how patiently.
type Config struct {
	// URL is a libpq connection URL or keyword string.
	URL string
	// FS holds the migrations in its root and their effects in effects/.
	FS fs.FS
	// Baseline is the version below which a rollback must not go, and up to which lint passes over locks and style: Baseline of
	// this package for the portal's own migrations, 0 for a folder of somebody else's.
	Baseline int64
	// Environment is what the database must be: production, staging; empty where nobody says.
	Environment string
	// Actor is who runs this, for the history and for others who wait.
	Actor Actor
	// Binary is the version of the program, for the history.
	Binary string
	// LockWait is how long to wait for another run that migrates the same database.
	LockWait time.Duration
	// LockTimeout is how long a statement may wait for a lock on a table, since all later readers wait behind it.
	LockTimeout time.Duration
	// RetryFor is how long a file is tried again from its beginning when a lock was not free, or was wanted by others.
	RetryFor time.Duration
	// BlockingBudget is how long others may wait for a file's locks before it gives way and is tried again later.
	BlockingBudget time.Duration
	// IndexTimeout is how long CREATE INDEX CONCURRENTLY may take.
	IndexTimeout time.Duration
	// Progress, when set, is told what Up does, as it does it: from several goroutines, one call at a time.
	Progress func(Event)

	// idle is how long the server waits for the next statement of a run inside a transaction, before it takes the client for dead.
	idle time.Duration
}

// Actor is who runs a command.
type Actor struct {
	// Name is the operating system's user and host, user@host.
	Name string
	// Job and Commit are what the CI system says of itself; empty elsewhere.
	Job, Commit string
}

// Defaults of the waiting times.
const (
	DefaultLockWait       = 60 * time.Second
	DefaultLockTimeout    = 2 * time.Second
	DefaultRetryFor       = 5 * time.Minute
	DefaultBlockingBudget = 3 * time.Second
	DefaultIndexTimeout   = 30 * time.Minute
)

// Event is one step of an Up or a rollback. Exactly one of its fields is set.
type Event struct {
	// Waiting names who holds the migration lock that Up waits for.
	Waiting string
	// Applying is the migration that begins.
	Applying *File
	// Applied is the migration that is done.
	Applied *Applied
	// Progress is how far a long file is, every few seconds.
	Progress *Progress
	// Sending is a statement that is about to be sent.
	Sending *Sending
	// Retrying is a file that gave way and is tried again.
	Retrying *Retry
	// Oriented is where a rollback finds the database, before anything else.
	Oriented *Orientation
	// Keeping is data that is about to be copied, while those who write to its table wait.
	Keeping *Keep
	// RolledBack is the migration that has just been taken back.
	RolledBack *Applied
	// Restoring is kept data that is about to be put back, while those who write to its tables wait.
	Restoring []Trash
}

// Sending is a statement of a file as it is sent.
type Sending struct {
	File *File
	Line int
	SQL  string
}

// Retry is a file that was undone because of a lock and is tried again.
type Retry struct {
	File *File
	// Reason says what the lock was about.
	Reason string
	// In is how long until the next try.
	In time.Duration
}

// Applied is a migration that a run applied.
type Applied struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
	// MS is the duration in milliseconds.
	MS int64 `json:"ms"`
}

// Engine works on one database with one set of migrations.
type Engine struct {
	config  Config
	connect *pgx.ConnConfig
	files   []File
	effects []catalog.Effect
}

// Open reads the migrations and the connection string. It does not connect.
func Open(config Config) (*Engine, error) {
	connect, err := parseURL(config.URL)
	if err != nil {
		// The driver's message may repeat the string, and with it the password.
		return nil, &RefusedError{"the connection string is not one that libpq takes (postgres://user@host:port/database or host=... dbname=...)"}
	}
	// Read once: what is checked here is what goose will send, whatever happens to the folder meanwhile.
	if config.FS, err = snapshot(config.FS); err != nil {
		return nil, err
	}
	files, err := Files(config.FS)
	if err != nil {
		return nil, err
	}
	effects, err := Effects(config.FS)
	if err != nil {
		return nil, err
	}
	config.LockWait = cmp.Or(config.LockWait, DefaultLockWait)
	config.LockTimeout = cmp.Or(config.LockTimeout, DefaultLockTimeout)
	config.RetryFor = cmp.Or(config.RetryFor, DefaultRetryFor)
	config.BlockingBudget = cmp.Or(config.BlockingBudget, DefaultBlockingBudget)
	config.IndexTimeout = cmp.Or(config.IndexTimeout, DefaultIndexTimeout)
	config.idle = cmp.Or(config.idle, unheard)
	if config.Progress == nil {
		config.Progress = func(Event) {}
	}
	var one sync.Mutex // the run and its watcher tell things
	tell := config.Progress
	config.Progress = func(event Event) {
		one.Lock()
		defer one.Unlock()
		tell(event)
	}
	return &Engine{config: config, connect: connect, files: files, effects: effects}, nil
}

// snapshot copies the migrations, their effects and the rows that belong to them into memory.
func snapshot(fsys fs.FS) (fstest.MapFS, error) {
	copied := fstest.MapFS{}
	for _, pattern := range []string{"*.sql", "effects/*.json", "testdata/rows/*.sql"} {
		names, err := fs.Glob(fsys, pattern)
		if err != nil {
			return nil, fmt.Errorf("list migrations: %w", err)
		}
		for _, name := range names {
			data, err := fs.ReadFile(fsys, name)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", name, err)
			}
			copied[name] = &fstest.MapFile{Data: data}
		}
	}
	return copied, nil
}

// parseURL reads a connection string. It may have settings of a pool (pool_max_conns), as the service's may: to the server
// they would be unknown parameters. Its connections notice a peer that is gone.
func parseURL(url string) (*pgx.ConnConfig, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnConfig.DialFunc = dialer(config.ConnConfig.ConnectTimeout).DialContext
	return config.ConnConfig, nil
}

// Latest is the highest version of the files.
func (e *Engine) Latest() int64 { return e.files[len(e.files)-1].Version }

// Target names the server and database, without secrets.
func (e *Engine) Target() string { return Target(e.connect) }

// state is what a database says of itself.
type state struct {
	// versions are the applied versions, ascending.
	versions []int64
	// checksums are those of the applied files, where the history has them.
	checksums map[int64]string
	// legacy tells that the portal's tables are there without versions: legacy scripts made them.
	legacy bool
	// replicas tells that the bookkeeping knows replicas.
	replicas bool
	// hold is the one in force, nil when there is none.
	hold *Hold
	// environment is what the database says that it is; empty when it does not say.
	environment string
	// major is the server's major version.
	major int
}

func (s state) version() int64 {
	if len(s.versions) == 0 {
		return 0
	}
	return s.versions[len(s.versions)-1]
}

// pending are the files that the database does not have, ascending.
func (s state) pending(files []File) []File {
	var list []File
	for _, f := range files {
		if _, ok := slices.BinarySearch(s.versions, f.Version); !ok {
			list = append(list, f)
		}
	}
	return list
}

// newer are the versions beyond the files.
func (s state) newer(files []File) []int64 {
	latest := files[len(files)-1].Version
	i, _ := slices.BinarySearch(s.versions, latest+1)
	return s.versions[i:]
}

// readState asks the database where it stands. A few round trips, no locks.
func readState(ctx context.Context, s *session) (state, error) {
	st := state{checksums: map[int64]string{}}
	var hasTable, hasHistory, hasHolds, hasMeta bool
	err := s.db.QueryRowContext(ctx, `
		select to_regclass('public.goose_db_version') is not null, to_regclass('portaldb.history') is not null,
		       to_regclass('portaldb.holds') is not null, to_regclass('portaldb.replicas') is not null,
		       to_regclass('portaldb.meta') is not null,
		       coalesce(to_regclass('public.submissions'), to_regclass('public.users')) is not null, current_setting('server_version_num')::int / 10000`).
		Scan(&hasTable, &hasHistory, &hasHolds, &st.replicas, &hasMeta, &st.legacy, &st.major)
	if err != nil {
		return st, fmt.Errorf("look for the version table: %w", err)
	}
	if hasMeta {
		if err := s.db.QueryRowContext(ctx, `select coalesce(environment, '') from portaldb.meta`).Scan(&st.environment); err != nil {
			return st, fmt.Errorf("read the environment: %w", err)
		}
	}
	if hasHolds {
		if st.hold, err = readHold(ctx, s); err != nil {
			return st, err
		}
	}
	if !hasTable {
		return st, nil
	}
	// goose's own record: the newest row of a version counts, and older releases wrote false instead of deleting.
	query := `
		select version_id, %s from (
			select distinct on (version_id) version_id, is_applied from public.goose_db_version order by version_id, id desc
		) newest where is_applied and version_id > 0 order by version_id`
	checksum := `''`
	if hasHistory {
		checksum = `coalesce((select checksum from portaldb.history h where h.version = version_id and direction = 'up' and outcome = 'done' order by seq desc limit 1), '')`
	}
	rows, err := s.db.QueryContext(ctx, fmt.Sprintf(query, checksum))
	if err != nil {
		return st, fmt.Errorf("read the versions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var v int64
		var sum string
		if err := rows.Scan(&v, &sum); err != nil {
			return st, fmt.Errorf("read the versions: %w", err)
		}
		st.versions = append(st.versions, v)
		if sum != "" {
			st.checksums[v] = sum
		}
	}
	st.legacy = st.legacy && len(st.versions) == 0
	return st, rows.Err()
}

// Status is where a database stands.
type Status struct {
	Version int64 `json:"version"`
	Latest  int64 `json:"latest"`
	// Pending are the files that the database does not have yet.
	Pending []Pending `json:"pending"`
	// Newer are versions of the database that the files do not have.
	Newer []int64 `json:"newer"`
	// Drift tells whether the live schema differs from what its version should have; nil when that is not known.
	Drift *bool `json:"drift"`
	// Hold is what stops Up; nil when nothing does.
	Hold *Hold `json:"hold"`
	// Replicas are the processes that serve now.
	Replicas []Replica `json:"replicas"`
	// Legacy tells that the portal's tables are there without versions: legacy scripts made them.
	Legacy bool `json:"legacy"`
}

// Pending is a migration that the database does not have.
type Pending struct {
	Version int64  `json:"version"`
	Name    string `json:"name"`
}

// Status reads where the database stands, drift included. It changes nothing and takes no lock that makes anyone wait.
func (e *Engine) Status(ctx context.Context) (Status, error) {
	s, err := e.session(ctx, "status")
	if err != nil {
		return Status{}, err
	}
	defer s.close()
	st, err := readState(ctx, s)
	if err != nil {
		return Status{}, err
	}
	status := Status{
		Version: st.version(), Latest: e.Latest(), Pending: []Pending{}, Newer: append([]int64{}, st.newer(e.files)...),
		Hold: st.hold, Replicas: []Replica{}, Legacy: st.legacy,
	}
	if st.replicas {
		if status.Replicas, err = readReplicas(ctx, s); err != nil {
			return Status{}, err
		}
	}
	for _, f := range st.pending(e.files) {
		status.Pending = append(status.Pending, Pending{f.Version, f.Name})
	}
	if want, err := e.folded(ctx, s, st.version()); err == nil && st.version() > 0 {
		v, err := want.compare(ctx, s, st)
		if err != nil {
			return Status{}, err
		}
		drift := v.Drift()
		status.Drift = &drift
	}
	return status, nil
}

// Version reads the database's version, as cheaply as that can be had.
func (e *Engine) Version(ctx context.Context) (int64, error) {
	s, err := e.session(ctx, "version")
	if err != nil {
		return 0, err
	}
	defer s.close()
	st, err := readState(ctx, s)
	return st.version(), err
}

// Catalog reads the live schema.
func (e *Engine) Catalog(ctx context.Context) (catalog.Catalog, error) {
	s, err := e.session(ctx, "catalog")
	if err != nil {
		return nil, err
	}
	defer s.close()
	return readCatalog(ctx, s)
}

func readCatalog(ctx context.Context, s *session) (catalog.Catalog, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	return catalog.Read(ctx, tx)
}

// session opens a connection of the engine's own; purpose is what others see it doing.
func (e *Engine) session(ctx context.Context, purpose string) (*session, error) {
	s, err := openSession(ctx, e.connect, purpose, e.config.Actor)
	if err != nil {
		return nil, err
	}
	s.seam.timeouts = timeouts{lock: e.config.LockTimeout, concurrent: e.config.IndexTimeout}
	return s, nil
}
