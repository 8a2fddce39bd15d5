package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"portaldb/db"
)

// Submission is one request to an automation, with its state and its outcome.
type Submission struct {
	ID         string
	Kind       string  // the automation
	Version    string  // of the automation
	ActorCPF   *string // of who asked for it: nil, empty or "anonymous" too
	ActorNome  *string
	ActorEmail *string
	Payload    json.RawMessage // the request
	Status     string
	Result     json.RawMessage // the outcome; nil if there is none
	Error      *string         // why it failed; may be empty
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// The states of a submission.
const (
	StatusQueued  = "queued"
	StatusRunning = "running"
	StatusDone    = "done"
	StatusError   = "error"
)

// Statuses are the states of a submission.
var Statuses = []string{StatusQueued, StatusRunning, StatusDone, StatusError}

// transition is how a submission gets into a status.
type transition struct {
	from   []string // the statuses that it may have before
	action string   // of the audit event
}

// transitions has no way back to queued, and none out of error.
var transitions = map[string]transition{
	StatusQueued:  {},
	StatusRunning: {from: []string{StatusQueued}, action: "running"},
	StatusDone:    {from: []string{StatusQueued, StatusRunning}, action: "completed"},
	StatusError:   {from: []string{StatusQueued, StatusRunning, StatusDone}, action: "failed"},
}

// SubmissionFilter selects submissions. Fields that are nil select all; those that are not have to hold together.
type SubmissionFilter struct {
	Kind       *string         `json:"kind,omitempty"`
	Statuses   []string        `json:"status,omitempty"` // one of them
	ActorCPF   *string         `json:"actor_cpf,omitempty"`
	ActorEmail *string         `json:"actor_email,omitempty"` // case matters
	Q          *string         `json:"q,omitempty"`           // part of id, actor_nome, actor_email, error or payload, whatever the case
	Payload    json.RawMessage `json:"payload,omitempty"`     // contained in the payload, as @> of PostgreSQL has it
	Since      *time.Time      `json:"since,omitempty"`       // created then or later
	Until      *time.Time      `json:"until,omitempty"`       // created before
}

func (f *SubmissionFilter) normalize() error {
	for _, status := range f.Statuses {
		if !slices.Contains(Statuses, status) {
			return invalid("status must be queued, running, done or error")
		}
	}
	f.Statuses = slices.Compact(slices.Sorted(slices.Values(f.Statuses)))
	if len(f.Statuses) == len(Statuses) {
		f.Statuses = nil
	}
	if f.Payload != nil && !json.Valid(f.Payload) {
		return invalid("payload must be JSON")
	}
	f.Since, f.Until = instant(f.Since), instant(f.Until)
	return checkSearch(f.Q, f.Since, f.Until)
}

// GetSubmission returns a submission, and CodeNotFound if there is none with that id.
func (s *Service) GetSubmission(ctx context.Context, id string) (Submission, error) {
	row, err := s.primary.GetSubmission(ctx, id)
	if ErrorCode(err) == CodeNotFound {
		return Submission{}, errNoSubmission
	}
	return newSubmission(row), err
}

var errNoSubmission = &Error{Code: CodeNotFound, Message: "there is no submission with this id"}

// ListSubmissions returns the newest submissions first. Those of one moment are in the order of their ids, so that pages
// which follow each other by cursor give every submission once, whatever is added meanwhile.
//
// Q and Payload look at each submission that the other filters leave. CodeUnavailable if that takes too long.
func (s *Service) ListSubmissions(ctx context.Context, filter SubmissionFilter, page PageRequest) (Page[Submission], error) {
	start, err := resume("submissions", filter, page)
	if err != nil {
		return Page[Submission]{}, err
	}

	params := db.ListSubmissionsParams{
		Kind:       start.filter.Kind,
		ActorCpf:   start.filter.ActorCPF,
		ActorEmail: start.filter.ActorEmail,
		Since:      start.filter.Since,
		Until:      start.filter.Until,
		Payload:    start.filter.Payload,
		QPattern:   containing(start.filter.Q),
		RowLimit:   start.fetch(),
		RowOffset:  int64(start.offset),
	}
	if start.before != nil {
		at := start.before.at()
		params.BeforeAt, params.BeforeID = &at, &start.before.ID
	}
	var rows []db.Submission
	if statuses := start.filter.Statuses; statuses == nil {
		rows, err = s.reads.ListSubmissions(ctx, params)
	} else {
		rows, err = s.reads.ListSubmissionsByStatus(ctx, db.ListSubmissionsByStatusParams{
			Statuses:   statuses,
			Kind:       params.Kind,
			ActorCpf:   params.ActorCpf,
			ActorEmail: params.ActorEmail,
			Since:      params.Since,
			Until:      params.Until,
			BeforeAt:   params.BeforeAt,
			BeforeID:   params.BeforeID,
			Payload:    params.Payload,
			QPattern:   params.QPattern,
			RowLimit:   params.RowLimit,
			RowOffset:  params.RowOffset,
		})
	}
	if err != nil {
		return Page[Submission]{}, err
	}

	var result Page[Submission]
	if len(rows) > start.limit {
		rows = rows[:start.limit]
		last := rows[len(rows)-1]
		result.NextCursor = start.next(last.CreatedAt, last.ID)
	}
	result.Items = make([]Submission, len(rows))
	for i, row := range rows {
		result.Items[i] = newSubmission(row)
	}
	return result, nil
}

// NewSubmission is a submission to create.
type NewSubmission struct {
	ID         string // a UUID; a new one if it is empty
	Kind       string
	Version    string
	ActorCPF   *string
	ActorNome  *string
	ActorEmail *string
	Payload    json.RawMessage // a JSON object
	Status     string          // queued, which is the default, or done
	Result     json.RawMessage // of a done submission: a JSON object or array, or nil
}

// CreateSubmission adds a submission, with an audit event that names the API token of that name. CodeConflict if the id
// is taken.
func (s *Service) CreateSubmission(ctx context.Context, token string, n NewSubmission) (Submission, error) {
	id, err := submissionID(n.ID)
	if err != nil {
		return Submission{}, err
	}
	if n.Status == "" {
		n.Status = StatusQueued
	}
	n.Result = nilIfNull(n.Result)
	switch {
	case n.Kind == "":
		return Submission{}, invalid("kind is required")
	case n.Version == "":
		return Submission{}, invalid("version is required")
	case len(n.Payload) == 0:
		return Submission{}, invalid("payload is required")
	case !isObject(n.Payload):
		return Submission{}, invalid("payload must be an object")
	case n.Status != StatusQueued && n.Status != StatusDone:
		return Submission{}, invalid("status of a new submission must be queued or done")
	case n.Result != nil && n.Status != StatusDone:
		return Submission{}, invalid("result is for a submission that is done")
	case n.Result != nil && !isObject(n.Result) && !isArray(n.Result):
		return Submission{}, errResult
	}

	row, err := s.primary.CreateSubmission(ctx, db.CreateSubmissionParams{
		ID:         id,
		Kind:       n.Kind,
		Version:    n.Version,
		ActorCpf:   n.ActorCPF,
		ActorNome:  n.ActorNome,
		ActorEmail: n.ActorEmail,
		Payload:    n.Payload,
		Status:     n.Status,
		Result:     n.Result,
		Token:      token,
	})
	return newSubmission(db.Submission(row)), err
}

// SubmissionUpdate says what to change of a submission, which is at least one of its fields.
type SubmissionUpdate struct {
	Status *string         // nil leaves it
	Result json.RawMessage // a JSON object or array; null removes it, nil leaves it
	Error  **string        // nil leaves it, a pointer to nil removes it
}

// UpdateSubmission changes the status, result and error of a submission, with an audit event that names the API token of
// that name. CodeNotFound if there is no submission with that id; CodeConflict if its status does not lead to the new
// one, or is the new one already and nothing else is to change.
func (s *Service) UpdateSubmission(ctx context.Context, token, id string, u SubmissionUpdate) (Submission, error) {
	from, action := Statuses, "updated"
	if u.Status != nil {
		to, ok := transitions[*u.Status]
		if !ok {
			return Submission{}, invalid("status must be queued, running, done or error")
		}
		from, action = to.from, to.action
		if u.Result != nil || u.Error != nil {
			from = append(slices.Clone(from), *u.Status)
		}
	}
	result := nilIfNull(u.Result)
	switch {
	case u.Status == nil && u.Result == nil && u.Error == nil:
		return Submission{}, invalid("nothing to change: give status, result or error")
	case result != nil && !isObject(result) && !isArray(result):
		return Submission{}, errResult
	}
	params := db.UpdateSubmissionParams{
		ID:           id,
		Status:       u.Status,
		SetResult:    u.Result != nil,
		Result:       result,
		SetError:     u.Error != nil,
		FromStatuses: from,
		Action:       action,
		Token:        token,
	}
	if u.Error != nil {
		params.Error = *u.Error
	}

	row, err := s.primary.UpdateSubmission(ctx, params)
	if ErrorCode(err) == CodeNotFound {
		current, err := s.GetSubmission(ctx, id)
		if err != nil {
			return Submission{}, err
		}
		return Submission{}, refusedTransition(current.Status, *u.Status)
	}
	return newSubmission(db.Submission(row)), err
}

func refusedTransition(from, to string) error {
	message := fmt.Sprintf("the submission is %s, which does not lead to %s", from, to)
	if from == to {
		message = fmt.Sprintf("the submission is %s already", from)
	}
	return &Error{Code: CodeConflict, Message: message}
}

var errResult = invalid("result must be an object, an array or null")

// submissionID returns the id in the form that the legacy code writes, or a new one. New ones grow with time, which
// keeps the primary key's index compact.
func submissionID(given string) (string, error) {
	if given == "" {
		id, err := uuid.NewV7()
		return id.String(), err
	}
	id, err := uuid.Parse(given)
	if err != nil || len(given) != len(id.String()) {
		return "", invalid("id must be a UUID")
	}
	return id.String(), nil
}

func newSubmission(row db.Submission) Submission {
	return Submission{
		ID:         row.ID,
		Kind:       row.Kind,
		Version:    row.Version,
		ActorCPF:   row.ActorCpf,
		ActorNome:  row.ActorNome,
		ActorEmail: row.ActorEmail,
		Payload:    row.Payload,
		Status:     row.Status,
		Result:     row.Result,
		Error:      row.Error,
		CreatedAt:  row.CreatedAt,
		UpdatedAt:  row.UpdatedAt,
	}
}

// checkSearch checks the filters that all lists have.
func checkSearch(q *string, since, until *time.Time) error {
	switch {
	case q != nil && *q == "":
		return invalid("q must not be empty")
	case q != nil && len(*q) > maxQuery:
		return invalid(fmt.Sprintf("q must not be longer than %d bytes", maxQuery))
	case since != nil && !validTime(*since):
		return invalid("since must lie in the years 1 to 9999")
	case until != nil && !validTime(*until):
		return invalid("until must lie in the years 1 to 9999")
	}
	return nil
}

// isObject says whether the JSON value is an object. Whether it is JSON at all is for the database to say.
func isObject(value json.RawMessage) bool { return startsWith(value, '{') }

func isArray(value json.RawMessage) bool { return startsWith(value, '[') }

func startsWith(value json.RawMessage, c byte) bool {
	value = bytes.TrimLeft(value, " \t\r\n")
	return len(value) > 0 && value[0] == c
}

// nilIfNull returns nil for a JSON null, so that the column becomes NULL.
func nilIfNull(value json.RawMessage) json.RawMessage {
	if string(bytes.TrimSpace(value)) == "null" {
		return nil
	}
	return value
}
