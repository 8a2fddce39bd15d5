package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// statuses gives the HTTP status of each code. A request that is wrong in whatever way is a 400.
var statuses = map[portal.Code]int{
	portal.CodeConflict:           http.StatusConflict,
	portal.CodeForbidden:          http.StatusForbidden,
	portal.CodeGone:               http.StatusGone,
	portal.CodeInternal:           http.StatusInternalServerError,
	portal.CodeInvalid:            http.StatusBadRequest,
	portal.CodeNotFound:           http.StatusNotFound,
	portal.CodePreconditionFailed: http.StatusPreconditionFailed,
	portal.CodeTooLarge:           http.StatusRequestEntityTooLarge,
	portal.CodeTooMany:            http.StatusTooManyRequests,
	portal.CodeUnauthenticated:    http.StatusUnauthorized,
	portal.CodeUnavailable:        http.StatusServiceUnavailable,
	portal.CodeUnsupported:        http.StatusUnsupportedMediaType,
}

// problem is a problem document of RFC 9457. It never holds a value that was sent.
type problem struct {
	Title     string         `json:"title" doc:"What the status means."`
	Status    int            `json:"status" doc:"The HTTP status."`
	Code      portal.Code    `json:"code" enum:"conflict,forbidden,gone,internal,invalid,not_found,precondition_failed,too_large,too_many,unauthenticated,unavailable,unsupported" doc:"What went wrong, for programs: the codes never change their meaning."`
	Detail    string         `json:"detail" doc:"What went wrong, for people."`
	RequestID string         `json:"request_id" doc:"The same as X-Request-Id, and as in the log of the service."`
	Errors    []problemField `json:"errors,omitempty" doc:"What is wrong with which part of the request."`
}

type problemField struct {
	Location string `json:"location" doc:"Which part, like query.limit or body.kind."`
	Message  string `json:"message" doc:"What is wrong with it."`
}

// Error, GetStatus and ContentType are what huma asks of an error.
func (p *problem) Error() string { return p.Detail }

func (p *problem) GetStatus() int { return p.Status }

func (p *problem) ContentType(string) string { return "application/problem+json" }

func init() {
	// The way that huma provides to replace its own error documents, which echo what was sent.
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		return newProblem(exchangeOf(ctx.Context()), status, message, errs)
	}
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return newProblem(&exchange{}, status, message, errs)
	}
}

// newProblem returns the document for a failure: for the first portal.Error among errs, or else for what huma found
// wrong with a request. A failure of the service is kept for the log.
func newProblem(x *exchange, status int, message string, errs []error) *problem {
	for _, err := range errs {
		if _, ok := errors.AsType[*portal.Error](err); ok || status == http.StatusInternalServerError {
			return failure(x, err)
		}
	}
	switch status {
	case http.StatusUnprocessableEntity:
		return invalid(x, errs)
	case http.StatusRequestEntityTooLarge:
		return document(x, status, portal.CodeTooLarge, tooLarge)
	case http.StatusRequestTimeout:
		return document(x, status, portal.CodeUnavailable, "the body did not arrive in time")
	case http.StatusBadRequest:
		return document(x, status, portal.CodeInvalid, message)
	}
	return failure(x, errors.New(message))
}

// failure is the document for an error of package portal, or for any other, of which it tells nothing.
func failure(x *exchange, err error) *problem {
	code := portal.ErrorCode(err)
	status := statuses[code]
	if status >= http.StatusInternalServerError {
		x.err = err
	}
	return document(x, status, code, portal.ErrorMessage(err))
}

// invalid is the document for what is wrong with the parts of a request.
func invalid(x *exchange, errs []error) *problem {
	p := document(x, http.StatusBadRequest, portal.CodeInvalid, "")
	for _, err := range errs {
		if detail, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			p.Errors = append(p.Errors, problemField{detail.Location, detail.Message})
		}
	}
	slices.SortFunc(p.Errors, func(a, b problemField) int { return strings.Compare(a.Location, b.Location) })
	var details []string
	for _, e := range p.Errors {
		details = append(details, e.Location+" "+e.Message)
	}
	p.Detail = strings.Join(details, "; ")
	return p
}

func document(x *exchange, status int, code portal.Code, detail string) *problem {
	return &problem{
		Title:     http.StatusText(status),
		Status:    status,
		Code:      code,
		Detail:    detail,
		RequestID: x.id,
	}
}

// write sends the document outside of huma.
func (p *problem) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = marshal(w, p) // it consists of text and a number
}
