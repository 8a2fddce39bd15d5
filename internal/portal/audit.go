package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"portaldb/db"
)

// Audit is one event of the audit trail of the automations. Events are never changed.
type Audit struct {
	ID        int64
	At        time.Time
	ActorCPF  *string // nil, empty or "anonymous" too
	ActorNome *string
	Kind      string          // the automation
	Action    string          // what was done, a free word
	Meta      json.RawMessage // details, among them the key of the object; nil if there are none
}

// AuditFilter selects audit events. Fields that are nil select all; those that are not have to hold together.
type AuditFilter struct {
	Kind     *string    `json:"kind,omitempty"`
	Action   *string    `json:"action,omitempty"`
	ActorCPF *string    `json:"actor_cpf,omitempty"`
	SID      *string    `json:"sid,omitempty"`   // the submission's id, as meta has it under sid
	Q        *string    `json:"q,omitempty"`     // part of actor_nome, kind, action or meta, whatever the case
	Since    *time.Time `json:"since,omitempty"` // then or later
	Until    *time.Time `json:"until,omitempty"` // before
}

func (f *AuditFilter) normalize() error {
	f.Since, f.Until = instant(f.Since), instant(f.Until)
	return checkSearch(f.Q, f.Since, f.Until)
}

// ListAudits returns the newest events first, in pages as those of ListSubmissions.
//
// Q looks at each event that the other filters leave. CodeUnavailable if that takes too long.
func (s *Service) ListAudits(ctx context.Context, filter AuditFilter, page PageRequest) (Page[Audit], error) {
	start, err := resume("audits", filter, page)
	if err != nil {
		return Page[Audit]{}, err
	}

	params := db.ListAuditsParams{
		Kind:      start.filter.Kind,
		Action:    start.filter.Action,
		ActorCpf:  start.filter.ActorCPF,
		Sid:       start.filter.SID,
		Since:     start.filter.Since,
		Until:     start.filter.Until,
		QPattern:  containing(start.filter.Q),
		RowLimit:  start.fetch(),
		RowOffset: int64(start.offset),
	}
	if start.before != nil {
		at := start.before.at()
		id, err := strconv.ParseInt(start.before.ID, 10, 64)
		if err != nil {
			return Page[Audit]{}, errCursor
		}
		params.BeforeAt, params.BeforeID = &at, &id
	}
	rows, err := s.reads.ListAudits(ctx, params)
	if err != nil {
		return Page[Audit]{}, err
	}

	var result Page[Audit]
	if len(rows) > start.limit {
		rows = rows[:start.limit]
		last := rows[len(rows)-1]
		result.NextCursor = start.next(last.At, strconv.FormatInt(last.ID, 10))
	}
	result.Items = make([]Audit, len(rows))
	for i, row := range rows {
		result.Items[i] = Audit{
			ID:        row.ID,
			At:        row.At,
			ActorCPF:  row.ActorCpf,
			ActorNome: row.ActorNome,
			Kind:      row.Kind,
			Action:    row.Action,
			Meta:      row.Meta,
		}
	}
	return result, nil
}

// ListSubmissionAudits is ListAudits for the events that name one submission. CodeNotFound if there are none, and no
// submission with that id either.
func (s *Service) ListSubmissionAudits(ctx context.Context, id string, page PageRequest) (Page[Audit], error) {
	audits, err := s.ListAudits(ctx, AuditFilter{SID: &id}, page)
	if err == nil && len(audits.Items) == 0 {
		_, err = s.GetSubmission(ctx, id)
	}
	return audits, err
}

// MaxAudits is the most events that CreateAudits takes at once.
const MaxAudits = 1000

// NewAudit is an audit event to add. Its JSON form is what the database reads.
type NewAudit struct {
	ActorCPF  *string         `json:"actor_cpf,omitempty"`
	ActorNome *string         `json:"actor_nome,omitempty"`
	Kind      string          `json:"kind"`
	Action    string          `json:"action"`
	Meta      json.RawMessage `json:"meta,omitempty"` // a JSON object, or nil
}

// CreateAudits adds up to MaxAudits events, all or none, in the order given.
func (s *Service) CreateAudits(ctx context.Context, events []NewAudit) error {
	if len(events) == 0 || len(events) > MaxAudits {
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf("there must be 1 to %d events", MaxAudits)}
	}
	for i, event := range events {
		meta := nilIfNull(event.Meta)
		switch {
		case event.Kind == "":
			return invalid(fmt.Sprintf("event %d: kind is required", i))
		case event.Action == "":
			return invalid(fmt.Sprintf("event %d: action is required", i))
		case meta != nil && !isObject(meta):
			return invalid(fmt.Sprintf("event %d: meta must be an object or null", i))
		}
	}
	text, err := json.Marshal(events)
	if err != nil {
		return &Error{Code: CodeInvalid, Message: "an event is not valid JSON", Err: err}
	}
	_, err = s.primary.CreateAudits(ctx, text)
	return err
}
