package schema

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"portaldb/internal/catalog"
)

// RollbackRequest says how far back, and what may be done.
type RollbackRequest struct {
	// To is the version to go back to; nil for Steps. Steps is how many versions to go back; 0 means one.
	To    *int64
	Steps int
	// Apply lets the rollback act; without it nothing is written.
	Apply bool
	// AcceptLoss is the digest of the rollback whose loss was accepted; empty when none was.
	AcceptLoss string
	// CancelBlockers are the pids of sessions that may be ended when the rollback waits for them.
	CancelBlockers []int
}

// named tells that somebody said how far back, and did not only ask.
func (r RollbackRequest) named() bool { return r.To != nil || r.Steps > 0 }

// Rollback is the way back: what it would do and, when it was applied, what it did.
type Rollback struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Class is the worst of the steps'.
	Class catalog.Reversal `json:"class"`
	// Digest is over the plan, what is kept and how, and what is lost with the counts rounded up, as "sha256:" and
	// hexadecimal digits.
	Digest  string         `json:"digest"`
	Steps   []RollbackStep `json:"steps"`
	Applied []Applied      `json:"applied"`
	Advice  Advice         `json:"advice"`
	// Trash is what this rollback has kept.
	Trash []Trash `json:"trash"`
	// Hold is the hold in force; nil when there is none.
	Hold *Hold `json:"hold"`
	// RestoreCommand brings everything back; nil when nothing was rolled back.
	RestoreCommand *string     `json:"restore_command"`
	Orientation    Orientation `json:"orientation"`
	// Skeleton is a migration that goes forward, to be filled in, when a step is irreversible; empty otherwise.
	Skeleton string `json:"skeleton,omitempty"`
	// HistoryHead is the hash of the history's last row after something was done.
	HistoryHead string `json:"history_head,omitempty"`
}

// RollbackStep is one file on the way back.
type RollbackStep struct {
	Step
	// Keeps is what the Down destroys, and how it is kept; Losses is what it loses for ever.
	Keeps  []Keep `json:"keeps"`
	Losses []Loss `json:"losses"`

	effect catalog.Effect
	class  catalog.Reversal
}

// Loss is something that a step back loses for ever.
type Loss struct {
	What string `json:"what"`
	// Rows is at most how many.
	Rows int64 `json:"rows"`

	table string // whose rows; empty where that is not known
}

// Orientation is where a database stands, for a person who has just been woken.
type Orientation struct {
	Database    string `json:"database"` // host, port and name
	Environment string `json:"environment"`
	Version     int64  `json:"version"`
	// Name is the newest migration; By and At are who applied it and when; nil where the history does not say.
	Name string     `json:"name"`
	By   *string    `json:"applied_by"`
	At   *time.Time `json:"applied_at"`
	// Runs are other sessions of portaldb that are at work.
	Runs []Blocker `json:"runs"`
	// Blockers are sessions that hold, at this moment, what a statement of the rollback will want.
	Blockers []PlanBlocker `json:"blockers"`
	Replicas []Replica     `json:"replicas"`
	// Unknown says what could not be found out; empty when nothing.
	Unknown string `json:"unknown,omitempty"`
}

// Rollback goes back to an earlier version, and keeps what that destroys. Without request.Apply it tells what it would do. It
// works for versions that are newer than the engine's files too, from what the history says of them.
//
// When somebody's decision is missing, the plan is returned together with a *RefusedError. When rolling back the binary
// is enough and the request names no target, nothing is done either: see Advice.
//
// Errors: *ConnectError, *LockedError, *RefusedError, ErrNewer, *MigrationError.
func (e *Engine) Rollback(ctx context.Context, request RollbackRequest) (Rollback, error) {
	s, err := e.session(ctx, "rollback")
	if err != nil {
		return Rollback{}, err
	}
	defer s.close()
	s.seam.sending = func(sent Sending) { e.config.Progress(Event{Sending: &sent}) }
	r := &run{engine: e, session: s, cancel: request.CancelBlockers}
	if err := s.boundWaits(ctx); err != nil {
		return Rollback{}, untouched(err)
	}
	plan, err := r.planBack(ctx, request)
	if err != nil || len(plan.Steps) == 0 || !request.Apply || plan.Advice.Enough && !request.named() {
		return plan.Rollback, untouched(s.lockedOut(ctx, err))
	}
	if err := r.lock(ctx); err != nil {
		return plan.Rollback, untouched(err)
	}
	defer r.unlock(ctx)
	seen := plan.Rollback
	plan, err = r.planBack(ctx, request)
	if err != nil || len(plan.Steps) == 0 {
		return plan.Rollback, untouched(s.lockedOut(ctx, err))
	}
	if plan.From != seen.From {
		return plan.Rollback, &RefusedError{fmt.Sprintf("the database was at version %d when this began and is at %d now: somebody else is at work; look again", seen.From, plan.From)}
	}
	r.engine = plan.engine
	return r.back(ctx, plan)
}

// wayBack is a rollback that has been planned.
type wayBack struct {
	Rollback
	engine   *Engine // which knows the newer versions too
	state    state
	accepted []catalog.Difference
	releases []Release // of the replicas that serve now
}

// planBack looks where the database stands, asks whether a rollback is needed, and says what it would do. It takes no lock
// that makes anyone wait.
func (r *run) planBack(ctx context.Context, request RollbackRequest) (plan wayBack, err error) {
	plan.Rollback = Rollback{Steps: []RollbackStep{}, Applied: []Applied{}, Trash: []Trash{}, Class: catalog.NoData}
	if plan.state, err = readState(ctx, r.session); err != nil {
		return plan, err
	}
	st := plan.state
	plan.From, plan.To, plan.Hold = st.version(), st.version(), st.hold
	if err := r.engine.checkEnvironment(st.environment); err != nil {
		return plan, err
	}
	if st.legacy {
		return plan, &RefusedError{"this database has the portal's tables but no versions: legacy scripts made it, and there is nothing to roll back"}
	}
	if plan.engine, err = r.engine.extended(ctx, r.session, st); err != nil {
		return plan, err
	}
	if err := r.orient(ctx, &plan); err != nil {
		return plan, err
	}
	if plan.To, err = plan.engine.target(request, st); err != nil || plan.To == st.version() {
		return plan, err
	}
	if err := r.planSteps(ctx, &plan); err != nil {
		return plan, err
	}
	if err := r.session.raw(ctx, func(conn *pgx.Conn) (err error) {
		effects := make([]catalog.Effect, len(plan.Steps))
		for i, step := range plan.Steps {
			effects[i] = step.effect
		}
		plan.Advice, err = plan.engine.advise(ctx, conn, plan.To, effects)
		return err
	}); err != nil {
		return plan, err
	}
	return plan, r.gate(ctx, &plan, request)
}

// target is the version to go back to.
func (e *Engine) target(request RollbackRequest, st state) (int64, error) {
	at := st.version()
	var to int64
	switch {
	case request.To != nil:
		to = *request.To
		if to > at {
			return at, &RefusedError{fmt.Sprintf("the database is at version %d, and %d is not back from there: portaldb up goes forward", at, to)}
		}
	default:
		i := len(st.versions) - max(request.Steps, 1)
		if i > 0 {
			to = st.versions[i-1]
		}
		if i < 0 {
			return at, &RefusedError{fmt.Sprintf("there are no %d versions to go back: the database is at %d", request.Steps, at)}
		}
	}
	if to < e.config.Baseline && to < at {
		return at, &RefusedError{fmt.Sprintf("version %d is below the baseline, %d: what comes before is the legacy schema itself, with all its data", to, e.config.Baseline)}
	}
	if to < 0 {
		return at, &RefusedError{"there is no version below 0"}
	}
	return to, nil
}

// orient fills in where the database stands.
func (r *run) orient(ctx context.Context, plan *wayBack) error {
	o := &plan.Orientation
	o.Database, o.Environment, o.Version = r.engine.Target(), plan.state.environment, plan.state.version()
	o.Replicas, o.Runs, o.Blockers = []Replica{}, []Blocker{}, []PlanBlocker{}
	if o.Version > 0 {
		o.Name = plan.engine.files[o.Version-1].Name
	}
	var err error
	if plan.state.replicas {
		if o.Replicas, err = readReplicas(ctx, r.session); err != nil {
			return err
		}
	}
	err = r.session.raw(ctx, func(conn *pgx.Conn) error {
		var exists bool
		if err := conn.QueryRow(ctx, `select to_regclass('portaldb.history') is not null`).Scan(&exists); err != nil {
			return err
		}
		if exists {
			err := conn.QueryRow(ctx, `
				select actor, started_at + ms * interval '1 millisecond' from portaldb.history
				where version = $1 and direction = 'up' and outcome = 'done' order by seq desc limit 1`, o.Version).Scan(&o.By, &o.At)
			if err != nil && !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
		}
		rows, err := conn.Query(ctx, `
			select pid, application_name, coalesce(state, ''), extract(epoch from coalesce(clock_timestamp() - xact_start, '0'))::float8
			from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and application_name ~ '^portaldb (up|rollback|adopt|trash) ' order by backend_start`)
		if err != nil {
			return err
		}
		o.Runs, err = pgx.CollectRows(rows, scanBlocker)
		if o.Runs == nil {
			o.Runs = []Blocker{}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look around: %w", err)
	}
	r.engine.config.Progress(Event{Oriented: o})
	return nil
}

// planSteps says what each step sends, destroys and keeps.
func (r *run) planSteps(ctx context.Context, plan *wayBack) error {
	e := plan.engine
	sent := Plan{From: plan.From, To: plan.To}
	for _, v := range slices.Backward(plan.state.versions) {
		if v <= plan.To {
			break
		}
		f := e.files[v-1]
		if int(v) > len(e.effects) {
			return &RefusedError{fmt.Sprintf("what %s did to the schema is not known: there is no effect beside it; portaldb check --write makes it", f.Name)}
		}
		effect := e.effects[v-1]
		if effect.Checksum != "" && effect.Checksum != f.Checksum {
			return &RefusedError{fmt.Sprintf("%s was edited after its effect was measured; portaldb check --write measures it again", f.Name)}
		}
		if err := f.Validate(); err != nil {
			return &RefusedError{err.Error()}
		}
		step, err := e.planStep(f, false)
		if err != nil {
			return err
		}
		back := RollbackStep{Step: step, effect: effect, Losses: []Loss{}}
		want, err := e.folded(ctx, r.session, v)
		if err != nil {
			return err
		}
		err = r.session.raw(ctx, func(conn *pgx.Conn) (err error) {
			var stands *StepError
			if back.Keeps, err = e.keeps(ctx, conn, f, effect, want.catalog, true); errors.As(err, &stands) {
				return &RefusedError{fmt.Sprintf("roll back %05d: %s", v, stands.Reason)}
			} else if err != nil {
				return err
			}
			return back.judge(ctx, conn, f)
		})
		if err != nil {
			return err
		}
		if back.Keeps == nil {
			back.Keeps = []Keep{}
		}
		back.mark()
		plan.Steps, sent.Steps = append(plan.Steps, back), append(sent.Steps, step)
		plan.Class = max(plan.Class, back.class)
	}
	sent.Digest = sent.digest()
	plan.Digest = digestBack(sent.Digest, plan.Steps)
	var err error
	plan.Orientation.Blockers, err = planBlockers(ctx, r.session, sent)
	return err
}

// judge puts the step into its class, and names what it loses.
func (s *RollbackStep) judge(ctx context.Context, conn *pgx.Conn, f File) error {
	defer func() {
		class := string(s.class)
		s.Class = &class
	}()
	if f.Irreversible() != "" || s.effect.Class == catalog.Irreversible {
		s.class = catalog.Irreversible
		return nil
	}
	s.class = catalog.NoData
	if len(s.Keeps) > 0 {
		s.class = catalog.DataKept
	}
	for _, keep := range s.Keeps {
		if keep.How == Lost {
			rows := keep.Rows
			if keep.Set != nil {
				rows = *keep.Set
			}
			s.Losses = append(s.Losses, Loss{What: fmt.Sprintf("%s of %s: its rows have no key by which they could be put back", strings.Join(keep.Columns, ", "), keep.Object), Rows: rows, table: keep.Object})
		}
	}
	var statements []string
	for _, sent := range s.Statements {
		statements = append(statements, sent.SQL)
	}
	down := readDown(statements)
	written := slices.Clone(down.writes)
	for _, measured := range s.effect.Down {
		for _, lock := range measured.Locks {
			if lock.Mode == catalog.RowExclusive {
				written = append(written, lock.Relation)
			}
		}
	}
	// A Down of DDL alone changes no rows but those that are kept; of others the measured class tells, and where that was not
	// measured, or they write to tables that stay, somebody has to look.
	if !down.plain && (s.effect.Class == catalog.DataLost || s.effect.Class == "" || len(written) > 0) {
		if err := s.lose(ctx, conn, written); err != nil {
			return err
		}
	}
	if len(s.Losses) > 0 {
		s.class = catalog.DataLost
	}
	return nil
}

// lose names the tables whose rows a Down deletes or changes.
func (s *RollbackStep) lose(ctx context.Context, conn *pgx.Conn, written []string) error {
	slices.Sort(written)
	for _, table := range slices.Compact(written) {
		found, err := (&keepLooker{conn: conn, count: true}).tables(ctx, []string{table})
		if err != nil {
			return err
		}
		for oid, t := range found {
			if slices.ContainsFunc(s.Keeps, func(k Keep) bool { return k.Kind == "table" && k.oid == oid }) {
				continue // it goes, and is kept whole
			}
			n, err := (&keepLooker{conn: conn, count: true}).rows(ctx, t)
			if err != nil {
				return err
			}
			s.Losses = append(s.Losses, Loss{What: "rows of " + t.name + " that the Down deletes or changes", Rows: n, table: t.name})
		}
	}
	if s.effect.Class != catalog.NoData && s.effect.Class != catalog.DataKept && len(s.Losses) == 0 {
		s.Losses = append(s.Losses, Loss{What: "what its Down does to rows is not known"})
	}
	return nil
}

// mark notes at the statements what is done in their place.
func (s *RollbackStep) mark() {
	for i := range s.Statements {
		down := readDown([]string{s.Statements[i].SQL})
		var moved []string
		for _, name := range down.tables {
			for _, keep := range s.Keeps {
				if keep.How == Moved && (keep.Object == name || strings.TrimPrefix(keep.Object, "public.") == name) {
					moved = append(moved, keep.Object)
				}
			}
		}
		var notes []string
		if len(moved) > 0 {
			notes = append(notes, "not dropped but moved to "+trashSchema+": "+strings.Join(moved, ", "))
		}
		if i == 0 {
			for _, keep := range s.Keeps {
				switch keep.How {
				case Copied:
					text := "copied to " + trashSchema + " before, while those who write to it wait: " + keep.Object
					if keep.Kind == "column" {
						text += " (" + strings.Join(keep.Columns, ", ") + ")"
					}
					notes = append(notes, text)
				case Recorded:
					notes = append(notes, "recorded before: the position of "+keep.Object)
				}
			}
		}
		s.Statements[i].Instead = strings.Join(notes, "; ")
	}
}

// digestBack covers what will run, what is kept and how, and what is lost, as far as a person decides about it.
func digestBack(plan string, steps []RollbackStep) string {
	type keep struct {
		Kind, Object, How string
		Columns           []string
	}
	type covered struct {
		Plan   string
		Class  []catalog.Reversal
		Keeps  []keep
		Losses []Loss
	}
	c := covered{Plan: plan}
	for _, s := range steps {
		c.Class = append(c.Class, s.class)
		for _, k := range s.Keeps {
			c.Keeps = append(c.Keeps, keep{k.Kind, k.Object, k.How, k.Columns})
		}
		for _, l := range s.Losses {
			c.Losses = append(c.Losses, Loss{What: l.What, Rows: roundedUp(l.Rows)})
		}
	}
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers
	}
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// roundedUp is the next of 1, 2, 5, 10, 20, 50 and so on: a loss that has grown a little since it was shown is the same.
func roundedUp(n int64) int64 {
	if n <= 0 {
		return 0
	}
	for unit := int64(1); unit <= math.MaxInt64/10; unit *= 10 {
		for _, next := range []int64{unit, 2 * unit, 5 * unit} {
			if n <= next {
				return next
			}
		}
	}
	return math.MaxInt64
}

// gate refuses what needs a person, or must not be.
func (r *run) gate(ctx context.Context, plan *wayBack, request RollbackRequest) error {
	for _, step := range plan.Steps {
		f := plan.engine.files[step.Version-1]
		if sum := plan.state.checksums[step.Version]; sum != "" && sum != f.Checksum {
			return &RefusedError{fmt.Sprintf("%s is not the file that was applied: put it back as it was", f.Name)}
		}
		if step.class == catalog.Irreversible {
			plan.Skeleton = skeleton(plan.engine, f, step)
			return &RefusedError{fmt.Sprintf("%s cannot be rolled back: %s; write a migration that goes forward", f.Name, f.Irreversible())}
		}
	}
	if err := r.refuseDrift(ctx, plan); err != nil {
		return err
	}
	if err := r.refuseReplicas(ctx, plan, request.Apply); err != nil {
		return err
	}
	if !request.Apply {
		return nil
	}
	if plan.Advice.Enough && !request.named() {
		return nil // nothing will be done
	}
	switch {
	case request.AcceptLoss != "" && request.AcceptLoss != plan.Digest:
		return &RefusedError{fmt.Sprintf("the rollback is not the one whose loss was accepted: it is %s now, %s was accepted; look at it again without --apply", plan.Digest, request.AcceptLoss)}
	case plan.Class == catalog.DataLost && request.AcceptLoss == "":
		var losses []string
		for _, step := range plan.Steps {
			for _, l := range step.Losses {
				losses = append(losses, fmt.Sprintf("%05d %s (%d rows)", step.Version, l.What, l.Rows))
			}
		}
		return &RefusedError{fmt.Sprintf("data would be lost that cannot be rebuilt: %s; --accept-loss %s accepts that", strings.Join(losses, "; "), plan.Digest)}
	}
	return nil
}

// skeleton is a migration that goes forward from an irreversible one, to be filled in.
func skeleton(e *Engine, f File, step RollbackStep) string {
	_, name, _ := strings.Cut(strings.TrimSuffix(f.Name, ".sql"), "_")
	_, object, _ := strings.Cut(name, "_")
	var b strings.Builder
	fmt.Fprintf(&b, "-- %05d_revert_%s.sql\n-- +goose Up\n-- Why:   takes back what %s did, going forward: %s.\n-- Locks: ...\n-- Down:  ...\n", e.Latest()+1, object, f.Name, f.Irreversible())
	for _, o := range step.effect.Added {
		if o.Kind != "column" || !slices.ContainsFunc(step.effect.Added, func(t catalog.Object) bool { return t.Kind == "table" && t.Key().QualifiedName() == o.Parent }) {
			fmt.Fprintf(&b, "-- it added %s %s\n", o.Kind, o.Key().QualifiedName())
		}
	}
	for _, c := range step.effect.Changed {
		fmt.Fprintf(&b, "-- it changed %s %s\n", c.After.Kind, c.After.Key().QualifiedName())
	}
	for _, o := range step.effect.Removed {
		fmt.Fprintf(&b, "-- it removed %s %s\n", o.Kind, o.Key().QualifiedName())
	}
	b.WriteString("\n-- +goose Down\n")
	return b.String()
}

// refuseDrift refuses to touch what is not as the migrations made it.
func (r *run) refuseDrift(ctx context.Context, plan *wayBack) error {
	want, err := plan.engine.folded(ctx, r.session, plan.From)
	if err != nil {
		return err
	}
	v, err := want.compare(ctx, r.session, plan.state)
	if err != nil {
		return err
	}
	if plan.accepted, err = readAccepted(ctx, r.session.db); err != nil {
		return err
	}
	touched, tables := map[string]bool{}, map[string]bool{}
	touch := func(o catalog.Object) {
		touched[o.Kind+" "+o.Key().QualifiedName()] = true
		switch o.Kind {
		case "table":
			tables[o.Key().QualifiedName()] = true
		case "column":
			tables[o.Parent] = true
		}
	}
	for _, step := range plan.Steps {
		for _, o := range slices.Concat(step.effect.Added, step.effect.Removed) {
			touch(o)
		}
		for _, c := range step.effect.Changed {
			touch(c.After)
		}
	}
	// A run that died may have done the first step's work outside a transaction, or half of it, and not have recorded it.
	undone := map[string]bool{}
	if first := plan.Steps[0]; len(first.Statements) > 0 && !first.Statements[0].Tx {
		for _, o := range first.effect.Added {
			undone[o.Kind+" "+o.Key().QualifiedName()] = true
		}
	}
	var found []string
	for _, d := range v.Differences {
		if undone[d.Kind+" "+d.Object] && d.Class != catalog.Extra {
			continue
		}
		inside := false
		for table := range tables {
			inside = inside || strings.HasPrefix(d.Object, table+".")
		}
		if d.Drift() && (inside || touched[d.Kind+" "+d.Object]) {
			found = append(found, fmt.Sprintf("%s %s %s", d.Class, d.Kind, d.Object))
		}
	}
	if len(found) > 0 {
		return &RefusedError{"what would be rolled back is not as the migrations made it: " + strings.Join(found, ", ") + "; portaldb verify shows more, verify --accept accepts it"}
	}
	return nil
}

// refuseReplicas refuses a rollback after which replicas that serve now would break. When it is applied, each step asks in its
// own transaction; before, a scratch database at the target version is asked, where there may be one.
func (r *run) refuseReplicas(ctx context.Context, plan *wayBack, apply bool) error {
	live := map[string]bool{}
	for _, replica := range plan.Orientation.Replicas {
		live[replica.Release] = true
	}
	if len(live) == 0 {
		return nil
	}
	err := r.session.raw(ctx, func(conn *pgx.Conn) error {
		releases, _, err := readReleases(ctx, conn)
		plan.releases = slices.DeleteFunc(releases, func(release Release) bool { return !live[release.Name] })
		return err
	})
	if err != nil || apply || len(plan.releases) == 0 {
		return err
	}
	broken, err := plan.engine.brokenAt(ctx, r.session, plan.To, plan.releases)
	if errors.Is(err, ErrNoScratch) {
		plan.Orientation.Unknown = "whether the replicas could go on is not known before: the login may not create a scratch database; it is asked before the commit"
		return nil
	}
	if err != nil {
		return err
	}
	if broken != "" {
		return &RefusedError{broken}
	}
	return nil
}

// brokenAt names the releases whose statements would not work at a version.
func (e *Engine) brokenAt(ctx context.Context, s *session, version int64, releases []Release) (text string, err error) {
	err = e.withScratch(ctx, s, version, func(config *pgx.ConnConfig, _ *sql.DB) error {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return err
		}
		defer closeConn(ctx, conn)
		for _, release := range releases {
			broken, err := prepare(ctx, conn, release, false)
			if err != nil {
				return err
			}
			if len(broken) > 0 {
				text = fmt.Sprintf("replicas that serve now run release %s, and its statements would not work at version %d: %s; roll their binary back first",
					release.Name, version, Compatibility{Broken: broken}.BrokenText())
				return nil
			}
		}
		return nil
	})
	return text, err
}

// back acts, under the migration lock.
func (r *run) back(ctx context.Context, plan wayBack) (Rollback, error) {
	result := plan.Rollback
	result.To = plan.From
	if err := r.bootstrap(ctx); err != nil {
		return result, untouched(err)
	}
	var number int64
	if err := r.session.db.QueryRowContext(ctx, `select coalesce(max(seq), 0) + 1 from portaldb.history`).Scan(&number); err != nil {
		return result, untouched(fmt.Errorf("read the history: %w", err))
	}
	store, err := newStore(r)
	if err != nil {
		return result, err
	}
	provider, err := goose.NewProvider(goose.DialectCustom, r.session.db, r.engine.config.FS, goose.WithStore(store), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return result, untouched(fmt.Errorf("read the migrations: %w", err))
	}
	r.digest = plan.Digest
	for _, step := range plan.Steps {
		f := r.engine.files[step.Version-1]
		k := &keeper{run: r, step: step, from: plan.From, to: plan.To, number: number, major: plan.state.major, releases: plan.releases, accepted: plan.accepted}
		if err := k.expect(ctx, plan.state); err != nil {
			return result, r.reportBack(ctx, err, nil, false, &result, plan)
		}
		r.keeper = k
		var applied Applied
		blockers, yielded, err := r.patiently(ctx, &f, func() (err error) {
			applied, err = r.stepBack(ctx, provider, &f, k)
			if isLockState(sqlState(err)) {
				return errors.Join(err, r.endBlockers(ctx, step.Step))
			}
			return err
		})
		if err != nil {
			return result, r.reportBack(ctx, err, blockers, yielded, &result, plan)
		}
		result.Applied, result.Trash = append(result.Applied, applied), append(result.Trash, k.kept...)
		result.To = k.target.version
		if command := "portaldb up --restore-trash"; result.RestoreCommand == nil {
			result.RestoreCommand = &command
		}
	}
	return result, r.closing(ctx, &result)
}

// endBlockers ends those sessions that may be ended and hold, after a lock was not free, what the step wants.
func (r *run) endBlockers(ctx context.Context, step Step) error {
	if len(r.cancel) == 0 {
		return nil
	}
	blockers, err := planBlockers(ctx, r.session, Plan{Steps: []Step{step}})
	if err != nil {
		return err
	}
	for _, b := range blockers {
		if !slices.Contains(r.cancel, b.PID) {
			continue
		}
		if _, err := r.session.db.ExecContext(ctx, `select pg_terminate_backend($1)`, b.PID); err != nil {
			return fmt.Errorf("end the session %d: %w", b.PID, err)
		}
	}
	return nil
}

// closing reads what a person is told at the end.
func (r *run) closing(ctx context.Context, result *Rollback) error {
	var err error
	if result.Hold, err = readHold(ctx, r.session); err != nil {
		return fmt.Errorf("%w; the rollback is done, at version %d", err, result.To)
	}
	if err := r.session.db.QueryRowContext(ctx, `select hash from portaldb.history order by seq desc limit 1`).Scan(&result.HistoryHead); err != nil {
		return fmt.Errorf("read the history's head: %w; the rollback is done, at version %d", err, result.To)
	}
	return nil
}

// expect sets what the schema should be before and after the step.
func (k *keeper) expect(ctx context.Context, st state) (err error) {
	e := k.run.engine
	i, _ := slices.BinarySearch(st.versions, k.step.Version)
	below := int64(0)
	if i > 0 {
		below = st.versions[i-1]
	}
	if k.want, err = e.folded(ctx, k.run.session, k.step.Version); err != nil {
		return err
	}
	k.target, err = e.folded(ctx, k.run.session, below)
	return err
}

// stepBack runs the Down of one file through goose.
func (r *run) stepBack(ctx context.Context, provider *goose.Provider, f *File, k *keeper) (Applied, error) {
	r.file = f
	seam := r.session.seam
	seam.started, seam.failed = time.Time{}, nil
	seam.line.Store(int64(f.linesBefore(false)))
	start := time.Now()
	k.begun, k.kept, k.conn = false, nil, nil
	_, tx, err := Statements(*f, false)
	if err != nil {
		return Applied{}, err
	}
	k.tx = tx
	if k.before, err = readCatalog(ctx, r.session); err != nil {
		return Applied{}, err
	}
	seam.done = !tx && k.isDone()
	seam.file, seam.effect, seam.rewrite = f, nil, k.rewrite
	defer func() { seam.file, seam.rewrite = nil, nil }()
	if _, err := provider.ApplyVersion(ctx, f.Version, false); err != nil {
		return Applied{}, err
	}
	applied := Applied{Version: f.Version, Name: f.Name, MS: time.Since(start).Milliseconds()}
	r.engine.config.Progress(Event{RolledBack: &applied})
	return applied, nil
}

// isDone reports whether a Down outside a transaction has done its work already: a run was killed before it recorded that.
func (k *keeper) isDone() bool {
	effect := k.step.effect
	if len(effect.Added)+len(effect.Changed)+len(effect.Removed) == 0 {
		return false
	}
	for _, o := range effect.Added {
		if _, there := k.before[o.Key()]; there {
			return false
		}
	}
	want, got := catalog.Catalog{}, catalog.Catalog{}
	keep := func(o catalog.Object) {
		want[o.Key()] = o
		if found, ok := k.before[o.Key()]; ok {
			got[o.Key()] = found
		}
	}
	for _, c := range effect.Changed {
		keep(c.Before)
	}
	for _, o := range effect.Removed {
		keep(o)
	}
	return !slices.ContainsFunc(catalog.Diff(catalog.Comparable(want, k.major), catalog.Comparable(got, k.major)), catalog.Difference.Drift)
}

// reportBack turns an error into one that says all that a person needs, and puts the failure into the history.
func (r *run) reportBack(ctx context.Context, failure error, blockers []Blocker, yielded bool, result *Rollback, plan wayBack) error {
	ctx = context.WithoutCancel(ctx)
	var partial *goose.PartialError
	if errors.As(failure, &partial) {
		failure = partial.Err
	}
	if r.file == nil {
		return untouched(failure)
	}
	e := &MigrationError{Version: r.file.Version, Down: true, File: r.file.Name, Applied: result.Applied, Blockers: blockers, Yielded: yielded, Err: failure}
	if failed := r.session.seam.failed; failed != nil {
		e.Line, e.Statement = failed.line, failed.sql
	}
	if r.lost(ctx) {
		e.State, _ = r.afterLoss(ctx)
		e.Next = fmt.Sprintf("Run rollback --to %d again: it goes on where the database is.", plan.To)
		return e
	}
	if err := r.record(ctx, r.session.db, r.file.Version, failure); err != nil {
		e.Err = errors.Join(e.Err, err)
	}
	var step *StepError
	if errors.As(failure, &step) && len(result.Applied) == 0 && r.keeper.tx {
		return &RefusedError{fmt.Sprintf("roll back %05d: %s", r.file.Version, step.Reason)}
	}
	e.State = fmt.Sprintf("the database is at version %d; the rollback of %s was undone whole.", result.To, r.file.Name)
	if len(result.Applied) == 0 {
		e.State += " Nothing changed."
	} else if hold, err := readHold(ctx, r.session); err == nil && hold != nil {
		result.Hold = hold
		e.State += " A hold is set, so that no up takes it forward."
	}
	e.Next = "Go forward instead, or correct what stands in the way and run rollback again."
	if e.LockNotAvailable() {
		e.Next = "Run rollback again when whoever holds the lock is done, or name its pid with --cancel-blockers."
	}
	if r.keeper != nil && !r.keeper.tx {
		e.State = fmt.Sprintf("the database is at version %d; the Down of %s runs outside a transaction, and may have done its work.", result.To, r.file.Name)
		if remains := r.invalidIndexes(ctx); remains != "" {
			e.State += " The index " + remains + " is invalid: nobody reads it, writers keep it up."
		}
		e.Next = "Run rollback again: it looks what is done, and goes on from there."
	}
	return e
}

// extended is the engine with the files and effects of the newer versions that a database has, as its history holds them.
func (e *Engine) extended(ctx context.Context, s *session, st state) (*Engine, error) {
	newer := st.newer(e.files)
	if len(newer) == 0 {
		return e, nil
	}
	refuse := func(format string, args ...any) error {
		return &RefusedError{fmt.Sprintf("the database is at version %d, these files end at %d, and ", st.version(), e.Latest()) + fmt.Sprintf(format, args...) + "; use the binary that applied it"}
	}
	found, err := e.historyFiles(ctx, s, refuse)
	if err != nil {
		return nil, err
	}
	more := *e
	more.files, more.effects = slices.Clone(e.files), slices.Clone(e.effects)
	set, err := snapshot(e.config.FS)
	if err != nil {
		return nil, err
	}
	for _, v := range newer {
		h, ok := found[v]
		switch {
		case v != int64(len(more.files))+1:
			return nil, refuse("version %d is missing between", len(more.files)+1)
		case !ok:
			return nil, refuse("its history does not say what version %d was", v)
		}
		if err := h.addTo(set); err != nil {
			return nil, refuse("the history's file of version %d is not as it was written: %s", v, err.Error())
		}
		more.files = append(more.files, h.file)
		if h.effect != nil && len(more.effects) == len(more.files)-1 {
			more.effects = append(more.effects, *h.effect)
		}
	}
	more.config.FS = set
	return &more, nil
}

// scanBlocker reads a session: pid, application, state, seconds.
func scanBlocker(row pgx.CollectableRow) (b Blocker, err error) {
	var seconds float64
	err = row.Scan(&b.PID, &b.Application, &b.State, &seconds)
	b.Age = time.Duration(seconds * float64(time.Second))
	return b, err
}
