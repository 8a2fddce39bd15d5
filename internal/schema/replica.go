package schema

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Release is a version of the program that works on the database.
type Release struct {
	// Name is the program's version.
	Name string
	// Statements are all that it sends, by name.
	Statements map[string]string
}

// Compatibility tells whether a release can work on the schema as it is.
type Compatibility struct {
	// State is ok, behind (the database lacks migrations of this release), ahead (it has newer ones), or broken (it has
	// all of this release and statements do not prepare).
	State   string `json:"state"`
	Version int64  `json:"version"`
	// Broken are the statements that do not prepare, by name, with what the server says.
	Broken map[string]string `json:"broken,omitempty"`
	// Hold is what stops Up now.
	Hold *Hold `json:"hold,omitempty"`
}

// Prepares tells whether every statement of the release prepares.
func (c Compatibility) Prepares() bool { return len(c.Broken) == 0 }

// BrokenText names the broken statements.
func (c Compatibility) BrokenText() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Broken)) {
		parts = append(parts, name+": "+c.Broken[name])
	}
	return strings.Join(parts, "; ")
}

// Compatible has the server prepare the release's statements, and compares versions. It changes nothing.
func (e *Engine) Compatible(ctx context.Context, release Release) (Compatibility, error) {
	s, err := e.session(ctx, "compatibility")
	if err != nil {
		return Compatibility{}, err
	}
	defer s.close()
	st, err := readState(ctx, s)
	if err != nil {
		return Compatibility{}, err
	}
	if err := e.checkEnvironment(st.environment); err != nil {
		return Compatibility{}, err
	}
	c := Compatibility{State: "ok", Version: st.version(), Hold: st.hold, Broken: map[string]string{}}
	err = s.raw(ctx, func(conn *pgx.Conn) (err error) {
		c.Broken, err = prepare(ctx, conn, release, false)
		return err
	})
	switch {
	case len(st.newer(e.files)) > 0 && c.Prepares():
		c.State = "ahead"
	case st.version() < e.Latest():
		c.State = "behind"
	case !c.Prepares():
		c.State = "broken"
	}
	return c, err
}

// Replica is a process that serves.
type Replica struct {
	ID        string    `json:"id"`
	Release   string    `json:"release"`
	Version   int64     `json:"version"` // the latest migration that it knows
	Actor     string    `json:"actor"`
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at"`
}

const (
	// ReplicaEvery is how often a replica reports.
	ReplicaEvery = 10 * time.Second
	// ReplicaGone is after which silence it counts as gone.
	ReplicaGone = 60 * time.Second
)

// Report tells the database that this replica serves, and which statements its release sends. It needs the right to write
// the bookkeeping, and does nothing where there is none yet.
func (e *Engine) Report(ctx context.Context, id string, release Release) error {
	statements, err := json.Marshal(release.Statements)
	if err != nil {
		return fmt.Errorf("report this replica: %w", err)
	}
	return e.withBookkeeping(ctx, "serve", func(s *session) error {
		_, err := s.db.ExecContext(ctx, `
			with release as (
				insert into portaldb.releases (release, version, statements) values ($2, $3, $4)
				on conflict (release) do update set version = excluded.version, statements = excluded.statements
				where (releases.version, releases.statements) is distinct from (excluded.version, excluded.statements)
			), gone as (
				delete from portaldb.replicas where seen_at < now() - interval '1 day'
			)
			insert into portaldb.replicas (id, release, version, actor, environment)
			values ($1, $2, $3, $5, (select environment from portaldb.meta))
			on conflict (id) do update set seen_at = now()`,
			id, release.Name, e.Latest(), statements, e.config.Actor.Name)
		return err
	})
}

// Leave takes this replica off the list.
func (e *Engine) Leave(ctx context.Context, id string) error {
	return e.withBookkeeping(ctx, "serve", func(s *session) error {
		_, err := s.db.ExecContext(ctx, `delete from portaldb.replicas where id = $1`, id)
		return err
	})
}

// withBookkeeping connects and calls do, where the tables for replicas are there.
func (e *Engine) withBookkeeping(ctx context.Context, purpose string, do func(*session) error) error {
	s, err := e.session(ctx, purpose)
	if err != nil {
		return err
	}
	defer s.close()
	var exists bool
	if err := s.db.QueryRowContext(ctx, `select to_regclass('portaldb.replicas') is not null`).Scan(&exists); err != nil || !exists {
		return err
	}
	if err := do(s); err != nil {
		return fmt.Errorf("report this replica: %w", err)
	}
	return nil
}

// readReplicas returns the replicas that have reported lately. Those that came along with a copy of another environment
// are not among them.
func readReplicas(ctx context.Context, s *session) ([]Replica, error) {
	rows, err := s.db.QueryContext(ctx, `
		select id, release, version, actor, started_at, seen_at from portaldb.replicas
		where seen_at > now() - $1 * interval '1 second' and environment is not distinct from (select environment from portaldb.meta)
		order by started_at, id`, ReplicaGone.Seconds())
	if err != nil {
		return nil, fmt.Errorf("read the replicas: %w", err)
	}
	defer rows.Close()
	replicas := []Replica{}
	for rows.Next() {
		var r Replica
		if err := rows.Scan(&r.ID, &r.Release, &r.Version, &r.Actor, &r.StartedAt, &r.SeenAt); err != nil {
			return nil, fmt.Errorf("read the replicas: %w", err)
		}
		r.StartedAt, r.SeenAt = r.StartedAt.UTC(), r.SeenAt.UTC()
		replicas = append(replicas, r)
	}
	return replicas, rows.Err()
}
