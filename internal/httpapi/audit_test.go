package httpapi_test

import (
	"fmt"
	"strings"
	"testing"

	"portaldb/internal/portal"
)

func TestAudits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	type created struct{ Created int }
	if got := decode[created](t, b.request(t, "POST", "/v1/audits", `{"kind": "dfd", "action": "a", "actor_cpf": "", "meta": {"sid": "x/y", "n": 1.0}}`), 201); got.Created != 1 {
		t.Errorf("%+v", got)
	}
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf(`{"kind": "etp", "action": "b%d", "actor_nome": "\u00c7"}`, i)
	}
	if got := decode[created](t, b.request(t, "POST", "/v1/audits", "\n["+strings.Join(many, ",")+"]"), 201); got.Created != 1000 {
		t.Errorf("%+v", got)
	}
	for query, want := range map[string]int{
		"?limit=1000":        1000,
		"?kind=dfd":          1,
		"?action=a":          1,
		"?actor_cpf=":        1,
		"?sid=x/y":           1,
		"?q=%C3%87&limit=10": 10,
		"?kind=etp&offset=999&since=2026-01-01T00:00:00Z":     1,
		"?kind=etp&limit=1000&until=2026-01-01T00:00:00Z":     0,
		"?kind=etp&action=b1&q=B1&since=2020-01-01T00:00:00Z": 1,
	} {
		got := b.request(t, "GET", "/v1/audits"+query, "")
		if p := decode[page[any]](t, got, 200); len(p.Items) != want {
			t.Errorf("%s: %d events, want %d", query, len(p.Items), want)
		}
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
		"[" + strings.Join(append(many, many[0]), ",") + "]": "1000",
	} {
		p := wantProblem(t, b.request(t, "POST", "/v1/audits", body), 400, portal.CodeInvalid)
		if !strings.Contains(p.Detail, location) {
			t.Errorf("%.60s: detail %q, want %q in it", body, p.Detail, location)
		}
	}
	if got := decode[page[any]](t, b.request(t, "GET", "/v1/audits?kind=dfd", ""), 200); len(got.Items) != 1 {
		t.Errorf("%d events: some of a refused array were kept", len(got.Items))
	}
}
