package httpapi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
)

func TestAPI_Tokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	revoked, revokedSecret, err := b.service.CreateToken(t.Context(), "revoked", portal.RoleAdmin, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.service.RevokeToken(t.Context(), revoked.ID); err != nil {
		t.Fatal(err)
	}
	soon := time.Now().Add(time.Hour)
	_, expired, err := b.service.CreateToken(t.Context(), "expired", portal.RoleAdmin, &soon)
	if err != nil {
		t.Fatal(err)
	}
	b.exec(t, "UPDATE service.api_tokens SET expires_at = now() WHERE name = 'expired'")

	const body = `{"kind": "dfd", "version": "1", "payload": {}}`
	reader, writer, admin := "Bearer "+b.tokens[portal.RoleReader], "Bearer "+b.tokens[portal.RoleWriter], "Bearer "+b.tokens[portal.RoleAdmin]
	for _, test := range []struct {
		name, method, path, body, authorization string
		status                                  int
	}{
		{"none", "GET", "/v1/submissions", "", "", 401},
		{"none, and more is wrong", "POST", "/v1/submissions?x=1", "{", "", 401},
		{"other scheme", "GET", "/v1/submissions", "", "Basic dTpw", 401},
		{"empty", "GET", "/v1/submissions", "", "Bearer ", 401},
		{"unknown", "GET", "/v1/submissions", "", "Bearer pdb_" + strings.Repeat("x", 43), 401},
		{"revoked", "GET", "/v1/submissions", "", "Bearer " + revokedSecret, 401},
		{"expired", "GET", "/v1/submissions", "", "Bearer " + expired, 401},
		{"reader reads", "GET", "/v1/submissions", "", reader, 200},
		{"scheme in other case", "GET", "/v1/stats", "", strings.Replace(reader, "Bearer", "bearer", 1), 200},
		{"reader creates", "POST", "/v1/submissions", body, reader, 403},
		{"reader changes", "PATCH", "/v1/submissions/x", body, reader, 403},
		{"reader audits", "POST", "/v1/audits", body, reader, 403},
		{"writer reads", "GET", "/v1/audits", "", writer, 200},
		{"writer creates", "POST", "/v1/submissions", body, writer, 201},
		{"admin creates", "POST", "/v1/submissions", body, admin, 201},
		{"nobody asks for health", "GET", "/healthz", "", "", 200},
		{"nobody asks for readiness", "GET", "/readyz", "", "", 200},
		{"nobody asks for nothing", "GET", "/nowhere", "", "", 404},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := b.request(t, test.method, test.path, test.body, "Authorization", test.authorization)
			switch test.status {
			case 401:
				wantProblem(t, got, 401, portal.CodeUnauthenticated)
			case 403:
				wantProblem(t, got, 403, portal.CodeForbidden)
			default:
				if got.status != test.status {
					t.Errorf("status %d, want %d: %s", got.status, test.status, got.body)
				}
			}
			if challenge := got.header.Get("WWW-Authenticate"); (test.status == 401 || test.status == 403) != strings.HasPrefix(challenge, "Bearer") {
				t.Errorf("WWW-Authenticate %q", challenge)
			}
		})
	}
	if strings.Contains(b.log.String(), "pdb_") {
		t.Error("a token is in the log")
	}
}

// TestAPI_Refuses sends what must not come in. The marker must not come back, nor get into the log.
func TestAPI_Refuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	s := decode[submission](t, b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "payload": {}}`), 201)
	const marker = "52998224725"
	const post, patch, get = "POST /v1/submissions", "PATCH /v1/submissions/", "GET /v1/submissions?"
	with := func(member string) string {
		return `{"kind": "dfd", "version": "1", "payload": {}, ` + member + `}`
	}
	payload := func(value string) string { return `{"kind": "dfd", "version": "1", "payload": {"a": ` + value + `}}` }
	nest := func(open, closing string, n int) string {
		return strings.Repeat(open, n) + strings.Repeat(closing, n)
	}
	for _, test := range []struct {
		name, to, body string
		status         int
		code           portal.Code
		detail         string
	}{
		{"U+0000 in payload", post, payload(`"` + marker + `\u0000"`), 400, "invalid", "U+0000"},
		{"U+0000 in a key", post, payload(`{"\u0000": 1}`), 400, "invalid", "U+0000"},
		{"U+0000 in text", post, with(`"actor_nome": "` + marker + `\u0000"`), 400, "invalid", "U+0000"},
		{"U+0000 as a byte", post, with("\"actor_nome\": \"\x00\""), 400, "invalid", "not valid JSON"},
		{"backslash before u0000", post, payload(`"\\u0000"`), 201, "", ""},
		{"high surrogate alone", post, payload(`"\ud83d"`), 400, "invalid", "surrogate"},
		{"high surrogate before text", post, payload(`"\ud83dxxxxxx"`), 400, "invalid", "surrogate"},
		{"two high surrogates", post, payload(`"\ud83d\ud83d"`), 400, "invalid", "surrogate"},
		{"low surrogate alone", post, with(`"actor_nome": "\ude00"`), 400, "invalid", "surrogate"},
		{"surrogate pair", post, payload(`"\uD83D\uDE00"`), 201, "", ""},
		{"not UTF-8", post, payload("\"" + marker + "\xff\""), 400, "invalid", "UTF-8"},
		{"surrogate as bytes", post, payload("\"\xed\xa0\x80\""), 400, "invalid", "UTF-8"},
		{"deep arrays", post, payload(nest("[", "]", 100_000)), 400, "invalid", "nested"},
		{"deep objects", post, payload(nest(`{"a":`, "}", 100_000)), 400, "invalid", "nested"},
		{"deep and unclosed", post, strings.Repeat("[", 1_000_000), 400, "invalid", "nested"},
		{"nested as deep as allowed", post, payload(nest("[", "]", 198)), 201, "", ""},
		{"huge number", post, payload("1e400000"), 400, "invalid", "too large"},
		{"tiny number", post, payload("1e-400000"), 400, "invalid", ""},
		{"large number", post, payload("1e400"), 201, "", ""},
		{"duplicate in payload", post, `{"kind": "dfd", "version": "1", "payload": {"a": 1, "a": 2}}`, 201, "", ""},
		{"long numero", post, `{"kind": "dfd", "version": "1", "payload": {"numero": "` + noise(3000) + `"}}`, 400, "invalid", "numero"},

		{"empty", post, "", 400, "invalid", "required"},
		{"blank", post, "  \n", 400, "invalid", "JSON"},
		{"not JSON", post, marker, 400, "invalid", "object"},
		{"cut off", post, `{"kind": "` + marker, 400, "invalid", "JSON"},
		{"trailing", post, payload("1") + " {}", 400, "invalid", "single"},
		{"trailing comma", post, `{"kind": "dfd",}`, 400, "invalid", "JSON"},
		{"NaN", post, payload("NaN"), 400, "invalid", "JSON"},
		{"array", post, `[]`, 400, "invalid", "object"},
		{"null", post, `null`, 400, "invalid", "object"},
		{"byte order mark", post, "\ufeff{}", 400, "invalid", "JSON"},
		{"unknown field", post, with(`"owner": "` + marker + `"`), 400, "invalid", "owner is not known"},
		{"field in other case", post, with(`"Status": "done"`), 400, "invalid", "Status is not known"},
		{"a name that is not known", post, with(`"queued": true`), 400, "invalid", "queued is not known"},
		{"field twice", post, with(`"kind": "` + marker + `"`), 400, "invalid", "kind must be given once"},
		{"kind is a number", post, `{"kind": 52998224725}`, 400, "invalid", "kind must be text"},
		{"kind is null", post, `{"kind": null, "version": "1", "payload": {}}`, 400, "invalid", "kind is required"},
		{"kind is empty", post, `{"kind": "", "version": "1", "payload": {}}`, 400, "invalid", "kind is required"},
		{"no payload", post, `{"kind": "dfd", "version": "1"}`, 400, "invalid", "payload is required"},
		{"payload is text", post, `{"kind": "dfd", "version": "1", "payload": "` + marker + `"}`, 400, "invalid", "payload must be an object"},
		{"status", post, with(`"status": "` + marker + `"`), 400, "invalid", "status"},
		{"id", post, with(`"id": "` + marker + `"`), 400, "invalid", "id must be a UUID"},
		{"id taken", post, with(`"id": "` + s.ID + `"`), 409, "conflict", "exists already"},
		{"query of a creation", post + "?kind=dfd", payload("1"), 201, "", ""},

		{"change nothing", patch + s.ID, `{}`, 400, "invalid", "nothing to change"},
		{"change the payload", patch + s.ID, `{"payload": {}}`, 400, "invalid", "payload is not known"},
		{"change the status to a number", patch + s.ID, `{"status": 1}`, 400, "invalid", "status must be text"},
		{"change to an unknown status", patch + s.ID, `{"status": "` + marker + `"}`, 400, "invalid", "status must be"},
		{"error is a number", patch + s.ID, `{"error": 52998224725}`, 400, "invalid", "error must be text"},
		{"result is text", patch + s.ID, `{"result": "` + marker + `"}`, 400, "invalid", "result must be"},
		{"back to queued", patch + s.ID, `{"status": "queued"}`, 409, "conflict", "queued already"},
		{"change what is not there", patch + marker, `{"status": "done"}`, 404, "not_found", ""},

		{"limit 0", get + "limit=0", "", 400, "invalid", "query.limit"},
		{"negative limit", get + "limit=-1", "", 400, "invalid", "query.limit"},
		{"limit 1001", get + "limit=1001", "", 400, "invalid", "query.limit"},
		{"huge limit", get + "limit=99999999999999999999", "", 400, "invalid", "query.limit"},
		{"limit is text", get + "limit=" + marker + "x", "", 400, "invalid", "query.limit"},
		{"empty limit", get + "limit=", "", 400, "invalid", "query.limit"},
		{"limit without a value", get + "limit", "", 400, "invalid", "query.limit"},
		{"limit twice", get + "limit=1&limit=2", "", 400, "invalid", "query.limit must be given once"},
		{"negative offset", get + "offset=-1", "", 400, "invalid", "query.offset"},
		{"huge offset", get + "offset=9223372036854775807", "", 400, "invalid", "query.offset"},
		{"unknown parameter", get + "knd=dfd", "", 400, "invalid", "query.knd is not known"},
		{"parameter in other case", get + "Kind=dfd", "", 400, "invalid", "query.Kind is not known"},
		{"two things wrong", get + "x=1&limit=0", "", 400, "invalid", "query.limit"},
		{"broken cursor", get + "cursor=" + marker, "", 400, "invalid", "cursor"},
		{"empty cursor", get + "cursor=", "", 400, "invalid", "cursor"},
		{"status", get + "status=" + marker, "", 400, "invalid", "status must be"},
		{"empty status", get + "status=", "", 400, "invalid", "status must be"},
		{"empty q", get + "q=", "", 400, "invalid", "q must not be empty"},
		{"long q", get + "q=" + strings.Repeat("x", 201), "", 400, "invalid", "q must not be longer"},
		{"payload is not JSON", get + "payload=" + marker + "x", "", 400, "invalid", "query.payload"},
		{"deep payload", get + "payload=" + nest("[", "]", 10_000), "", 400, "invalid", "nested"},
		{"U+0000 in payload", get + "payload=%22%5Cu0000%22", "", 400, "invalid", "U+0000"},
		{"time", get + "since=yesterday", "", 400, "invalid", "query.since"},
		{"plus not escaped", get + "since=2026-01-01T00:00:00+03:00", "", 400, "invalid", "%2B"},
		{"year 10000", get + "until=9999-12-31T23:00:00-03:00", "", 400, "invalid", "until"},
		{"year 0", get + "since=0000-01-01T00:00:00Z", "", 400, "invalid", "since"},
		{"bad escape", get + "kind=%zz", "", 400, "invalid", "malformed"},
		{"semicolon", get + "kind=a;b=c", "", 400, "invalid", "malformed"},
		{"U+0000 in a filter", get + "kind=%00", "", 400, "invalid", "query.kind"},
		{"not UTF-8 in a filter", get + "actor_cpf=%ff", "", 400, "invalid", "query.actor_cpf"},
		{"not UTF-8 in a name", get + "%ff=1", "", 400, "invalid", "not known"},

		{"nothing there", "GET /v1/nowhere", "", 404, "not_found", ""},
		{"root", "GET /", "", 404, "not_found", ""},
		{"other method", "DELETE /v1/submissions", "", 405, "unsupported", "Allow"},
		{"other method of an id", "PUT /v1/submissions/x", `{}`, 405, "unsupported", "Allow"},
	} {
		t.Run(test.name, func(t *testing.T) {
			method, path, _ := strings.Cut(test.to, " ")
			got := b.request(t, method, path, test.body)
			if test.status < 300 {
				if got.status != test.status {
					t.Errorf("status %d, want %d: %.300s", got.status, test.status, got.body)
				}
				return
			}
			p := wantProblem(t, got, test.status, test.code)
			if !strings.Contains(p.Detail, test.detail) {
				t.Errorf("detail %q, want %q in it", p.Detail, test.detail)
			}
			if strings.Contains(string(got.body), marker) || len(got.body) > 1000 {
				t.Errorf("the problem echoes what was sent: %.300s", got.body)
			}
			if test.status == 405 && !strings.Contains(got.header.Get("Allow"), "GET") {
				t.Errorf("Allow %q", got.header.Get("Allow"))
			}
		})
	}
	if strings.Contains(b.log.String(), marker) {
		t.Error("what was sent is in the log")
	}
	if strings.Contains(b.log.String(), `"level":"ERROR"`) {
		t.Errorf("the service failed: %s", b.log)
	}
}

func TestAPI_ContentTypes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const body = `{"kind": "dfd", "version": "1", "payload": {}}`
	for given, status := range map[string]int{
		"application/json":                  201,
		"application/json; charset=utf-8":   201,
		"Application/JSON":                  201,
		"":                                  201,
		"text/json":                         415,
		"application/x-www-form-urlencoded": 415,
		"multipart/form-data; boundary=x":   415,
		"application/vnd.api+json":          415,
		"nonsense;;":                        415,
	} {
		got := b.request(t, "POST", "/v1/submissions", body, "Content-Type", given)
		if status == 415 {
			wantProblem(t, got, 415, portal.CodeUnsupported)
		} else if got.status != status {
			t.Errorf("%q: status %d: %s", given, got.status, got.body)
		}
	}
	wantProblem(t, b.request(t, "POST", "/v1/submissions", body, "Content-Encoding", "gzip"), 415, portal.CodeUnsupported)
	for _, accept := range []string{"text/html", "application/cbor", "*/*", "application/json;q=0"} {
		if got := b.request(t, "GET", "/v1/submissions", "", "Accept", accept); got.status != 200 || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("accept %s: status %d, %s", accept, got.status, got.header.Get("Content-Type"))
		}
	}
	if got := b.request(t, "HEAD", "/v1/submissions", ""); got.status != 200 || len(got.body) != 0 {
		t.Errorf("HEAD: status %d, %d bytes", got.status, len(got.body))
	}
}

func TestAPI_RequestID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for given, kept := range map[string]bool{
		"":                      false,
		"abc-1.2_3":             true,
		strings.Repeat("x", 64): true,
		strings.Repeat("x", 65): false,
		"a b":                   false,
		`"}{`:                   false,
		"ç":                     false,
	} {
		got := b.request(t, "GET", "/healthz", "", "X-Request-Id", given).header.Get("X-Request-Id")
		if got == "" || (got == given) != kept {
			t.Errorf("given %q, got %q", given, got)
		}
	}
}

// TestAPI_Log looks for personal data in every place of a request.
func TestAPI_Log(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const cpf = "52998224725"
	b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "actor_cpf": "`+cpf+`", "payload": {"cpf": "`+cpf+`"}}`, "X-Request-Id", "create")
	b.request(t, "GET", "/v1/submissions?actor_cpf="+cpf, "", "X-Request-Id", "list")
	b.request(t, "GET", "/v1/submissions/"+cpf, "", "X-Request-Id", cpf)
	b.request(t, "GET", "/"+cpf, "", "User-Agent", cpf, "Referer", cpf)
	log := b.log.String()
	if strings.Contains(log, cpf) {
		t.Errorf("a CPF is in the log: %s", log)
	}
	for _, want := range []string{
		`"request_id":"create","method":"POST","route":"POST /v1/submissions","status":201,"ms":`,
		`"request_id":"list","method":"GET","route":"GET /v1/submissions","status":200,"ms":`,
		`"request_id":"***.***.***-**","method":"GET","route":"GET /v1/submissions/{id}","status":404,"ms":`,
		`"method":"GET","route":"","status":404,"ms":`,
		`"token":"test admin"`,
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log has no %s: %s", want, log)
		}
	}
}

func TestAPI_Failures(t *testing.T) {
	t.Parallel()

	t.Run("panic", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(cfg *httpapi.Config) { cfg.Ready = func(context.Context) error { panic("52998224725 fell over") } })
		wantProblem(t, b.request(t, "GET", "/readyz", ""), 500, portal.CodeInternal)
		if log := b.log.String(); !strings.Contains(log, "***.***.***-** fell over") || !strings.Contains(log, "api_test.go") {
			t.Errorf("the log does not tell where it fell over, or tells a CPF: %s", log)
		}
	})

	t.Run("not ready", func(t *testing.T) {
		t.Parallel()
		var because error
		b := setup(t, func(cfg *httpapi.Config) { cfg.Ready = func(context.Context) error { return because } })
		because = errors.New("secret reason")
		if p := wantProblem(t, b.request(t, "GET", "/readyz", ""), 503, portal.CodeUnavailable); strings.Contains(p.Detail, "secret") {
			t.Errorf("detail %q", p.Detail)
		}
		because = &portal.Error{Code: portal.CodeUnavailable, Message: "the schema is behind"}
		if p := wantProblem(t, b.request(t, "GET", "/readyz", ""), 503, portal.CodeUnavailable); p.Detail != "the schema is behind" {
			t.Errorf("detail %q", p.Detail)
		}
		if got := b.request(t, "GET", "/healthz", ""); got.status != 200 {
			t.Errorf("status %d", got.status)
		}
	})

	t.Run("something is missing in the database", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.exec(t, "ALTER TABLE submissions RENAME TO submissions_of_52998224725")
		wantProblem(t, b.request(t, "GET", "/v1/submissions", ""), 500, portal.CodeInternal)
		wantProblem(t, b.request(t, "GET", "/v1/submissions/x", ""), 500, portal.CodeInternal)
		if !strings.Contains(b.log.String(), "42P01") {
			t.Errorf("the log does not tell what is missing: %s", b.log)
		}
	})

	t.Run("locked for too long", func(t *testing.T) {
		t.Parallel()
		b := setup(t, func(cfg *httpapi.Config) { cfg.RequestTimeout = 3 * time.Second }) // the others have to fit on a busy machine
		s := decode[submission](t, b.request(t, "POST", "/v1/submissions", `{"kind": "dfd", "version": "1", "payload": {}}`), 201)
		tx, err := b.conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), "UPDATE submissions SET error = 'x' WHERE id = $1", s.ID); err != nil {
			t.Fatal(err)
		}
		wantProblem(t, b.request(t, "PATCH", "/v1/submissions/"+s.ID, `{"status": "done"}`), 503, portal.CodeUnavailable)
		if err := tx.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		decode[submission](t, b.request(t, "PATCH", "/v1/submissions/"+s.ID, `{"status": "done"}`), 200)
	})

	t.Run("body that ends early", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		for _, framing := range []string{"Content-Length: 100\r\n\r\n{", "Transfer-Encoding: chunked\r\n\r\nzz\r\n"} {
			conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST /v1/submissions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n%s", b.tokens[portal.RoleWriter], framing)
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			content, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			wantProblem(t, answer{response.StatusCode, response.Header, content}, 400, portal.CodeInvalid)
		}
	})

	t.Run("client that hangs up", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.exec(t, `INSERT INTO submissions (id, kind, version, payload, status) SELECT n::text, 'dfd', '1', to_jsonb(repeat('x', 20000)), 'done' FROM generate_series(1, 1000) n`)
		conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET /v1/submissions?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nX-Request-Id: gone\r\n\r\n", b.tokens[portal.RoleReader])
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		conn.Close()
		eventually(t, func() bool { return strings.Contains(b.log.String(), `"request_id":"gone"`) })
		if log := b.log.String(); strings.Contains(log, "panic") {
			t.Errorf("the service fell over: %s", log)
		}
	})
}

// noise returns text that does not compress, so that it does not fit an index.
func noise(length int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < length; {
		x = x*1664525 + 1013904223
		b.WriteByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[x>>26])
	}
	return b.String()
}

// eventually waits until a condition holds.
func eventually(t testing.TB, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}
