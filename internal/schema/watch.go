package schema

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Blocker is a session that a statement waits for.
type Blocker struct {
	PID         int    `json:"pid"`
	Application string `json:"application"`
	State       string `json:"state"`
	// Age is how long its transaction has been open.
	Age time.Duration `json:"-"`
}

func (b Blocker) String() string {
	return fmt.Sprintf("pid %d (%q, %s, transaction open for %s)", b.PID, b.Application, b.State, b.Age.Round(time.Second))
}

func blockersText(blockers []Blocker) string {
	names := make([]string, len(blockers))
	for i, b := range blockers {
		names[i] = b.String()
	}
	return strings.Join(names, ", ")
}

// Progress is how far a long statement is.
type Progress struct {
	File *File
	// Line is where the statement stands in its file.
	Line    int
	Elapsed time.Duration
	// Blockers are the sessions that it waits for now.
	Blockers []Blocker
	// Phase, Done and Total are what PostgreSQL says of an index that is being built; Total is 0 where it does not say.
	Phase       string
	Done, Total int64
}

const (
	watchAfter = 250 * time.Millisecond // a file that is done by then was never watched
	watchEvery = 100 * time.Millisecond
	tellEvery  = 5 * time.Second
)

// watcher looks, from a connection of its own, at the session that applies a file: whom it waits for, who waits for it,
// how far it is. When others have waited for it too long, it cancels the statement, so that the file is undone and they go on.
type watcher struct {
	run    *run
	pid    uint32
	file   *File
	cancel context.CancelFunc
	timer  *time.Timer
	done   sync.WaitGroup

	blockers []Blocker
	yielded  bool // it cancelled the statement for the sake of others
}

// watch begins to watch the run's session while it applies f. A goroutine of its own comes only when f takes long: most
// files are done before it would have been scheduled.
func (r *run) watch(ctx context.Context, f *File) *watcher {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{run: r, pid: r.session.pid, file: f, cancel: cancel}
	w.done.Add(1)
	start := time.Now()
	w.timer = time.AfterFunc(watchAfter, func() {
		defer w.done.Done()
		w.loop(ctx, start)
	})
	return w
}

// stop ends the watching and returns whom the session waited for last, and whether it was cancelled for others.
func (w *watcher) stop() (blockers []Blocker, yielded bool) {
	w.cancel()
	if w.timer.Stop() {
		w.done.Done()
	}
	w.done.Wait()
	return w.blockers, w.yielded
}

// loop polls until ctx is done. Whatever goes wrong here only costs what a person is told, and a connection that breaks is
// made anew: the promise to others must outlive it.
func (w *watcher) loop(ctx context.Context, start time.Time) {
	var conn *pgx.Conn
	defer func() { closeConn(ctx, conn) }()
	var othersWaited time.Duration
	last, told := start, time.Time{}
	for ; ctx.Err() == nil; sleep(ctx, watchEvery) {
		if conn == nil {
			var err error
			if conn, err = pgx.ConnectConfig(ctx, watchConfig(w.run.engine)); err != nil {
				continue
			}
		}
		p, others, err := w.look(ctx, conn)
		if err != nil {
			closeConn(ctx, conn)
			conn = nil
			continue
		}
		now := time.Now()
		if others > 0 && !w.run.session.seam.announced.Load() {
			othersWaited += now.Sub(last)
		}
		last = now
		if len(p.Blockers) > 0 {
			w.blockers = p.Blockers
		}
		for _, b := range p.Blockers {
			if slices.Contains(w.run.cancel, b.PID) {
				_, _ = conn.Exec(ctx, `select pg_terminate_backend($1)`, b.PID)
			}
		}
		if budget := w.run.engine.config.BlockingBudget; othersWaited > budget && !w.yielded {
			w.yielded = true
			_, _ = conn.Exec(ctx, `select pg_cancel_backend($1)`, w.pid)
		}
		if now.Sub(told) > tellEvery {
			p.File, p.Elapsed, p.Line = w.file, now.Sub(start), int(w.run.session.seam.line.Load())
			w.run.engine.config.Progress(Event{Progress: &p})
			told = now
		}
	}
}

func closeConn(ctx context.Context, conn *pgx.Conn) {
	if conn != nil {
		_ = conn.Close(context.WithoutCancel(ctx)) // it only looked
	}
}

func watchConfig(e *Engine) *pgx.ConnConfig {
	config := e.connect.Copy()
	config.RuntimeParams["application_name"] = applicationName("watch", e.config.Actor)
	config.RuntimeParams["timezone"] = "UTC"
	return config
}

// look asks once: whom the session waits for, how many wait for it, how far its index is.
func (w *watcher) look(ctx context.Context, conn *pgx.Conn) (p Progress, others int, err error) {
	rows, err := conn.Query(ctx, `
		select pid, application_name, coalesce(state, ''), extract(epoch from coalesce(clock_timestamp() - xact_start, '0'))::float8
		from pg_stat_activity where pid = any (pg_blocking_pids($1)) order by xact_start`, w.pid)
	if err != nil {
		return p, 0, err
	}
	p.Blockers, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b Blocker, err error) {
		var seconds float64
		err = row.Scan(&b.PID, &b.Application, &b.State, &seconds)
		b.Age = time.Duration(seconds * float64(time.Second))
		return b, err
	})
	if err != nil {
		return p, 0, err
	}
	err = conn.QueryRow(ctx, `
		select (select count(*) from pg_stat_activity where wait_event_type = 'Lock' and $1 = any (pg_blocking_pids(pid))),
		       coalesce(i.phase, ''), coalesce(greatest(i.blocks_done, i.tuples_done), 0), coalesce(greatest(i.blocks_total, i.tuples_total), 0)
		from (values (1)) one left join pg_stat_progress_create_index i on i.pid = $1`, int(w.pid)).
		Scan(&others, &p.Phase, &p.Done, &p.Total)
	return p, others, err
}

// sleep waits for d, or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
