package httpapi

import (
	"context"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// claim is the body that asks for work.
type claim struct {
	Kinds        []string `json:"kinds" minItems:"1" maxItems:"100" doc:"The automations that the worker can run."`
	Worker       string   `json:"worker" minLength:"1" maxLength:"200" doc:"Who asks: a name that no other worker has."`
	Limit        *int     `json:"limit,omitempty" minimum:"1" maximum:"100" default:"1" doc:"How many submissions at most."`
	LeaseSeconds *int     `json:"lease_seconds,omitempty" minimum:"1" maximum:"86400" default:"60" doc:"How long they are the worker's."`
}

func (c *claim) decode(data []byte) error {
	return decodeObject(data, func(name string) any {
		switch name {
		case "kinds":
			return &c.Kinds
		case "worker":
			return &c.Worker
		case "limit":
			return &c.Limit
		case "lease_seconds":
			return &c.LeaseSeconds
		}
		return nil
	})
}

// claimed is a portal.Claimed on the wire.
type claimed struct {
	submission
	LeaseUntil time.Time `json:"lease_until" doc:"When another worker may claim it, unless a heartbeat comes before."`
	Attempts   int       `json:"attempts" doc:"How often it was claimed, this time included."`
}

type heartbeat struct {
	Worker       string `json:"worker" minLength:"1" maxLength:"200" doc:"Who has claimed the submission."`
	LeaseSeconds *int   `json:"lease_seconds,omitempty" minimum:"1" maximum:"86400" default:"60" doc:"How long it stays the worker's, from now on."`
}

func (h *heartbeat) decode(data []byte) error {
	return decodeObject(data, func(name string) any {
		switch name {
		case "worker":
			return &h.Worker
		case "lease_seconds":
			return &h.LeaseSeconds
		}
		return nil
	})
}

// lease is a portal.Lease on the wire.
type lease struct {
	SubmissionID string    `json:"submission_id"`
	Worker       string    `json:"worker"`
	LeaseUntil   time.Time `json:"lease_until"`
	Attempts     int       `json:"attempts"`
}

type (
	claimSubmissions   struct{ Body claim }
	claimedSubmissions struct {
		Body struct {
			Items []claimed `json:"items"`
		}
	}
	extendLease struct {
		ID   string `path:"id"`
		Body heartbeat
	}
	extendedLease struct{ Body lease }
)

// Schema is that of a submission and of what claiming adds: huma leaves out what is embedded.
func (claimed) Schema(registry huma.Registry) *huma.Schema {
	whole := *registry.Schema(reflect.TypeFor[submission](), false, "")
	whole.Properties = maps.Clone(whole.Properties)
	whole.Properties["lease_until"] = &huma.Schema{Type: huma.TypeString, Format: "date-time", Description: "When another worker may claim it, unless a heartbeat comes before."}
	whole.Properties["attempts"] = &huma.Schema{Type: huma.TypeInteger, Description: "How often it was claimed, this time included."}
	whole.Required = slices.Concat(whole.Required, []string{"lease_until", "attempts"})
	return &whole
}

func (a *API) addQueue() {
	tags := []string{"queue"}
	register(a, huma.Operation{
		OperationID: "claim-submissions",
		Method:      http.MethodPost,
		Path:        "/v1/submissions/claim",
		Summary:     "Take the oldest submissions that were created with queue and that nobody works on",
		Description: "They are running from then on. A worker that does not end a submission, and sends no heartbeat, loses it to another one when its lease ends. Submissions of the legacy code are never given out.",
		Tags:        tags,
	}, portal.RoleWriter, a.claimSubmissions)
	register(a, huma.Operation{
		OperationID: "extend-lease",
		Method:      http.MethodPost,
		Path:        "/v1/submissions/{id}/heartbeat",
		Summary:     "Keep a submission that the worker has claimed",
		Description: "409 means that the worker has lost it, and should stop.",
		Tags:        tags,
		Errors:      []int{http.StatusConflict},
	}, portal.RoleWriter, a.extendLease)
}

func (a *API) claimSubmissions(ctx context.Context, in *claimSubmissions) (*claimedSubmissions, error) {
	request := portal.Claim{Kinds: in.Body.Kinds, Worker: in.Body.Worker, Lease: seconds(in.Body.LeaseSeconds)}
	if in.Body.Limit != nil {
		if request.Limit = *in.Body.Limit; request.Limit == 0 {
			request.Limit = -1 // given, and so not the default
		}
	}
	items, err := a.service.ClaimSubmissions(ctx, exchangeOf(ctx).token, request)
	if err != nil {
		return nil, err
	}
	answer := &claimedSubmissions{}
	answer.Body.Items = make([]claimed, len(items))
	for i, item := range items {
		answer.Body.Items[i] = claimed{submission(item.Submission), item.LeaseUntil.UTC(), item.Attempts}
	}
	return answer, nil
}

func (a *API) extendLease(ctx context.Context, in *extendLease) (*extendedLease, error) {
	extended, err := a.service.ExtendLease(ctx, in.ID, in.Body.Worker, seconds(in.Body.LeaseSeconds))
	if err != nil {
		return nil, err
	}
	return &extendedLease{lease(extended)}, nil
}

// seconds is a duration that is given in seconds: 0 if it is left out, a negative one if it is out of range.
func seconds(given *int) time.Duration {
	switch {
	case given == nil:
		return 0
	case *given < 1 || *given > int(portal.MaxLease.Seconds()):
		return -1
	}
	return time.Duration(*given) * time.Second
}
