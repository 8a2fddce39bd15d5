package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// readyTimeout is how long GET /readyz waits for the answer.
const readyTimeout = 2 * time.Second

type health struct {
	Body struct {
		Status string `json:"status" enum:"ok,ready"`
	}
}

func (a *API) addHealth() {
	register(a, huma.Operation{
		OperationID: "healthz",
		Method:      http.MethodGet,
		Path:        "/healthz",
		Summary:     "Whether the process answers",
		Tags:        []string{"health"},
	}, "", func(context.Context, *struct{}) (*health, error) {
		answer := &health{}
		answer.Body.Status = "ok"
		return answer, nil
	})

	register(a, huma.Operation{
		OperationID: "readyz",
		Method:      http.MethodGet,
		Path:        "/readyz",
		Summary:     "Whether the service can do its work",
		Tags:        []string{"health"},
		Errors:      []int{http.StatusServiceUnavailable},
	}, "", func(ctx context.Context, _ *struct{}) (*health, error) {
		if a.draining.Load() {
			return nil, &portal.Error{Code: portal.CodeUnavailable, Message: "the service is shutting down"}
		}
		ctx, cancel := context.WithTimeout(ctx, readyTimeout)
		defer cancel()
		if err := a.ready(ctx); err != nil {
			message := "the service is not ready"
			if portal.ErrorCode(err) != portal.CodeInternal {
				message = portal.ErrorMessage(err)
			}
			return nil, &portal.Error{Code: portal.CodeUnavailable, Message: message, Err: err}
		}
		answer := &health{}
		answer.Body.Status = "ready"
		return answer, nil
	})
}
