package schema

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"portaldb/internal/catalog"
)

// What a live schema is compared with.
const (
	AgainstScratch = "scratch" // a database on the same server, migrated to the same version
	AgainstEffects = "effects" // what the effect files say, as PostgreSQL 15 prints it
)

// Verification is the live schema compared with the one that its version should have.
type Verification struct {
	Version int64 `json:"version"`
	// Against is AgainstScratch or AgainstEffects, Why the reason for the latter.
	Against string  `json:"against"`
	Why     *string `json:"against_reason"`
	// Differences are drift, unless they are accepted.
	Differences []catalog.Difference `json:"differences"`
	// ColumnOrder lists tables whose columns stand in another order, ReferenceRows the rows of the seeds that were edited or
	// deleted, NotOwned the schemas and extensions that are somebody else's. None of them is drift.
	ColumnOrder   []catalog.Difference `json:"column_order"`
	ReferenceRows []catalog.Difference `json:"reference_rows"`
	NotOwned      []NotOwned           `json:"not_owned"`
	// NotFound are differences that were to be accepted and do not exist here.
	NotFound []catalog.Difference `json:"not_found"`

	live catalog.Catalog // what was compared
}

// NotOwned is an object that no migration made, outside the portal's schemas.
type NotOwned struct {
	Kind   string `json:"kind"`
	Object string `json:"object"`
}

// Drift reports whether there is a difference that nobody has accepted.
func (v Verification) Drift() bool {
	return slices.ContainsFunc(v.Differences, catalog.Difference.Drift)
}

// Verify compares the live schema with the one that its version should have. It changes nothing in the database, unless
// differences are to be accepted: those of accept that exist are recorded with their reasons, under the migration lock.
//
// Errors: *ConnectError, *RefusedError, *LockedError (behind an ACCESS EXCLUSIVE lock too), ErrNewer.
func (e *Engine) Verify(ctx context.Context, accept []catalog.Difference) (Verification, error) {
	s, err := e.session(ctx, "verify")
	if err != nil {
		return Verification{}, err
	}
	defer s.close()
	st, err := readState(ctx, s)
	if err != nil {
		return Verification{}, err
	}
	if st.legacy {
		return Verification{}, &RefusedError{"this database has the portal's tables but no versions: legacy scripts made it; portaldb adopt compares it and takes it over"}
	}
	want, err := e.expected(ctx, s, st.version())
	if err != nil {
		return Verification{}, err
	}
	v, err := want.compare(ctx, s, st)
	if err != nil || len(accept) == 0 {
		return v, err
	}
	r := &run{engine: e, session: s}
	if err := r.lock(ctx); err != nil {
		return v, err
	}
	defer r.unlock(ctx)
	if err := r.bootstrap(ctx); err != nil {
		return v, err
	}
	v.NotFound = notFound(v.Differences, accept)
	catalog.Accept(v.Differences, accept)
	return v, r.recordAccepted(ctx, s.db, v.Differences)
}

// expectation is the schema that a version should have, and where that is known from.
type expectation struct {
	version       int64
	catalog, rows catalog.Catalog
	against       string
	why           *string // there is no scratch database
}

// expected finds out what a database at version should look like: from a scratch database where the login may create one,
// else from the effects.
func (e *Engine) expected(ctx context.Context, s *session, version int64) (expectation, error) {
	if version <= e.Latest() {
		c, rows, err := e.scratch(ctx, s, version)
		if err == nil {
			return expectation{version: version, catalog: c, rows: rows, against: AgainstScratch}, nil
		}
		if ctx.Err() != nil {
			return expectation{}, err
		}
		want, effectsErr := e.folded(ctx, s, version)
		why := err.Error()
		want.why = &why
		if effectsErr != nil {
			effectsErr = fmt.Errorf("%w; a scratch database was no way either: %w", effectsErr, err)
		}
		return want, effectsErr
	}
	want, err := e.folded(ctx, s, version)
	why := "the database is newer than these files; its history says what each version did"
	want.why = &why
	return want, err
}

// folded is the schema that the effects make: those of the files, and beyond them those that a newer binary left in the
// history.
func (e *Engine) folded(ctx context.Context, s *session, version int64) (expectation, error) {
	effects := e.effects[:min(int(version), len(e.effects))]
	if len(effects) < int(version) && len(effects) == len(e.files) {
		newer, err := historyEffects(ctx, s, e.Latest(), version)
		if err != nil {
			return expectation{}, err
		}
		effects = append(slices.Clip(effects), newer...)
	}
	switch {
	case len(effects) < int(version) && version > e.Latest():
		return expectation{}, fmt.Errorf("%w: it is at version %d, the files end at %d, and its history does not say what came after; nothing changed, use the binary that applied it", ErrNewer, version, e.Latest())
	case len(effects) < int(version):
		return expectation{}, fmt.Errorf("these migrations have no effects up to version %d beside them: run make generate", version)
	}
	folded, err := catalog.Fold(effects...)
	if err != nil {
		return expectation{}, err
	}
	rows := catalog.Catalog{}
	for _, effect := range effects {
		for _, o := range effect.Rows {
			rows[o.Key()] = o
		}
	}
	return expectation{version: version, catalog: folded, rows: rows, against: AgainstEffects}, nil
}

// historyEffects reads the effects of the versions after one up to another, as far as the history has them without a gap.
func historyEffects(ctx context.Context, s *session, after, to int64) ([]catalog.Effect, error) {
	var exists bool
	if err := s.db.QueryRowContext(ctx, `select to_regclass('portaldb.history') is not null`).Scan(&exists); err != nil || !exists {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `
		select distinct on (version) effect from portaldb.history
		where version > $1 and version <= $2 and direction = 'up' and outcome = 'done' and effect is not null
		order by version, seq desc`, after, to)
	if err != nil {
		return nil, fmt.Errorf("read the history's effects: %w", err)
	}
	defer rows.Close()
	var effects []catalog.Effect
	for rows.Next() {
		var data []byte
		var effect catalog.Effect
		if err := rows.Scan(&data); err != nil {
			return nil, fmt.Errorf("read the history's effects: %w", err)
		}
		if err := json.Unmarshal(data, &effect); err != nil {
			return nil, fmt.Errorf("read the history's effects: %w", err)
		}
		if effect.Version != after+int64(len(effects))+1 {
			break
		}
		effects = append(effects, effect)
	}
	return effects, rows.Err()
}

// compare reads the live schema and compares it, marking what has been accepted.
func (want expectation) compare(ctx context.Context, s *session, st state) (Verification, error) {
	if err := s.boundWaits(ctx); err != nil {
		return Verification{}, err
	}
	live, rows, err := readSchema(ctx, s.db)
	if err != nil {
		return Verification{}, s.lockedOut(ctx, err)
	}
	accepted, err := readAccepted(ctx, s.db)
	if err != nil {
		return Verification{}, err
	}
	v := want.diff(live, rows, st.major)
	catalog.Accept(v.Differences, accepted)
	return v, nil
}

// boundWaits bounds how long a look at the schema waits: to print a definition, to count rows and to prepare a statement locks
// a table for a moment, and behind somebody's ACCESS EXCLUSIVE that must not take for ever.
func (s *session) boundWaits(ctx context.Context) error {
	if _, err := s.db.ExecContext(ctx, `select set_config('lock_timeout', $1, false)`, milliseconds(s.seam.timeouts.lock)); err != nil {
		return fmt.Errorf("prepare the session: %w", err)
	}
	return nil
}

// lockedOut makes the failure of such a look name whom it has waited for; another failure stays as it is.
func (s *session) lockedOut(ctx context.Context, failure error) error {
	if !isLockState(sqlState(failure)) {
		return failure
	}
	holder, err := exclusiveHolders(ctx, s)
	if err != nil {
		return err
	}
	return &LockedError{Lock: "a table's lock", Waited: s.seam.timeouts.lock, Holder: holder}
}

// exclusiveHolders names the sessions that keep even readers from a table.
func exclusiveHolders(ctx context.Context, s *session) (string, error) {
	var names string
	err := s.db.QueryRowContext(ctx, `
		select coalesce(string_agg(format('pid %s (%s, %s on %s)', a.pid, to_json(a.application_name), a.state, l.relation::regclass), ', ' order by a.pid), '')
		from pg_locks l join pg_stat_activity a using (pid)
		where l.mode = 'AccessExclusiveLock' and l.granted and l.database = (select oid from pg_database where datname = current_database())
		  and l.relation in (select oid from pg_class where relkind in ('r', 'p', 'v', 'm'))`).Scan(&names)
	if err != nil {
		return "", fmt.Errorf("look who holds a table's lock: %w", err)
	}
	return cmp.Or(names, "a session that has just ended"), nil
}

// diff compares a schema with the expected one and tells apart what is not drift.
func (want expectation) diff(live, rows catalog.Catalog, major int) Verification {
	v := Verification{
		Version: want.version, Against: want.against, Why: want.why,
		Differences: []catalog.Difference{}, ColumnOrder: []catalog.Difference{}, ReferenceRows: []catalog.Difference{},
		NotOwned: []NotOwned{}, NotFound: []catalog.Difference{}, live: live,
	}
	expected, live := want.catalog, withoutVersions(live)
	if want.against == AgainstEffects {
		expected, live = catalog.Comparable(expected, major), catalog.Comparable(live, major)
	}
	live, v.NotOwned = split(expected, live)
	for _, d := range catalog.Diff(withoutVersions(expected), live) {
		if d.Class == catalog.Order {
			v.ColumnOrder = append(v.ColumnOrder, d)
		} else {
			v.Differences = append(v.Differences, d)
		}
	}
	v.ReferenceRows = append(v.ReferenceRows, referenceDifferences(want.rows, rows)...)
	return v
}

// withoutVersions leaves out the versions of extensions: they come with the server.
func withoutVersions(c catalog.Catalog) catalog.Catalog {
	out := make(catalog.Catalog, len(c))
	for key, o := range c {
		if key.Kind == "extension" {
			o.Attrs = map[string]string{"schema": o.Attrs["schema"]}
		}
		out[key] = o
	}
	return out
}

// split parts a live schema into what lies in the schemas that the migrations use, and the schemas and extensions that
// are somebody else's.
func split(want, live catalog.Catalog) (owned catalog.Catalog, others []NotOwned) {
	owned, others = catalog.Catalog{}, []NotOwned{}
	for _, o := range live.Objects() {
		space := schemaOf(o)
		_, wanted := want[catalog.Key{Kind: "schema", Name: space}]
		if o.Kind == "extension" {
			_, wanted = want[o.Key()]
		}
		switch {
		case wanted, space == "public":
			owned[o.Key()] = o
		case o.Kind == "schema", o.Kind == "extension":
			others = append(others, NotOwned{o.Kind, o.Name})
		}
	}
	return owned, others
}

// schemaOf is the schema that an object lies in, quoted as SQL needs it; of an extension none, it belongs to the database.
func schemaOf(o catalog.Object) string {
	switch o.Kind {
	case "schema":
		return o.Name
	case "extension":
		return ""
	}
	if !strings.HasPrefix(o.Parent, `"`) {
		space, _, _ := strings.Cut(o.Parent, ".")
		return space
	}
	for i := 1; i < len(o.Parent); i++ {
		if o.Parent[i] == '"' {
			if i++; i == len(o.Parent) || o.Parent[i] != '"' {
				return o.Parent[:i]
			}
		}
	}
	return o.Parent
}

// ParseAccepted reads a reviewed file of differences to accept: an array of them, or the --json output of verify or adopt,
// each with its reason. A difference without one is refused: it must be given one or be taken out.
func ParseAccepted(data []byte) ([]catalog.Difference, error) {
	var file struct {
		Differences []catalog.Difference `json:"differences"`
	}
	err := json.Unmarshal(data, &file.Differences)
	if strings.HasPrefix(strings.TrimSpace(string(data)), "{") {
		err = json.Unmarshal(data, &file)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is no JSON of differences: %w", err)
	case len(file.Differences) == 0:
		return nil, errors.New("it has no differences")
	}
	for _, d := range file.Differences {
		switch {
		case d.Class == "" || d.Kind == "" || d.Object == "":
			return nil, fmt.Errorf("a difference in it lacks class, kind or object: %+v", d)
		case strings.TrimSpace(d.Reason) == "":
			return nil, fmt.Errorf("%s %s %s has no reason: say why it is accepted, or take it out", d.Class, d.Kind, d.Object)
		}
	}
	return file.Differences, nil
}

// notFound are those of accept that are not among differences.
func notFound(differences, accept []catalog.Difference) []catalog.Difference {
	list := []catalog.Difference{}
	for _, d := range accept {
		if !slices.ContainsFunc(differences, d.Same) {
			list = append(list, d)
		}
	}
	return list
}

// querier is a database or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// readAccepted reads the differences that have been accepted.
func readAccepted(ctx context.Context, db querier) ([]catalog.Difference, error) {
	var exists bool
	if err := db.QueryRowContext(ctx, `select to_regclass('portaldb.accepted') is not null`).Scan(&exists); err != nil {
		return nil, fmt.Errorf("look for what has been accepted: %w", err)
	}
	if !exists {
		return nil, nil
	}
	rows, err := db.QueryContext(ctx, `select difference, reason from portaldb.accepted`)
	if err != nil {
		return nil, fmt.Errorf("read what has been accepted: %w", err)
	}
	defer rows.Close()
	var accepted []catalog.Difference
	for rows.Next() {
		var data []byte
		var d catalog.Difference
		var reason string
		if err := rows.Scan(&data, &reason); err != nil {
			return nil, fmt.Errorf("read what has been accepted: %w", err)
		}
		if err := json.Unmarshal(data, &d); err != nil {
			return nil, fmt.Errorf("read what has been accepted: %w", err)
		}
		d.Reason = reason
		accepted = append(accepted, d)
	}
	return accepted, rows.Err()
}

// recordAccepted keeps those of differences that are marked as accepted. One that was accepted before gets the new reason.
func (r *run) recordAccepted(ctx context.Context, db querier, differences []catalog.Difference) error {
	for _, d := range differences {
		if !d.Accepted {
			continue
		}
		reason := d.Reason
		d.Accepted, d.Reason = false, ""
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("record an accepted difference: %w", err)
		}
		_, err = db.ExecContext(bookkeeping(ctx), `
			insert into portaldb.accepted as a (difference, reason, actor) values ($1::jsonb - '{accepted,reason}'::text[], $2, $3)
			on conflict ((md5(difference::text))) do update
			set reason = excluded.reason, actor = excluded.actor, role = excluded.role, accepted_at = excluded.accepted_at
			where a.reason <> excluded.reason`, string(data), reason, r.engine.config.Actor.Name)
		if err != nil {
			return fmt.Errorf("record an accepted difference: %w", err)
		}
	}
	return nil
}
