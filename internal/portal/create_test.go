package portal_test

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"portaldb/internal/portal"
)

func TestService_CreateSubmission_Again(t *testing.T) {
	t.Parallel()
	b := setup(t)
	request := portal.NewSubmission{
		ID: "3F2504E0-4F89-41D3-9A0C-0305E82C3301", Kind: "dfd", Version: "1", ActorCPF: ptr("1"),
		Payload: json.RawMessage(`{"numero": "7", "big": 12345678901234567890.10, "a": {"b": 1, "c": [1, 2]}}`), UniquePayload: []string{"numero"}, Queue: true,
	}
	first, created, err := b.service.CreateSubmission(t.Context(), "bff", request)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	same := request
	same.ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
	same.Payload = json.RawMessage(`{"a":{"c":[1,2],"b":1},"big":12345678901234567890.10,"numero":"7"}`)
	again, created, err := b.service.CreateSubmission(t.Context(), "other", same)
	if err != nil || created {
		t.Fatal(created, err)
	}
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	if _, err := b.service.UpdateSubmission(t.Context(), "bff", first.ID, portal.SubmissionUpdate{Status: ptr("running")}); err != nil {
		t.Fatal(err)
	}
	if again, created, err = b.service.CreateSubmission(t.Context(), "bff", same); err != nil || created || again.Status != "running" {
		t.Errorf("once it runs: %+v, %t, %v", again, created, err)
	}

	// A request of before a deploy may be sent again after it: the hash is the same in all releases.
	const want = "522b92788914bb95fa33f358f7c7f2202bb9e90bdecbd789fa8da6689d326343"
	if hash := value[string](t, b, "SELECT encode(request_hash, 'hex') FROM service.submission_requests"); hash != want {
		t.Errorf("the hash of a request is %s now: requests of before would be taken for others", hash)
	}

	for name, edit := range map[string]func(*portal.NewSubmission){
		"payload": func(n *portal.NewSubmission) { n.Payload = json.RawMessage(`{"numero": "8"}`) },
		"number": func(n *portal.NewSubmission) {
			n.Payload = json.RawMessage(`{"numero": "7", "big": 12345678901234567890.1, "a": {"b": 1, "c": [1, 2]}}`)
		},
		"order": func(n *portal.NewSubmission) {
			n.Payload = json.RawMessage(`{"numero": "7", "big": 12345678901234567890.10, "a": {"b": 1, "c": [2, 1]}}`)
		},
		"actor":      func(n *portal.NewSubmission) { n.ActorCPF = nil },
		"empty name": func(n *portal.NewSubmission) { n.ActorNome = ptr("") },
		"status":     func(n *portal.NewSubmission) { n.Status, n.Queue = "done", false },
		"unique":     func(n *portal.NewSubmission) { n.UniquePayload = nil },
		"queue":      func(n *portal.NewSubmission) { n.Queue = false },
	} {
		n := same
		edit(&n)
		_, _, err := b.service.CreateSubmission(t.Context(), "bff", n)
		if err == nil || portal.ErrorCode(err) != portal.CodeConflict {
			t.Errorf("another request, by its %s: %v", name, err)
		}
	}
	if n := value[int](t, b, "SELECT (SELECT count(*) FROM submissions) * 100 + (SELECT count(*) FROM service.submission_requests) * 10 + (SELECT count(*) FROM service.submission_queue)"); n != 111 {
		t.Errorf("%d: rows were added", n)
	}

	// What the legacy code has made, and what was made without an id, cannot be the same request.
	b.exec(t, "INSERT INTO submissions (id, kind, version, payload, status) VALUES ('3f2504e0-4f89-41d3-9a0c-0305e82c3302', 'dfd', '1', '{}', 'queued')")
	_, _, err = b.service.CreateSubmission(t.Context(), "bff", portal.NewSubmission{ID: "3f2504e0-4f89-41d3-9a0c-0305e82c3302", Kind: "dfd", Version: "1", Payload: json.RawMessage(`{}`)})
	wantCode(t, err, portal.CodeConflict)
}

// TestService_CreateSubmission_At_once sends one request many times at once, as clients do that lose their patience.
func TestService_CreateSubmission_At_once(t *testing.T) {
	t.Parallel()
	b := setup(t, "pool_max_conns=20")
	for name, unique := range map[string][]string{"plain": nil, "unique": {"numero"}} {
		request := portal.NewSubmission{ID: uuid.NewString(), Kind: name, Version: "1", Payload: json.RawMessage(`{"numero": 7}`), UniquePayload: unique}
		var group errgroup.Group
		var made atomic.Int64
		for range 50 {
			group.Go(func() error {
				s, created, err := b.service.CreateSubmission(t.Context(), "bff", request)
				if created {
					made.Add(1)
				}
				if err == nil && s.ID != request.ID {
					err = fmt.Errorf("another submission: %s", s.ID)
				}
				return err
			})
		}
		if err := group.Wait(); err != nil {
			t.Error(name, err)
		}
		if n := value[int](t, b, "SELECT count(*) FROM submissions WHERE kind = $1", name); n != 1 || made.Load() != 1 {
			t.Errorf("%s: %d rows, created %d times", name, n, made.Load())
		}
	}
}

// TestService_CreateSubmission_Unique_at_once: fifty requests for one value store exactly one, with other values beside
// them, and fields in any order.
func TestService_CreateSubmission_Unique_at_once(t *testing.T) {
	t.Parallel()
	b := setup(t, "pool_max_conns=20")
	for _, field := range []string{"numero", "protocolo", "oficio"} {
		t.Run(field, func(t *testing.T) {
			var group errgroup.Group
			var made, refused atomic.Int64
			for i := range 100 {
				group.Go(func() error {
					n := portal.NewSubmission{Kind: "dfd " + field, Version: "1", UniquePayload: []string{field, "other"}}
					n.Payload = json.RawMessage(fmt.Sprintf(`{%q: "%d", "other": %d}`, field, i%2, i))
					if i%4 > 1 {
						n.UniquePayload = []string{"other", field}
					}
					_, created, err := b.service.CreateSubmission(t.Context(), "bff", n)
					if portal.ErrorCode(err) == portal.CodeConflict {
						refused.Add(1)
						return nil
					}
					if created {
						made.Add(1)
					}
					return err
				})
			}
			if err := group.Wait(); err != nil {
				t.Error(err)
			}
			n := value[string](t, b, "SELECT count(*) || ' of ' || count(DISTINCT payload ->> $2::text) FROM submissions WHERE kind = $1", "dfd "+field, field)
			if n != "2 of 2" || made.Load() != 2 || refused.Load() != 98 {
				t.Errorf("%s values, created %d times, refused %d times", n, made.Load(), refused.Load())
			}
		})
	}
	if n := value[int](t, b, "SELECT count(*) FROM automation_audits"); n != 6 {
		t.Errorf("%d audit events for 6 submissions", n)
	}
}

// TestService_CreateSubmission_Duplicates tries which rows count as duplicates, and that SubmissionExists sees it alike.
func TestService_CreateSubmission_Duplicates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status, result) VALUES
		('1', 'dfd', '1', '{"numero": "1", "oficio": "1"}', 'queued', NULL),
		('2', 'dfd', '1', '{"numero": 2, "oficio": 2.50}', 'running', NULL),
		('3', 'dfd', '1', '{"numero": "3", "oficio": "3"}', 'done', '[]'),
		('4', 'dfd', '1', '{"numero": "4", "oficio": "4"}', 'error', '{}'),
		('5', 'dfd', '1', '{"numero": "5", "oficio": "5"}', 'done', '{"_soft_delete": {"deleted": true}, "status": "deleted"}'),
		('6', 'dfd', '1', '{"numero": "6", "oficio": "6"}', 'done', '{"_soft_delete": {"deleted": false}}'),
		('7', 'dfd', '1', '{"numero": true, "oficio": false}', 'done', NULL),
		('8', 'dfd', '1', '["numero", "oficio", "8"]', 'done', NULL),
		('9', 'etp', '1', '{"numero": "9", "oficio": "9"}', 'done', NULL),
		('10', 'dfd', '1', '{"numero": {"numero": "10"}, "oficio": ["10"]}', 'done', NULL)`)
	for _, test := range []struct {
		numero, oficio string // as JSON
		exists, active bool
	}{
		{`"1"`, `"1"`, true, true},
		{`1`, `1`, true, true},
		{`"2"`, `"2.50"`, true, true},
		{`2`, `2.50`, true, true},
		{`2.0`, `2.5`, false, false},
		{`"3"`, `"3"`, true, true},
		{`"4"`, `"4"`, true, false},
		{`"5"`, `"5"`, true, false},
		{`"6"`, `"6"`, true, true},
		{`true`, `"false"`, true, true},
		{`"8"`, `"8"`, false, false},
		{`"9"`, `"9"`, false, false},
		{`"10"`, `"10"`, false, false},
		{`"ação 漢字"`, `"' OR true --"`, false, false},
		{`"1e5"`, `"00000"`, false, false},
	} {
		for field, given := range map[string]string{"numero": test.numero, "oficio": test.oficio} {
			text := value[string](t, b, "SELECT $1::jsonb ->> 0", "["+given+"]")
			exists, err := b.service.SubmissionExists(t.Context(), "dfd", field, text, false)
			if err != nil || exists != test.exists {
				t.Errorf("%s %s exists: %t, %v", field, given, exists, err)
			}
			active, err := b.service.SubmissionExists(t.Context(), "dfd", field, text, true)
			if err != nil || active != test.active {
				t.Errorf("%s %s exists among the active: %t, %v", field, given, active, err)
			}
			n := portal.NewSubmission{ID: uuid.NewString(), Kind: "dfd", Version: "1", UniquePayload: []string{field}}
			n.Payload = json.RawMessage(fmt.Sprintf(`{%q: %s}`, field, given))
			s, _, err := b.service.CreateSubmission(t.Context(), "bff", n)
			if refused := portal.ErrorCode(err) == portal.CodeConflict; refused != test.active {
				t.Errorf("%s %s: %v", field, given, err)
			}
			if err == nil { // out of the way of the others
				b.exec(t, "UPDATE submissions SET status = 'error' WHERE id = $1", s.ID)
			}
		}
	}
	for _, wrong := range [][3]string{{"", "numero", "1"}, {"dfd", "", "1"}, {"dfd", string(make([]byte, 201)), "1"}, {"dfd", "numero", string(make([]byte, 2701))}} {
		_, err := b.service.SubmissionExists(t.Context(), wrong[0], wrong[1], wrong[2], false)
		wantCode(t, err, portal.CodeInvalid)
	}
}

// TestService_UpdateSubmission_If lets twenty change a submission of which each has seen the same state.
func TestService_UpdateSubmission_If(t *testing.T) {
	t.Parallel()
	b := setup(t, "pool_max_conns=20")
	s := b.create(t)
	var group errgroup.Group
	var changed, refused atomic.Int64
	for i := range 20 {
		group.Go(func() error {
			_, err := b.service.UpdateSubmission(t.Context(), "bff", s.ID, portal.SubmissionUpdate{
				Result: json.RawMessage(fmt.Sprintf("[%d]", i)), If: func(now portal.Submission) bool { return cmp.Equal(now, s) },
			})
			switch portal.ErrorCode(err) {
			case portal.CodePreconditionFailed:
				refused.Add(1)
				return nil
			default:
				if err == nil {
					changed.Add(1)
				}
				return err
			}
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
	if changed.Load() != 1 || refused.Load() != 19 || len(b.trail(t, s.ID)) != 2 {
		t.Errorf("%d changed it, %d were refused, %v", changed.Load(), refused.Load(), b.trail(t, s.ID))
	}
	_, err := b.service.UpdateSubmission(t.Context(), "bff", "absent", portal.SubmissionUpdate{Error: ptr(ptr("x")), If: func(portal.Submission) bool { return true }})
	wantCode(t, err, portal.CodeNotFound)
	_, err = b.service.UpdateSubmission(t.Context(), "bff", s.ID, portal.SubmissionUpdate{Status: ptr("queued"), If: func(portal.Submission) bool { return true }})
	wantCode(t, err, portal.CodeConflict)
}
