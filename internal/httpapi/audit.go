package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// audit is a portal.Audit on the wire.
type audit struct {
	ID        int64           `json:"id"`
	At        time.Time       `json:"at"`
	ActorCPF  *string         `json:"actor_cpf" doc:"Who did it; empty or anonymous too."`
	ActorNome *string         `json:"actor_nome"`
	Kind      string          `json:"kind" doc:"The automation."`
	Action    string          `json:"action" doc:"What was done."`
	Meta      json.RawMessage `json:"meta" doc:"Details: any JSON."`
}

func (a *audit) appendJSON(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = strconv.AppendInt(b, a.ID, 10)
	b = append(b, `,"at":`...)
	b = appendTime(b, a.At)
	b = append(b, `,"actor_cpf":`...)
	b = appendNullable(b, a.ActorCPF)
	b = append(b, `,"actor_nome":`...)
	b = appendNullable(b, a.ActorNome)
	b = append(b, `,"kind":`...)
	b = appendString(b, a.Kind)
	b = append(b, `,"action":`...)
	b = appendString(b, a.Action)
	b = append(b, `,"meta":`...)
	b = appendRaw(b, a.Meta)
	return append(b, '}')
}

type auditPage struct {
	Items      []audit `json:"items"`
	NextCursor string  `json:"next_cursor" nullable:"true" doc:"Where the next page begins; null on the last one."`
	Total      *int64  `json:"total,omitempty" doc:"How many items all pages have, where count asks for it."`
}

func (p *auditPage) appendJSON(b []byte) []byte {
	return appendPage(b, p.Items, func(b []byte, a *audit) []byte { return a.appendJSON(b) }, p.NextCursor, p.Total)
}

// newAudit is an audit event to add.
type newAudit struct {
	ActorCPF  *string         `json:"actor_cpf,omitempty" maxLength:"800" doc:"At most 800 bytes."`
	ActorNome *string         `json:"actor_nome,omitempty"`
	Kind      string          `json:"kind" minLength:"1" maxLength:"800" doc:"The automation: at most 800 bytes."`
	Action    string          `json:"action" minLength:"1" maxLength:"800" doc:"What was done: at most 800 bytes."`
	Meta      json.RawMessage `json:"meta,omitempty" doc:"Details: an object. A submission's id belongs under sid, those of a user and a session under user_id and session_id."`
}

func (n *newAudit) decode(data []byte) error {
	return decodeObject(data, func(name string) any {
		switch name {
		case "actor_cpf":
			return &n.ActorCPF
		case "actor_nome":
			return &n.ActorNome
		case "kind":
			return &n.Kind
		case "action":
			return &n.Action
		case "meta":
			return &n.Meta
		}
		return nil
	})
}

// newAudits is the body that adds audit events: one of them, or an array.
type newAudits struct{ events []newAudit }

// Schema describes the body.
func (*newAudits) Schema(registry huma.Registry) *huma.Schema {
	least, most := 1, portal.MaxAudits
	one := registry.Schema(reflect.TypeFor[newAudit](), true, "")
	return &huma.Schema{OneOf: []*huma.Schema{one, {Type: huma.TypeArray, Items: one, MinItems: &least, MaxItems: &most}}}
}

func (n *newAudits) decode(data []byte) error {
	if !beginsArray(data) {
		n.events = make([]newAudit, 1)
		return n.events[0].decode(data)
	}
	elements := elements(data)
	if len(elements) > portal.MaxAudits {
		return fmt.Errorf("must not have more than %d events", portal.MaxAudits)
	}
	n.events = make([]newAudit, len(elements))
	for i, element := range elements {
		if err := n.events[i].decode(element); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

type (
	createAudits  struct{ Body newAudits }
	createdAudits struct {
		Body struct {
			Created int `json:"created" doc:"How many events were added."`
		}
	}
	manyAudits struct{ Body *auditPage }
)

type listAudits struct {
	filter portal.AuditFilter
	page   portal.PageRequest
}

// Resolve reads the parameters.
func (l *listAudits) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	l.filter = q.auditFilter()
	l.page = q.page()
	return q.errs
}

func (q *query) auditFilter() portal.AuditFilter {
	return portal.AuditFilter{
		Kind:      q.text("kind"),
		Action:    q.text("action"),
		ActorCPF:  q.text("actor_cpf"),
		SID:       q.text("sid"),
		UserID:    q.text("user_id"),
		SessionID: q.text("session_id"),
		Object:    q.text("object"),
		Q:         q.text("q"),
		Since:     q.time("since"),
		Until:     q.time("until"),
	}
}

// auditFilterParams document what auditFilter reads.
var auditFilterParams = []*huma.Param{
	textParam("kind", "The automation."),
	textParam("action", "What was done."),
	textParam("actor_cpf", "Who did it."),
	textParam("sid", "The submission's id, as meta has it under sid, or under the first of submissionId, submission_id and target_id that is there."),
	textParam("user_id", "What meta has under user_id."),
	textParam("session_id", "What meta has under session_id."),
	textParam("object", "What meta has under sid, user_id or session_id, or under the first of submissionId, submission_id, target_id, "+
		"task_id and alert_id that is there."),
	textParam("q", "Part of actor_nome, kind, action or meta, whatever the case. No index helps: give kind, since or until too."),
	sinceParam, untilParam,
}

type namePage struct {
	Items      []string `json:"items"`
	NextCursor string   `json:"next_cursor" nullable:"true" doc:"Where the next page begins; null on the last one."`
}

func (p *namePage) appendJSON(b []byte) []byte {
	return appendPage(b, p.Items, func(b []byte, name *string) []byte { return appendString(b, *name) }, p.NextCursor, nil)
}

type manyNames struct{ Body *namePage }

type listAuditKinds struct{ page portal.PageRequest }

// Resolve reads the parameters.
func (l *listAuditKinds) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	l.page = q.page()
	return q.errs
}

type listAuditActions struct {
	filter portal.AuditActionFilter
	page   portal.PageRequest
}

// Resolve reads the parameters.
func (l *listAuditActions) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	l.filter = portal.AuditActionFilter{Kind: q.text("kind")}
	l.page = q.page()
	return q.errs
}

type listSubmissionAudits struct {
	ID   string `path:"id"`
	page portal.PageRequest
}

// Resolve reads the parameters.
func (l *listSubmissionAudits) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	l.page = q.page()
	return q.errs
}

func (a *API) addAudits() {
	tags := []string{"audits"}
	register(a, huma.Operation{
		OperationID: "create-audits",
		Method:      http.MethodPost,
		Path:        "/v1/audits",
		Summary:     "Add audit events, all or none",
		Description: "One event, or an array of up to 10,000 in at most 10 MiB. They get ids in the order given and the time of the database. " +
			"What is wrong with an array names the event by its place, which begins with 0.",
		Tags:          tags,
		DefaultStatus: http.StatusCreated,
	}, portal.RoleWriter, a.createAudits)
	register(a, huma.Operation{
		OperationID: "list-audits",
		Method:      http.MethodGet,
		Path:        "/v1/audits",
		Summary:     "List audit events, the newest first",
		Tags:        tags,
		Parameters:  slices.Concat(auditFilterParams, pageParams),
	}, portal.RoleReader, a.listAudits)
	register(a, huma.Operation{
		OperationID: "list-audit-kinds",
		Method:      http.MethodGet,
		Path:        "/v1/audits/kinds",
		Summary:     "List the kinds of the audit events, in order",
		Tags:        tags,
		Parameters:  namesParams,
	}, portal.RoleReader, a.listAuditKinds)
	register(a, huma.Operation{
		OperationID: "list-audit-actions",
		Method:      http.MethodGet,
		Path:        "/v1/audits/actions",
		Summary:     "List the actions of the audit events, in order",
		Tags:        tags,
		Parameters:  slices.Concat([]*huma.Param{textParam("kind", "Of the events of this kind only.")}, namesParams),
	}, portal.RoleReader, a.listAuditActions)
	register(a, huma.Operation{
		OperationID: "list-submission-audits",
		Method:      http.MethodGet,
		Path:        "/v1/submissions/{id}/audits",
		Summary:     "List the audit events of a submission, the newest first",
		Tags:        tags,
		Parameters:  slices.Clone(pageParams),
	}, portal.RoleReader, a.listSubmissionAudits)
}

func (a *API) createAudits(ctx context.Context, in *createAudits) (*createdAudits, error) {
	events := make([]portal.NewAudit, len(in.Body.events))
	for i, event := range in.Body.events {
		events[i] = portal.NewAudit(event)
	}
	if err := a.service.CreateAudits(ctx, events); err != nil {
		return nil, err
	}
	answer := &createdAudits{}
	answer.Body.Created = len(events)
	return answer, nil
}

func (a *API) listAudits(ctx context.Context, in *listAudits) (*manyAudits, error) {
	return newAuditPage(a.service.ListAudits(ctx, in.filter, in.page))
}

func (a *API) listSubmissionAudits(ctx context.Context, in *listSubmissionAudits) (*manyAudits, error) {
	return newAuditPage(a.service.ListSubmissionAudits(ctx, in.ID, in.page))
}

func (a *API) listAuditKinds(ctx context.Context, in *listAuditKinds) (*manyNames, error) {
	return newNamePage(a.service.ListAuditKinds(ctx, in.page))
}

func (a *API) listAuditActions(ctx context.Context, in *listAuditActions) (*manyNames, error) {
	return newNamePage(a.service.ListAuditActions(ctx, in.filter, in.page))
}

func newNamePage(page portal.Page[string], err error) (*manyNames, error) {
	if err != nil {
		return nil, err
	}
	return &manyNames{&namePage{Items: page.Items, NextCursor: page.NextCursor}}, nil
}

func newAuditPage(page portal.Page[portal.Audit], err error) (*manyAudits, error) {
	if err != nil {
		return nil, err
	}
	answer := &auditPage{Items: make([]audit, len(page.Items)), NextCursor: page.NextCursor, Total: page.Total}
	for i, item := range page.Items {
		answer.Items[i] = audit(item)
	}
	return &manyAudits{answer}, nil
}
