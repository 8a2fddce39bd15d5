package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// submission is a portal.Submission on the wire.
type submission struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind" doc:"The automation."`
	Version    string          `json:"version" doc:"Of the automation."`
	ActorCPF   *string         `json:"actor_cpf" doc:"Of who asked for it; empty or anonymous too."`
	ActorNome  *string         `json:"actor_nome"`
	ActorEmail *string         `json:"actor_email"`
	Payload    json.RawMessage `json:"payload" doc:"The request: an object, in old rows any JSON."`
	Status     string          `json:"status" enum:"queued,running,done,error"`
	Result     json.RawMessage `json:"result" doc:"The outcome: any JSON."`
	Error      *string         `json:"error" doc:"Why it failed."`
	CreatedAt  time.Time       `json:"created_at"`
	UpdatedAt  time.Time       `json:"updated_at"`
}

func (s *submission) appendJSON(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, s.ID)
	b = append(b, `,"kind":`...)
	b = appendString(b, s.Kind)
	b = append(b, `,"version":`...)
	b = appendString(b, s.Version)
	b = append(b, `,"actor_cpf":`...)
	b = appendNullable(b, s.ActorCPF)
	b = append(b, `,"actor_nome":`...)
	b = appendNullable(b, s.ActorNome)
	b = append(b, `,"actor_email":`...)
	b = appendNullable(b, s.ActorEmail)
	b = append(b, `,"payload":`...)
	b = appendRaw(b, s.Payload)
	b = append(b, `,"status":`...)
	b = appendString(b, s.Status)
	b = append(b, `,"result":`...)
	b = appendRaw(b, s.Result)
	b = append(b, `,"error":`...)
	b = appendNullable(b, s.Error)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, s.CreatedAt)
	b = append(b, `,"updated_at":`...)
	b = appendTime(b, s.UpdatedAt)
	return append(b, '}')
}

type submissionPage struct {
	Items      []submission `json:"items"`
	NextCursor string       `json:"next_cursor" nullable:"true" doc:"Where the next page begins; null on the last one."`
	Total      *int64       `json:"total,omitempty" doc:"How many items all pages have, where count asks for it."`
}

func (p *submissionPage) appendJSON(b []byte) []byte {
	return appendPage(b, p.Items, func(b []byte, s *submission) []byte { return s.appendJSON(b) }, p.NextCursor, p.Total)
}

// newSubmission is the body that creates a submission.
type newSubmission struct {
	ID         string          `json:"id,omitempty" format:"uuid" doc:"Chosen by the service if it is left out."`
	Kind       string          `json:"kind" minLength:"1" doc:"The automation."`
	Version    string          `json:"version" minLength:"1" doc:"Of the automation."`
	ActorCPF   *string         `json:"actor_cpf,omitempty"`
	ActorNome  *string         `json:"actor_nome,omitempty"`
	ActorEmail *string         `json:"actor_email,omitempty"`
	Payload    json.RawMessage `json:"payload" doc:"The request: an object."`
	Status     string          `json:"status,omitempty" enum:"queued,done" default:"queued"`
	Result     json.RawMessage `json:"result,omitempty" doc:"The outcome of a submission that is done: an object or an array."`

	UniquePayload []string `json:"unique_payload,omitempty" minItems:"1" maxItems:"10" doc:"Fields of the payload whose values, as text, no other submission of the kind may have there. Those that failed or were deleted softly do not count; what the legacy code adds at the very moment is not seen."`
	Queue         bool     `json:"queue,omitempty" doc:"Offers the submission to workers, which claim it."`
}

func (n *newSubmission) decode(data []byte) error {
	return decodeObject(data, func(name string) any {
		switch name {
		case "id":
			return &n.ID
		case "kind":
			return &n.Kind
		case "version":
			return &n.Version
		case "actor_cpf":
			return &n.ActorCPF
		case "actor_nome":
			return &n.ActorNome
		case "actor_email":
			return &n.ActorEmail
		case "payload":
			return &n.Payload
		case "status":
			return &n.Status
		case "result":
			return &n.Result
		case "unique_payload":
			return &n.UniquePayload
		case "queue":
			return &n.Queue
		}
		return nil
	})
}

// submissionUpdate is the body that changes a submission. In error and result null differs from nothing.
type submissionUpdate struct {
	Status *string         `json:"status,omitempty" enum:"queued,running,done,error"`
	Result json.RawMessage `json:"result,omitempty" doc:"An object or an array; null removes it."`
	Error  **string        `json:"error,omitempty" doc:"Text; null removes it."`
	Worker *string         `json:"worker,omitempty" doc:"Who has claimed the submission: the change is refused if another worker has it by now."`
}

func (u *submissionUpdate) decode(data []byte) error {
	return decodeObject(data, func(name string) any {
		switch name {
		case "status":
			return &u.Status
		case "result":
			return &u.Result
		case "error":
			u.Error = new(*string)
			return u.Error
		case "worker":
			return &u.Worker
		}
		return nil
	})
}

type (
	createSubmission struct{ Body newSubmission }
	updateSubmission struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match" doc:"The ETag of the submission that the change is meant for, or several of them."`
		Body    submissionUpdate
	}
	getSubmission struct {
		ID string `path:"id"`
	}
	createdSubmission struct {
		Status   int
		Location string `header:"Location"`
		ETag     string `header:"ETag"`
		Body     *submission
	}
	oneSubmission struct {
		ETag string `header:"ETag"`
		Body *submission
	}
	manySubmissions struct{ Body *submissionPage }
)

type existsSubmission struct {
	kind, field, value string
	active             bool
}

// Resolve reads the parameters.
func (e *existsSubmission) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	e.kind, e.field, e.value, e.active = q.required("kind"), q.required("field"), q.required("value"), q.boolean("active")
	return q.errs
}

type existingSubmission struct {
	Body struct {
		Exists bool `json:"exists"`
	}
}

type listSubmissions struct {
	filter portal.SubmissionFilter
	page   portal.PageRequest
}

// Resolve reads the parameters.
func (l *listSubmissions) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	l.filter = q.submissionFilter()
	l.page = q.page()
	return q.errs
}

func (q *query) submissionFilter() portal.SubmissionFilter {
	return portal.SubmissionFilter{
		Kind:       q.text("kind"),
		Statuses:   q.list("status"),
		ActorCPF:   q.text("actor_cpf"),
		ActorEmail: q.text("actor_email"),
		Q:          q.text("q"),
		Payload:    q.json("payload"),
		Since:      q.time("since"),
		Until:      q.time("until"),
	}
}

// submissionFilterParams document what submissionFilter reads.
var submissionFilterParams = []*huma.Param{
	textParam("kind", "The automation."),
	queryParam("status", "One of these statuses, repeated or between commas.", &huma.Schema{
		Type:  huma.TypeArray,
		Items: &huma.Schema{Type: huma.TypeString, Enum: []any{"queued", "running", "done", "error"}},
	}),
	textParam("actor_cpf", "Who asked for it."),
	textParam("actor_email", "Who asked for it; case matters."),
	textParam("q", "Part of id, actor_nome, actor_email, error or payload, whatever the case. No index helps: give kind, since or until too."),
	textParam("payload", "JSON that the payload contains. No index helps where much contains it: give kind, since or until too."),
	sinceParam, untilParam,
}

func (a *API) addSubmissions() {
	tags := []string{"submissions"}
	register(a, huma.Operation{
		OperationID:   "create-submission",
		Method:        http.MethodPost,
		Path:          "/v1/submissions",
		Summary:       "Create a submission",
		Description:   "With an id, the same request can be sent again: it answers 200 with the submission as it is then.",
		Tags:          tags,
		DefaultStatus: http.StatusCreated,
		Responses:     map[string]*huma.Response{"200": {Description: "The same request was made before."}},
		Errors:        []int{http.StatusConflict},
	}, portal.RoleWriter, a.createSubmission)
	register(a, huma.Operation{
		OperationID: "list-submissions",
		Method:      http.MethodGet,
		Path:        "/v1/submissions",
		Summary:     "List submissions, the newest first",
		Tags:        tags,
		Parameters:  slices.Concat(submissionFilterParams, pageParams),
	}, portal.RoleReader, a.listSubmissions)
	register(a, huma.Operation{
		OperationID: "get-submission",
		Method:      http.MethodGet,
		Path:        "/v1/submissions/{id}",
		Summary:     "Get a submission",
		Tags:        tags,
	}, portal.RoleReader, a.getSubmission)
	register(a, huma.Operation{
		OperationID: "submission-exists",
		Method:      http.MethodGet,
		Path:        "/v1/submissions/exists",
		Summary:     "Tell whether a submission of a kind has a value in a field of its payload",
		Tags:        tags,
		Parameters: []*huma.Param{
			required(textParam("kind", "The automation.")),
			required(textParam("field", "A field of the payload.")),
			required(textParam("value", "Its value as text.")),
			booleanParam("active", "Whether to leave out submissions that failed or were deleted softly. Default: false."),
		},
	}, portal.RoleReader, a.submissionExists)
	register(a, huma.Operation{
		OperationID: "update-submission",
		Method:      http.MethodPatch,
		Path:        "/v1/submissions/{id}",
		Summary:     "Change status, result or error of a submission",
		Description: "queued leads to running, done and error; running to done and error; done to error. With If-Match the change is made only if the submission is as it was.",
		Tags:        tags,
		Errors:      []int{http.StatusConflict, http.StatusPreconditionFailed},
	}, portal.RoleWriter, a.updateSubmission)
}

func (a *API) createSubmission(ctx context.Context, in *createSubmission) (*createdSubmission, error) {
	made, created, err := a.service.CreateSubmission(ctx, exchangeOf(ctx).token, portal.NewSubmission(in.Body))
	if err != nil {
		return nil, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	answer := submission(made)
	return &createdSubmission{Status: status, Location: "/v1/submissions/" + url.PathEscape(answer.ID), ETag: etag(made), Body: &answer}, nil
}

// etag is the strong validator of a submission: it changes with whatever can change.
func etag(s portal.Submission) string {
	h := sha256.New()
	text, _ := json.Marshal([]any{s.ID, s.UpdatedAt.UnixMicro(), s.Status, s.Result != nil, s.Error})
	h.Write(text)
	h.Write(s.Result)
	return `"` + base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:15]) + `"`
}

// matches says whether a header If-Match allows a change: it is * or has the validator in its list, as it was sent with
// whatever encoding.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		switch strings.TrimSpace(tag) {
		case "*", etag, encodedTag(etag, encodingZstd), encodedTag(etag, encodingGzip):
			return true
		}
	}
	return false
}

func (a *API) listSubmissions(ctx context.Context, in *listSubmissions) (*manySubmissions, error) {
	page, err := a.service.ListSubmissions(ctx, in.filter, in.page)
	if err != nil {
		return nil, err
	}
	answer := &submissionPage{Items: make([]submission, len(page.Items)), NextCursor: page.NextCursor, Total: page.Total}
	for i, item := range page.Items {
		answer.Items[i] = submission(item)
	}
	return &manySubmissions{answer}, nil
}

func (a *API) getSubmission(ctx context.Context, in *getSubmission) (*oneSubmission, error) {
	found, err := a.service.GetSubmission(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return newOneSubmission(found), nil
}

func (a *API) updateSubmission(ctx context.Context, in *updateSubmission) (*oneSubmission, error) {
	change := portal.SubmissionUpdate{Status: in.Body.Status, Result: in.Body.Result, Error: in.Body.Error, Worker: in.Body.Worker}
	if in.IfMatch != "" {
		change.If = func(s portal.Submission) bool { return matches(in.IfMatch, etag(s)) }
	}
	updated, err := a.service.UpdateSubmission(ctx, exchangeOf(ctx).token, in.ID, change)
	if err != nil {
		return nil, err
	}
	return newOneSubmission(updated), nil
}

func newOneSubmission(s portal.Submission) *oneSubmission {
	answer := submission(s)
	return &oneSubmission{ETag: etag(s), Body: &answer}
}

func (a *API) submissionExists(ctx context.Context, in *existsSubmission) (*existingSubmission, error) {
	found, err := a.service.SubmissionExists(ctx, in.kind, in.field, in.value, in.active)
	if err != nil {
		return nil, err
	}
	answer := &existingSubmission{}
	answer.Body.Exists = found
	return answer, nil
}
