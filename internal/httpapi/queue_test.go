package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"portaldb/internal/portal"
)

func TestSubmissions_Again(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const body = `{"id": "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "kind": "dfd", "version": "1", "payload": {"numero": "1/2026"}, "unique_payload": ["numero"]}`
	created := b.request(t, "POST", "/v1/submissions", body)
	decode[submission](t, created, http.StatusCreated)
	again := b.request(t, "POST", "/v1/submissions", strings.ReplaceAll(body, ": ", ":"))
	if again.status != http.StatusOK || string(again.body) != string(created.body) || again.header.Get("Location") != created.header.Get("Location") || again.header.Get("ETag") != created.header.Get("ETag") {
		t.Errorf("status %d: %s", again.status, again.body)
	}
	wantProblem(t, b.request(t, "POST", "/v1/submissions", strings.Replace(body, "1/2026", "2/2026", 1)), http.StatusConflict, portal.CodeConflict)
	wantProblem(t, b.request(t, "POST", "/v1/submissions", strings.Replace(body, "3301", "3302", 1)), http.StatusConflict, portal.CodeConflict)

	for query, want := range map[string]string{
		"kind=dfd&field=numero&value=1/2026":              `{"exists":true}`,
		"kind=dfd&field=numero&value=1/2026&active=true":  `{"exists":true}`,
		"kind=dfd&field=numero&value=1/2026&active=false": `{"exists":true}`,
		"kind=etp&field=numero&value=1/2026":              `{"exists":false}`,
		"kind=dfd&field=numero&value=":                    `{"exists":false}`,
	} {
		if got := b.request(t, "GET", "/v1/submissions/exists?"+query, ""); strings.TrimSpace(string(got.body)) != want {
			t.Errorf("%s: %s", query, got.body)
		}
	}
	for _, query := range []string{
		"", "kind=dfd&field=numero", "kind=&field=numero&value=1", "kind=dfd&field=&value=1", "kind=dfd&field=numero&value=1&active=yes",
		"kind=dfd&field=numero&value=%00", "kind=dfd&field=numero&value=%ff", "kind=dfd&kind=etp&field=numero&value=1", "kind=dfd&field=numero&value=1&more=1",
		"kind=dfd&field=" + strings.Repeat("x", 201) + "&value=1", "kind=dfd&field=numero&value=" + strings.Repeat("x", 2701),
	} {
		wantProblem(t, b.request(t, "GET", "/v1/submissions/exists?"+query, ""), http.StatusBadRequest, portal.CodeInvalid)
	}
	for _, fields := range []string{`"numero"`, `["numero", "numero"]`, `["absent"]`, `[""]`, `[1]`, `{}`, `["a","b","c","d","e","f","g","h","i","j","k"]`} {
		wantProblem(t, b.request(t, "POST", "/v1/submissions", `{"kind": "x", "version": "1", "payload": {"numero": "1", "": "1"}, "unique_payload": `+fields+`}`), http.StatusBadRequest, portal.CodeInvalid)
	}
}

func TestSubmissions_If_match(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created := b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "payload": {}}`)
	path := created.header.Get("Location")
	seen := []string{created.header.Get("ETag")}
	change := func(body, tag string) answer { return b.request(t, "PATCH", path, body, "If-Match", tag) }
	for _, body := range []string{`{"status": "running"}`, `{"result": {}}`, `{"result": null}`, `{"error": ""}`, `{"error": null}`, `{"result": {}}`, `{"status": "done"}`} {
		tag := seen[len(seen)-1]
		got := b.request(t, "GET", path, "")
		if got.header.Get("ETag") != tag || !strings.HasPrefix(tag, `"`) {
			t.Fatalf("ETag %s, want %s", got.header.Get("ETag"), tag)
		}
		for _, other := range append([]string{`"x"`, "W/" + tag, strings.Trim(tag, `"`), `""`, ","}, seen[:len(seen)-1]...) {
			wantProblem(t, change(body, other), http.StatusPreconditionFailed, portal.CodePreconditionFailed)
		}
		changed := change(body, `"other" , `+tag)
		decode[submission](t, changed, http.StatusOK)
		seen = append(seen, changed.header.Get("ETag"))
	}
	decode[submission](t, change(`{"error": "late"}`, "*"), http.StatusOK)
	wantProblem(t, change(`{"status": "running"}`, "*"), http.StatusConflict, portal.CodeConflict)
	wantProblem(t, b.request(t, "PATCH", "/v1/submissions/absent", `{"error": "x"}`, "If-Match", "*"), http.StatusNotFound, portal.CodeNotFound)
}

func TestQueue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	created := decode[submission](t, b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "payload": {"n": 1.50}, "queue": true}`), http.StatusCreated)
	type item struct {
		submission
		LeaseUntil time.Time `json:"lease_until"`
		Attempts   int
	}
	claimed := decode[page[item]](t, b.request(t, "POST", "/v1/submissions/claim", `{"kinds": ["dfd", "etp"], "worker": "w1"}`), http.StatusOK).Items
	if len(claimed) != 1 || claimed[0].ID != created.ID || claimed[0].Status != "running" || claimed[0].Attempts != 1 || string(claimed[0].Payload) != `{"n":1.50}` {
		t.Fatalf("%+v", claimed)
	}
	if left := time.Until(claimed[0].LeaseUntil); left < 50*time.Second || left > 70*time.Second || claimed[0].LeaseUntil.Location() != time.UTC {
		t.Errorf("leased for %s", left)
	}
	if again := b.request(t, "POST", "/v1/submissions/claim", `{"kinds": ["dfd"], "worker": "w2", "limit": 100, "lease_seconds": 1}`); strings.TrimSpace(string(again.body)) != `{"items":[]}` {
		t.Errorf("%s", again.body)
	}
	path := "/v1/submissions/" + created.ID
	wantProblem(t, b.request(t, "POST", path+"/heartbeat", `{"worker": "w2"}`), http.StatusConflict, portal.CodeConflict)
	wantProblem(t, b.request(t, "POST", "/v1/submissions/absent/heartbeat", `{"worker": "w1"}`), http.StatusNotFound, portal.CodeNotFound)
	kept := decode[map[string]any](t, b.request(t, "POST", path+"/heartbeat", `{"worker": "w1", "lease_seconds": 86400}`), http.StatusOK)
	until, err := time.Parse(time.RFC3339, kept["lease_until"].(string))
	if err != nil || time.Until(until) < 23*time.Hour || kept["submission_id"] != created.ID || kept["worker"] != "w1" {
		t.Errorf("%v", kept)
	}
	wantProblem(t, b.request(t, "PATCH", path, `{"status": "done", "worker": "w2"}`), http.StatusConflict, portal.CodeConflict)
	decode[submission](t, b.request(t, "PATCH", path, `{"status": "done", "result": {}, "worker": "w1"}`), http.StatusOK)
	wantProblem(t, b.request(t, "POST", path+"/heartbeat", `{"worker": "w1"}`), http.StatusConflict, portal.CodeConflict)

	for _, body := range []string{
		`{}`, `{"kinds": ["dfd"]}`, `{"worker": "w"}`, `{"kinds": [], "worker": "w"}`, `{"kinds": "dfd", "worker": "w"}`, `{"kinds": [1], "worker": "w"}`,
		`{"kinds": ["dfd"], "worker": ""}`, `{"kinds": ["dfd"], "worker": "w", "limit": 0}`, `{"kinds": ["dfd"], "worker": "w", "limit": 101}`,
		`{"kinds": ["dfd"], "worker": "w", "limit": -1}`, `{"kinds": ["dfd"], "worker": "w", "limit": 1.5}`, `{"kinds": ["dfd"], "worker": "w", "limit": "1"}`,
		`{"kinds": ["dfd"], "worker": "w", "lease_seconds": 0}`, `{"kinds": ["dfd"], "worker": "w", "lease_seconds": 86401}`,
		`{"kinds": ["dfd"], "worker": "w", "lease_seconds": 9223372036854775807}`, `{"kinds": ["dfd"], "worker": "w", "more": 1}`, `{"kinds": ["\u0000"], "worker": "w"}`,
		`{"kinds": ["dfd"], "worker": "` + strings.Repeat("x", 201) + `"}`, `{"kinds": ["` + strings.Repeat(`x","`, 100) + `x"], "worker": "w"}`, `[]`, `{"kinds": ["dfd"], "worker"`,
	} {
		wantProblem(t, b.request(t, "POST", "/v1/submissions/claim", body), http.StatusBadRequest, portal.CodeInvalid)
	}
	for _, body := range []string{`{}`, `{"worker": ""}`, `{"worker": 1}`, `{"worker": "w1", "lease_seconds": 0}`, `{"worker": "w1", "lease_seconds": -1}`, `{"worker": "w1", "more": 1}`} {
		wantProblem(t, b.request(t, "POST", path+"/heartbeat", body), http.StatusBadRequest, portal.CodeInvalid)
	}
	reader := []string{"Authorization", "Bearer " + b.tokens[portal.RoleReader]}
	wantProblem(t, b.request(t, "POST", "/v1/submissions/claim", `{"kinds": ["dfd"], "worker": "w"}`, reader...), http.StatusForbidden, portal.CodeForbidden)
}
