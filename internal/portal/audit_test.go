package portal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"portaldb/internal/portal"
)

func TestService_CreateAudits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.service.CreateAudits(t.Context(), []portal.NewAudit{
		{Kind: "dfd", Action: "first", ActorCPF: ptr(""), Meta: json.RawMessage(`{"sid": "s", "n": 1.50}`)},
		{Kind: "dfd", Action: "second", ActorNome: ptr("Ana"), Meta: json.RawMessage("null")},
		{Kind: "dfd", Action: "third"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := value[string](t, b, "SELECT json_agg(json_build_array(actor_cpf, actor_nome, kind, action, meta::text) ORDER BY id)::text FROM automation_audits")
	want := `[["", null, "dfd", "first", "{\"n\": 1.50, \"sid\": \"s\"}"], [null, "Ana", "dfd", "second", null], [null, null, "dfd", "third", null]]`
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}

	good := portal.NewAudit{Kind: "dfd", Action: "good"}
	for name, events := range map[string][]portal.NewAudit{
		"none":      {},
		"too many":  make([]portal.NewAudit, portal.MaxAudits+1),
		"no kind":   {good, {Action: "a"}},
		"no action": {good, {Kind: "dfd"}},
		"meta":      {good, {Kind: "dfd", Action: "a", Meta: json.RawMessage("[]")}},
		"U+0000":    {good, {Kind: "dfd", Action: "a", Meta: json.RawMessage(`{"a": "\u0000"}`)}},
		"not JSON":  {good, {Kind: "dfd", Action: "a", Meta: json.RawMessage(`{"a"`)}},
		"not UTF-8": {good, {Kind: "dfd", Action: "a\x00"}},
	} {
		t.Run(name, func(t *testing.T) {
			wantCode(t, b.service.CreateAudits(t.Context(), events), portal.CodeInvalid)
		})
	}
	if n := value[int](t, b, "SELECT count(*) FROM automation_audits"); n != 3 {
		t.Errorf("%d events, want 3: some of a refused array were kept", n)
	}
}

func TestService_ListAudits_Filters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	long := strings.Repeat("s", 150)
	b.exec(t, `
		INSERT INTO automation_audits (actor_cpf, actor_nome, kind, action, meta, at) VALUES
		('', 'Ana', 'dfd', 'a', '{"sid": "1"}', '2026-01-01T00:00:00Z'),
		('anonymous', NULL, 'dfd', 'b', '{"sid": "2", "file": "100%.pdf"}', '2026-01-02T00:00:00Z'),
		(NULL, 'Caio', 'etp', 'c', NULL, '2026-01-03T00:00:00Z'),
		(NULL, NULL, 'etp', 'd', jsonb_build_object('sid', $1::text || 'x'), '2026-01-04T00:00:00Z'),
		(NULL, NULL, 'etp', 'e', jsonb_build_object('sid', $1::text || 'y'), '2026-01-04T00:00:00Z')`, long)
	all, err := b.service.ListAudits(t.Context(), portal.AuditFilter{}, portal.PageRequest{})
	if err != nil {
		t.Fatal(err)
	}
	second := &all.Items[3].At
	for _, test := range []struct {
		filter portal.AuditFilter
		want   string
	}{
		{portal.AuditFilter{}, "edcba"},
		{portal.AuditFilter{Kind: ptr("dfd")}, "ba"},
		{portal.AuditFilter{Action: ptr("c")}, "c"},
		{portal.AuditFilter{Kind: ptr("dfd"), Action: ptr("c")}, ""},
		{portal.AuditFilter{ActorCPF: ptr("")}, "a"},
		{portal.AuditFilter{SID: ptr("2")}, "b"},
		{portal.AuditFilter{SID: ptr(long + "x")}, "d"},
		{portal.AuditFilter{SID: ptr(long)}, ""},
		{portal.AuditFilter{Since: second}, "edcb"},
		{portal.AuditFilter{Until: second}, "a"},
		{portal.AuditFilter{Q: ptr("CAIO")}, "c"},
		{portal.AuditFilter{Q: ptr("%.")}, "b"},
	} {
		page, err := b.service.ListAudits(t.Context(), test.filter, portal.PageRequest{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, item := range page.Items {
			got += item.Action
		}
		if got != test.want {
			t.Errorf("%+v: %s, want %s", test.filter, got, test.want)
		}
	}
}

func TestService_ListSubmissionAudits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.create(t).ID
	if _, err := b.service.UpdateSubmission(t.Context(), "test", id, portal.SubmissionUpdate{Status: ptr("done")}); err != nil {
		t.Fatal(err)
	}
	page, err := b.service.ListSubmissionAudits(t.Context(), id, portal.PageRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Items) != 2 || page.Items[0].Action != "completed" || page.Items[1].Action != "submitted" {
		t.Errorf("%+v", page.Items)
	}
	b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status) VALUES ('old', 'dfd', '1', '{}', 'done')`)
	if page, err := b.service.ListSubmissionAudits(t.Context(), "old", portal.PageRequest{}); err != nil || len(page.Items) != 0 {
		t.Errorf("of a submission without audit events: %v, %v", page, err)
	}
	_, err = b.service.ListSubmissionAudits(t.Context(), "nowhere", portal.PageRequest{})
	wantCode(t, err, portal.CodeNotFound)
}
