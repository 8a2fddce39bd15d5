package portal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
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

	rows, err := s.submissionRows(ctx, start)
	if err != nil {
		return Page[Submission]{}, err
	}

	result := pageOf(start, rows, func(row db.Submission) (time.Time, string) { return row.CreatedAt, row.ID }, newSubmission)
	result.Total, err = total(ctx, s.reader, page.Count, func(q *db.Queries) error {
		_, err := listSubmissions(ctx, q, start.whole())
		return err
	})
	return result, err
}

// submissionRows are those of one page.
func (s *Service) submissionRows(ctx context.Context, start start[SubmissionFilter]) ([]db.Submission, error) {
	others := start.filter
	others.Kind, others.ActorCPF = nil, nil
	if kind, actor := start.filter.Kind, start.filter.ActorCPF; kind != nil && actor != nil && start.first() && reflect.ValueOf(others).IsZero() {
		return s.planned.ListSubmissionsByKindAndActor(ctx, db.ListSubmissionsByKindAndActorParams{Kind: *kind, ActorCpf: *actor, RowLimit: start.fetch()})
	}
	return listSubmissions(ctx, s.reads, start)
}

// listSubmissions runs the statement that suits the filter.
func listSubmissions(ctx context.Context, q *db.Queries, start start[SubmissionFilter]) ([]db.Submission, error) {
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
	if start.filter.Statuses == nil {
		return q.ListSubmissions(ctx, params)
	}
	return q.ListSubmissionsByStatus(ctx, db.ListSubmissionsByStatusParams{
		Statuses:   start.filter.Statuses,
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

	// UniquePayload are fields of the payload. Each holds text, a number or a boolean that no other active submission of the
	// kind has there: one that has neither failed nor been deleted softly.
	UniquePayload []string

	// Queue offers the submission, which is queued, to ClaimSubmissions.
	Queue bool
}

const (
	maxUniquePayload = 10
	maxField         = 200 // bytes of the name of a field of the payload
)

// CreateSubmission adds a submission, with an audit event that names the API token of that name. The same request with the
// same id again, by whomever, returns the submission as it is now, and created is false.
//
// CodeConflict if the id is taken by another request, or a value is taken that has to be unique. The latter holds among all
// that come here at the same time; what the legacy code adds at that very moment is not seen.
func (s *Service) CreateSubmission(ctx context.Context, token string, n NewSubmission) (_ Submission, created bool, err error) {
	if err := n.normalize(); err != nil {
		return Submission{}, false, err
	}
	params := db.CreateSubmissionParams{
		ID:           n.ID,
		Kind:         n.Kind,
		Version:      n.Version,
		ActorCpf:     n.ActorCPF,
		ActorNome:    n.ActorNome,
		ActorEmail:   n.ActorEmail,
		Payload:      n.Payload,
		Status:       n.Status,
		Result:       n.Result,
		Token:        token,
		UniqueFields: n.UniquePayload,
		Queue:        n.Queue,
	}
	if n.ID == "" {
		if params.ID, err = newID(); err != nil {
			return Submission{}, false, err
		}
	} else if params.RequestHash, err = n.hash(); err != nil {
		return Submission{}, false, err
	}
	queries := s.primary
	if len(n.UniquePayload) > 0 {
		queries = db.New(s.database.After(db.LockPayloadFields, n.Kind, n.Payload, n.UniquePayload))
	}

	row, err := queries.CreateSubmission(ctx, params)
	if err == nil {
		return newSubmission(db.Submission(row)), true, nil
	}
	code := ErrorCode(err)
	if params.RequestHash != nil && (code == CodeConflict || code == CodeNotFound) {
		again, err := s.repeated(ctx, params)
		if ErrorCode(err) != CodeNotFound {
			return again, false, err
		}
	}
	if code == CodeNotFound {
		err = errDuplicate
	}
	return Submission{}, false, err
}

var errDuplicate = &Error{Code: CodeConflict, Message: "another submission of this kind has the same value in a field of unique_payload"}

// repeated returns the submission that the same request has created before, and CodeNotFound if none has.
func (s *Service) repeated(ctx context.Context, params db.CreateSubmissionParams) (Submission, error) {
	hash, err := s.primary.GetSubmissionRequest(ctx, params.ID)
	if err != nil {
		return Submission{}, err
	}
	if !bytes.Equal(hash, params.RequestHash) {
		return Submission{}, errNoSubmission
	}
	return s.GetSubmission(ctx, params.ID)
}

// normalize checks the fields and fills in what is left out, but for the id.
func (n *NewSubmission) normalize() error {
	if n.Status == "" {
		n.Status = StatusQueued
	}
	n.Result = nilIfNull(n.Result)
	if n.UniquePayload == nil {
		n.UniquePayload = []string{}
	}
	switch {
	case n.Kind == "":
		return invalid("kind is required")
	case n.Version == "":
		return invalid("version is required")
	case len(n.Payload) == 0:
		return invalid("payload is required")
	case !isObject(n.Payload):
		return invalid("payload must be an object")
	case n.Status != StatusQueued && n.Status != StatusDone:
		return invalid("status of a new submission must be queued or done")
	case n.Result != nil && n.Status != StatusDone:
		return invalid("result is for a submission that is done")
	case n.Result != nil && !isObject(n.Result) && !isArray(n.Result):
		return errResult
	case n.Queue && n.Status != StatusQueued:
		return invalid("queue is for a submission that is queued")
	}
	if n.ID != "" {
		id, err := uuid.Parse(n.ID)
		if err != nil || len(n.ID) != len(id.String()) {
			return invalid("id must be a UUID")
		}
		n.ID = id.String() // as the legacy code writes it
	}
	return checkUnique(n.UniquePayload, n.Payload)
}

// checkUnique checks that the payload has a value in each of the fields that can be compared as text.
func checkUnique(fields []string, payload json.RawMessage) error {
	if len(fields) == 0 {
		return nil
	}
	if len(fields) > maxUniquePayload {
		return invalid(fmt.Sprintf("unique_payload must not name more than %d fields", maxUniquePayload))
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(payload, &values); err != nil {
		return &Error{Code: CodeInvalid, Message: "payload is not valid JSON", Err: err}
	}
	for i, field := range fields {
		value := values[field]
		if field == "" || len(field) > maxField || slices.Contains(fields[:i], field) {
			return invalid(fmt.Sprintf("unique_payload must name each field once, in 1 to %d bytes", maxField))
		}
		if value == nil || nilIfNull(value) == nil || isObject(value) || isArray(value) {
			return invalid("each field of unique_payload must be text, a number or a boolean in payload")
		}
	}
	return nil
}

// hash tells requests apart that bring the same id: by what they ask for, not by how their JSON is spaced or ordered.
func (n *NewSubmission) hash() ([]byte, error) {
	request := *n
	for _, value := range []*json.RawMessage{&request.Payload, &request.Result} {
		if *value == nil {
			continue
		}
		decoder := json.NewDecoder(bytes.NewReader(*value))
		decoder.UseNumber()
		var decoded any
		if err := decoder.Decode(&decoded); err != nil {
			return nil, &Error{Code: CodeInvalid, Message: "payload or result is not valid JSON", Err: err}
		}
		canonical, err := json.Marshal(decoded) // with sorted names
		if err != nil {
			return nil, err
		}
		*value = canonical
	}
	request.UniquePayload = slices.Sorted(slices.Values(n.UniquePayload))
	text, err := json.Marshal(request)
	sum := sha256.Sum256(text)
	return sum[:], err
}

// maxValue is the longest value that SubmissionExists looks for, in bytes: an index holds less.
const maxValue = 2700

// SubmissionExists tells whether there is a submission of the kind whose payload has the value, as text, in the field. With
// active only those count that have neither failed nor been deleted softly.
func (s *Service) SubmissionExists(ctx context.Context, kind, field, value string, active bool) (bool, error) {
	switch {
	case kind == "" || field == "":
		return false, invalid("kind and field are required")
	case len(field) > maxField || len(value) > maxValue:
		return false, invalid(fmt.Sprintf("field must not be longer than %d bytes, value not longer than %d", maxField, maxValue))
	}
	return s.primary.ExistsSubmission(ctx, db.ExistsSubmissionParams{Kind: kind, Field: field, Value: value, Active: active})
}

// SubmissionUpdate says what to change of a submission, which is at least one of its fields.
type SubmissionUpdate struct {
	Status *string         // nil leaves it
	Result json.RawMessage // a JSON object or array; null removes it, nil leaves it
	Error  **string        // nil leaves it, a pointer to nil removes it

	// Worker, unless nil, must be the one that has claimed the submission.
	Worker *string

	// If, unless nil, must hold of the submission as it is.
	If func(Submission) bool
}

// UpdateSubmission changes the status, result and error of a submission, with an audit event that names the API token of
// that name. A submission that ends is offered to workers no more.
//
// CodeNotFound if there is no submission with that id; CodePreconditionFailed if the condition does not hold; CodeConflict
// if its status does not lead to the new one, or is the new one already and nothing else is to change, or if the worker has
// not claimed it or has lost it to another one.
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
		Worker:       u.Worker,
	}
	if u.Error != nil {
		params.Error = *u.Error
	}
	if u.If != nil {
		current, err := s.GetSubmission(ctx, id)
		if err != nil {
			return Submission{}, err
		}
		if !u.If(current) {
			return Submission{}, errPrecondition
		}
		params.IfUpdatedAt, params.IfStatus, params.IfResult, params.IfError = &current.UpdatedAt, &current.Status, current.Result, current.Error
	}

	row, err := s.primary.UpdateSubmission(ctx, params)
	if ErrorCode(err) == CodeNotFound {
		return Submission{}, s.refusedUpdate(ctx, params, from)
	}
	return newSubmission(db.Submission(row)), err
}

var (
	errPrecondition = &Error{Code: CodePreconditionFailed, Message: "the submission has changed: get it again, and decide anew"}
	errNotHolder    = &Error{Code: CodeConflict, Message: "the submission is not this worker's: it never claimed it, or its lease expired and another worker has it, or it has ended"}
)

// refusedUpdate tells why an update found nothing to change.
func (s *Service) refusedUpdate(ctx context.Context, params db.UpdateSubmissionParams, from []string) error {
	current, err := s.GetSubmission(ctx, params.ID)
	switch {
	case err != nil:
		return err
	case params.IfUpdatedAt != nil && !current.UpdatedAt.Equal(*params.IfUpdatedAt):
		return errPrecondition
	case slices.Contains(from, current.Status) && params.Worker != nil:
		return errNotHolder
	case slices.Contains(from, current.Status):
		return errPrecondition
	}
	return refusedTransition(current.Status, *params.Status)
}

func refusedTransition(from, to string) error {
	message := fmt.Sprintf("the submission is %s, which does not lead to %s", from, to)
	if from == to {
		message = fmt.Sprintf("the submission is %s already", from)
	}
	return &Error{Code: CodeConflict, Message: message}
}

var errResult = invalid("result must be an object, an array or null")

// newID returns a new id in the form that the legacy code writes. They grow with time, which keeps the primary key's index
// compact.
func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
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
