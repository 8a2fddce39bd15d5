package portal_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"portaldb/internal/portal"
)

func TestService_CreateSubmission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created, _, err := b.service.CreateSubmission(t.Context(), "bff", portal.NewSubmission{
		ID:         "3F2504E0-4F89-41D3-9A0C-0305E82C3301",
		Kind:       "dfd",
		Version:    "1.2",
		ActorCPF:   ptr(""),
		ActorNome:  ptr("Servidor"),
		ActorEmail: nil,
		Payload:    json.RawMessage(`{"n": 1.00, "big": 1e400, "n": 2.50}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := portal.Submission{
		ID:        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
		Kind:      "dfd",
		Version:   "1.2",
		ActorCPF:  ptr(""),
		ActorNome: ptr("Servidor"),
		Payload:   json.RawMessage(`{"n": 2.50, "big": 1` + strings.Repeat("0", 400) + `}`),
		Status:    "queued",
	}
	times := cmpopts.IgnoreFields(portal.Submission{}, "CreatedAt", "UpdatedAt")
	if diff := cmp.Diff(want, created, times); diff != "" {
		t.Error(diff)
	}
	got, err := b.service.GetSubmission(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(created, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{` Servidor dfd submitted {"token": "bff", "status": "queued"}`}, b.trail(t, want.ID)); diff != "" {
		t.Error(diff)
	}

	done, _, err := b.service.CreateSubmission(t.Context(), "bff", portal.NewSubmission{Kind: "support", Version: "1", Payload: json.RawMessage("{}"), Status: "done", Result: json.RawMessage(" null ")})
	if err != nil {
		t.Fatal(err)
	}
	if done.Status != "done" || done.Result != nil || len(done.ID) != 36 {
		t.Errorf("%+v", done)
	}
}

func TestService_CreateSubmission_Refuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	valid := portal.NewSubmission{ID: "3f2504e0-4f89-41d3-9a0c-0305e82c3301", Kind: "dfd", Version: "1", Payload: json.RawMessage("{}")}
	if _, _, err := b.service.CreateSubmission(t.Context(), "test", valid); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		edit func(*portal.NewSubmission)
		code portal.Code
	}{
		{"id that another request has taken", func(n *portal.NewSubmission) { n.Version = "2" }, portal.CodeConflict},
		{"id that is no UUID", func(n *portal.NewSubmission) { n.ID = "1" }, portal.CodeInvalid},
		{"UUID in braces", func(n *portal.NewSubmission) { n.ID = "{" + n.ID + "}" }, portal.CodeInvalid},
		{"no kind", func(n *portal.NewSubmission) { n.Kind = "" }, portal.CodeInvalid},
		{"no version", func(n *portal.NewSubmission) { n.Version = "" }, portal.CodeInvalid},
		{"no payload", func(n *portal.NewSubmission) { n.Payload = nil }, portal.CodeInvalid},
		{"payload that is no object", func(n *portal.NewSubmission) { n.Payload = json.RawMessage("[]") }, portal.CodeInvalid},
		{"payload that is no JSON", func(n *portal.NewSubmission) { n.ID, n.Payload = "", json.RawMessage("{") }, portal.CodeInvalid},
		{"running", func(n *portal.NewSubmission) { n.Status = "running" }, portal.CodeInvalid},
		{"queued with a result", func(n *portal.NewSubmission) { n.Result = json.RawMessage("{}") }, portal.CodeInvalid},
		{"queue for what is done", func(n *portal.NewSubmission) { n.Status, n.Queue = "done", true }, portal.CodeInvalid},
		{"unique field that is not there", func(n *portal.NewSubmission) { n.UniquePayload = []string{"numero"} }, portal.CodeInvalid},
		{"unique field that is null", func(n *portal.NewSubmission) {
			n.Payload, n.UniquePayload = json.RawMessage(`{"numero": null}`), []string{"numero"}
		}, portal.CodeInvalid},
		{"unique field that is an object", func(n *portal.NewSubmission) {
			n.Payload, n.UniquePayload = json.RawMessage(`{"numero": {}}`), []string{"numero"}
		}, portal.CodeInvalid},
		{"unique field named twice", func(n *portal.NewSubmission) {
			n.Payload, n.UniquePayload = json.RawMessage(`{"numero": 1}`), []string{"numero", "numero"}
		}, portal.CodeInvalid},
		{"unique field without a name", func(n *portal.NewSubmission) {
			n.Payload, n.UniquePayload = json.RawMessage(`{"": 1}`), []string{""}
		}, portal.CodeInvalid},
		{"many unique fields", func(n *portal.NewSubmission) { n.UniquePayload = strings.Split("abcdefghijk", "") }, portal.CodeInvalid},
		{"result that is text", func(n *portal.NewSubmission) { n.Status, n.Result = "done", json.RawMessage(`"x"`) }, portal.CodeInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := valid
			test.edit(&n)
			_, _, err := b.service.CreateSubmission(t.Context(), "test", n)
			wantCode(t, err, test.code)
		})
	}
	if n := value[int](t, b, "SELECT (SELECT count(*) FROM submissions) * 10 + (SELECT count(*) FROM automation_audits)"); n != 11 {
		t.Errorf("%d: a submission or an audit event was kept that was refused", n)
	}
}

// TestService_UpdateSubmission tries every way from one status to another.
func TestService_UpdateSubmission(t *testing.T) {
	t.Parallel()
	b := setup(t)
	allowed := map[string]string{
		"queued running":  "running",
		"queued done":     "completed",
		"queued error":    "failed",
		"running done":    "completed",
		"running error":   "failed",
		"done error":      "failed",
		"queued queued":   "updated",
		"running running": "updated",
		"done done":       "updated",
		"error error":     "updated",
	}
	for _, from := range portal.Statuses {
		for _, to := range portal.Statuses {
			for _, alone := range []bool{true, false} {
				t.Run(fmt.Sprint(from, " to ", to, " alone ", alone), func(t *testing.T) {
					id := b.create(t).ID
					b.exec(t, "UPDATE submissions SET status = $2 WHERE id = $1", id, from)
					update := portal.SubmissionUpdate{Status: &to}
					if !alone {
						update.Result = json.RawMessage(`{"ok": true}`)
					}
					updated, err := b.service.UpdateSubmission(t.Context(), "bff", id, update)
					action, ok := allowed[from+" "+to]
					if !ok || alone && action == "updated" {
						wantCode(t, err, portal.CodeConflict)
						if got := b.trail(t, id); len(got) != 1 {
							t.Errorf("audit events: %q", got)
						}
						return
					}
					if err != nil {
						t.Fatal(err)
					}
					if updated.Status != to || alone != (updated.Result == nil) || !updated.UpdatedAt.After(updated.CreatedAt) {
						t.Errorf("%+v", updated)
					}
					want := fmt.Sprintf(`dfd %s {"token": "bff", "status": "%s"}`, action, to)
					if got := b.trail(t, id); len(got) != 2 || got[1] != want {
						t.Errorf("audit events: %q, want %s", got, want)
					}
				})
			}
		}
	}
}

func TestService_UpdateSubmission_Fields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create(t).ID
	for _, step := range []struct {
		update portal.SubmissionUpdate
		result string
		error  *string
	}{
		{portal.SubmissionUpdate{Result: json.RawMessage(`{"a": 1}`)}, `{"a": 1}`, nil},
		{portal.SubmissionUpdate{Error: ptr(ptr(""))}, `{"a": 1}`, ptr("")},
		{portal.SubmissionUpdate{Status: ptr("running")}, `{"a": 1}`, ptr("")},
		{portal.SubmissionUpdate{Error: ptr((*string)(nil)), Result: json.RawMessage(`[1]`)}, `[1]`, nil},
		{portal.SubmissionUpdate{Result: json.RawMessage("null"), Status: ptr("error"), Error: ptr(ptr("timeout"))}, "", ptr("timeout")},
	} {
		updated, err := b.service.UpdateSubmission(t.Context(), "bff", id, step.update)
		if err != nil {
			t.Fatal(err)
		}
		if string(updated.Result) != step.result || cmp.Diff(step.error, updated.Error) != "" {
			t.Errorf("result %s, error %v; want %s, %v", updated.Result, updated.Error, step.result, step.error)
		}
	}

	_, err := b.service.UpdateSubmission(t.Context(), "bff", id, portal.SubmissionUpdate{})
	wantCode(t, err, portal.CodeInvalid)
	_, err = b.service.UpdateSubmission(t.Context(), "bff", id, portal.SubmissionUpdate{Status: ptr("gone")})
	wantCode(t, err, portal.CodeInvalid)
	_, err = b.service.UpdateSubmission(t.Context(), "bff", id, portal.SubmissionUpdate{Result: json.RawMessage("1")})
	wantCode(t, err, portal.CodeInvalid)
	_, err = b.service.UpdateSubmission(t.Context(), "bff", "nowhere", portal.SubmissionUpdate{Status: ptr("done")})
	wantCode(t, err, portal.CodeNotFound)
	_, err = b.service.UpdateSubmission(t.Context(), "bff", "nowhere", portal.SubmissionUpdate{Result: json.RawMessage("{}")})
	wantCode(t, err, portal.CodeNotFound)
}

// TestService_UpdateSubmission_Race lets many take the same submission: one gets it, and one audit event says so.
func TestService_UpdateSubmission_Race(t *testing.T) {
	t.Parallel()
	b := setup(t, "pool_max_conns=8")
	for range 20 {
		id := b.create(t).ID
		const callers = 8
		errs := make([]error, callers)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() {
				to := []string{"running", "error"}[i%2]
				_, errs[i] = b.service.UpdateSubmission(t.Context(), "bff", id, portal.SubmissionUpdate{Status: &to})
			})
		}
		wg.Wait()
		changes := 0
		for _, err := range errs {
			if err == nil {
				changes++
			} else {
				wantCode(t, err, portal.CodeConflict)
			}
		}
		trail := b.trail(t, id)
		// To error directly, or to running and from there to error.
		if changes != len(trail)-1 || changes < 1 || changes > 2 || !strings.Contains(trail[changes], "failed") {
			t.Errorf("%d changes; audit events: %q", changes, trail)
		}
	}
}

// TestService_Atomic makes the audit event fail: then nothing is changed either.
func TestService_Atomic(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create(t).ID
	b.exec(t, `ALTER TABLE automation_audits ADD CONSTRAINT automation_audits_action_check CHECK (action = 'x') NOT VALID`)
	_, _, err := b.service.CreateSubmission(t.Context(), "test", portal.NewSubmission{Kind: "dfd", Version: "1", Payload: json.RawMessage("{}")})
	wantCode(t, err, portal.CodeInvalid)
	_, err = b.service.UpdateSubmission(t.Context(), "test", id, portal.SubmissionUpdate{Status: ptr("done")})
	wantCode(t, err, portal.CodeInvalid)
	if got := value[string](t, b, "SELECT string_agg(status, ' ') FROM submissions"); got != "queued" {
		t.Errorf("submissions: %s", got)
	}
}

func TestService_ListSubmissions_Filters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `
		INSERT INTO submissions (id, kind, version, actor_cpf, actor_nome, actor_email, payload, status, error, created_at) VALUES
		('a', 'dfd', '1', '', 'Ana', 'a@example.org', '{"numero": "1/2026", "assunto": "100% de TI"}', 'queued', NULL, '2026-01-01T00:00:00Z'),
		('b', 'dfd', '1', NULL, 'Bia', 'B@example.org', '{"numero": "2/2026"}', 'running', NULL, '2026-01-02T00:00:00Z'),
		('c', 'etp', '1', 'anonymous', NULL, NULL, '[1]', 'done', NULL, '2026-01-03T00:00:00Z'),
		('d', '', '1', NULL, 'Dir a_b\c', NULL, '"text"', 'error', 'timeout', '2026-01-04T00:00:00Z')`)
	created := func(id string) *portal.Submission {
		s, err := b.service.GetSubmission(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return &s
	}
	for _, test := range []struct {
		filter portal.SubmissionFilter
		want   string
	}{
		{portal.SubmissionFilter{}, "dcba"},
		{portal.SubmissionFilter{Kind: ptr("dfd")}, "ba"},
		{portal.SubmissionFilter{Kind: ptr("")}, "d"},
		{portal.SubmissionFilter{Statuses: []string{"running", "error", "running"}}, "db"},
		{portal.SubmissionFilter{Statuses: []string{"error", "running", "queued", "done"}}, "dcba"},
		{portal.SubmissionFilter{Statuses: []string{"done", "queued"}, Kind: ptr("dfd")}, "a"},
		{portal.SubmissionFilter{ActorCPF: ptr("")}, "a"},
		{portal.SubmissionFilter{ActorCPF: ptr("anonymous")}, "c"},
		{portal.SubmissionFilter{ActorEmail: ptr("B@example.org")}, "b"},
		{portal.SubmissionFilter{ActorEmail: ptr("b@example.org")}, ""},
		{portal.SubmissionFilter{Since: &created("b").CreatedAt}, "dcb"},
		{portal.SubmissionFilter{Until: &created("b").CreatedAt}, "a"},
		{portal.SubmissionFilter{Since: &created("b").CreatedAt, Until: &created("d").CreatedAt, Statuses: []string{"done", "error"}}, "c"},
		{portal.SubmissionFilter{Payload: json.RawMessage(`{"numero": "2/2026"}`)}, "b"},
		{portal.SubmissionFilter{Payload: json.RawMessage(`[1]`)}, "c"},
		{portal.SubmissionFilter{Q: ptr("BIA")}, "b"},
		{portal.SubmissionFilter{Q: ptr("TIMEout")}, "d"},
		{portal.SubmissionFilter{Q: ptr("100%")}, "a"},
		{portal.SubmissionFilter{Q: ptr("%")}, "a"},
		{portal.SubmissionFilter{Q: ptr("_")}, "d"},
		{portal.SubmissionFilter{Q: ptr(`b\c`)}, "d"},
		{portal.SubmissionFilter{Q: ptr("2026"), Statuses: []string{"queued"}}, "a"},
	} {
		page, err := b.service.ListSubmissions(t.Context(), test.filter, portal.PageRequest{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, item := range page.Items {
			got += item.ID
		}
		if got != test.want || page.NextCursor != "" {
			t.Errorf("%+v: %s, cursor %q, want %s", test.filter, got, page.NextCursor, test.want)
		}
	}
	for _, filter := range []portal.SubmissionFilter{
		{Statuses: []string{"gone"}},
		{Q: ptr("")},
		{Q: ptr(strings.Repeat("x", 201))},
		{Payload: json.RawMessage("{")},
		{Kind: ptr("a\x00b")},
	} {
		_, err := b.service.ListSubmissions(t.Context(), filter, portal.PageRequest{})
		wantCode(t, err, portal.CodeInvalid)
	}
}

// TestService_ExecModes runs every statement as a pooler without prepared statements needs it.
func TestService_ExecModes(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"exec", "cache_describe"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			b := setup(t, "default_query_exec_mode="+mode)
			id := b.create(t).ID
			_, update := b.service.UpdateSubmission(t.Context(), "test", id, portal.SubmissionUpdate{Status: ptr("done"), Result: json.RawMessage("{}")})
			page, list := b.service.ListSubmissions(t.Context(), portal.SubmissionFilter{Statuses: []string{"done"}, Payload: json.RawMessage("{}")}, portal.PageRequest{})
			audit := b.service.CreateAudits(t.Context(), []portal.NewAudit{{Kind: "dfd", Action: "x"}})
			audits, listAudits := b.service.ListSubmissionAudits(t.Context(), id, portal.PageRequest{})
			stats, count := b.service.Stats(t.Context(), portal.StatsRequest{})
			_, secret, create := b.service.CreateToken(t.Context(), "t", portal.RoleAdmin, nil)
			_, authenticate := b.service.Authenticate(t.Context(), secret)
			if err := errors.Join(update, list, audit, listAudits, count, create, authenticate); err != nil {
				t.Fatal(err)
			}
			if len(page.Items) != 1 || len(audits.Items) != 2 || stats.Total != 1 {
				t.Errorf("%d submissions, %d audit events, %d counted", len(page.Items), len(audits.Items), stats.Total)
			}
		})
	}
}
