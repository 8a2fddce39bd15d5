package portal

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"portaldb/db"
)

// maxExports is how many exports are under way at once: each takes a connection from those for lists.
const maxExports = 4

// everything is a RowLimit that leaves room for an offset.
const everything = math.MaxInt64 / 2

// whole is the start of the list that a filter selects, to be read to its end.
func whole[F any, N normalizer[F]](filter F) (start[F], error) {
	if err := N(&filter).normalize(); err != nil {
		return start[F]{}, err
	}
	return start[F]{filter: filter}.whole(), nil
}

// CountMode says whether a list comes with the number of all its items.
type CountMode string

// The count modes.
const (
	CountNone      CountMode = ""
	CountExact     CountMode = "exact"     // has the database count; CodeUnavailable if that takes too long
	CountEstimated CountMode = "estimated" // what the database expects from its statistics, at once
)

// total counts the rows of the statement that list runs, or returns nil if that is not wanted.
func total(ctx context.Context, reader Reader, mode CountMode, list func(*db.Queries) error) (*int64, error) {
	count := reader.Count
	switch mode {
	case CountNone:
		return nil, nil
	case CountEstimated:
		count = reader.Estimate
	case CountExact:
	default:
		return nil, invalid("count must be exact or estimated")
	}
	var statement caught
	if err := list(db.New(&statement)); statement.sql == "" {
		return nil, err
	}
	n, err := count(ctx, statement.sql, statement.args...)
	return &n, err
}

// export calls yield for each row of the statement that list runs, as it comes.
func (s *Service) export(ctx context.Context, list func(*db.Queries) error, yield func(pgx.Rows) error) error {
	select {
	case s.exports <- struct{}{}:
		defer func() { <-s.exports }()
	default:
		return &Error{Code: CodeTooMany, Message: "too many exports are under way; try again when one has ended"}
	}
	var statement caught
	if err := list(db.New(&statement)); statement.sql == "" {
		return err
	}
	rows, err := s.reader.Stream(ctx, statement.sql, statement.args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := yield(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ExportAudits calls yield for each event that the filter selects, the newest first, with all of them as they are at one
// moment. It holds the memory of one. An error of yield ends it and is returned. CodeTooMany if as many exports as there
// may be are under way; CodeUnavailable if ctx is done before the end.
func (s *Service) ExportAudits(ctx context.Context, filter AuditFilter, yield func(*Audit) error) error {
	start, err := whole(filter)
	if err != nil {
		return err
	}
	list := func(q *db.Queries) error {
		_, err := listAudits(ctx, q, start)
		return err
	}
	return s.export(ctx, list, func(rows pgx.Rows) error {
		var row db.AutomationAudit
		if err := rows.Scan(&row.ID, &row.At, &row.ActorCpf, &row.ActorNome, &row.Kind, &row.Action, &row.Meta); err != nil {
			return err
		}
		event := newAudit(row)
		return yield(&event)
	})
}

// ExportSubmissions is ExportAudits for submissions.
func (s *Service) ExportSubmissions(ctx context.Context, filter SubmissionFilter, yield func(*Submission) error) error {
	start, err := whole(filter)
	if err != nil {
		return err
	}
	list := func(q *db.Queries) error {
		_, err := listSubmissions(ctx, q, start)
		return err
	}
	return s.export(ctx, list, func(rows pgx.Rows) error {
		var row db.Submission
		if err := rows.Scan(&row.ID, &row.Kind, &row.Version, &row.ActorCpf, &row.ActorNome, &row.ActorEmail,
			&row.Payload, &row.Status, &row.Result, &row.Error, &row.CreatedAt, &row.UpdatedAt); err != nil {
			return err
		}
		submission := newSubmission(row)
		return yield(&submission)
	})
}
