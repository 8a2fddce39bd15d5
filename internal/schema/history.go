package schema

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
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
