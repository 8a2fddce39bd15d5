package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/portal"
)

type submission struct {
	ID         string
	Kind       string
	Version    string
	ActorCPF   *string `json:"actor_cpf"`
	ActorNome  *string `json:"actor_nome"`
	ActorEmail *string `json:"actor_email"`
	Payload    json.RawMessage
	Status     string
	Result     json.RawMessage
	Error      *string
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

type page[T any] struct {
	Items      []T
	NextCursor *string `json:"next_cursor"`
}

func ids(p page[submission]) string {
	var all []string
	for _, item := range p.Items {
		all = append(all, item.ID)
	}
	return strings.Join(all, " ")
}

func TestSubmissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created := b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "actor_cpf": "", "actor_nome": "Ana \"<Ç>\"",
		"payload": {"z": 1.50, "a": [], "big": 12345678901234567890.10, "html": "<&>", "text": "\u00e7\ud83d\ude00"}}`)
	s := decode[submission](t, created, http.StatusCreated)
	if got := created.header.Get("Location"); got != "/v1/submissions/"+s.ID {
		t.Errorf("location %q", got)
	}
	// As PostgreSQL prints jsonb, byte for byte.
	const payload = `{"a": [], "z": 1.50, "big": 12345678901234567890.10, "html": "<&>", "text": "ç😀"}`
	if !strings.Contains(string(created.body), `"payload":`+payload+`,"status":"queued","result":null,"error":null,`) {
		t.Errorf("%s", created.body)
	}
	if *s.ActorCPF != "" || *s.ActorNome != `Ana "<Ç>"` || s.ActorEmail != nil || s.CreatedAt.Location() != time.UTC {
		t.Errorf("%s", created.body)
	}

	got := b.request(t, "GET", "/v1/submissions/"+s.ID, "")
	if diff := cmp.Diff(created.body, got.body); got.status != http.StatusOK || diff != "" {
		t.Errorf("status %d, %s", got.status, diff)
	}
	list := b.request(t, "GET", "/v1/submissions", "")
	want := `{"items":[` + strings.TrimSpace(string(created.body)) + `],"next_cursor":null}`
	if diff := cmp.Diff(want, strings.TrimSpace(string(list.body))); diff != "" {
		t.Error(diff)
	}

	updated := decode[submission](t, b.request(t, "PATCH", "/v1/submissions/"+s.ID, `{"status": "error", "result": [1], "error": ""}`), http.StatusOK)
	if updated.Status != "error" || string(updated.Result) != "[1]" || *updated.Error != "" {
		t.Errorf("%+v", updated)
	}
	updated = decode[submission](t, b.request(t, "PATCH", "/v1/submissions/"+s.ID, `{"result": null, "error": null}`), http.StatusOK)
	if updated.Status != "error" || string(updated.Result) != "null" || updated.Error != nil {
		t.Errorf("%+v", updated)
	}

	type audit struct {
		ID     int64
		At     time.Time
		Action string
		Meta   map[string]string
	}
	audits := decode[page[audit]](t, b.request(t, "GET", "/v1/submissions/"+s.ID+"/audits", ""), http.StatusOK)
	var trail []string
	for _, a := range audits.Items {
		trail = append(trail, a.Action)
		if a.Meta["sid"] != s.ID || a.Meta["token"] != "test admin" {
			t.Errorf("%+v", a)
		}
	}
	if diff := cmp.Diff([]string{"updated", "failed", "submitted"}, trail); diff != "" {
		t.Error(diff)
	}
	p := wantProblem(t, b.request(t, "PATCH", "/v1/submissions/"+s.ID, `{"status": "running"}`), http.StatusConflict, portal.CodeConflict)
	if p.Detail != "the submission is error, which does not lead to running" {
		t.Errorf("detail %q", p.Detail)
	}
}

func TestSubmissions_List(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `
		INSERT INTO submissions (id, kind, version, actor_cpf, payload, status, created_at) VALUES
		('a', 'dfd', '1', '', '{"n": 1}', 'queued', '2026-01-01T00:00:00Z'),
		('b', 'dfd', '1', NULL, '{"n": "1"}', 'running', '2026-01-02T00:00:00Z'),
		('c', 'etp', '1', 'anonymous', '[1]', 'done', '2026-01-03T00:00:00Z'),
		('d', '', '1', '10000000007', 'null', 'error', '2026-01-04T00:00:00Z')`)
	for query, want := range map[string]string{
		"":                          "d c b a",
		"kind=dfd":                  "b a",
		"kind=":                     "d",
		"actor_cpf=":                "a",
		"actor_cpf":                 "a",
		"actor_cpf=10000000007":     "d",
		"status=queued,done":        "c a",
		"status=queued&status=done": "c a",
		"status=error":              "d",
		"payload=%7B%22n%22%3A1%7D": "a",
		"q=NULL":                    "d",
		"q=dfd":                     "",
		"since=2026-01-02T00:00:00Z&until=2026-01-03T21:00:00-03:00": "c b",
		"since=2026-01-03T03:00:00%2B03:00":                          "d c",
		"limit=1000":                                                 "d c b a",
		"offset=3":                                                   "a",
	} {
		got := decode[page[submission]](t, b.request(t, "GET", "/v1/submissions?"+query, ""), http.StatusOK)
		if ids(got) != want || got.NextCursor != nil {
			t.Errorf("%s: %s, want %s", query, ids(got), want)
		}
	}

	first := decode[page[submission]](t, b.request(t, "GET", "/v1/submissions?status=queued,running,error&limit=1", ""), http.StatusOK)
	cursor := *first.NextCursor
	if strings.ContainsAny(cursor, "+/=%&") {
		t.Errorf("the cursor needs escaping: %s", cursor)
	}
	for query, want := range map[string]string{
		"":                             "b",
		"&limit=5":                     "b a",
		"&status=error,queued,running": "b",
	} {
		got := decode[page[submission]](t, b.request(t, "GET", "/v1/submissions?cursor="+cursor+query, ""), http.StatusOK)
		if ids(got) != want {
			t.Errorf("cursor%s: %s, want %s", query, ids(got), want)
		}
	}
	for _, query := range []string{"&kind=dfd", "&status=done", "&offset=1", "x", "&cursor=" + cursor} {
		wantProblem(t, b.request(t, "GET", "/v1/submissions?cursor="+cursor+query, ""), http.StatusBadRequest, portal.CodeInvalid)
	}
	wantProblem(t, b.request(t, "GET", "/v1/audits?cursor="+cursor, ""), http.StatusBadRequest, portal.CodeInvalid)
}

// TestSubmissions_IDs asks for the ids that old rows may have.
func TestSubmissions_IDs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, id := range []string{"a/b", "/x/", "a%2Fb", "..", ".", "a b", "a+b", "ç😀", "?x=1#f", `"`, "%", "\x01", "12345678901"} {
		b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status) VALUES ($1, 'dfd', '1', '{}', 'queued')`, id)
		escaped := url.PathEscape(id)
		if strings.Trim(id, ".") == "" {
			escaped = strings.ReplaceAll(id, ".", "%2E")
		}
		if got := decode[submission](t, b.request(t, "GET", "/v1/submissions/"+escaped, ""), http.StatusOK); got.ID != id {
			t.Errorf("got %q for %q", got.ID, id)
		}
		decode[submission](t, b.request(t, "PATCH", "/v1/submissions/"+escaped, `{"status": "running"}`), http.StatusOK)
		if audits := decode[page[any]](t, b.request(t, "GET", "/v1/submissions/"+escaped+"/audits", ""), http.StatusOK); len(audits.Items) != 1 {
			t.Errorf("%d audit events of %q", len(audits.Items), id)
		}
	}
	for path, status := range map[string]int{
		"nowhere":        404,
		"nowhere/audits": 404,
		"":               404,
		"a/b/c":          404,
	} {
		wantProblem(t, b.request(t, "GET", "/v1/submissions/"+path, ""), status, portal.CodeNotFound)
	}
	for _, path := range []string{"%00", "a%00b", "%ff", "%ed%a0%80"} {
		wantProblem(t, b.request(t, "GET", "/v1/submissions/"+path, ""), 400, portal.CodeInvalid)
		wantProblem(t, b.request(t, "GET", "/v1/submissions/"+path+"/audits", ""), 400, portal.CodeInvalid)
		wantProblem(t, b.request(t, "PATCH", "/v1/submissions/"+path, `{"status": "done"}`), 400, portal.CodeInvalid)
	}
}

// TestSubmissions_Race sends the same change at once: it is made once.
func TestSubmissions_Race(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := decode[submission](t, b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "payload": {}}`), http.StatusCreated)
	var wg sync.WaitGroup
	var mu sync.Mutex
	counts := map[int]int{}
	for range 10 {
		wg.Go(func() {
			a := b.request(t, "PATCH", "/v1/submissions/"+s.ID, `{"status": "running"}`)
			mu.Lock()
			defer mu.Unlock()
			counts[a.status]++
		})
	}
	wg.Wait()
	if counts[200] != 1 || counts[409] != 9 {
		t.Errorf("statuses %v, want 200 once and 409 for the rest", counts)
	}
}

func TestSubmissions_Sizes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const most = 10 << 20
	body := func(size int) string {
		const start, end = `{"kind":"dfd","version":"1","payload":{"text":"`, `"}}`
		return start + strings.Repeat("x", size-len(start)-len(end)) + end
	}
	s := decode[submission](t, b.request(t, "POST", "/v1/submissions", body(most)), http.StatusCreated)
	if len(s.Payload) < most-100 {
		t.Errorf("%d bytes of payload", len(s.Payload))
	}
	if got := decode[submission](t, b.request(t, "GET", "/v1/submissions/"+s.ID, ""), http.StatusOK); len(got.Payload) != len(s.Payload) {
		t.Errorf("%d bytes of payload, want %d", len(got.Payload), len(s.Payload))
	}
	wantProblem(t, b.request(t, "POST", "/v1/submissions", body(most+1)), http.StatusRequestEntityTooLarge, portal.CodeTooLarge)

	// Without a length in the headers, the body itself has to be counted.
	for size, status := range map[int]int{most: http.StatusCreated, most + 1: http.StatusRequestEntityTooLarge} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+"/v1/submissions", struct{ *strings.Reader }{strings.NewReader(body(size))})
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = -1
		r.Header.Set("Authorization", "Bearer "+b.tokens[portal.RoleWriter])
		r.Header.Set("Content-Type", "application/json")
		if a := b.do(t, r); a.status != status {
			t.Errorf("status %d, want %d: %.300s", a.status, status, a.body)
		} else if status != http.StatusCreated {
			wantProblem(t, a, status, portal.CodeTooLarge)
		}
	}
}
