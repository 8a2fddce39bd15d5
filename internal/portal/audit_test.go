package portal_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
	for _, test := range []struct {
		name, says string
		events     []portal.NewAudit
	}{
		{"none", "1 to 10000", nil},
		{"too many", "1 to 10000", slices.Repeat([]portal.NewAudit{good}, portal.MaxAudits+1)},
		{"no kind", "event 1: kind is required", []portal.NewAudit{good, {Action: "a"}}},
		{"no action", "event 1: action is required", []portal.NewAudit{good, {Kind: "dfd"}}},
		{"meta", "event 1: meta must be an object", []portal.NewAudit{good, {Kind: "dfd", Action: "a", Meta: json.RawMessage("[]")}}},
		{"U+0000 in meta", "", []portal.NewAudit{good, {Kind: "dfd", Action: "a", Meta: json.RawMessage(`{"a": "\u0000"}`)}}},
		{"meta not JSON", "", []portal.NewAudit{good, {Kind: "dfd", Action: "a", Meta: json.RawMessage(`{"a"`)}}},
		{"U+0000", "event 1: action must be UTF-8 without U+0000", []portal.NewAudit{good, {Kind: "dfd", Action: "a\x00"}}},
		{"not UTF-8", "event 2: actor_nome must be UTF-8", []portal.NewAudit{good, good, {Kind: "dfd", Action: "a", ActorNome: ptr("\xff")}}},
		{"long actor_cpf", "event 0: actor_cpf must not be longer", []portal.NewAudit{{Kind: "dfd", Action: "a", ActorCPF: ptr(strings.Repeat("1", 801))}}},
		{"bad in the middle", "event 5000: kind is required", append(slices.Repeat([]portal.NewAudit{good}, 5000), append([]portal.NewAudit{{Action: "a"}}, slices.Repeat([]portal.NewAudit{good}, 4999)...)...)},
		{"bad for the database in the middle", "", append(slices.Repeat([]portal.NewAudit{good}, 5000), append([]portal.NewAudit{{Kind: "dfd", Action: "a", Meta: json.RawMessage("{]")}}, slices.Repeat([]portal.NewAudit{good}, 4999)...)...)},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := b.service.CreateAudits(t.Context(), test.events)
			wantCode(t, err, portal.CodeInvalid)
			if !strings.Contains(portal.ErrorMessage(err), test.says) {
				t.Errorf("message %q, want %q in it", portal.ErrorMessage(err), test.says)
			}
		})
	}
	if n := value[int](t, b, "SELECT count(*) FROM automation_audits"); n != 3 {
		t.Errorf("%d events, want 3: some of a refused array were kept", n)
	}
}

// TestService_CreateAudits_Longest adds what the indexes bear at most, which does not compress.
func TestService_CreateAudits_Longest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	long := value[string](t, b, "SELECT left(string_agg(encode(sha512(i::text::bytea), 'hex'), ''), 800) FROM generate_series(1, 9) i")
	err := b.service.CreateAudits(t.Context(), []portal.NewAudit{
		{Kind: long, Action: long, ActorCPF: &long, Meta: json.RawMessage(`{"sid": "` + strings.Repeat(long, 20) + `"}`)},
		{Kind: long, Action: long, ActorCPF: ptr("anonymous")},
		{Kind: long, Action: long, ActorCPF: ptr(""), ActorNome: ptr(strings.Repeat(long, 20))},
	})
	if err != nil {
		t.Error(err)
	}
}

// TestService_CreateAudits_Many adds full batches at the same time: each has its events together in time and in the order
// given.
func TestService_CreateAudits_Many(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const batches = 4
	var group sync.WaitGroup
	for batch := range batches {
		group.Go(func() {
			events := make([]portal.NewAudit, portal.MaxAudits)
			for i := range events {
				events[i] = portal.NewAudit{Kind: strconv.Itoa(batch), Action: "a", Meta: json.RawMessage(fmt.Sprintf(`{"n": %d}`, i))}
			}
			if err := b.service.CreateAudits(t.Context(), events); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	const disorder = `
		SELECT count(*) FROM (
			SELECT (meta ->> 'n')::int AS n, row_number() OVER (PARTITION BY kind ORDER BY id) - 1 AS place,
			       at, first_value(at) OVER (PARTITION BY kind) AS first
			FROM automation_audits) AS events
		WHERE n <> place OR at <> first`
	if n := value[int](t, b, "SELECT count(*) FROM automation_audits"); n != batches*portal.MaxAudits {
		t.Errorf("%d events, want %d", n, batches*portal.MaxAudits)
	}
	if n := value[int](t, b, disorder); n != 0 {
		t.Errorf("%d events are out of place", n)
	}
}

// TestService_CreateAudits_Cut ends a COPY when half of the events have arrived: by the server, and by the caller.
func TestService_CreateAudits_Cut(t *testing.T) {
	t.Parallel()
	events := slices.Repeat([]portal.NewAudit{{Kind: "dfd", Action: "a"}}, portal.MaxAudits)
	events[len(events)/2].Action = "middle"
	for _, test := range []struct {
		name string
		cut  func(t *testing.T, b *bundle, cancel func())
	}{
		{"connection lost", func(t *testing.T, b *bundle, _ func()) {
			b.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'")
		}},
		{"caller gone", func(_ *testing.T, _ *bundle, cancel func()) { cancel() }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.exec(t, `
				CREATE FUNCTION wait_in_the_middle() RETURNS trigger LANGUAGE plpgsql AS $$
				BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END $$;
				CREATE TRIGGER wait_in_the_middle BEFORE INSERT ON automation_audits
				FOR EACH ROW WHEN (NEW.action = 'middle') EXECUTE FUNCTION wait_in_the_middle();
				SELECT pg_advisory_lock(1)`)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- b.service.CreateAudits(ctx, events) }()
			for value[int](t, b, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0 {
				select {
				case err := <-ended:
					t.Fatalf("ended before the middle: %v", err)
				case <-time.After(5 * time.Millisecond):
				}
			}
			test.cut(t, b, cancel)
			wantCode(t, <-ended, portal.CodeUnavailable)
			b.exec(t, "SELECT pg_advisory_unlock(1)")
			if n := value[int](t, b, "SELECT count(*) FROM automation_audits"); n != 0 {
				t.Errorf("%d events of a COPY that was cut off were kept", n)
			}
			if err := b.service.CreateAudits(t.Context(), events[:10]); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
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

// TestService_ListAudits_Objects looks for objects under each of the names that they have in meta.
func TestService_ListAudits_Objects(t *testing.T) {
	t.Parallel()
	b := setup(t)
	long := strings.Repeat("k", 150)
	for action, meta := range map[string]string{
		"a": `{"sid": "1"}`, "b": `{"submissionId": "1"}`, "c": `{"submission_id": "1"}`, "d": `{"target_id": "1"}`,
		"e": `{"task_id": 1}`, "f": `{"alert_id": "1"}`, "g": `{"user_id": "1"}`, "h": `{"session_id": "1"}`,
		"i": `{"sid": "1", "submission_id": "1", "user_id": "1", "session_id": "1"}`,
		"j": `{"sid": "2", "target_id": "3", "user_id": "4", "session_id": "5"}`,
		"k": `{"user_id": "` + long + `x"}`, "l": `{"session_id": "` + long + `y"}`, "m": `{"task_id": "` + long + `x"}`,
		"n": `["1", "sid"]`, "o": `{"sid": null, "filename": "1"}`,
	} {
		b.exec(t, "INSERT INTO automation_audits (kind, action, meta) VALUES ('dfd', $1, $2)", action, meta)
	}
	for _, test := range []struct {
		filter portal.AuditFilter
		want   string
	}{
		{portal.AuditFilter{SID: ptr("1")}, "abcdi"},
		{portal.AuditFilter{UserID: ptr("1")}, "gi"},
		{portal.AuditFilter{SessionID: ptr("1")}, "hi"},
		{portal.AuditFilter{Object: ptr("1")}, "abcdefghi"},
		{portal.AuditFilter{SID: ptr("2")}, "j"},
		{portal.AuditFilter{SID: ptr("3")}, "j"},
		{portal.AuditFilter{Object: ptr("4")}, "j"},
		{portal.AuditFilter{Object: ptr("5"), SID: ptr("3"), UserID: ptr("4")}, "j"},
		{portal.AuditFilter{Object: ptr("5"), SID: ptr("1")}, ""},
		{portal.AuditFilter{SID: ptr("1"), UserID: ptr("1")}, "i"},
		{portal.AuditFilter{UserID: ptr(long + "x")}, "k"},
		{portal.AuditFilter{UserID: ptr(long)}, ""},
		{portal.AuditFilter{Object: ptr(long + "x")}, "km"},
		{portal.AuditFilter{Object: ptr(long + "y")}, "l"},
		{portal.AuditFilter{Object: ptr("")}, ""},
		{portal.AuditFilter{Object: ptr("1"), Action: ptr("e")}, "e"},
	} {
		var got []string
		page := portal.PageRequest{Limit: 2, Count: portal.CountExact}
		for {
			items, err := b.service.ListAudits(t.Context(), test.filter, page)
			if err != nil {
				t.Fatal(err)
			}
			if *items.Total != int64(len(test.want)) {
				t.Errorf("%+v: total %d, want %d", test.filter, *items.Total, len(test.want))
			}
			for _, item := range items.Items {
				got = append(got, item.Action)
			}
			if page.Cursor = items.NextCursor; page.Cursor == "" {
				break
			}
		}
		slices.Sort(got)
		if strings.Join(got, "") != test.want {
			t.Errorf("%+v: %v, want %s", test.filter, got, test.want)
		}
	}
	if page, err := b.service.ListSubmissionAudits(t.Context(), "3", portal.PageRequest{}); err != nil || len(page.Items) != 1 {
		t.Errorf("of a submission that is named by target_id: %v, %v", page, err)
	}
}

// TestService_ListAuditNames follows the names in pages.
func TestService_ListAuditNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if page, err := b.service.ListAuditKinds(t.Context(), portal.PageRequest{}); err != nil || len(page.Items) != 0 || page.NextCursor != "" {
		t.Errorf("of no events: %v, %v", page, err)
	}
	b.exec(t, `INSERT INTO automation_audits (kind, action) SELECT kind, action || n % 3
		FROM unnest(ARRAY['', 'dfd', 'etp']) kind, unnest(ARRAY['', 'x', 'y']) action, generate_series(1, 9) n WHERE kind <> 'dfd' OR action = 'x'`)
	for name, test := range map[string]struct {
		list func(portal.PageRequest) (portal.Page[string], error)
		want string
	}{
		"kinds": {func(p portal.PageRequest) (portal.Page[string], error) {
			return b.service.ListAuditKinds(t.Context(), p)
		}, ",dfd,etp"},
		"actions": {func(p portal.PageRequest) (portal.Page[string], error) {
			return b.service.ListAuditActions(t.Context(), portal.AuditActionFilter{}, p)
		}, "0,1,2,x0,x1,x2,y0,y1,y2"},
		"actions of a kind": {func(p portal.PageRequest) (portal.Page[string], error) {
			return b.service.ListAuditActions(t.Context(), portal.AuditActionFilter{Kind: ptr("dfd")}, p)
		}, "x0,x1,x2"},
	} {
		for limit := 1; limit <= 10; limit++ {
			var got []string
			for page := (portal.PageRequest{Limit: limit}); ; {
				names, err := test.list(page)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, names.Items...)
				if page.Cursor = names.NextCursor; page.Cursor == "" {
					break
				}
			}
			if strings.Join(got, ",") != test.want {
				t.Errorf("%s, %d at once: %q, want %s", name, limit, got, test.want)
			}
		}
	}
}

// TestService_Count compares totals with what the pages have, and estimates with the truth.
func TestService_Count(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `INSERT INTO automation_audits (kind, action, meta) SELECT 'dfd', 'a' || n % 4, jsonb_build_object('sid', n % 10) FROM generate_series(1, 8000) n`)
	b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status)
		SELECT n::text, 'dfd', '1', '{}', (ARRAY['queued', 'done', 'error', 'done'])[1 + n % 4] FROM generate_series(1, 8000) n`)
	b.exec(t, "ANALYZE automation_audits, submissions")
	audits := func(filter portal.AuditFilter) func(portal.PageRequest) (*int64, string, error) {
		return func(page portal.PageRequest) (*int64, string, error) {
			list, err := b.service.ListAudits(t.Context(), filter, page)
			return list.Total, list.NextCursor, err
		}
	}
	submissions := func(filter portal.SubmissionFilter) func(portal.PageRequest) (*int64, string, error) {
		return func(page portal.PageRequest) (*int64, string, error) {
			list, err := b.service.ListSubmissions(t.Context(), filter, page)
			return list.Total, list.NextCursor, err
		}
	}
	for i, test := range []struct {
		list func(portal.PageRequest) (*int64, string, error)
		want int64
	}{
		{audits(portal.AuditFilter{}), 8000},
		{audits(portal.AuditFilter{Action: ptr("a1")}), 2000},
		{audits(portal.AuditFilter{SID: ptr("3")}), 800},
		{submissions(portal.SubmissionFilter{}), 8000},
		{submissions(portal.SubmissionFilter{Statuses: []string{"done"}}), 4000},
		{submissions(portal.SubmissionFilter{Statuses: []string{"done", "error"}}), 6000},
	} {
		for _, offset := range []int{0, 100} {
			if total, _, err := test.list(portal.PageRequest{Count: portal.CountExact, Limit: 3, Offset: offset}); err != nil || *total != test.want {
				t.Errorf("%d: total %v, %v, want %d", i, total, err, test.want)
			}
		}
		estimated, next, err := test.list(portal.PageRequest{Count: portal.CountEstimated, Limit: 3})
		if err != nil || *estimated < test.want*8/10 || *estimated > test.want*12/10 {
			t.Errorf("%d: estimate %d, %v, want about %d", i, *estimated, err, test.want)
		}
		if total, _, err := test.list(portal.PageRequest{Count: portal.CountExact, Cursor: next}); err != nil || *total != test.want {
			t.Errorf("%d: total %v on the second page, %v, want %d", i, total, err, test.want)
		}
		if total, _, err := test.list(portal.PageRequest{}); err != nil || total != nil {
			t.Errorf("%d: total %v, %v unasked", i, total, err)
		}
	}
	_, _, err := audits(portal.AuditFilter{})(portal.PageRequest{Count: "roughly"})
	wantCode(t, err, portal.CodeInvalid)
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
