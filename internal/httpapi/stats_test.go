package httpapi_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portaldb/internal/portal"
)

func TestStats(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `
		INSERT INTO submissions (id, kind, version, payload, status, created_at) VALUES
		('a', 'dfd', '1', '{}', 'done', '2026-01-02T02:00:00Z'), ('b', 'dfd', '1', '{}', 'queued', '2026-01-02T12:00:00Z')`)
	got := b.request(t, "GET", "/v1/stats?since=2026-01-01T00:00:00Z&until=2026-02-01T00:00:00Z", "")
	want := `{"since":"2026-01-01T00:00:00Z","until":"2026-02-01T00:00:00Z","tz":"America/Sao_Paulo","total":2,` +
		`"groups":[{"kind":"dfd","status":"done","count":1},{"kind":"dfd","status":"queued","count":1}],` +
		`"days":[{"day":"2026-01-01","kind":"dfd","status":"done","count":1},{"day":"2026-01-02","kind":"dfd","status":"queued","count":1}]}` + "\n"
	if diff := cmp.Diff(want, string(got.body)); got.status != 200 || diff != "" {
		t.Errorf("status %d, %s", got.status, diff)
	}
	if got := b.request(t, "GET", "/v1/stats", ""); !strings.Contains(string(got.body), `"total":0,"groups":[],"days":[]`) {
		t.Errorf("%s", got.body)
	}
	for _, query := range []string{"tz=Nowhere", "since=yesterday", "since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "limit=1"} {
		wantProblem(t, b.request(t, "GET", "/v1/stats?"+query, ""), 400, portal.CodeInvalid)
	}
}
