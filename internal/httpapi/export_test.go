package httpapi_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
)

// fill adds audit events of about half a kilobyte.
func (b *bundle) fill(t testing.TB, events int) {
	t.Helper()
	b.exec(t, `INSERT INTO automation_audits (at, kind, action, meta)
		SELECT timestamptz '2026-01-01T00:00:00Z' + n * interval '1 second', 'dfd', 'a', jsonb_build_object('n', n, 'text', repeat(md5(n::text), 14)) FROM generate_series(1, $1) n`, events)
}

// open begins an export and returns the body.
func (b *bundle) open(t testing.TB, path string) io.ReadCloser {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "identity") // what is compressed fits the buffers between the two
	r.Header.Set("Authorization", "Bearer "+b.tokens[portal.RoleReader])
	r.Header.Set("X-Request-Id", "export")
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: status %d", path, response.StatusCode)
	}
	return response.Body
}

// exporting is how many statements of exports the database works on.
func (b *bundle) exporting(t testing.TB) (n int) {
	t.Helper()
	if err := b.conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state = 'active'").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `INSERT INTO automation_audits (id, at, actor_cpf, actor_nome, kind, action, meta) VALUES
		(-7, '2026-01-31T12:00:00.123456Z', '', NULL, 'dfd', '=1+1', '{"sid": "x", "n": 1.50}'),
		(8, '2026-01-31T13:00:00Z', NULL, 'Ana; "Ção"', '@dfd', 'a', '-5')`)
	b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status, created_at, updated_at) VALUES
		('s', 'dfd', '1,0', '{}', 'done', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z')`)
	for path, want := range map[string]string{
		"/v1/audits/export": "\ufeffid;at;actor_cpf;actor_nome;kind;action;meta\r\n" +
			"8;2026-01-31 13:00:00;;\"Ana; \"\"Ção\"\"\";'@dfd;a;-5\r\n" +
			"-7;2026-01-31 12:00:00;;;dfd;'=1+1;\"{\"\"n\"\": 1.50, \"\"sid\"\": \"\"x\"\"}\"\r\n",
		"/v1/audits/export?kind=dfd&separator=tab&bom=false": "id\tat\tactor_cpf\tactor_nome\tkind\taction\tmeta\r\n" +
			"-7\t2026-01-31 12:00:00\t\t\tdfd\t'=1+1\t\"{\"\"n\"\": 1.50, \"\"sid\"\": \"\"x\"\"}\"\r\n",
		"/v1/audits/export?kind=none&bom=false":              "id;at;actor_cpf;actor_nome;kind;action;meta\r\n",
		"/v1/audits/export?kind=none&format=ndjson":          "",
		"/v1/audits/export?format=ndjson&object=x":           `{"id":-7,"at":"2026-01-31T12:00:00.123456Z","actor_cpf":"","actor_nome":null,"kind":"dfd","action":"=1+1","meta":{"n": 1.50, "sid": "x"}}` + "\n",
		"/v1/submissions/export?separator=comma&status=done": "\ufeffid,kind,version,actor_cpf,actor_nome,actor_email,payload,status,result,error,created_at,updated_at\r\ns,dfd,\"1,0\",,,,{},done,,,2026-01-31 12:00:00,2026-01-31 12:00:00\r\n",
		"/v1/submissions/export?format=ndjson":               `{"id":"s","kind":"dfd","version":"1,0","actor_cpf":null,"actor_nome":null,"actor_email":null,"payload":{},"status":"done","result":null,"error":null,"created_at":"2026-01-31T12:00:00Z","updated_at":"2026-01-31T12:00:00Z"}` + "\n",
	} {
		got := b.request(t, "GET", path, "")
		if got.status != 200 || string(got.body) != want {
			t.Errorf("%s: %d\n%q, want\n%q", path, got.status, got.body, want)
		}
		kind, extension := "text/csv; charset=utf-8; header=present", ".csv\""
		if strings.Contains(path, "ndjson") {
			kind, extension = "application/x-ndjson", ".ndjson\""
		}
		if name := got.header.Get("Content-Disposition"); got.header.Get("Content-Type") != kind || !strings.HasPrefix(name, "attachment; filename=\"") || !strings.HasSuffix(name, extension) {
			t.Errorf("%s: %s, %s", path, got.header.Get("Content-Type"), name)
		}
	}
	if got := b.request(t, "HEAD", "/v1/audits/export", ""); got.status != 200 || len(got.body) != 0 {
		t.Errorf("HEAD: %d, %d bytes", got.status, len(got.body))
	}
	for query, detail := range map[string]string{
		"?format=xlsx":                      "query.format must be one of csv, ndjson",
		"?separator=;":                      "malformed",
		"?separator=%3B":                    "query.separator must be one of",
		"?bom=1":                            "query.bom must be one of",
		"?format=ndjson&bom=false":          "query.bom is for format=csv",
		"?limit=1":                          "query.limit is not known",
		"?q=":                               "q must not be empty",
		"?since=0000-01-01T00:00:00Z":       "since must lie",
		"?sid=%00":                          "query.sid must be UTF-8",
		"?kind=" + strings.Repeat("%ff", 9): "query.kind",
	} {
		if p := wantProblem(t, b.request(t, "GET", "/v1/audits/export"+query, ""), 400, portal.CodeInvalid); !strings.Contains(p.Detail, detail) {
			t.Errorf("%s: detail %q, want %q in it", query, p.Detail, detail)
		}
	}
	wantProblem(t, b.request(t, "GET", "/v1/audits/export", "", "Authorization", ""), 401, portal.CodeUnauthenticated)
	b.exec(t, "ALTER TABLE submissions RENAME TO elsewhere")
	got := b.request(t, "GET", "/v1/submissions/export", "")
	wantProblem(t, got, 500, portal.CodeInternal)
	if got.header.Get("Content-Disposition") != "" {
		t.Error("a problem document is sent as a file")
	}
}

// TestExport_CSV reads what is exported by encoding/csv: it is what was stored, but for the apostrophe before what looks
// like a formula.
func TestExport_CSV(t *testing.T) {
	t.Parallel()
	b := setup(t)
	nasty := rapid.StringOfN(rapid.SampledFrom([]rune("=+-@\t\r\n;,\"' |aç\u2028\ufeff😀0")), 0, 12, -1)
	separators := map[string]rune{"semicolon": ';', "comma": ',', "tab": '\t'}
	rapid.Check(t, func(r *rapid.T) {
		b.exec(t, "ALTER TABLE automation_audits DISABLE TRIGGER ALL; DELETE FROM automation_audits")
		var want [][]string
		for i := range rapid.IntRange(0, 5).Draw(r, "rows") {
			row := []string{nasty.Draw(r, "cpf"), nasty.Draw(r, "nome"), nasty.Draw(r, "kind"), nasty.Draw(r, "action")}
			meta, err := json.Marshal(map[string]string{"a": nasty.Draw(r, "meta")})
			if err != nil {
				r.Fatal(err)
			}
			var stored string
			if err := b.conn.QueryRow(t.Context(), `INSERT INTO automation_audits (id, at, actor_cpf, actor_nome, kind, action, meta)
				VALUES ($1, '2026-01-01T00:00:00Z', $2, $3, $4, $5, $6) RETURNING meta::text`, -i, row[0], row[1], row[2], row[3], meta).Scan(&stored); err != nil {
				r.Fatal(err)
			}
			for i, text := range row {
				if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
					text = "'" + text
				}
				row[i] = strings.ReplaceAll(text, "\r\n", "\n") // as encoding/csv has it
			}
			want = append(want, append(append([]string{fmt.Sprint(-i), "2026-01-01 00:00:00"}, row...), stored))
		}
		name := rapid.SampledFrom([]string{"semicolon", "comma", "tab"}).Draw(r, "separator")
		bom := rapid.Bool().Draw(r, "bom")
		got := b.request(t, "GET", fmt.Sprintf("/v1/audits/export?separator=%s&bom=%v", name, bom), "")
		body, hasBOM := bytes.CutPrefix(got.body, []byte("\ufeff"))
		if got.status != 200 || hasBOM != bom {
			r.Fatalf("%d: %q", got.status, got.body)
		}
		reader := csv.NewReader(bytes.NewReader(body))
		reader.Comma = separators[name]
		rows, err := reader.ReadAll()
		if err != nil {
			r.Fatalf("%v: %q", err, body)
		}
		if fmt.Sprintf("%q", rows[1:]) != fmt.Sprintf("%q", want) {
			r.Fatalf("%q, want\n%q", rows[1:], want)
		}
	})
}

// TestExport_SlowClient reads for longer than any timeout that requests have, but those of exports.
func TestExport_SlowClient(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *httpapi.Config) { cfg.RequestTimeout = 300 * time.Millisecond })
	server := httptest.NewUnstartedServer(b.api)
	server.Config.ReadTimeout, server.Config.WriteTimeout = 300*time.Millisecond, 300*time.Millisecond
	server.Start()
	t.Cleanup(server.Close)
	b.url = server.URL
	const events = 40_000 // more than the buffers in between hold
	b.fill(t, events)
	body := b.open(t, "/v1/audits/export?format=ndjson")
	lines := 0
	reader := bufio.NewReaderSize(body, 1<<20)
	for began := time.Now(); ; lines++ {
		if lines%(events/20) == 0 && time.Since(began) < 3*time.Second {
			time.Sleep(60 * time.Millisecond)
		}
		if _, err := reader.ReadBytes('\n'); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("after %d lines: %v", lines, err)
		}
	}
	if lines != events {
		t.Errorf("%d events, want %d", lines, events)
	}
}

// TestExport_Ends proves that an export which cannot end well breaks the connection and leaves nothing behind in the
// database.
func TestExport_Ends(t *testing.T) {
	t.Parallel()
	const events = 60_000
	for _, test := range []struct {
		name   string
		edit   func(*httpapi.Config)
		end    func(t *testing.T, b *bundle, body io.Closer)
		reason string
	}{
		{"client that hangs up", func(*httpapi.Config) {}, func(_ *testing.T, _ *bundle, body io.Closer) { body.Close() }, ""},
		{"client that takes nothing", func(cfg *httpapi.Config) { cfg.ExportStall = 200 * time.Millisecond }, nil, "took no more"},
		{"too long in all", func(cfg *httpapi.Config) { cfg.ExportTimeout = 500 * time.Millisecond }, nil, ""},
		{"database that goes away", func(*httpapi.Config) {}, func(t *testing.T, b *bundle, _ io.Closer) {
			b.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, test.edit)
			b.fill(t, events)
			body := b.open(t, "/v1/audits/export")
			if _, err := io.ReadFull(body, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
			if test.end != nil {
				test.end(t, b, body)
			}
			if test.reason != "" || test.end == nil { // the client waits until the service has given up
				eventually(t, func() bool { return strings.Contains(b.log.String(), `"request_id":"export"`) })
			}
			if n, err := io.Copy(io.Discard, body); err == nil {
				t.Errorf("the export ends as if it were whole, after %d bytes", n)
			}
			eventually(t, func() bool { return b.exporting(t) == 0 && strings.Contains(b.log.String(), `"request_id":"export"`) })
			if log := b.log.String(); !strings.Contains(log, test.reason) || strings.Contains(log, "panic") {
				t.Errorf("the log does not tell why, or tells of a panic: %s", log)
			}
			// The pool may have connections yet that it does not know to be dead.
			eventually(t, func() bool {
				return b.request(t, "GET", "/v1/audits/export?since=2026-01-01T16:30:00Z", "").status == 200
			})
		})
	}
}

// TestExport_TooMany holds as many exports open as there may be: the next is told to come again, and lists go on.
func TestExport_TooMany(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.fill(t, 60_000)
	var open []io.Closer
	for range 4 {
		open = append(open, b.open(t, "/v1/audits/export"))
	}
	wantProblem(t, b.request(t, "GET", "/v1/audits/export", ""), 429, portal.CodeTooMany)
	decode[page[any]](t, b.request(t, "GET", "/v1/audits", ""), 200)
	open[0].Close()
	eventually(t, func() bool { return b.request(t, "GET", "/v1/audits/export?kind=none", "").status == 200 })
}

// TestExport_Snapshot proves that an export is of one moment, however long it takes.
func TestExport_Snapshot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const events = 40_000
	b.fill(t, events)
	body := b.open(t, "/v1/audits/export?bom=false")
	b.exec(t, "INSERT INTO automation_audits (at, kind, action) VALUES ('2025-01-01', 'dfd', 'late')")
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(content, []byte("\r\n")); lines != events+1 || bytes.Contains(content, []byte("late")) {
		t.Errorf("%d lines, want %d", lines, events+1)
	}
}
