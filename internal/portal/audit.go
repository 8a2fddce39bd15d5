package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

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
	Kind     *string `json:"kind,omitempty"`
	Action   *string `json:"action,omitempty"`
	ActorCPF *string `json:"actor_cpf,omitempty"`

	// The keys of objects in meta, as text.
	SID       *string `json:"sid,omitempty"`        // the submission's id: under sid, submissionId, submission_id or target_id
	UserID    *string `json:"user_id,omitempty"`    // under user_id
	SessionID *string `json:"session_id,omitempty"` // under session_id
	Object    *string `json:"object,omitempty"`     // under any of these, task_id or alert_id

	Q     *string    `json:"q,omitempty"`     // part of actor_nome, kind, action or meta, whatever the case
	Since *time.Time `json:"since,omitempty"` // then or later
	Until *time.Time `json:"until,omitempty"` // before
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

	rows, err := s.auditRows(ctx, start)
	if err != nil {
		return Page[Audit]{}, err
	}

	result := pageOf(start, rows, func(row db.AutomationAudit) (time.Time, string) { return row.At, strconv.FormatInt(row.ID, 10) }, newAudit)
	result.Total, err = total(ctx, s.reader, page.Count, func(q *db.Queries) error {
		_, err := listAudits(ctx, q, start.whole())
		return err
	})
	return result, err
}

// auditRows are those of one page.
func (s *Service) auditRows(ctx context.Context, start start[AuditFilter]) ([]db.AutomationAudit, error) {
	if kind := start.filter.Kind; kind != nil && start.first() && start.filter == (AuditFilter{Kind: kind}) {
		return s.planned.ListAuditsByKind(ctx, db.ListAuditsByKindParams{Kind: *kind, RowLimit: start.fetch()})
	}
	return listAudits(ctx, s.reads, start)
}

// listAudits runs the statement that suits the filter.
func listAudits(ctx context.Context, q *db.Queries, start start[AuditFilter]) ([]db.AutomationAudit, error) {
	filter := start.filter
	params := db.ListAuditsParams{
		Kind:      filter.Kind,
		Action:    filter.Action,
		ActorCpf:  filter.ActorCPF,
		UserID:    filter.UserID,
		SessionID: filter.SessionID,
		Since:     filter.Since,
		Until:     filter.Until,
		QPattern:  containing(filter.Q),
		RowLimit:  start.fetch(),
		RowOffset: int64(start.offset),
	}
	if start.before != nil {
		at := start.before.at()
		id, err := strconv.ParseInt(start.before.ID, 10, 64)
		if err != nil {
			return nil, errCursor
		}
		params.BeforeAt, params.BeforeID = &at, &id
	}
	// A submission has few events, a user may have many.
	object, also := filter.SID, filter.Object
	switch {
	case object == nil && also == nil:
		return q.ListAudits(ctx, params)
	case object == nil:
		object, also = also, nil
	}
	return q.ListAuditsByObject(ctx, db.ListAuditsByObjectParams{
		Object:    *object,
		AnyKey:    filter.SID == nil,
		Also:      also,
		UserID:    params.UserID,
		SessionID: params.SessionID,
		Kind:      params.Kind,
		Action:    params.Action,
		ActorCpf:  params.ActorCpf,
		Since:     params.Since,
		Until:     params.Until,
		BeforeAt:  params.BeforeAt,
		BeforeID:  params.BeforeID,
		QPattern:  params.QPattern,
		RowLimit:  params.RowLimit,
		RowOffset: params.RowOffset,
	})
}

func newAudit(row db.AutomationAudit) Audit {
	return Audit{
		ID:        row.ID,
		At:        row.At,
		ActorCPF:  row.ActorCpf,
		ActorNome: row.ActorNome,
		Kind:      row.Kind,
		Action:    row.Action,
		Meta:      row.Meta,
	}
}

// noFilter is that of a list which has none.
type noFilter struct{}

func (*noFilter) normalize() error { return nil }

// ListAuditKinds returns the kinds that events have, in order. page has no Offset and no Count.
func (s *Service) ListAuditKinds(ctx context.Context, page PageRequest) (Page[string], error) {
	return names("audit kinds", noFilter{}, page, func(_ noFilter, after *string, limit int64) ([]string, error) {
		return s.reads.ListAuditKinds(ctx, db.ListAuditKindsParams{After: after, RowLimit: limit})
	})
}

// AuditActionFilter selects the events whose actions are wanted: all if Kind is nil.
type AuditActionFilter struct {
	Kind *string `json:"kind,omitempty"`
}

func (*AuditActionFilter) normalize() error { return nil }

// ListAuditActions is ListAuditKinds for the actions.
func (s *Service) ListAuditActions(ctx context.Context, filter AuditActionFilter, page PageRequest) (Page[string], error) {
	return names("audit actions", filter, page, func(filter AuditActionFilter, after *string, limit int64) ([]string, error) {
		if filter.Kind == nil {
			return s.reads.ListAuditActions(ctx, db.ListAuditActionsParams{After: after, RowLimit: limit})
		}
		return s.reads.ListAuditActionsByKind(ctx, db.ListAuditActionsByKindParams{Kind: *filter.Kind, After: after, RowLimit: limit})
	})
}

// names returns a page of a list of names, of which list returns those behind after, or all.
func names[F any, N normalizer[F]](name string, filter F, page PageRequest, list func(filter F, after *string, limit int64) ([]string, error)) (Page[string], error) {
	start, err := resume[F, N](name, filter, page)
	if err != nil {
		return Page[string]{}, err
	}
	var after *string
	if start.before != nil {
		after = &start.before.ID
	}
	items, err := list(start.filter, after, start.fetch())
	if err != nil {
		return Page[string]{}, err
	}
	key := func(name string) (time.Time, string) { return time.UnixMicro(0), name }
	return pageOf(start, items, key, func(name string) string { return name }), nil
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
const MaxAudits = 10_000

// maxAuditKey is the longest kind, action and actor_cpf of an event that CreateAudits adds, in bytes: indexes hold them
// together, and no entry of an index may be longer than 2.7 kB.
const maxAuditKey = 800

// NewAudit is an audit event to add.
type NewAudit struct {
	ActorCPF  *string
	ActorNome *string
	Kind      string
	Action    string
	Meta      json.RawMessage // a JSON object, or nil
}

// check says what is wrong with the event, if anything is.
func (n *NewAudit) check() string {
	switch {
	case n.Kind == "":
		return "kind is required"
	case n.Action == "":
		return "action is required"
	case n.Meta != nil && !isObject(n.Meta):
		return "meta must be an object or null"
	}
	for _, field := range []struct {
		name  string
		text  *string
		bound bool
	}{{"kind", &n.Kind, true}, {"action", &n.Action, true}, {"actor_cpf", n.ActorCPF, true}, {"actor_nome", n.ActorNome, false}} {
		switch {
		case field.text == nil:
		case !utf8.ValidString(*field.text) || strings.ContainsRune(*field.text, 0):
			return field.name + " must be UTF-8 without U+0000"
		case field.bound && len(*field.text) > maxAuditKey:
			return fmt.Sprintf("%s must not be longer than %d bytes", field.name, maxAuditKey)
		}
	}
	return ""
}

// CreateAudits adds up to MaxAudits events, all or none, with ids in the order given. CodeInvalid names the event that is
// at fault by its place in events, which begins with 0.
func (s *Service) CreateAudits(ctx context.Context, events []NewAudit) error {
	if len(events) == 0 || len(events) > MaxAudits {
		return &Error{Code: CodeInvalid, Message: fmt.Sprintf("there must be 1 to %d events", MaxAudits)}
	}
	rows := make([]db.CreateAuditsParams, len(events))
	for i, event := range events {
		event.Meta = nilIfNull(event.Meta)
		if fault := event.check(); fault != "" {
			return invalid(fmt.Sprintf("event %d: %s", i, fault))
		}
		rows[i] = db.CreateAuditsParams{
			ActorCpf:  event.ActorCPF,
			ActorNome: event.ActorNome,
			Kind:      event.Kind,
			Action:    event.Action,
			Meta:      event.Meta,
		}
	}
	if len(rows) == 1 {
		return s.primary.CreateAudit(ctx, db.CreateAuditParams(rows[0]))
	}
	_, err := s.primary.CreateAudits(ctx, rows)
	return err
}
