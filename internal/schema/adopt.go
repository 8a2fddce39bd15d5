package schema

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// The states that Adopt finds or leaves a database in.
const (
	StateEmpty   = "empty"   // without the portal's tables: Up makes them
	StateLegacy  = "legacy"  // made by the legacy scripts, not yet taken over
	StateAdopted = "adopted" // portaldb runs it
)

// AdoptOptions say how to take a database over.
type AdoptOptions struct {
	// Apply does it; without it nothing is changed.
	Apply bool
	// Accept are reviewed differences that stay, each with its reason.
	Accept []catalog.Difference
}

// Adoption is what taking over a database made by the legacy scripts takes, or took.
type Adoption struct {
	State string `json:"state"`
	// Version is the one that the database is at; before it is taken over, 0.
	Version int64 `json:"version"`
	// Differences are those from the baseline, Against what that was taken from.
	Differences []catalog.Difference `json:"differences"`
	Against     string               `json:"against"`
	Why         *string              `json:"against_reason"`
	// Repair is what brings the database to the baseline, in the order in which it is sent.
	Repair []Repair `json:"repair"`
	// Blocked is what a person must decide first; while there is any, nothing is changed.
	Blocked []Blocked `json:"blocked"`
	// Applied tells that this call took the database over.
	Applied bool `json:"applied"`

	ColumnOrder   []catalog.Difference `json:"column_order"`
	ReferenceRows []catalog.Difference `json:"reference_rows"`
	NotOwned      []NotOwned           `json:"not_owned"`
	NotFound      []catalog.Difference `json:"not_found"`
}

// MS is about how long the repair takes, in milliseconds.
func (a Adoption) MS() (total int64) {
	for _, r := range a.Repair {
		total += r.MS
	}
	return total
}

// Todo counts the differences that nobody has accepted.
func (a Adoption) Todo() (n int) {
	for _, d := range a.Differences {
		if d.Drift() {
			n++
		}
	}
	return n
}

// Refusal is the *RefusedError of what is left to a person, nil when nothing is.
func (a Adoption) Refusal() error {
	switch n := len(a.Blocked); n {
	case 0:
		return nil
	case 1:
		return &RefusedError{"1 difference is left to a person"}
	default:
		return &RefusedError{fmt.Sprintf("%d differences are left to a person", n)}
	}
}

// adoptFile stands for the repair where a migration file is expected.
var adoptFile = &File{Name: "adopt"}

// Adopt compares a database that the legacy scripts made with the baseline and, with Apply, brings it there and records
// the versions up to the baseline. It loses nothing: what would is left to a person, and then nothing is changed at all.
// Indexes are built first, beside running writers; everything else is one transaction, which compares again at its end.
//
// Errors: *ConnectError, *LockedError, *RefusedError, *MigrationError. A dry run with something blocked is no error.
func (e *Engine) Adopt(ctx context.Context, options AdoptOptions) (Adoption, error) {
	s, err := e.session(ctx, "adopt")
	if err != nil {
		return Adoption{}, err
	}
	defer s.close()
	if !options.Apply {
		_, a, err := e.survey(ctx, s, options.Accept)
		return a, err
	}
	adopter := *e // so that the history tells versions that were taken over from those that ran
	adopter.config.Actor.Name += " (adopt)"
	r := &run{engine: &adopter, session: s, file: adoptFile}
	s.seam.sending = func(sent Sending) { e.config.Progress(Event{Sending: &sent}) }
	if err := r.lock(ctx); err != nil {
		return Adoption{}, err
	}
	defer r.unlock(ctx)
	want, a, err := adopter.survey(ctx, s, options.Accept)
	if err != nil || a.State != StateLegacy {
		return a, err
	}
	if err := a.Refusal(); err != nil {
		return a, err
	}
	if err := r.adopt(ctx, want, &a); err != nil {
		return a, err
	}
	a.State, a.Version, a.Applied = StateAdopted, Baseline, true
	return a, nil
}

// survey compares the database with the baseline and works out the repair. It changes nothing.
func (e *Engine) survey(ctx context.Context, s *session, accept []catalog.Difference) (expectation, Adoption, error) {
	a := Adoption{
		Differences: []catalog.Difference{}, Repair: []Repair{}, Blocked: []Blocked{}, ColumnOrder: []catalog.Difference{},
		ReferenceRows: []catalog.Difference{}, NotOwned: []NotOwned{}, NotFound: []catalog.Difference{},
	}
	if e.Latest() < Baseline || len(e.effects) < Baseline {
		return expectation{}, a, &RefusedError{fmt.Sprintf("these migrations do not hold the baseline: it ends at version %d, and each has its effect beside it", Baseline)}
	}
	st, err := readState(ctx, s)
	if err != nil {
		return expectation{}, a, err
	}
	if len(st.versions) > 0 {
		a.State, a.Version = StateAdopted, st.version()
		return expectation{}, a, nil
	}
	folded, err := e.folded(ctx, s, Baseline)
	if err != nil {
		return folded, a, err
	}
	legacy, err := hasAnyTable(ctx, s, folded.catalog)
	switch {
	case err != nil:
		return folded, a, err
	case !legacy:
		a.State = StateEmpty
		return folded, a, nil
	}
	a.State = StateLegacy
	if st.hold != nil {
		return folded, a, &RefusedError{"a hold is set: " + st.hold.String() + "; portaldb release-hold ends it"}
	}
	if err := checkRights(ctx, s); err != nil {
		return folded, a, err
	}
	want, err := e.expected(ctx, s, Baseline)
	if err != nil {
		return want, a, err
	}
	v, err := want.compare(ctx, s, st)
	if err != nil {
		return want, a, err
	}
	catalog.Accept(v.Differences, accept)
	a.Differences, a.Against, a.Why = v.Differences, v.Against, v.Why
	a.ColumnOrder, a.ReferenceRows, a.NotOwned, a.NotFound = v.ColumnOrder, v.ReferenceRows, v.NotOwned, notFound(v.Differences, accept)

	p := &repairer{engine: e, db: s.db, want: want.catalog, live: v.live}
	if err := p.plan(ctx, v); err != nil {
		return want, a, err
	}
	a.Repair, a.Blocked = append(a.Repair, p.repairs...), append(a.Blocked, p.blocked...)
	return want, a, nil
}

// hasAnyTable reports whether the database has any table of a schema.
func hasAnyTable(ctx context.Context, s *session, c catalog.Catalog) (exists bool, err error) {
	var tables []string
	for key := range c {
		if key.Kind == "table" {
			tables = append(tables, key.QualifiedName())
		}
	}
	err = s.db.QueryRowContext(ctx, `select exists (select from unnest($1::text[]) as t where to_regclass(t) is not null)`, tables).Scan(&exists)
	return exists, err
}

// checkRights refuses a login that could not repair and record: it must own the portal's tables or be a member of their
// owner, and may make the schema of the bookkeeping.
func checkRights(ctx context.Context, s *session) error {
	var login, database, owners string
	var inDatabase, inPublic bool
	err := s.db.QueryRowContext(ctx, `
		select current_user, current_database(), has_database_privilege(current_database(), 'CREATE') or to_regnamespace('portaldb') is not null,
		       has_schema_privilege('public', 'CREATE'),
		       coalesce(string_agg(distinct quote_ident(pg_get_userbyid(relowner)), ', ') filter (where not pg_has_role(relowner, 'USAGE')), '')
		from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')
		  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = pg_class.oid and d.deptype = 'e')`).
		Scan(&login, &database, &inDatabase, &inPublic, &owners)
	switch {
	case err != nil:
		return fmt.Errorf("look at the rights: %w", err)
	case owners != "":
		return &RefusedError{fmt.Sprintf("%s neither owns the portal's tables nor is a member of their owner %s: log in as the owner, or have a DBA run: grant %s to %s", login, owners, owners, lint.QuoteIdent(login))}
	case !inDatabase:
		return &RefusedError{fmt.Sprintf("%s may not create the schema of the bookkeeping: have a DBA run: grant create on database %s to %s", login, lint.QuoteIdent(database), lint.QuoteIdent(login))}
	case !inPublic:
		return &RefusedError{fmt.Sprintf("%s may not create anything in schema public: have a DBA run: grant create on schema public to %s", login, lint.QuoteIdent(login))}
	}
	return nil
}

// adopt sends the repair and records the versions.
func (r *run) adopt(ctx context.Context, want expectation, a *Adoption) error {
	r.session.seam.file = adoptFile
	defer func() { r.session.seam.file = nil }()
	// What would stop the recording must do so before an index is built.
	if err := r.rehearse(ctx); err != nil {
		return err
	}
	i := slices.IndexFunc(a.Repair, func(repair Repair) bool { return repair.Tx })
	if i < 0 {
		i = len(a.Repair)
	}
	var built []Applied
	for _, repair := range a.Repair[:i] {
		start := time.Now()
		if err := r.buildIndex(ctx, repair, built); err != nil {
			return err
		}
		built = append(built, Applied{Name: "index " + repair.index.Name, MS: time.Since(start).Milliseconds()})
	}
	blockers, yielded, err := r.patiently(ctx, adoptFile, func() error { return r.adoptIn(ctx, want, a, a.Repair[i:]) })
	if err != nil {
		return r.reportAdopt(ctx, err, blockers, yielded, built)
	}
	return nil
}

// rehearse makes the bookkeeping and undoes it again.
func (r *run) rehearse(ctx context.Context) error {
	tx, err := r.session.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("make the bookkeeping: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	return r.bootstrapIn(ctx, tx)
}

// buildIndex builds an index beside running writers, through the seam. What a failed build leaves is removed: an invalid
// unique index would go on turning rows away.
func (r *run) buildIndex(ctx context.Context, repair Repair, built []Applied) error {
	effect, err := json.Marshal(repair.index)
	if err != nil {
		return fmt.Errorf("build index %s: %w", repair.index.Name, err)
	}
	r.session.seam.effect = effect
	defer func() { r.session.seam.effect = nil }()
	blockers, yielded, err := r.patiently(ctx, adoptFile, func() error {
		r.session.seam.failed = nil
		_, err := r.session.db.ExecContext(ctx, repair.SQL)
		return err
	})
	if err == nil {
		return nil
	}
	_, _ = r.session.db.ExecContext(bookkeeping(context.WithoutCancel(ctx)), fmt.Sprintf(`
		do $$ begin
			if exists (select from pg_index where indexrelid = to_regclass(%[1]s) and not indisvalid) then execute %[2]s; end if;
		end $$`, quoteLiteral(schemaOf(*repair.index)+"."+repair.index.Name), quoteLiteral("drop index "+schemaOf(*repair.index)+"."+repair.index.Name)))
	return r.reportAdopt(ctx, err, blockers, yielded, built)
}

// adoptIn is the one transaction: repair, versions, history, what was accepted, and the comparison at the end.
func (r *run) adoptIn(ctx context.Context, want expectation, a *Adoption, repairs []Repair) error {
	r.session.seam.failed = nil
	tx, err := r.session.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after a commit there is nothing to undo
	// What is new belongs to the owner of the rest, so that the legacy application, which logs in as that, can use it.
	var owner string
	err = tx.QueryRowContext(ctx, `
		select coalesce((select quote_ident(rolname) from pg_class join pg_roles r on r.oid = relowner
			where pg_class.oid = coalesce(to_regclass('public.users'), to_regclass('public.submissions'))
			  and rolname <> current_user and has_schema_privilege(r.oid, 'public', 'CREATE')), '')`).Scan(&owner)
	if err != nil {
		return fmt.Errorf("look for the tables' owner: %w", err)
	}
	if owner != "" {
		if _, err := tx.ExecContext(bookkeeping(ctx), `set local role `+owner); err != nil {
			return fmt.Errorf("act as the tables' owner %s: %w", owner, err)
		}
	}
	for _, repair := range repairs {
		if _, err := tx.ExecContext(ctx, repair.SQL); err != nil {
			return err
		}
	}
	store, err := newStore(r)
	if err != nil {
		return err
	}
	if exists, err := store.TableExists(ctx, tx); err != nil {
		return fmt.Errorf("look for the version table: %w", err)
	} else if !exists {
		if err := store.CreateVersionTable(ctx, tx); err != nil {
			return fmt.Errorf("make the version table: %w", err)
		}
		if _, err := tx.ExecContext(bookkeeping(ctx), `insert into public.goose_db_version (version_id, is_applied) values (0, true)`); err != nil {
			return fmt.Errorf("make the version table: %w", err)
		}
	}
	if owner != "" {
		if _, err := tx.ExecContext(bookkeeping(ctx), `reset role`); err != nil {
			return fmt.Errorf("act as oneself again: %w", err)
		}
	}
	if err := r.bootstrapIn(ctx, tx); err != nil {
		return err
	}
	defer func() { r.file = adoptFile }()
	for i := range r.engine.files[:Baseline] {
		r.file = &r.engine.files[i]
		if err := r.record(ctx, tx, r.file.Version, nil); err != nil {
			return err
		}
	}
	if err := r.recordAccepted(ctx, tx, a.Differences); err != nil {
		return err
	}
	if err := r.compareAgain(ctx, tx, want, a); err != nil {
		return err
	}
	return tx.Commit()
}

// compareAgain refuses to commit anything but the baseline and what was accepted.
func (r *run) compareAgain(ctx context.Context, tx *sql.Tx, want expectation, a *Adoption) error {
	live, err := catalog.Read(ctx, tx)
	if err != nil {
		return err
	}
	rows, err := readReference(ctx, tx)
	if err != nil {
		return err
	}
	var major int
	if err := tx.QueryRowContext(ctx, `select current_setting('server_version_num')::int / 10000`).Scan(&major); err != nil {
		return err
	}
	v := want.diff(live, rows, major)
	accepted := slices.DeleteFunc(slices.Clone(a.Differences), func(d catalog.Difference) bool { return !d.Accepted })
	catalog.Accept(v.Differences, accepted)
	var left []string
	for _, d := range v.Differences {
		if d.Drift() {
			left = append(left, fmt.Sprintf("%s %s %s", d.Class, d.Kind, d.Object))
		}
	}
	if len(left) > 0 {
		return errors.New("the schema was changed meanwhile, or the repair did not lead to the baseline: " + strings.Join(left, ", "))
	}
	return nil
}

// reportAdopt says what failed, and what is there now.
func (r *run) reportAdopt(ctx context.Context, failure error, blockers []Blocker, yielded bool, built []Applied) error {
	ctx = context.WithoutCancel(ctx)
	e := &MigrationError{File: adoptFile.Name, Applied: built, Blockers: blockers, Yielded: yielded, Err: failure}
	if failed := r.session.seam.failed; failed != nil {
		e.Statement = failed.sql
	}
	e.State = "nothing changed."
	if len(built) > 0 {
		e.State = "nothing changed but the indexes that were built, which stay valid and are not built again."
	}
	if r.lost(ctx) {
		e.State = "the connection was lost; the transaction was either done whole or undone whole."
	}
	e.Next = "Run portaldb adopt again: it compares anew and goes on where the database is."
	return e
}
