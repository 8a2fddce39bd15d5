package schema

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing/fstest"
	"time"

	"portaldb/internal/catalog"
	"portaldb/internal/lint"
)

// Entry is one row of the history: something that was done to the schema, or tried.
type Entry struct {
	Seq       int64     `json:"seq"`
	Version   int64     `json:"version"`
	Name      string    `json:"name"`
	Direction string    `json:"direction"`
	Checksum  string    `json:"checksum"`
	Role      string    `json:"role"`
	Actor     string    `json:"actor"`
	Job       *string   `json:"ci_job"`
	Commit    *string   `json:"ci_commit"`
	Binary    string    `json:"binary_version"`
	StartedAt time.Time `json:"started_at"`
	MS        int64     `json:"ms"`
	Outcome   string    `json:"outcome"`
	Error     *string   `json:"error"`
	Hash      string    `json:"hash"`
}

// History returns what was done to the schema, the oldest first; nothing where portaldb has never run.
func (e *Engine) History(ctx context.Context) ([]Entry, error) {
	entries := []Entry{}
	err := e.withHistory(ctx, func(s *session) error {
		rows, err := s.db.QueryContext(ctx, `
			select seq, version, name, direction, checksum, role, actor, ci_job, ci_commit, binary_version, started_at, ms, outcome, error, hash
			from portaldb.history order by seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var h Entry
			err := rows.Scan(&h.Seq, &h.Version, &h.Name, &h.Direction, &h.Checksum, &h.Role, &h.Actor, &h.Job, &h.Commit, &h.Binary,
				&h.StartedAt, &h.MS, &h.Outcome, &h.Error, &h.Hash)
			if err != nil {
				return err
			}
			h.StartedAt = h.StartedAt.UTC()
			entries = append(entries, h)
		}
		return rows.Err()
	})
	return entries, err
}

// ExportHistory gives every row of the history whole, as JSON, to write, the oldest first.
func (e *Engine) ExportHistory(ctx context.Context, write func(json.RawMessage) error) error {
	return e.withHistory(ctx, func(s *session) error {
		rows, err := s.db.QueryContext(ctx, `select to_jsonb(entry) from portaldb.history entry order by seq`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var row []byte
			if err := rows.Scan(&row); err != nil {
				return err
			}
			if err := write(row); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// historyFile is a migration as the history holds it.
type historyFile struct {
	file   File
	effect *catalog.Effect
	data   []byte // the effect's
}

// historyFiles returns the files beyond the engine's that a database has applied. They are SQL that the caller's role will
// run: refuse is called unless only the role that migrates can have written them.
func (e *Engine) historyFiles(ctx context.Context, s *session, refuse func(string, ...any) error) (map[int64]historyFile, error) {
	var exists bool
	var others string
	err := s.db.QueryRowContext(ctx, `
		select to_regclass('portaldb.history') is not null, coalesce((
			select string_agg(distinct case x.grantee when 0 then 'public' else pg_get_userbyid(x.grantee)::text end, ', ')
			from pg_class c cross join lateral aclexplode(c.relacl) x
			where c.oid = to_regclass('portaldb.history') and x.grantee <> c.relowner and x.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')), '')`).
		Scan(&exists, &others)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look for the history: %w", err)
	case !exists:
		return nil, refuse("it has no history")
	case others != "":
		return nil, refuse("its history, whose SQL would be run, can be written by %s", others)
	}
	rows, err := s.db.QueryContext(ctx, `
		select distinct on (entry.version) entry.version, entry.name, entry.body, entry.checksum, entry.effect, entry.hash = `+historyHash+`,
		       coalesce((select pg_has_role(r.oid, c.relowner, 'USAGE') from pg_roles r, pg_class c where r.rolname = entry.role and c.oid = 'portaldb.history'::regclass), false)
		from portaldb.history entry
		where entry.version > $1 and entry.direction = 'up' and entry.outcome = 'done' order by entry.version, entry.seq desc`, e.Latest())
	if err != nil {
		return nil, fmt.Errorf("read the history's files: %w", err)
	}
	defer rows.Close()
	found := map[int64]historyFile{}
	for rows.Next() {
		var h historyFile
		var whole, ours bool
		if err := rows.Scan(&h.file.Version, &h.file.Name, &h.file.Body, &h.file.Checksum, &h.data, &whole, &ours); err != nil {
			return nil, fmt.Errorf("read the history's files: %w", err)
		}
		switch {
		case !whole:
			return nil, refuse("the history's row of version %d was edited", h.file.Version)
		case !ours:
			return nil, refuse("the history's row of version %d was not written by the role that migrates", h.file.Version)
		}
		found[h.file.Version] = h
	}
	return found, rows.Err()
}

// addTo checks the file and puts it, and its effect, into a set of migrations.
func (h *historyFile) addTo(set fstest.MapFS) error {
	sum := sha256.Sum256([]byte(h.file.Body))
	if h.file.Checksum != "sha256:"+hex.EncodeToString(sum[:]) {
		return errors.New("its checksum is another")
	}
	if !strings.HasSuffix(h.file.Name, ".sql") || strings.Contains(h.file.Name, "/") || lint.Version(h.file.Name) != h.file.Version {
		return fmt.Errorf("its name is %q", h.file.Name)
	}
	set[h.file.Name] = &fstest.MapFile{Data: []byte(h.file.Body)}
	if h.data == nil {
		return nil
	}
	h.effect = &catalog.Effect{}
	if err := json.Unmarshal(h.data, h.effect); err != nil {
		return fmt.Errorf("its effect cannot be read: %w", err)
	}
	set[effectFile(h.file.Version)] = &fstest.MapFile{Data: h.data}
	return nil
}

// BrokenHistoryError names the first row of the history that is not as it was written.
type BrokenHistoryError struct {
	Seq    int64
	Reason string
}

func (e *BrokenHistoryError) Error() string {
	return fmt.Sprintf("history row %d: %s", e.Seq, e.Reason)
}

// VerifyHistory recomputes every hash of the history and returns the last one. A *BrokenHistoryError names the first row
// that was lost or edited. Whoever may write the history can forge it: compare the last hash with one kept elsewhere.
func (e *Engine) VerifyHistory(ctx context.Context) (head string, err error) {
	err = e.withHistory(ctx, func(s *session) error {
		var broken BrokenHistoryError
		err := s.db.QueryRowContext(ctx, `
			select seq, reason from (
				select entry.seq, case
					when entry.seq <> row_number() over (order by entry.seq) then 'a row before it is missing'
					when entry.previous_hash <> lag(entry.hash, 1, '') over (order by entry.seq) then 'the row before it was replaced'
					when entry.hash <> `+historyHash+` then 'it was edited'
				end as reason
				from portaldb.history entry
			) judged where reason is not null order by seq limit 1`).Scan(&broken.Seq, &broken.Reason)
		switch {
		case err == nil:
			return &broken
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		err = s.db.QueryRowContext(ctx, `select hash from portaldb.history order by seq desc limit 1`).Scan(&head)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	return head, err
}

// withHistory connects and calls read, if there is a history.
func (e *Engine) withHistory(ctx context.Context, read func(*session) error) error {
	s, err := e.session(ctx, "history")
	if err != nil {
		return err
	}
	defer s.close()
	var exists bool
	if err := s.db.QueryRowContext(ctx, `select to_regclass('portaldb.history') is not null`).Scan(&exists); err != nil {
		return fmt.Errorf("look for the history: %w", err)
	}
	if !exists {
		return nil
	}
	if err := read(s); err != nil {
		return fmt.Errorf("read the history: %w", err)
	}
	return nil
}
