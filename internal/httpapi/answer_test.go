package httpapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
)

// plain returns the body as it was before it was compressed.
func plain(t testing.TB, got answer) string {
	t.Helper()
	var reader io.Reader = bytes.NewReader(got.body)
	var err error
	switch encoding := got.header.Get("Content-Encoding"); encoding {
	case "":
	case "gzip":
		reader, err = gzip.NewReader(reader)
	case "zstd":
		decoder, e := zstd.NewReader(reader)
		defer decoder.Close()
		reader, err = decoder, e
	default:
		t.Fatalf("encoding %q", encoding)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAPI_Compression(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status) SELECT n::text, 'dfd', '1', '{"a": "b"}', 'done' FROM generate_series(1, 50) n`)
	const list = "/v1/submissions"
	want := b.request(t, "GET", list, "", "Accept-Encoding", "identity")
	for accept, encoding := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "GZIP": "gzip", "gzip, deflate, br": "gzip", "gzip, deflate, br, zstd": "zstd", "zstd;q=0.5, gzip;q=0.8": "gzip",
		"*": "zstd", "*;q=0": "", "gzip;q=0": "", "gzip;q=0, *": "zstd", "br": "", "gzip;q=": "", "gzip;q=nan": "", ",,;;=": "", strings.Repeat("x,", 10_000) + "gzip": "gzip",
	} {
		b.client.Transport.(*http.Transport).DisableCompression = true
		got := b.request(t, "GET", list, "", "Accept-Encoding", accept)
		if got.header.Get("Content-Encoding") != encoding || plain(t, got) != string(want.body) {
			t.Errorf("%.40s: encoding %q", accept, got.header.Get("Content-Encoding"))
		}
		if got.header.Get("Vary") != "Accept-Encoding" || got.header.Get("ETag") != want.header.Get("ETag") || got.header.Get("Content-Length") != strconv.Itoa(len(got.body)) {
			t.Errorf("%.40s: %v", accept, got.header)
		}
		if encoding != "" && len(got.body)*3 > len(want.body) {
			t.Errorf("%.40s: %d bytes of %d", accept, len(got.body), len(want.body))
		}
	}
	for _, small := range []string{"/healthz", "/v1/submissions/1", "/v1/submissions/nowhere"} {
		if got := b.request(t, "GET", small, "", "Accept-Encoding", "gzip, zstd"); got.header.Get("Content-Encoding") != "" || len(got.body) > 1023 {
			t.Errorf("%s: %d bytes, %v", small, len(got.body), got.header)
		}
	}
	if got := b.request(t, "GET", "/metrics", "", "Accept-Encoding", "gzip"); !strings.Contains(plain(t, got), "portaldb_http_requests_total") || got.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("metrics: %v", got.header)
	}
	for _, path := range []string{"/openapi.json", "/openapi.yaml", "/docs"} {
		if got := b.request(t, "GET", path, "", "Accept-Encoding", "zstd"); got.header.Get("Content-Encoding") != "zstd" || !strings.Contains(plain(t, got), "list-submissions") {
			t.Errorf("%s: %v", path, got.header)
		}
	}
}

// TestAPI_Compression_Tags reads a submission in every encoding: each has a strong tag of its own (RFC 9110, 8.8.3.3), and
// each of them is good for the next request, in whatever encoding that is answered.
func TestAPI_Compression_Tags(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.client.Transport.(*http.Transport).DisableCompression = true
	made := b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "payload": {"text": "`+strings.Repeat("a", 2000)+`"}}`, "Accept-Encoding", "gzip")
	path := made.header.Get("Location")
	encodings := []string{"identity", "gzip", "zstd"}
	tags := map[string]string{}
	read := func() {
		t.Helper()
		for _, encoding := range encodings {
			got := b.request(t, "GET", path, "", "Accept-Encoding", encoding)
			tags[encoding] = got.header.Get("ETag")
			if got.status != 200 || !strings.HasPrefix(tags[encoding], `"`) || !strings.HasSuffix(tags[encoding], `"`) || encoding != "identity" && got.header.Get("Content-Encoding") != encoding {
				t.Errorf("%s: status %d, %v", encoding, got.status, got.header)
			}
		}
		if tags["identity"] == tags["gzip"] || tags["gzip"] == tags["zstd"] || tags["identity"] == tags["zstd"] {
			t.Errorf("one strong tag for other bytes: %v", tags)
		}
	}
	read()
	if made.status != 201 || made.header.Get("ETag") != tags["gzip"] || made.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("created: status %d, %v, want %s", made.status, made.header, tags["gzip"])
	}
	for i, had := range encodings {
		for _, accept := range encodings {
			for _, method := range []string{"GET", "HEAD"} {
				got := b.request(t, method, path, "", "Accept-Encoding", accept, "If-None-Match", `"x", `+tags[had])
				if got.status != 304 || got.header.Get("ETag") != tags[had] || got.header.Get("Vary") != "Accept-Encoding" {
					t.Errorf("%s who has %s and takes %s: status %d, %v", method, had, accept, got.status, got.header)
				}
			}
		}
		old := tags[had]
		for _, other := range []string{"W/" + old, strings.Replace(old, `"`, `"x`, 1), strings.TrimSuffix(old, `"`) + `-br"`} {
			wantProblem(t, b.request(t, "PATCH", path, `{"error": "x"}`, "If-Match", other), 412, portal.CodePreconditionFailed)
		}
		changed := b.request(t, "PATCH", path, fmt.Sprintf(`{"error": "%d"}`, i), "If-Match", old, "Accept-Encoding", "zstd")
		if changed.status != 200 {
			t.Fatalf("a change with the tag of %s: status %d: %s", had, changed.status, changed.body)
		}
		read()
		if changed.header.Get("ETag") != tags["zstd"] {
			t.Errorf("changed: %s, want %s", changed.header.Get("ETag"), tags["zstd"])
		}
		wantProblem(t, b.request(t, "PATCH", path, `{"error": "x"}`, "If-Match", old), 412, portal.CodePreconditionFailed)
		if got := b.request(t, "GET", path, "", "If-None-Match", old, "Accept-Encoding", had); got.status != 200 {
			t.Errorf("after a change, with the tag of %s before it: status %d", had, got.status)
		}
	}
	if got := b.request(t, "GET", path, "", "If-None-Match", "*", "Accept-Encoding", "gzip"); got.status != 304 || got.header.Get("ETag") != tags["gzip"] {
		t.Errorf("any: status %d, %v", got.status, got.header)
	}
}

func TestAPI_Conditional(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := decode[submission](t, b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "payload": {}}`), 201)
	for _, path := range []string{"/v1/submissions/" + s.ID, "/v1/submissions?kind=dfd", "/v1/submissions/" + s.ID + "/audits"} {
		first := b.request(t, "GET", path, "")
		tag := first.header.Get("ETag")
		for given, status := range map[string]int{
			tag: 304, strings.TrimPrefix(tag, "W/"): 304, `"x", ` + tag: 304, `"a,b",` + tag + `,"y"`: 304, "*": 304,
			`"x"`: 200, `W/"x"`: 200, "x": 200, `"`: 200, tag[:len(tag)-1]: 200,
		} {
			for _, method := range []string{"GET", "HEAD"} {
				got := b.request(t, method, path, "", "If-None-Match", given)
				if got.status != status || got.header.Get("ETag") != tag || got.header.Get("Cache-Control") != "private, no-cache" {
					t.Errorf("%s %s, %s: status %d, %v", method, path, given, got.status, got.header)
				}
				if status == 304 && (len(got.body) > 0 || got.header.Get("Content-Type") != "") {
					t.Errorf("%s %s: a 304 with %s %s", method, path, got.header.Get("Content-Type"), got.body)
				}
			}
		}
		decode[submission](t, b.request(t, "PATCH", "/v1/submissions/"+s.ID, `{"error": "`+path+`"}`), 200)
		if got := b.request(t, "GET", path, "", "If-None-Match", tag); got.status != 200 || got.header.Get("ETag") == tag {
			t.Errorf("%s after a change: status %d, %s", path, got.status, got.header.Get("ETag"))
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if got := b.request(t, "GET", path, "", "If-None-Match", "*"); got.status != 200 || got.header.Get("ETag") != "" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, %v", path, got.status, got.header)
		}
	}
	if got := b.request(t, "POST", "/v1/audits", `{"kind": "a", "action": "b"}`, "If-None-Match", "*"); got.status != 201 {
		t.Errorf("POST: status %d", got.status)
	}
	if got := b.request(t, "GET", "/v1/submissions/nowhere", "", "If-None-Match", "*"); got.status != 404 {
		t.Errorf("what is not there: status %d", got.status)
	}
}

// TestAPI_Docs looks for anything that would make a browser ask another server, or run something.
func TestAPI_Docs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	got := b.request(t, "GET", "/docs", "", "Authorization", "")
	page := string(got.body)
	if got.status != 200 || got.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(got.header.Get("Content-Security-Policy"), "default-src 'none'; style-src 'sha256-") {
		t.Errorf("status %d, %v", got.status, got.header)
	}
	for _, foreign := range []string{"<script", "http://", "https://", "src=", "@import", "url(", "<link", "onload", "ZgotmplZ"} {
		if strings.Contains(page, foreign) {
			t.Errorf("the page has %s", foreign)
		}
	}
	for _, op := range describe(t, b).operations() {
		if !strings.Contains(page, `<section id="`+op.id+`">`) {
			t.Errorf("the page lacks %s", op.id)
		}
	}
}

func TestAPI_WrongTokens(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *httpapi.Config) { cfg.WrongTokens = 3 })
	wrong := func(i int) string { return fmt.Sprintf("Bearer pdb_%043d", i) }
	for i := range 10 {
		got := b.request(t, "GET", "/v1/stats", "", "Authorization", wrong(i), "X-Forwarded-For", fmt.Sprintf("10.0.0.%d", i), "Forwarded", "for=10.1.1.1")
		if i < 3 {
			wantProblem(t, got, 401, portal.CodeUnauthenticated)
			continue
		}
		wantProblem(t, got, 429, portal.CodeTooMany)
		if wait, err := strconv.Atoi(got.header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 {
			t.Errorf("Retry-After %q", got.header.Get("Retry-After"))
		}
		if got := b.request(t, "GET", "/v1/stats", ""); got.status != 200 {
			t.Errorf("a good token from the same address: status %d", got.status)
		}
	}
	wantProblem(t, b.request(t, "GET", "/v1/stats", "", "Authorization", ""), 401, portal.CodeUnauthenticated)

	other := httptest.NewRequestWithContext(t.Context(), "GET", "/v1/stats", nil)
	other.RemoteAddr = "192.0.2.7:1234"
	other.Header.Set("Authorization", wrong(0))
	recorder := httptest.NewRecorder()
	b.api.ServeHTTP(recorder, other)
	if recorder.Code != 401 {
		t.Errorf("from another address: status %d", recorder.Code)
	}
}

// TestAPI_TokenRotation changes a token while requests go on: old and new are good at once, and then the old one ends
// within the time for which it may be remembered.
func TestAPI_TokenRotation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	oldToken, oldSecret, err := b.service.CreateToken(t.Context(), "bff", portal.RoleReader, nil)
	if err != nil {
		t.Fatal(err)
	}
	status := func(secret string) int {
		return b.request(t, "GET", "/v1/stats", "", "Authorization", "Bearer "+secret).status
	}
	var current atomic.Value
	current.Store(oldSecret)
	ctx, stop := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var calls atomic.Int64
	for range 4 {
		callers.Go(func() {
			for ctx.Err() == nil {
				if got := status(current.Load().(string)); got != 200 {
					t.Errorf("a request fell into the change: status %d", got)
					return
				}
				calls.Add(1)
			}
		})
	}
	eventually(t, func() bool { return calls.Load() > 20 })
	_, newSecret, err := b.service.CreateToken(t.Context(), "bff", portal.RoleReader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status(oldSecret) != 200 || status(newSecret) != 200 {
		t.Error("the two are not good at once")
	}
	current.Store(newSecret)
	before := calls.Load()
	eventually(t, func() bool { return calls.Load() > before+20 }) // nobody uses the old one any more
	if _, err := b.service.RevokeToken(t.Context(), oldToken.ID); err != nil {
		t.Fatal(err)
	}
	revoked := time.Now()
	eventually(t, func() bool { return status(oldSecret) == 401 })
	if took := time.Since(revoked); took > portal.TokenCacheFor+5*time.Second {
		t.Errorf("the old token was good for another %s", took)
	}
	stop()
	callers.Wait()
}

func TestAPI_Metrics(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status, updated_at) VALUES ('legacy', 'dfd', '1', '{}', 'running', now() - interval '2 hours')`)
	metrics := func() string {
		got := b.request(t, "GET", "/metrics", "", "Authorization", "", "Accept-Encoding", "identity")
		if got.status != 200 {
			t.Fatalf("status %d", got.status)
		}
		return string(got.body)
	}
	b.request(t, "GET", "/v1/stats", "")
	b.request(t, "GET", "/v1/stats", "", "Authorization", "")
	text := metrics()
	for _, want := range []string{
		`portaldb_http_requests_total{route="GET /v1/stats",status="200"} 1`, `portaldb_http_requests_total{route="GET /v1/stats",status="401"} 1`,
		`portaldb_http_request_duration_seconds_count{route="GET /v1/stats"} 2`, `portaldb_http_response_bytes_total{route="GET /v1/stats"} `,
		`portaldb_http_requests_in_flight 1`, `portaldb_queue_oldest_seconds 0`, `portaldb_submissions_long_running 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	b.exec(t, "ALTER TABLE service.submission_queue RENAME TO elsewhere")
	if unknown := metrics(); strings.Contains(unknown, "long_running") || strings.Contains(unknown, "portaldb_queue") {
		t.Error("values that are not known are shown")
	}
	for i := range 2000 { // by the handler itself: no connections
		for _, path := range []string{"/v1/submissions/%d", "/%d", "/v1/submissions/%d/audits", "/v1/stats?x%d=1"} {
			for _, method := range []string{"GET", "M" + strconv.Itoa(i)} {
				r := httptest.NewRequestWithContext(t.Context(), method, fmt.Sprintf(path, i), nil)
				r.Header.Set("X-Request-Id", strconv.Itoa(i))
				b.api.ServeHTTP(httptest.NewRecorder(), r)
			}
		}
	}
	if after := metrics(); strings.Count(after, "\n") > strings.Count(text, "\n")+150 {
		t.Errorf("%d lines became %d", strings.Count(text, "\n"), strings.Count(after, "\n"))
	}
}
