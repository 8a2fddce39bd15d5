package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"portaldb/internal/catalog"
)

// Result is what an Up did.
type Result struct {
	From    int64     `json:"from"`
	To      int64     `json:"to"`
	Applied []Applied `json:"applied"`
	// HistoryHead is the hash of the history's last row after something was applied: to be kept where nobody who can
	// write the history can reach it.
	HistoryHead string `json:"history_head,omitempty"`
	// Restored is what UpRestoring put back; Released the hold that it ended, nil when there was none.
	Restored []Restored `json:"restored,omitempty"`
	Released *Hold      `json:"released,omitempty"`
}

// run is one Up, from taking the lock to giving it back.
type run struct {
	engine  *Engine
	session *session
	file    *File // the one being applied
	// digest is that of the plan which was reviewed; empty when none was asked for.
	digest string
	// restore lets an up put back what rollbacks have kept, and pass a hold.
	restore bool
	// keeper, of a rollback, keeps what the step under way destroys; restorer, of an up that restores, puts it back.
	keeper   *keeper
	restorer *restorer
	// cancel are the sessions that may be ended when the run waits for them.
	cancel []int
}

// Up applies what is pending, up to and including version to; 0 means all. It is safe to call from many processes at
// once: one applies, the others wait and find nothing to do. Whatever ends it leaves the database at a version.
//
// Errors: *ConnectError, *LockedError, *RefusedError, ErrNewer, *MigrationError.
func (e *Engine) Up(ctx context.Context, to int64) (Result, error) { return e.UpPlanned(ctx, to, "") }

// UpPlanned is Up, but only if what it would send is the plan with that digest; an empty digest allows any. Where that
// plan was applied before there is nothing to do. The digest of another plan is a *RefusedError.
func (e *Engine) UpPlanned(ctx context.Context, to int64, digest string) (Result, error) {
	return e.upAs(ctx, to, &run{engine: e, digest: digest})
}

// UpRestoring is UpPlanned, and puts back what rollbacks have kept of the versions that it applies. It passes a hold, and
// releases it when nothing is pending any more.
func (e *Engine) UpRestoring(ctx context.Context, to int64, digest string) (Result, error) {
	return e.upAs(ctx, to, &run{engine: e, digest: digest, restore: true})
}

func (e *Engine) upAs(ctx context.Context, to int64, r *run) (Result, error) {
	if to == 0 {
		to = e.Latest()
	}
	if to < 0 || to > e.Latest() {
		return Result{}, &RefusedError{fmt.Sprintf("there is no version %d: the files go from 1 to %d", to, e.Latest())}
	}
	s, err := e.session(ctx, "up")
	if err != nil {
		return Result{}, err
	}
	defer s.close()
	s.seam.sending = func(sent Sending) { e.config.Progress(Event{Sending: &sent}) }

	// Where there is nothing to do there is nothing to lock: replicas restart while an index is being built.
	r.session = s
	st, err := readState(ctx, s)
	if err != nil {
		return Result{}, untouched(err)
	}
	result := Result{From: st.version(), To: st.version(), Applied: []Applied{}}
	if todo, err := r.todo(ctx, &st, to); err != nil || len(todo) == 0 && r.digest == "" && !r.restore {
		return result, err
	}
	if err := r.lock(ctx); err != nil {
		return result, untouched(err)
	}
	defer r.unlock(ctx)
	return r.up(ctx, to)
}

// todo are the files to apply, or why the database must not be touched: kept data is a reason unless it is put back.
func (r *run) todo(ctx context.Context, st *state, to int64) ([]File, error) {
	if r.restore {
		st.hold = nil
	}
	todo, err := r.engine.plan(*st, to)
	if err != nil || r.restore || len(todo) == 0 {
		return todo, err
	}
	kept, err := unrestored(ctx, r.session, todo)
	if err != nil {
		return todo, untouched(err)
	}
	return todo, refuseTrash(kept)
}

// release ends the hold after everything that was pending has been applied.
func (r *run) release(ctx context.Context, result *Result) error {
	st, err := readState(ctx, r.session)
	if err != nil {
		return fmt.Errorf("look for the hold: %w; every migration was applied, and a hold may be left: portaldb release-hold ends it", err)
	}
	if st.hold == nil || len(st.pending(r.engine.files)) > 0 {
		return nil
	}
	_, err = r.session.db.ExecContext(ctx, `update portaldb.holds set released_at = now(), released_by = $1 where released_at is null`, r.engine.config.Actor.Name)
	if err != nil {
		return fmt.Errorf("release the hold: %w; every migration was applied, and the hold may be left: portaldb release-hold ends it", err)
	}
	result.Released = st.hold
	return nil
}

// untouched makes an error from before the first file say that nothing changed, where it does not yet.
func untouched(err error) error {
	if err == nil || strings.Contains(err.Error(), "nothing changed") {
		return err
	}
	return fmt.Errorf("%w; nothing changed", err)
}

// checkEnvironment refuses a database that says it belongs to another environment than this program.
func (e *Engine) checkEnvironment(says string) error {
	wanted := e.config.Environment
	if says == "" || says == wanted {
		return nil
	}
	return &RefusedError{fmt.Sprintf(
		"this database is %q, and PORTALDB_ENVIRONMENT is %q: set it to the database's, or, if the database was copied and is no longer what it says, run: update portaldb.meta set environment = '%s'",
		says, wanted, wanted)}
}

// plan returns the files to apply to a database in state st, or why it must not be touched.
func (e *Engine) plan(st state, to int64) ([]File, error) {
	if err := e.checkEnvironment(st.environment); err != nil {
		return nil, err
	}
	if newer := st.newer(e.files); len(newer) > 0 {
		return nil, fmt.Errorf("%w: it is at version %d, the files end at %d; nothing changed, use the binary that applied it", ErrNewer, st.version(), e.Latest())
	}
	if st.legacy {
		return nil, &RefusedError{"this database has the portal's tables but no versions: legacy scripts made it; portaldb adopt takes it over"}
	}
	pending := st.pending(e.files)
	if len(pending) > 0 && pending[0].Version < st.version() {
		return nil, &RefusedError{fmt.Sprintf(
			"%s is not applied, but version %d is: a file was added below the database's version; renumber it to come last",
			pending[0].Name, st.version())}
	}
	for _, f := range e.files {
		if sum := st.checksums[f.Version]; sum != "" && sum != f.Checksum {
			return nil, &RefusedError{fmt.Sprintf(
				"%s was edited after it was applied: put it back as it was and write the change as a new migration", f.Name)}
		}
	}
	if st.hold != nil {
		return nil, &RefusedError{"a hold is set: " + st.hold.String() + "; portaldb release-hold ends it"}
	}
	return slices.DeleteFunc(pending, func(f File) bool { return f.Version > to }), nil
}

// validate refuses files that goose would apply otherwise than their author thinks.
func validate(todo []File) error {
	for _, f := range todo {
		if err := f.Validate(); err != nil {
			return &RefusedError{err.Error()}
		}
	}
	return nil
}

// lockKey is the advisory lock of whoever migrates this database: "portaldb" in ASCII.
const lockKey int64 = 0x706f7274616c6462

// lock takes the migration lock, by polling: a session that blocks on an advisory lock holds a snapshot, and
// CREATE INDEX CONCURRENTLY would wait for it while it waits for the lock.
func (r *run) lock(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	deadline := time.Now().Add(r.engine.config.LockWait)
	told := ""
	for {
		var locked bool
		if err := r.session.db.QueryRowContext(ctx, `select pg_try_advisory_lock($1)`, lockKey).Scan(&locked); err != nil {
			return fmt.Errorf("take the migration lock: %w", err)
		}
		if locked {
			return nil
		}
		holder, err := r.holder(ctx)
		if err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return &LockedError{Lock: "the migration lock", Waited: r.engine.config.LockWait, Holder: holder}
		}
		if holder != told {
			r.engine.config.Progress(Event{Waiting: holder})
			told = holder
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the migration lock: %w; nothing changed", ctx.Err())
		case <-time.After(50*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

// begin prepares the session: a pooler between us and the server is refused, a dead client is noticed, waiting is bounded.
func (r *run) begin(ctx context.Context) error {
	err := r.session.raw(ctx, func(conn *pgx.Conn) error {
		r.session.pid = conn.PgConn().PID()
		return nil
	})
	if err != nil {
		return err
	}
	var pid uint32
	var role string
	err = r.session.db.QueryRowContext(ctx, `
		select pg_backend_pid(), current_user, set_config('lock_timeout', $1, false), set_config('statement_timeout', '0', false),
		       -- What is copied under a lock has to be all that is there once the lock is held.
		       set_config('default_transaction_isolation', 'read committed', false),
		       -- A client that is gone without a word must not keep its locks: neither one that answers no packet any more, nor
		       -- one behind something that answers for it and lets nothing through.
		       set_config('tcp_keepalives_idle', $2, false), set_config('tcp_keepalives_interval', $3, false),
		       set_config('tcp_keepalives_count', $4, false), set_config('tcp_user_timeout', $5, false),
		       set_config('idle_in_transaction_session_timeout', $6, false), set_config('idle_session_timeout', $7, false)`,
		milliseconds(r.session.seam.timeouts.lock), strconv.Itoa(int(keepAlive.Idle.Seconds())), strconv.Itoa(int(keepAlive.Interval.Seconds())),
		strconv.Itoa(keepAlive.Count), milliseconds(unheard), milliseconds(r.engine.config.idle), milliseconds(5*r.engine.config.idle)).
		Scan(&pid, &role, new(string), new(string), new(string), new(string), new(string), new(string), new(string), new(string), new(string))
	if err != nil {
		return fmt.Errorf("prepare the session: %w", err)
	}
	if pid != r.session.pid {
		return &RefusedError{"a connection pooler stands between this program and PostgreSQL, and a lock would protect nothing: set DATABASE_DIRECT_URL to the server itself"}
	}
	if slices.Contains([]string{"portaldb", "portaldb_trash", "service"}, role) {
		return &RefusedError{fmt.Sprintf("the role %s is named like a schema, which would swallow every table that is created without naming one: migrate as a role of another name", role)}
	}
	// Not every operating system can; there the server notices at the next statement.
	_, _ = r.session.db.ExecContext(ctx, `set client_connection_check_interval = '2s'`)
	return nil
}

// holder names the session that holds the migration lock.
func (r *run) holder(ctx context.Context) (string, error) {
	var pid int
	var name, since string
	err := r.session.db.QueryRowContext(ctx, `
		select a.pid, a.application_name, to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
		from pg_locks l join pg_stat_activity a using (pid)
		where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
		  and (l.classid::bigint << 32 | l.objid::bigint) = $1 and l.objsubid = 1`, lockKey).Scan(&pid, &name, &since)
	if errors.Is(err, sql.ErrNoRows) {
		return "a session that has just ended", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for the lock's holder: %w", err)
	}
	return fmt.Sprintf("%q (pid %d, since %s)", name, pid, since), nil
}

// unlock gives the lock back. A connection that broke has given it back already.
func (r *run) unlock(ctx context.Context) {
	_, _ = r.session.db.ExecContext(context.WithoutCancel(ctx), `select pg_advisory_unlock($1)`, lockKey)
}

// up applies what is pending now that the lock is held.
func (r *run) up(ctx context.Context, to int64) (Result, error) {
	st, err := readState(ctx, r.session)
	if err != nil {
		return Result{}, untouched(err)
	}
	result := Result{From: st.version(), To: st.version(), Applied: []Applied{}}
	todo, err := r.todo(ctx, &st, to)
	if err != nil || len(todo) == 0 && r.digest == "" && !r.restore {
		return result, err
	}
	if err := validate(todo); err != nil {
		return result, err
	}
	if err := r.bootstrap(ctx); err != nil {
		return result, untouched(err)
	}
	if r.digest != "" {
		if done, err := r.reviewed(ctx, st, todo, to); err != nil || done {
			return result, err
		}
	}
	store, err := newStore(r)
	if err != nil {
		return result, err
	}
	provider, err := goose.NewProvider(goose.DialectCustom, r.session.db, r.engine.config.FS,
		goose.WithStore(store), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return result, fmt.Errorf("read the migrations: %w", err)
	}
	// What is kept of a version comes back before the next file meets its rows.
	if r.restore {
		if err := r.restoreRest(ctx, &result); err != nil {
			return result, err
		}
	}
	for i := range todo {
		applied, err := r.applyPatiently(ctx, provider, &todo[i], result)
		if err != nil {
			return result, err
		}
		result.Applied = append(result.Applied, applied)
		result.To = applied.Version
		if r.restorer != nil {
			result.Restored = append(result.Restored, r.restorer.restored...)
		}
		if r.restore {
			if err := r.restoreRest(ctx, &result); err != nil {
				return result, err
			}
		}
	}
	if r.restore {
		if err := r.release(ctx, &result); err != nil {
			return result, err
		}
	}
	if err := r.session.db.QueryRowContext(ctx, `select hash from portaldb.history order by seq desc limit 1`).Scan(&result.HistoryHead); err != nil {
		return result, fmt.Errorf("read the history's head: %w; every migration was applied", err)
	}
	return result, nil
}

// applyPatiently applies one file, and tries it again from its beginning as long as a lock is what it failed for.
func (r *run) applyPatiently(ctx context.Context, provider *goose.Provider, f *File, result Result) (applied Applied, err error) {
	blockers, yielded, err := r.patiently(ctx, f, func() (err error) {
		applied, err = r.apply(ctx, provider, f)
		return err
	})
	if err != nil {
		return Applied{}, r.report(ctx, err, blockers, yielded, result)
	}
	return applied, nil
}

// patiently calls try, and again as long as a lock is what it failed for: a savepoint would keep the locks that it had
// got. It returns the last error, with whom the session waited for and whether it gave way to others.
func (r *run) patiently(ctx context.Context, f *File, try func() error) (blockers []Blocker, yielded bool, err error) {
	deadline := time.Now().Add(r.engine.config.RetryFor)
	for pause := 250 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		watcher := r.watch(ctx, f)
		err := try()
		blockers, yielded := watcher.stop()
		if err == nil {
			return nil, false, nil
		}
		yielded = yielded && sqlState(err) == "57014" // its own cancelling, not another failure
		wait := pause/2 + rand.N(pause)
		if !yielded && !isLockState(sqlState(err)) || ctx.Err() != nil || time.Now().Add(wait).After(deadline) {
			return blockers, yielded, err
		}
		retry := Retry{File: f, Reason: "others waited for its locks", In: wait}
		if !yielded {
			retry.Reason = "a lock was not free"
			if len(blockers) > 0 {
				retry.Reason += ", held by " + blockersText(blockers)
			}
		}
		r.engine.config.Progress(Event{Retrying: &retry})
		sleep(ctx, wait)
	}
}

// apply runs one file through goose.
func (r *run) apply(ctx context.Context, provider *goose.Provider, f *File) (Applied, error) {
	r.engine.config.Progress(Event{Applying: f})
	r.file = f
	seam := r.session.seam
	seam.started, seam.failed = time.Time{}, nil
	seam.line.Store(0)
	start := time.Now()
	var err error
	if seam.done, err = r.unrecorded(ctx, f); err != nil {
		return Applied{}, err
	}
	seam.file, seam.effect = f, readEffect(r.engine.config.FS, f.Version)
	defer func() { seam.file, seam.rewrite, seam.together = nil, nil, false }()
	if err := r.prepareRestore(ctx, f); err != nil {
		return Applied{}, err
	}
	seam.together = r.restorer == nil && seam.tracer == nil
	if _, err := provider.ApplyVersion(ctx, f.Version, true); err != nil {
		return Applied{}, err
	}
	applied := Applied{Version: f.Version, Name: f.Name, MS: time.Since(start).Milliseconds()}
	r.engine.config.Progress(Event{Applied: &applied})
	return applied, nil
}

// unrecorded reports whether a file that runs outside a transaction has done its work already: a run was killed before it
// recorded the version. That is judged from the catalog, by the file's effect; what leaves no trace there is done again.
func (r *run) unrecorded(ctx context.Context, f *File) (bool, error) {
	if int(f.Version) > len(r.engine.effects) || !strings.Contains(f.Body, "NO TRANSACTION") {
		return false, nil
	}
	effect := r.engine.effects[f.Version-1]
	if len(effect.Added)+len(effect.Changed)+len(effect.Removed) == 0 {
		return false, nil
	}
	st, err := readState(ctx, r.session)
	if err != nil {
		return false, err
	}
	live, err := readCatalog(ctx, r.session)
	if err != nil {
		return false, err
	}
	want, got := catalog.Catalog{}, catalog.Catalog{}
	keep := func(o catalog.Object) {
		want[o.Key()] = o
		if found, ok := live[o.Key()]; ok {
			got[o.Key()] = found
		}
	}
	for _, o := range effect.Added {
		keep(o)
	}
	for _, c := range effect.Changed {
		keep(c.After)
	}
	for _, o := range effect.Removed {
		if _, ok := live[o.Key()]; ok {
			return false, nil
		}
	}
	return !slices.ContainsFunc(catalog.Diff(catalog.Comparable(want, st.major), catalog.Comparable(got, st.major)), catalog.Difference.Drift), nil
}

// report turns goose's error into one that says all that a person needs, and puts the failure into the history.
func (r *run) report(ctx context.Context, failure error, blockers []Blocker, yielded bool, result Result) error {
	ctx = context.WithoutCancel(ctx) // what happened is told also when the run was cancelled
	var partial *goose.PartialError
	if errors.As(failure, &partial) {
		failure = partial.Err
	}
	e := &MigrationError{Version: r.file.Version, File: r.file.Name, Applied: result.Applied, Blockers: blockers, Yielded: yielded, Err: failure}
	if failed := r.session.seam.failed; failed != nil {
		e.Line, e.Statement = failed.line, failed.sql
	}
	_, tx, err := Statements(*r.file, true)
	if err != nil {
		return err
	}

	if r.lost(ctx) {
		e.State, e.Next = r.afterLoss(ctx)
		return e
	}
	if err := r.record(ctx, r.session.db, r.file.Version, failure); err != nil {
		e.Err = errors.Join(e.Err, err)
	}
	e.State = fmt.Sprintf("the database is at version %d; %s was undone whole.", result.To, r.file.Name)
	e.Next = "Correct the file and run up again."
	if e.LockNotAvailable() {
		e.Next = "Run up again when whoever holds the lock is done."
	}
	if !tx {
		e.State = fmt.Sprintf("the database is at version %d; %s runs outside a transaction.", result.To, r.file.Name)
		if remains := r.invalidIndexes(ctx); remains != "" {
			e.State += " The index " + remains + " is invalid: nobody reads it, writers keep it up."
			e.Next = "Run up again once the cause is gone: it drops the invalid index and builds it anew."
		}
	}
	return e
}

// lost reports whether the run's connection is gone.
func (r *run) lost(ctx context.Context) bool {
	return r.session.db.PingContext(ctx) != nil
}

// afterLoss looks with a new connection where a lost one left the database. Where the network says nothing, it gives up soon.
func (r *run) afterLoss(ctx context.Context) (state, next string) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	next = "Run up again: it goes on where the database is."
	s, err := r.engine.session(ctx, "status")
	if err != nil {
		return "the connection was lost and the database cannot be reached; the file was either applied whole or undone whole.", next
	}
	defer s.close()
	ended := r.ended(ctx, s)
	st, err := readState(ctx, s)
	if err != nil {
		return "the connection was lost; the file was either applied whole or undone whole.", next
	}
	if !ended {
		return fmt.Sprintf("the connection was lost, and the server is still at work for it (pid %d), at version %d: the file will be either applied whole or undone whole.",
			r.session.pid, st.version()), next
	}
	return fmt.Sprintf("the connection was lost; the database is at version %d.", st.version()), next
}

// ended waits for the end of the server's process of a lost connection: a COMMIT may still be on its way, and a statement
// goes on until the server notices.
func (r *run) ended(ctx context.Context, s *session) bool {
	for deadline := time.Now().Add(5 * time.Second); ; sleep(ctx, 50*time.Millisecond) {
		var there bool
		if err := s.db.QueryRowContext(ctx, `select exists (select from pg_stat_activity where pid = $1)`, int(r.session.pid)).Scan(&there); err != nil {
			return false
		}
		if !there || time.Now().After(deadline) {
			return !there
		}
	}
}

// invalidIndexes lists the invalid indexes of the database, as a failed CREATE INDEX CONCURRENTLY leaves them.
func (r *run) invalidIndexes(ctx context.Context) string {
	var names string
	err := r.session.db.QueryRowContext(ctx, `
		select coalesce(string_agg(indexrelid::regclass::text, ', ' order by indexrelid::regclass::text), '') from pg_index where not indisvalid`).Scan(&names)
	if err != nil {
		return ""
	}
	return names
}
