package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"portaldb/internal/cli"
	"portaldb/internal/pgtest"
	"portaldb/internal/schema"
	"portaldb/migrations"
)

// olderFiles is a folder with the migrations of an older release.
func olderFiles(t testing.TB, latest int64) string {
	t.Helper()
	files, err := schema.Files(migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range files[:latest] {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// latest is the version that the migrations end at.
func latest(t testing.TB) int64 {
	t.Helper()
	files, err := schema.Files(migrations.FS)
	if err != nil {
		t.Fatal(err)
	}
	return files[len(files)-1].Version
}

func ready(t testing.TB, url string) (int, string) {
	t.Helper()
	client := &api{url: url, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	status, body, err := client.do(t.Context(), http.MethodGet, "/readyz", "")
	if err != nil {
		t.Fatal(err)
	}
	return status, string(body)
}

func waitReady(t testing.TB, url string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		status, body := ready(t, url)
		if status == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not ready within 20 s: %s", body)
		}
	}
}

func TestServe(t *testing.T) {
	t.Parallel()

	t.Run("migrates, serves and reports", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
		url := serve(t, env)
		if status, body := ready(t, url); status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		var replicas []any
		for deadline := time.Now().Add(20 * time.Second); len(replicas) == 0 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			replicas = run(t, env, "status", "--json").object(t)["replicas"].([]any)
		}
		if len(replicas) != 1 || replicas[0].(map[string]any)["release"] == "" {
			t.Errorf("replicas %v", replicas)
		}
	})

	t.Run("does not migrate when told, and is ready once somebody has", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
		run(t, env, "up", "--to", "49")
		url := serve(t, env, "--no-migrate")
		if status, body := ready(t, url); status != http.StatusServiceUnavailable || !strings.Contains(body, "behind: the database is at version 49") {
			t.Fatalf("%d %s", status, body)
		}
		if got := run(t, env, "up"); got.code != 0 {
			t.Fatal(got.stderr)
		}
		waitReady(t, url)
	})

	t.Run("an older binary serves a newer schema", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + pgtest.New(t)}
		waitReady(t, serve(t, env, "--dir", olderFiles(t, 48)))
	})

	t.Run("a broken schema is named, at the start and while it serves", func(t *testing.T) {
		t.Parallel()
		database := pgtest.New(t)
		env := []string{"DATABASE_URL=" + database}
		url := serve(t, env)
		waitReady(t, url)
		execute(t, database, `alter table automation_audits rename column meta to details`)
		status, body := ready(t, url)
		for deadline := time.Now().Add(10 * time.Second); status == http.StatusOK && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
			status, body = ready(t, url) // an answer is remembered for a second
		}
		if status != http.StatusServiceUnavailable || !strings.Contains(body, "broken:") || !strings.Contains(body, "ListAudits") || strings.Contains(body, "SELECT") {
			t.Errorf("%d %s", status, body)
		}
		if got := run(t, env, "serve", "--addr", "127.0.0.1:0"); got.code != 3 || !strings.Contains(got.stderr, "ListAudits") {
			t.Errorf("start on it: code %d, %s", got.code, got.stderr)
		}
	})

	t.Run("five that restart under a hold never migrate", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
		run(t, env, "up", "--to", "49")
		run(t, env, "hold", "incident 42")
		var group errgroup.Group
		for range 5 {
			group.Go(func() error {
				for range 3 {
					ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
					runContext(ctx, env, "serve", "--addr", "127.0.0.1:0")
					stop()
				}
				return nil
			})
		}
		_ = group.Wait()
		if v := run(t, env, "status", "--json").object(t)["version"]; v != 49.0 {
			t.Errorf("they raised it to version %v", v)
		}
		// Version 49 lacks the table of tokens: not compatible, so it stays up, not ready, and says why.
		url := serve(t, env)
		if status, body := ready(t, url); status != http.StatusServiceUnavailable || !strings.Contains(body, "incident 42") {
			t.Errorf("%d %s", status, body)
		}
	})

	t.Run("serves under a hold what it can", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + pgtest.New(t)}
		run(t, env, "hold", "incident 42")
		waitReady(t, serve(t, env))
	})

	t.Run("refuses a database of another environment", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
		run(t, append(env, "PORTALDB_ENVIRONMENT=production"), "up")
		for _, command := range []string{"up", "serve", "plan"} {
			if got := run(t, append(env, "PORTALDB_ENVIRONMENT=staging"), command); got.code != 4 || !strings.Contains(got.stderr, `"production"`) {
				t.Errorf("%s: code %d, %s", command, got.code, got.stderr)
			}
		}
	})

	t.Run("refuses settings that are wrong", func(t *testing.T) {
		t.Parallel()
		env := []string{"DATABASE_URL=" + pgtest.New(t)}
		for name, c := range map[string]struct {
			env  string
			code int
			want string
		}{
			"a secret that everybody knows": {"SESSION_SECRET=dev-secret", 2, "SESSION_SECRET takes"},
			"no address":                    {"PORTALDB_ADDR=8080", 2, "PORTALDB_ADDR takes"},
			"no port":                       {"PORTALDB_ADDR=127.0.0.1:99999", 2, "PORTALDB_ADDR takes"},
			"no read URL":                   {"DATABASE_READ_URL=postgres://u:S3cret@h:port/d", 2, "DATABASE_READ_URL takes"},
			"an address of another machine": {"PORTALDB_ADDR=192.0.2.1:8080", 1, "listen"},
		} {
			got := run(t, append(env, c.env), "serve")
			if got.code != c.code || !strings.Contains(got.stderr, c.want) || strings.Contains(got.stderr, "S3cret") {
				t.Errorf("%s: code %d, %s", name, got.code, got.stderr)
			}
		}
	})
}

func TestToken(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.New(t)}
	created := run(t, env, "token", "create", "reports", "--role", "reader", "--expires", "720h", "--json")
	token := created.object(t)
	if created.code != 0 || token["name"] != "reports" || token["role"] != "reader" || !strings.HasPrefix(token["token"].(string), "pdb_") || token["expires_at"] == nil {
		t.Fatalf("code %d: %s%s", created.code, created.stdout, created.stderr)
	}
	url := serve(t, env)
	client := &api{url: url, token: token["token"].(string), http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	if status, body, err := client.do(t.Context(), http.MethodGet, "/v1/submissions", ""); status != http.StatusOK || err != nil {
		t.Errorf("read: %d, %v %s", status, err, body)
	}
	if status, body, err := client.do(t.Context(), http.MethodPost, "/v1/submissions", `{"kind":"a","version":"1","payload":{}}`); status != http.StatusForbidden || err != nil {
		t.Errorf("a reader writes: %d, %v %s", status, err, body)
	}
	list := run(t, env, "token", "list")
	if !strings.Contains(list.stdout, token["id"].(string)) || !strings.Contains(list.stdout, "valid") || strings.Contains(list.stdout, "pdb_") {
		t.Errorf("list:\n%s", list.stdout)
	}
	if got := run(t, env, "token", "revoke", token["id"].(string)); got.code != 0 {
		t.Errorf("revoke: code %d, %s", got.code, got.stderr)
	}
	if list := run(t, env, "token", "list", "--json").object(t)["tokens"].([]any); len(list) != 1 || list[0].(map[string]any)["revoked_at"] == nil {
		t.Errorf("after the revocation: %v", list)
	}
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"token", "create", "x"}, 2},
		{[]string{"token", "create", "x", "--role", "god"}, 2},
		{[]string{"token", "create", "x", "--role", "reader", "--expires", "soon"}, 2},
		{[]string{"token", "create", "x", "--role", "reader", "--expires=-1h"}, 2},
		{[]string{"token", "create", " ", "--role", "reader"}, 1},
		{[]string{"token", "revoke", "nonsense"}, 2},
		{[]string{"token", "revoke", "00000000-0000-0000-0000-000000000000"}, 1},
	} {
		if got := run(t, env, c.args...); got.code != c.code {
			t.Errorf("%v: code %d, want %d: %s", c.args, got.code, c.code, got.stderr)
		}
	}
	if got := run(t, []string{"DATABASE_URL=" + pgtest.Empty(t)}, "token", "list"); got.code != 1 || !strings.Contains(got.stderr, "portaldb up") {
		t.Errorf("without tables: code %d, %s", got.code, got.stderr)
	}
}

// TestServe_rolled_back: a replica that serves goes on when the database is taken back below its version, as long as its statements
// work there and the hold stands that a rollback sets.
func TestServe_rolled_back(t *testing.T) {
	t.Parallel()
	dir, database := olderFiles(t, latest(t)), pgtest.New(t)
	next := latest(t) + 1
	body := "-- +goose Up\ncreate index further_idx on public.tasks (created_at);\n-- +goose Down\ndrop index public.further_idx;\n"
	if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d_create_further_idx.sql", next)), []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"DATABASE_URL=" + database}
	url := serve(t, env, "--dir", dir) // it migrates
	waitReady(t, url)
	if held := run(t, env, "hold", "rolled back"); held.code != 0 {
		t.Fatal(held.stderr)
	}
	execute(t, database, "drop index public.further_idx")
	execute(t, database, fmt.Sprintf("delete from goose_db_version where version_id = %d", next))
	stays := func(what string) {
		t.Helper()
		for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); time.Sleep(50 * time.Millisecond) { // what it knew is forgotten after one
			if status, why := ready(t, url); status != http.StatusOK {
				t.Fatalf("%s: %d, %s", what, status, why)
			}
		}
	}
	stays("under the hold")
	// Where its statements do not work, one that starts stays up and says why.
	execute(t, database, "alter table public.tasks rename to elsewhere; alter table public.submissions rename to elsewhere_too")
	if status, why := ready(t, serve(t, env, "--dir", dir)); status != http.StatusServiceUnavailable || !strings.Contains(why, "a hold is set: ") {
		t.Errorf("under the hold, where it does not fit: %d, %s", status, why)
	}
	execute(t, database, "alter table public.elsewhere rename to tasks; alter table public.elsewhere_too rename to submissions")
	if released := run(t, env, "release-hold"); released.code != 0 {
		t.Fatal(released.stderr)
	}
	stays("released, until somebody migrates")
	if status, why := ready(t, serve(t, env, "--dir", dir, "--no-migrate")); status != http.StatusServiceUnavailable || !strings.Contains(why, "behind: ") {
		t.Errorf("one that waits for that: %d, %s", status, why)
	}

	// And a newer binary may leave a schema that this one does not fit.
	execute(t, database, fmt.Sprintf("insert into goose_db_version (version_id, is_applied) values (%d, true), (%d, true)", next, next+1))
	execute(t, database, "alter table public.submissions rename to elsewhere")
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		status, why := ready(t, url)
		if status == http.StatusServiceUnavailable && strings.Contains(why, "ahead and broken: statements of this binary do not fit the schema: ") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("on a newer schema that it does not fit: %d, %s", status, why)
		}
	}
}

// TestServe_settings gives the settings values that are not their defaults, and looks at what they do.
func TestServe_settings(t *testing.T) {
	t.Parallel()
	root, database, replica := t.TempDir(), pgtest.New(t), pgtest.New(t)
	const key = "a key of the legacy code, long enough"
	env := []string{
		"DATABASE_URL=" + database, "DATABASE_READ_URL=" + replica, "UPLOAD_ROOT=" + root, "UPLOAD_MAX_SIZE=1000", "ALLOWED_MIME_PREFIXES=text/",
		"SESSION_SECRET=" + key, "PORTALDB_REHASH_SECRETS=true", "PORTALDB_TRUSTED_PROXIES=127.0.0.1/32",
	}
	token := run(t, env, "token", "create", "test", "--role", "writer", "--json").object(t)["token"].(string)
	url := serve(t, env)
	send := func(url, method, path, body string, headers ...string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(answer)
	}
	upload := func(url, content string) int {
		t.Helper()
		status, _ := send(url, http.MethodPost, "/v1/files", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\n"+content+"\r\n--b--\r\n",
			"Content-Type", "multipart/form-data; boundary=b")
		return status
	}

	if text, large, picture := upload(url, strings.Repeat("a", 1000)), upload(url, strings.Repeat("a", 1001)), upload(url, "\x89PNG\r\n\x1a\n"); text != 201 || large != 413 || picture != 415 {
		t.Errorf("UPLOAD_MAX_SIZE and ALLOWED_MIME_PREFIXES: %d, %d, %d", text, large, picture)
	}

	execute(t, replica, `INSERT INTO submissions (id, kind, version, payload, status) VALUES ('elsewhere', 'dfd', '1', '{}', 'done')`)
	if status, list := send(url, http.MethodGet, "/v1/submissions", ""); status != 200 || !strings.Contains(list, `"elsewhere"`) {
		t.Errorf("DATABASE_READ_URL: %d, %s", status, list)
	}
	if status, _ := send(url, http.MethodGet, "/v1/submissions/elsewhere", ""); status != 404 {
		t.Errorf("what is read alone comes from DATABASE_URL: %d", status)
	}

	storeFile(t, database, root, "legacy________", true, true, "1 day")
	signed := fmt.Sprintf("legacy________.%d", time.Now().Add(time.Hour).Unix())
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(signed))
	if status, content := send(url, http.MethodGet, "/s/"+signed+"."+hex.EncodeToString(mac.Sum(nil)), "", "X-Forwarded-For", "203.0.113.7"); status != 200 || content != "bytes" {
		t.Errorf("SESSION_SECRET: %d, %s", status, content)
	}
	conn, err := pgx.Connect(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var address string
	if err := conn.QueryRow(t.Context(), `SELECT meta ->> 'address' FROM automation_audits WHERE action = 'downloaded_shared_link'`).Scan(&address); err != nil || address != "203.0.113.7" {
		t.Errorf("PORTALDB_TRUSTED_PROXIES: %q, %v", address, err)
	}

	execute(t, database, `UPDATE fileshare_items SET secret_hash = 'sha256:00:' || encode(sha256('00s3nha'), 'hex') WHERE id = 'legacy________'`)
	if status, content := send(url, http.MethodGet, "/v1/files/legacy________/content", "", "X-File-Secret", "s3nha"); status != 200 {
		t.Errorf("a legacy secret: %d, %s", status, content)
	}
	var hash string
	if err := conn.QueryRow(t.Context(), `SELECT secret_hash FROM fileshare_items WHERE id = 'legacy________'`).Scan(&hash); err != nil || !strings.HasPrefix(hash, "$argon2id$") {
		t.Errorf("PORTALDB_REHASH_SECRETS: %.10q, %v", hash, err)
	}

	_, metrics := send(url, http.MethodGet, "/metrics", "")
	for _, line := range []string{
		`portaldb_query_duration_seconds_count{query="GetSubmission"}`, `portaldb_pool_acquired_connections{pool="`, `portaldb_http_requests_total{route="GET /v1/submissions/{id}",status="404"} 1`,
		`portaldb_queue_oldest_seconds`, `portaldb_submissions_long_running`,
	} {
		if !strings.Contains(metrics, line) {
			t.Errorf("/metrics lacks %s", line)
		}
	}

	old := serve(t, []string{"DATABASE_URL=" + database, "UPLOAD_ROOT=" + root, "MAX_UPLOAD_SIZE=10"})
	if fits, large, picture := upload(old, "0123456789"), upload(old, "0123456789a"), upload(old, "\x89PNG\r\n\x1a\n"); fits != 201 || large != 413 || picture != 201 {
		t.Errorf("MAX_UPLOAD_SIZE: %d, %d, %d", fits, large, picture)
	}
}

// serve runs the command until the benchmark ends and returns its URL.
func serve(tb testing.TB, env []string, args ...string) string {
	tb.Helper()
	ctx, stop := context.WithCancel(context.Background())
	lines, stderr := io.Pipe()
	var code int
	var done sync.WaitGroup
	done.Go(func() {
		code = cli.Run(ctx, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...), env, strings.NewReader(""), io.Discard, stderr)
		stderr.Close()
	})
	address := make(chan string, 1)
	var log bytes.Buffer
	done.Go(func() {
		defer close(address)
		for scanner := bufio.NewScanner(io.TeeReader(lines, &log)); scanner.Scan(); {
			var entry struct{ Msg, Addr string }
			if json.Unmarshal(scanner.Bytes(), &entry) == nil && entry.Addr != "" {
				select {
				case address <- entry.Addr:
				default:
				}
			}
		}
	})
	tb.Cleanup(func() {
		stop()
		done.Wait()
		if code != 0 {
			tb.Errorf("serve ended with %d:\n%s", code, log.String())
		}
	})
	addr, ok := <-address
	if !ok {
		tb.Fatalf("serve did not start:\n%s", log.String())
	}
	return "http://" + addr
}

// api is a client of the HTTP API.
type api struct {
	url, token string
	http       *http.Client
}

// do sends one request and returns its status and body.
func (c *api) do(ctx context.Context, method, path, body string) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, data, err
}
