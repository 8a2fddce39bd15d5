package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"portaldb/internal/blob/s3test"
	_ "portaldb/internal/cli" // what the binary is built from: without it go test would believe an old result
	"portaldb/internal/pgtest"
)

// binary is the program as it is shipped.
var binary string

func TestMain(m *testing.M) {
	if dir := os.Getenv(gooseVariable); dir != "" {
		plainGoose(dir, os.Getenv("DATABASE_URL"))
		return
	}
	dir, err := os.MkdirTemp("", "portaldb-binary-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "portaldb")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	pgtest.Main(m, func() {
		s3test.Stop()
		os.RemoveAll(dir)
	})
}

// ready is what dev prints with --json when everything runs.
type ready struct{ URL, Token, Database, PGPass string }

// dev is a running `portaldb dev`.
type dev struct {
	*exec.Cmd
	ready
	took   time.Duration
	stderr *bytes.Buffer
}

func startDev(t *testing.T, data string, args ...string) dev {
	t.Helper()
	d := dev{Cmd: exec.CommandContext(t.Context(), binary, append([]string{"dev", "--json", "--addr", "127.0.0.1:0", "--data", data}, args...)...), stderr: new(bytes.Buffer)}
	d.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")} // no settings
	d.Stderr = d.stderr
	stdout, err := d.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(stdout).Decode(&d.ready); err != nil {
		_ = d.Process.Kill()
		_ = d.Wait()
		t.Fatalf("dev did not get ready: %v\n%s", err, d.stderr)
	}
	d.took = time.Since(start)
	t.Cleanup(func() { _ = d.Process.Kill() })
	return d
}

// request sends one request with dev's token.
func (d dev) request(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, d.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+d.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(data)
}

// servers returns the processes that work on a data folder.
func servers(t *testing.T, data string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ps", "-A", "-o", "pid=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, data) && strings.Contains(line, "postgres") {
			found = append(found, line)
		}
	}
	return found
}

func waitFor(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// TestDev walks a newcomer's way: start, use, stop, start again, kill.
func TestDev(t *testing.T) {
	t.Parallel()
	data := filepath.Join(pgtest.Dir(t), "cluster")
	first := startDev(t, data)

	status, body := first.request(t, http.MethodPost, "/v1/submissions", `{"kind":"dfd","version":"1.0","payload":{"numero":"1/2026"}}`)
	if status != http.StatusCreated {
		t.Fatalf("create: %d %s", status, body)
	}
	if status, body := first.request(t, http.MethodGet, "/v1/submissions?limit=5", ""); status != http.StatusOK || !strings.Contains(body, `"1/2026"`) {
		t.Errorf("list: %d %s", status, body)
	}
	psql := exec.CommandContext(t.Context(), "psql", "--no-psqlrc", "--tuples-only", "--no-align", "--command",
		"select count(*) from submissions; select email from users where is_superuser", first.Database)
	psql.Env = []string{"PATH=" + os.Getenv("PATH"), "PGPASSFILE=" + first.PGPass}
	if out, err := psql.CombinedOutput(); err != nil || string(out) != "1\ndev@local\n" {
		t.Errorf("psql as printed: %v\n%s", err, out)
	}
	if info, err := os.Stat(first.PGPass); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password file: %v, %v", info.Mode(), err)
	}
	// A second one on the same folder says so and disturbs nothing.
	second := exec.CommandContext(t.Context(), binary, "dev", "--addr", "127.0.0.1:0", "--data", data)
	if out, err := second.CombinedOutput(); err == nil || !strings.Contains(string(out), data) {
		t.Errorf("a second dev on the folder: %v\n%s", err, out)
	}

	if err := first.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := first.Wait(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, first.stderr)
	}
	if strings.Contains(first.stderr.String(), first.Token) {
		t.Error("the token is in the log")
	}
	if left := servers(t, data); len(left) > 0 {
		t.Errorf("left after SIGTERM: %v", left)
	}

	warm := startDev(t, data)
	t.Logf("first start %s, warm start %s", first.took.Round(time.Millisecond), warm.took.Round(time.Millisecond))
	if warm.Token != first.Token {
		t.Error("the token of yesterday no longer works")
	}
	if status, body := warm.request(t, http.MethodGet, "/v1/submissions", ""); status != http.StatusOK || !strings.Contains(body, `"1/2026"`) {
		t.Errorf("the row is gone: %d %s", status, body)
	}
	if err := warm.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = warm.Wait() // it was killed
	waitFor(t, "PostgreSQL ends with the dev that was killed", func() bool { return len(servers(t, data)) == 0 })

	after := startDev(t, data)
	if status, body := after.request(t, http.MethodGet, "/v1/submissions", ""); status != http.StatusOK || !strings.Contains(body, `"1/2026"`) {
		t.Errorf("the row did not survive the kill: %d %s", status, body)
	}
	if err := after.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := after.Wait(); err != nil {
		t.Errorf("SIGINT: %v\n%s", err, after.stderr)
	}

	reset := startDev(t, data, "--reset")
	if status, body := reset.request(t, http.MethodGet, "/v1/submissions", ""); status != http.StatusOK || strings.Contains(body, `"1/2026"`) {
		t.Errorf("--reset kept the row: %d %s", status, body)
	}
	if err := reset.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := reset.Wait(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, reset.stderr)
	}
}

// TestDev_curl sends what the printed curl lines send.
func TestDev_curl(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), binary, "dev", "--addr", "127.0.0.1:0", "--data", filepath.Join(pgtest.Dir(t), "cluster"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var lines []string
	scanner := bufio.NewScanner(stdout)
	for scanner.Scan() && !strings.HasPrefix(scanner.Text(), "  SQL ") {
		if _, line, ok := strings.Cut(scanner.Text(), "curl "); ok {
			lines = append(lines, line)
		}
	}
	if len(lines) != 2 {
		t.Fatalf("%d curl lines, want one that reads and one that writes", len(lines))
	}
	header := regexp.MustCompile(`-H '([^:']+): ([^']+)'`)
	address := regexp.MustCompile(`http://[^' ]+`)
	data := regexp.MustCompile(`-d '([^']+)'`)
	for _, line := range lines {
		method, body, want := http.MethodGet, "", http.StatusOK
		if match := data.FindStringSubmatch(line); match != nil {
			method, body, want = http.MethodPost, match[1], http.StatusCreated
		}
		req, err := http.NewRequestWithContext(t.Context(), method, address.FindString(line), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range header.FindAllStringSubmatch(line, -1) {
			req.Header.Set(match[1], match[2])
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("curl %s: %d, want %d", line, resp.StatusCode, want)
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
