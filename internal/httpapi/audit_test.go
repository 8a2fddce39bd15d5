package httpapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
)

func TestAudits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	type created struct{ Created int }
	if got := decode[created](t, b.request(t, "POST", "/v1/audits", `{"kind": "dfd", "action": "a", "actor_cpf": "", "meta": {"sid": "x/y", "n": 1.0}}`), 201); got.Created != 1 {
		t.Errorf("%+v", got)
	}
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf(`{"kind": "etp", "action": "b%d", "actor_nome": "\u00c7"}`, i)
	}
	if got := decode[created](t, b.request(t, "POST", "/v1/audits", "\n["+strings.Join(many, ",")+"]"), 201); got.Created != 10_000 {
		t.Errorf("%+v", got)
	}
	for query, want := range map[string]int{
		"?limit=1000":        1000,
		"?kind=dfd":          1,
		"?action=a":          1,
		"?actor_cpf=":        1,
		"?sid=x/y":           1,
		"?q=%C3%87&limit=10": 10,
		"?kind=etp&offset=9999&since=2026-01-01T00:00:00Z":    1,
		"?kind=etp&limit=1000&until=2026-01-01T00:00:00Z":     0,
		"?kind=etp&action=b1&q=B1&since=2020-01-01T00:00:00Z": 1,
	} {
		got := b.request(t, "GET", "/v1/audits"+query, "")
		if p := decode[page[any]](t, got, 200); len(p.Items) != want {
			t.Errorf("%s: %d events, want %d", query, len(p.Items), want)
		}
	}
	for path, want := range map[string]string{
		"/v1/audits?kind=dfd&count=exact":                     `"next_cursor":null,"total":1}`,
		"/v1/submissions/x%2Fy/audits?count=exact":            `"total":1}`,
		"/v1/audits?count=estimated&limit=1":                  `"total":`,
		"/v1/submissions?count=exact":                         `{"items":[],"next_cursor":null,"total":0}`,
		"/v1/audits/kinds":                                    `{"items":["dfd","etp"],"next_cursor":null}`,
		"/v1/audits/actions?kind=dfd":                         `{"items":["a"],"next_cursor":null}`,
		"/v1/audits?object=x%2Fy&count=exact&session_id=none": `"total":0}`,
	} {
		if got := b.request(t, "GET", path, ""); got.status != 200 || !strings.Contains(string(got.body), want) {
			t.Errorf("%s: %d, %.300s, want %s in it", path, got.status, got.body, want)
		}
	}
	for _, query := range []string{"?count=all", "?count=", "?user_id=%00", "/kinds?offset=1", "/kinds?count=exact", "/actions?limit=0"} {
		wantProblem(t, b.request(t, "GET", "/v1/audits"+query, ""), 400, portal.CodeInvalid)
	}
	got := b.request(t, "GET", "/v1/audits?kind=dfd", "")
	if !strings.Contains(string(got.body), `"actor_cpf":"","actor_nome":null,"kind":"dfd","action":"a","meta":{"n": 1.0, "sid": "x/y"}}`) {
		t.Errorf("%s", got.body)
	}

	for body, location := range map[string]string{
		`[]`: "",
		`[{"kind": "dfd", "action": "a"}, {"kind": "dfd"}]`:                        "event 1",
		`[{"kind": "dfd", "action": "a"}, {"kind": "dfd", "action": "a", "x": 1}]`: "[1]: x is not known",
		`[{"kind": "dfd", "action": 1}]`:                                           "[0]: action must be text",
		`[1]`:                                                                      "[0]: must be an object",
		`[[]]`:                                                                     "[0]: must be an object",
		`"x"`:                                                                      "must be an object",
		`[{"kind": "dfd", "action": "a"}`:                                          "not valid JSON",
		`[{"kind": "dfd", "action": "a"}, {"kind": "dfd", "action": "a", "id": 1}]`:              "[1]: id is not known",
		`[{"kind": "dfd", "action": "a"}, {"kind": "dfd", "kind": "dfd", "action": "a"}]`:        "[1]: kind must be given once",
		`[{"kind": "dfd", "action": "a", "meta": {"a": [1, 2]}}, {"actor_nome": "\u0000"}]`:      "[1]: must not contain U+0000",
		`[{"kind": "dfd", "action": "a"}, {"kind": "dfd", "action": "a", "meta": {"a": 1e999}}]`: "[1]: must not contain a number",
		"[{\"kind\": \"dfd\", \"action\": \"a\"}, {}, {\"kind\": \"\xff\"}]":                     "[2]: must be UTF-8",
		"[" + strings.Join(append(many, many[0]), ",") + "]":                                     "10000",
	} {
		p := wantProblem(t, b.request(t, "POST", "/v1/audits", body), 400, portal.CodeInvalid)
		if !strings.Contains(p.Detail, location) {
			t.Errorf("%.60s: detail %q, want %q in it", body, p.Detail, location)
		}
	}
	wantProblem(t, b.request(t, "POST", "/v1/audits", "["+strings.Repeat(" ", httpapi.MaxBody)+"]"), 413, portal.CodeTooLarge)
	if got := decode[page[any]](t, b.request(t, "GET", "/v1/audits?kind=dfd", ""), 200); len(got.Items) != 1 {
		t.Errorf("%d events: some of a refused array were kept", len(got.Items))
	}
}

// BenchmarkAudits_Batch adds 1,000 events over HTTP and by COPY alone, by turns, to the same table with the same indexes.
func BenchmarkAudits_Batch(b *testing.B) {
	s := setup(b)
	const events = 1000
	items, rows := make([]string, events), make([][]any, events)
	for i := range items {
		meta := fmt.Sprintf(`{"sid": "%08d-0000-4000-8000-000000000000", "filename": "documento_%d.pdf", "size": %d, "protocolo": "%09d"}`, i*7919, i, i*31, i)
		items[i] = fmt.Sprintf(`{"kind": "dfd", "action": "downloaded", "actor_cpf": "%011d", "actor_nome": "Servidor Público %d", "meta": %s}`, i%200, i%200, meta)
		rows[i] = []any{fmt.Sprintf("%011d", i%200), fmt.Sprintf("Servidor Público %d", i%200), "dfd", "downloaded", meta}
	}
	body := "[" + strings.Join(items, ",") + "]"
	columns := []string{"actor_cpf", "actor_nome", "kind", "action", "meta"}
	var http, raw time.Duration
	b.ReportAllocs()
	for b.Loop() {
		begin := time.Now()
		if got := s.request(b, "POST", "/v1/audits", body); got.status != 201 {
			b.Fatalf("%d: %s", got.status, got.body)
		}
		http += time.Since(begin)
		begin = time.Now()
		if _, err := s.conn.CopyFrom(b.Context(), pgx.Identifier{"automation_audits"}, columns, pgx.CopyFromRows(rows)); err != nil {
			b.Fatal(err)
		}
		raw += time.Since(begin)
	}
	rate := func(d time.Duration) float64 { return float64(events*b.N) / d.Seconds() }
	b.ReportMetric(rate(http), "events/s")
	b.ReportMetric(rate(raw), "copied/s")
	b.ReportMetric(rate(http)/rate(raw), "ratio")
}
