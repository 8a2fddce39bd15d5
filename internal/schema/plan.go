package schema

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// Plan is exactly what goose will send to bring a database from one version to another.
type Plan struct {
	// Digest is the SHA-256 of versions, files and statements, as "sha256:" and hexadecimal digits. Locks, blockers and
	// whatever else depends on the moment are not part of it.
	Digest string `json:"digest"`
	From   int64  `json:"from"`
	To     int64  `json:"to"`
	Steps  []Step `json:"steps"`
	// Findings are what lint finds in the files of a plan up.
	Findings []lint.Finding `json:"findings"`
	// Blockers are the sessions that would be waited for if it ran now.
	Blockers []PlanBlocker `json:"blockers"`
}

// Step is one file of a plan, in one direction.
type Step struct {
	Version   int64  `json:"version"`
	Name      string `json:"name"`
	Direction string `json:"direction"`
	Checksum  string `json:"checksum"`
	// Class is what a step back does to data, as it was measured; nil for a step up, and where the file has no effect of its
	// own or was edited since.
	Class      *string            `json:"class"`
	Statements []PlannedStatement `json:"statements"`
}

// PlannedStatement is one statement as goose will send it.
type PlannedStatement struct {
	SQL  string `json:"sql"`
	File string `json:"file"`
	Line int    `json:"line"`
	// Tx tells that it runs inside the file's transaction.
	Tx bool `json:"tx"`
	// Locks are those that were measured, inside functions too, and those that the statement's kind tells of other relations.
	Locks []catalog.Lock `json:"locks"`
	// Instead says what a rollback does in its place, so that nothing is lost; empty when it is sent as it is.
	Instead string `json:"instead,omitempty"`
	// EstimatedMS is about how long it takes on the rows that are there, in milliseconds; nil where that is not known.
	EstimatedMS *int64 `json:"estimated_ms"`

	per100k int64 // milliseconds for 100,000 rows, as it was measured
}

// PlanBlocker is a session that holds something which a statement of the plan will want.
type PlanBlocker struct {
	Blocker
	Relation string `json:"relation"`
	Holds    string `json:"holds"`
}

// Plan tells what Up, or a rollback, would send to bring the database to version to, up or back. It changes nothing and
// opens no writing transaction. The errors are those of Up.
func (e *Engine) Plan(ctx context.Context, to int64) (Plan, error) {
	if to < 0 || to > e.Latest() {
		return Plan{}, &RefusedError{fmt.Sprintf("there is no version %d: the files go up to %d", to, e.Latest())}
	}
	s, err := e.session(ctx, "plan")
	if err != nil {
		return Plan{}, err
	}
	defer s.close()
	st, err := readState(ctx, s)
	if err != nil {
		return Plan{}, err
	}
	var plan Plan
	if to < st.version() {
		plan, err = e.planDown(st, to)
	} else {
		var todo []File
		if todo, err = e.plan(st, to); err == nil {
			err = validate(todo)
		}
		if err == nil {
			plan, err = e.planFiles(st, todo, true)
		}
	}
	if err != nil {
		return Plan{}, err
	}
	if err := estimate(ctx, s.db, plan); err != nil {
		return Plan{}, err
	}
	if plan.Findings, err = e.findings(plan); err != nil {
		return Plan{}, err
	}
	plan.Blockers, err = planBlockers(ctx, s, plan)
	return plan, err
}

// findings are what lint finds in the files that a plan applies.
func (e *Engine) findings(plan Plan) ([]lint.Finding, error) {
	applies := map[string]bool{}
	for _, step := range plan.Steps {
		applies[step.Name] = step.Direction == "up"
	}
	if len(plan.Steps) == 0 {
		return []lint.Finding{}, nil
	}
	all, err := Lint(e.config.FS, e.config.Baseline)
	if err != nil {
		return nil, err
	}
	return append([]lint.Finding{}, slices.DeleteFunc(all, func(f lint.Finding) bool { return !applies[f.File] })...), nil
}

// planDown is the plan of going back to version to.
func (e *Engine) planDown(st state, to int64) (Plan, error) {
	if newer := st.newer(e.files); len(newer) > 0 {
		return Plan{}, fmt.Errorf("%w: it is at version %d, the files end at %d", ErrNewer, st.version(), e.Latest())
	}
	var todo []File
	for _, f := range slices.Backward(e.files) {
		if _, applied := slices.BinarySearch(st.versions, f.Version); applied && f.Version > to {
			todo = append(todo, f)
		}
	}
	return e.planFiles(st, todo, false)
}

// planFiles has goose read the files of a plan.
func (e *Engine) planFiles(st state, todo []File, up bool) (Plan, error) {
	plan := Plan{From: st.version(), To: st.version(), Steps: []Step{}}
	for _, f := range todo {
		step, err := e.planStep(f, up)
		if err != nil {
			return Plan{}, err
		}
		plan.Steps = append(plan.Steps, step)
		plan.To = f.Version
		if !up {
			plan.To = f.Version - 1
		}
	}
	plan.Digest = plan.digest()
	return plan, nil
}

func (e *Engine) planStep(f File, up bool) (Step, error) {
	step := Step{Version: f.Version, Name: f.Name, Direction: "down", Checksum: f.Checksum, Statements: []PlannedStatement{}}
	if up {
		step.Direction = "up"
	}
	statements, tx, err := Statements(f, up)
	if err != nil {
		return Step{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	measured := e.measuredStep(f, up, &step)
	if len(measured) != len(statements) {
		measured = make([]catalog.Measured, len(statements))
	}
	for line, sql := range f.lines(statements, up) {
		m := measured[len(step.Statements)]
		step.Statements = append(step.Statements, PlannedStatement{
			SQL: sql, File: f.Name, Line: line, Tx: tx, Locks: mergedLocks(m.Locks, lint.Locks(sql)), per100k: m.MSPer100k,
		})
	}
	return step, nil
}

// mergedLocks are the measured locks, and of those told by kind the ones of relations that were not measured: a file's own.
func mergedLocks(measured, told []catalog.Lock) []catalog.Lock {
	locks := append([]catalog.Lock{}, measured...)
	for _, t := range told {
		if !slices.ContainsFunc(measured, func(m catalog.Lock) bool { return sameRelation(m.Relation, t.Relation) }) {
			locks = append(locks, t)
		}
	}
	return locks
}

// measuredStep is what was measured of a half of a file, and sets the step's class by it; nothing where the file is not the
// one that was measured.
func (e *Engine) measuredStep(f File, up bool, step *Step) []catalog.Measured {
	if int(f.Version) > len(e.effects) || e.effects[f.Version-1].Checksum != f.Checksum {
		return nil
	}
	effect := e.effects[f.Version-1]
	if up {
		return effect.Up
	}
	if effect.Class != "" {
		class := string(effect.Class)
		step.Class = &class
	}
	return effect.Down
}

// sameRelation reports whether a name as a statement writes it, perhaps without its schema, is that of a qualified relation.
func sameRelation(qualified, written string) bool {
	return qualified == written || strings.HasSuffix(qualified, "."+written)
}

// estimate scales what was measured to the rows that are there. How many there are is what the last ANALYZE saw, for the
// size that the table has now.
func estimate(ctx context.Context, db querier, plan Plan) error {
	var tables []string
	for _, step := range plan.Steps {
		for _, s := range step.Statements {
			if s.per100k > 0 {
				for _, lock := range s.Locks {
					tables = append(tables, lock.Relation)
				}
			}
		}
	}
	if len(tables) == 0 {
		return nil
	}
	rows, err := db.QueryContext(ctx, `
		select name, case when pg_relation_size(c.oid) = 0 and c.relkind = 'r' then 0 when c.reltuples < 0 then null when c.relpages = 0 then c.reltuples
		       else c.reltuples / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::float8) end
		from unnest($1::text[]) name join pg_class c on c.oid = to_regclass(name)`, tables)
	if err != nil {
		return fmt.Errorf("read the sizes of tables: %w", err)
	}
	defer rows.Close()
	sizes := map[string]float64{}
	for rows.Next() {
		var table string
		var n sql.NullFloat64
		if err := rows.Scan(&table, &n); err != nil {
			return fmt.Errorf("read the sizes of tables: %w", err)
		}
		if n.Valid {
			sizes[table] = n.Float64
		}
	}
	for _, step := range plan.Steps {
		for i := range step.Statements {
			step.Statements[i].estimate(sizes)
		}
	}
	return rows.Err()
}

// estimate sets the statement's time, given how many rows tables have.
func (s *PlannedStatement) estimate(sizes map[string]float64) {
	if s.per100k == 0 {
		return
	}
	var total float64
	all := !slices.ContainsFunc(s.Locks, func(l catalog.Lock) bool { return l.Rewrites || l.Scans })
	for _, lock := range s.Locks {
		if all || lock.Rewrites || lock.Scans {
			n, known := sizes[lock.Relation]
			if !known {
				return
			}
			total += n
		}
	}
	ms := int64(float64(s.per100k) * total / 100_000)
	s.EstimatedMS = &ms
}

// digest covers what will run and nothing else.
func (p Plan) digest() string {
	type statement struct {
		SQL string
		Tx  bool
	}
	type step struct {
		Version                   int64
		Name, Direction, Checksum string
		Statements                []statement
	}
	covered := struct {
		From, To int64
		Steps    []step
	}{From: p.From, To: p.To}
	for _, s := range p.Steps {
		c := step{Version: s.Version, Name: s.Name, Direction: s.Direction, Checksum: s.Checksum}
		for _, st := range s.Statements {
			c.Statements = append(c.Statements, statement{st.SQL, st.Tx})
		}
		covered.Steps = append(covered.Steps, c)
	}
	text, err := json.Marshal(covered)
	if err != nil {
		panic(err) // strings and numbers
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// conflicts are the modes, as pg_locks names them, that a lock has to wait for.
var conflicts = map[string][]string{
	catalog.RowExclusive:         {"ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
	catalog.ShareUpdateExclusive: {"ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
	catalog.Share:                {"RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
	catalog.ShareRowExclusive:    {"RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
	catalog.Exclusive: {"RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock",
		"ExclusiveLock", "AccessExclusiveLock"},
	catalog.AccessExclusive: {"AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock",
		"ShareRowExclusiveLock", "ExclusiveLock", "AccessExclusiveLock"},
}

// planBlockers names the sessions that hold now what the plan's locks conflict with.
func planBlockers(ctx context.Context, s *session, plan Plan) ([]PlanBlocker, error) {
	var relations, modes []string
	for _, step := range plan.Steps {
		for _, statement := range step.Statements {
			for _, lock := range statement.Locks {
				for _, mode := range conflicts[lock.Mode] {
					relations, modes = append(relations, lock.Relation), append(modes, mode)
				}
			}
		}
	}
	blockers := []PlanBlocker{}
	if len(relations) == 0 {
		return blockers, nil
	}
	rows, err := s.db.QueryContext(ctx, `
		select distinct a.pid, a.application_name, coalesce(a.state, ''),
		       extract(epoch from coalesce(statement_timestamp() - a.xact_start, '0'))::float8, wanted.relation, l.mode
		from unnest($1::text[], $2::text[]) as wanted (relation, mode)
		join pg_locks l on l.relation = to_regclass(wanted.relation) and l.mode = wanted.mode and l.granted
			and l.database = (select oid from pg_database where datname = current_database())
		join pg_stat_activity a on a.pid = l.pid and a.pid <> pg_backend_pid()
		order by 1, 5, 6`, relations, modes)
	if err != nil {
		return nil, fmt.Errorf("look for blockers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var b PlanBlocker
		var seconds float64
		if err := rows.Scan(&b.PID, &b.Application, &b.State, &seconds, &b.Relation, &b.Holds); err != nil {
			return nil, fmt.Errorf("look for blockers: %w", err)
		}
		b.Age = time.Duration(seconds * float64(time.Second))
		blockers = append(blockers, b)
	}
	return blockers, rows.Err()
}

// reviewed refuses to go on unless what is left to do is the plan with that digest, or the rest of it after a run that
// died. It reports done when all of it was applied before: replicas that start together ask for the same plan.
func (r *run) reviewed(ctx context.Context, st state, todo []File, to int64) (done bool, err error) {
	var first int64
	err = r.session.db.QueryRowContext(ctx, `
		select coalesce(min(version), 0) from portaldb.history
		where plan_digest = $1 and direction = 'up' and outcome = 'done' and version <= $2`, r.digest, st.version()).Scan(&first)
	if err != nil {
		return false, fmt.Errorf("look for the plan in the history: %w", err)
	}
	whole, begin := todo, st
	if first > 0 {
		if len(todo) == 0 {
			return true, nil
		}
		i, _ := slices.BinarySearch(st.versions, first)
		begin = state{versions: st.versions[:i]}
		whole = slices.DeleteFunc(begin.pending(r.engine.files), func(f File) bool { return f.Version > to })
	}
	plan, err := r.engine.planFiles(begin, whole, true)
	if err != nil {
		return false, err
	}
	if plan.Digest != r.digest {
		return false, &RefusedError{fmt.Sprintf("the plan is not the one that was reviewed: it is %s now, %s was asked for; look at portaldb plan again", plan.Digest, r.digest)}
	}
	return len(todo) == 0, nil
}
