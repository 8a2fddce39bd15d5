package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"portaldb/internal/blob"
	"portaldb/internal/httpapi"
	"portaldb/internal/pgtest"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// bundle is an API that serves a database of its own.
type bundle struct {
	api     *httpapi.API
	url     string
	client  *http.Client
	service *portal.Service
	conn    *pgx.Conn // beside the API
	files   *portal.Files
	root    string // where the bytes of files lie
	log     *logBuffer
	tokens  map[portal.Role]string
}

func setup(t testing.TB, edit ...func(*httpapi.Config)) *bundle {
	t.Helper()
	return setupFiles(t, func(*portal.FilesConfig) {}, edit...)
}

// sessionSecret is what the legacy code has signed links with.
const sessionSecret = "a secret of the legacy code"

func setupFiles(t testing.TB, editFiles func(*portal.FilesConfig), edit ...func(*httpapi.Config)) *bundle {
	t.Helper()
	database := pgtest.New(t)
	db, err := postgres.Open(t.Context(), postgres.Config{URL: database, ApplicationName: "httpapi_test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })

	b := &bundle{conn: conn, root: t.TempDir(), log: &logBuffer{}, tokens: map[portal.Role]string{}}
	b.service = portal.New(db.Primary(), db.Reads())
	for _, role := range []portal.Role{portal.RoleReader, portal.RoleWriter, portal.RoleAdmin} {
		if _, b.tokens[role], err = b.service.CreateToken(t.Context(), "test "+string(role), role, nil); err != nil {
			t.Fatal(err)
		}
	}
	store, err := blob.Open(blob.Config{Root: b.root})
	if err != nil {
		t.Fatal(err)
	}
	files := portal.FilesConfig{Store: store, SessionSecret: sessionSecret}
	editFiles(&files)
	b.files = portal.NewFiles(db.Primary(), db.Reads(), files)
	cfg := httpapi.Config{
		Service: b.service,
		Files:   b.files,
		Logger:  slog.New(slog.NewJSONHandler(b.log, &slog.HandlerOptions{ReplaceAttr: portal.MaskLogAttr})),
		Version: "test",
	}
	for _, e := range edit {
		e(&cfg)
	}
	b.api = httpapi.New(cfg)
	server := httptest.NewServer(b.api)
	t.Cleanup(server.Close)
	b.url, b.client = server.URL, server.Client()
	return b
}

func (b *bundle) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := b.conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// request sends a request as admin unless a header says otherwise. header are names and values by turns.
func (b *bundle) request(t testing.TB, method, path, body string, header ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, b.url+path, reader)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+b.tokens[portal.RoleAdmin])
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Del(header[i])
		if header[i+1] != "" {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return b.do(t, r)
}

func (b *bundle) do(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, content}
}

// decode expects a status and returns the body.
func decode[T any](t testing.TB, a answer, status int) (v T) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

type problem struct {
	Title     string
	Status    int
	Code      string
	Detail    string
	RequestID string `json:"request_id"`
	Errors    []struct{ Location, Message string }
}

// wantProblem expects a problem document that is complete and tells nothing of the inside.
func wantProblem(t testing.TB, a answer, status int, code portal.Code) problem {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %.300s", a.status, status, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("content type %q: %.300s", got, a.body)
	}
	var p problem
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Errorf("%v: %.300s", err, a.body)
	}
	if p.Code != string(code) || p.Status != a.status || p.Title != http.StatusText(a.status) || p.Detail == "" {
		t.Errorf("problem %+v, want one of code %s", p, code)
	}
	if p.RequestID == "" || p.RequestID != a.header.Get("X-Request-Id") {
		t.Errorf("request id %q, header %q", p.RequestID, a.header.Get("X-Request-Id"))
	}
	for _, internal := range []string{"SQLSTATE", "SELECT", "INSERT", "goroutine", "pgx", "_pkey", "huma"} {
		if bytes.Contains(a.body, []byte(internal)) {
			t.Errorf("the problem tells of %s: %s", internal, a.body)
		}
	}
	return p
}

// logBuffer is a log that may be read meanwhile.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
