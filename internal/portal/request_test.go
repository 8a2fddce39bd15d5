package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/uuid"

	"portaldb/internal/pgtest"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

// TestWithRequestID_Round_trips counts on the wire what operations ask of the database, without the id of a request and
// with it, which must cost nothing more.
func TestWithRequestID_Round_trips(t *testing.T) {
	t.Parallel()
	wire := pgtest.NewWire(t, pgtest.New(t))
	db, err := postgres.Open(t.Context(), postgres.Config{URL: wire.URL + "&pool_max_conns=1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	service := portal.New(db.Primary(), db.Reads())
	made, _, err := service.CreateSubmission(t.Context(), "test", portal.NewSubmission{Kind: "dfd", Version: "1", Payload: json.RawMessage("{}")})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	create := func(ctx context.Context, s portal.NewSubmission) error {
		n++
		s.Kind, s.Version, s.Payload = "dfd", "1", json.RawMessage(fmt.Sprintf(`{"numero": %d}`, n))
		_, _, err := service.CreateSubmission(ctx, "test", s)
		return err
	}
	update := func(ctx context.Context, u portal.SubmissionUpdate) error {
		n++
		u.Result = json.RawMessage(fmt.Sprintf("[%d]", n))
		_, err := service.UpdateSubmission(ctx, "test", made.ID, u)
		return err
	}
	list := func(ctx context.Context, filter portal.SubmissionFilter, page portal.PageRequest) error {
		_, err := service.ListSubmissions(ctx, filter, page)
		return err
	}
	audits := make([]portal.NewAudit, 1000)
	for i := range audits {
		audits[i] = portal.NewAudit{Kind: "dfd", Action: "x", Meta: json.RawMessage(`{"sid": "s"}`)}
	}
	for name, test := range map[string]struct {
		run  func(context.Context) error
		want int
	}{
		"get":  {func(ctx context.Context) error { _, err := service.GetSubmission(ctx, made.ID); return err }, 1},
		"list": {func(ctx context.Context) error { return list(ctx, portal.SubmissionFilter{}, portal.PageRequest{}) }, 1},
		"list by kind and actor": {func(ctx context.Context) error {
			return list(ctx, portal.SubmissionFilter{Kind: ptr("dfd"), ActorCPF: ptr("")}, portal.PageRequest{})
		}, 1},
		"list and count": {func(ctx context.Context) error {
			return list(ctx, portal.SubmissionFilter{}, portal.PageRequest{Count: portal.CountExact})
		}, 2},
		"create":            {func(ctx context.Context) error { return create(ctx, portal.NewSubmission{}) }, 1},
		"create with an id": {func(ctx context.Context) error { return create(ctx, portal.NewSubmission{ID: uuid.NewString()}) }, 1},
		"create unique": {func(ctx context.Context) error {
			return create(ctx, portal.NewSubmission{UniquePayload: []string{"numero"}})
		}, 1},
		"patch": {func(ctx context.Context) error { return update(ctx, portal.SubmissionUpdate{}) }, 1},
		"patch what was read": {func(ctx context.Context) error {
			return update(ctx, portal.SubmissionUpdate{If: func(portal.Submission) bool { return true }})
		}, 2},
		"an audit":     {func(ctx context.Context) error { return service.CreateAudits(ctx, audits[:1]) }, 1},
		"1,000 audits": {func(ctx context.Context) error { return service.CreateAudits(ctx, audits) }, 1},
	} {
		count := func(ctx context.Context) int {
			return wire.Count(func() {
				if err := test.run(ctx); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			})
		}
		named := portal.WithRequestID(t.Context(), "request-1")
		count(t.Context()) // prepares
		count(named)
		if without, with := count(t.Context()), count(named); without != test.want || with != test.want {
			t.Errorf("%s: %d round trips without an id, %d with one, want %d", name, without, with, test.want)
		}
	}
}
