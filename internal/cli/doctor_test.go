package cli_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"portaldb/internal/pgtest"
)

// check is a check of doctor --json.
func (o outcome) check(t testing.TB, name string) map[string]any {
	t.Helper()
	for _, c := range o.object(t)["checks"].([]any) {
		if check := c.(map[string]any); check["name"] == name {
			return check
		}
	}
	t.Fatalf("there is no check %s:\n%s", name, o.stdout)
	return nil
}

func (o outcome) wantCheck(t testing.TB, name, state, evidence, remedy string) {
	t.Helper()
	c := o.check(t, name)
	said, _ := c["remedy"].(string)
	if c["state"] != state || !strings.Contains(c["evidence"].(string), evidence) || !strings.Contains(said, remedy) || (remedy == "") != (c["remedy"] == nil) {
		t.Errorf("got %v, want %s, %q, %q", c, state, evidence, remedy)
	}
}

func TestDoctor(t *testing.T) {
	t.Parallel()
	healthy := []string{"DATABASE_URL=" + pgtest.New(t), "UPLOAD_ROOT=" + t.TempDir(), "SESSION_SECRET=" + strings.Repeat("S3cret", 6)}

	t.Run("nothing is wrong", func(t *testing.T) {
		t.Parallel()
		got := run(t, healthy, "doctor", "--json")
		if got.code != 0 {
			t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
		}
		got.wantCheck(t, "upload_root", "ok", "is writable", "")
		got.wantCheck(t, "session_secret", "ok", "is set", "")
		got.wantCheck(t, "open_files", "ok", "may be open", "")
		got.wantCheck(t, "drift", "ok", "none", "")
		text := run(t, healthy, "doctor").stdout
		if !strings.Contains(text, "0 failed, 0 warning, 0 skipped, ") {
			t.Errorf("got\n%s", text)
		}
	})

	t.Run("the exit code", func(t *testing.T) {
		t.Parallel()
		for _, c := range []struct {
			name   string
			env    []string
			code   int
			stderr string
		}{
			{"a failed check", []string{"DATABASE_URL=" + pgtest.Empty(t)}, 3, ""},
			{"no DATABASE_URL", nil, 2, "DATABASE_URL não configurada para Postgres"},
			{"no URL", []string{"DATABASE_URL=postgres://clerk:S3cret@host:port/portal"}, 2, "DATABASE_URL takes"},
			{"no direct URL", []string{healthy[0], "DATABASE_DIRECT_URL=S3cret"}, 2, "DATABASE_DIRECT_URL takes"},
			{"no read URL", []string{healthy[0], "DATABASE_READ_URL=S3cret"}, 2, "DATABASE_READ_URL takes"},
			{"no environment", []string{healthy[0], "PORTALDB_ENVIRONMENT=no name"}, 2, "PORTALDB_ENVIRONMENT takes"},
			{"nobody there", []string{"DATABASE_URL=postgres://clerk:S3cret@127.0.0.1:1/portal"}, 6, "127.0.0.1:1/portal"},
		} {
			got := run(t, append(c.env, "SESSION_SECRET=dev-secret"), "doctor", "--json")
			if got.code != c.code || !strings.Contains(got.stderr, c.stderr) {
				t.Errorf("%s: code %d, want %d with %q:\n%s", c.name, got.code, c.code, c.stderr, got.stderr)
			}
			if strings.Contains(got.stdout+got.stderr, "S3cret") {
				t.Errorf("%s: a secret is in the output", c.name)
			}
			// What needs no database is looked at all the same.
			got.wantCheck(t, "session_secret", "failed", "dev-secret", "openssl rand")
		}
		run(t, nil, "doctor", "--json").wantCheck(t, "database_url", "failed", "not set", "DATABASE_URL=")
	})

	t.Run("the text", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{pgtest.Empty(t), "postgres://clerk:S3cret@127.0.0.1:1/portal"} {
			text := run(t, []string{"DATABASE_URL=" + url, "UPLOAD_ROOT=/nonexistent"}, "doctor").stdout
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if utf8.RuneCountInString(line) > 80 && strings.Contains(strings.TrimLeft(line[25:], " "), " ") {
					t.Errorf("wider than 80 columns: %s", line)
				}
			}
			if !strings.Contains(text, "failed   upload_root     /nonexistent does not exist\n                         -> install -d") {
				t.Errorf("got\n%s", text)
			}
		}
	})

	t.Run("the secret", func(t *testing.T) {
		t.Parallel()
		run(t, healthy[:2], "doctor", "--json").wantCheck(t, "session_secret", "warning", "not set", "legacy service's")
		got := run(t, append(healthy[:2:2], "SESSION_SECRET=short"), "doctor", "--json")
		got.wantCheck(t, "session_secret", "warning", "shorter than 16 bytes", "openssl rand")
		if got.code != 0 {
			t.Errorf("a warning ends with %d", got.code)
		}
	})

	t.Run("two seconds", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts, by its queue, and never answers
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		start := time.Now()
		got := run(t, []string{"DATABASE_URL=postgres://clerk@" + listener.Addr().String() + "/portal"}, "doctor")
		if took := time.Since(start); took > 2*time.Second || got.code != 6 {
			t.Errorf("code %d after %s: %s", got.code, took, got.stderr)
		}
	})
}

func TestDoctor_upload_root(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sealed := t.TempDir()
	if err := os.Chmod(sealed, 0o500); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		sealed = "/sys" // root may write wherever the file system can
	}
	for _, c := range []struct{ root, state, evidence, remedy string }{
		{"/nonexistent", "failed", "does not exist", fmt.Sprintf("install -d -m 0750 -o %d /nonexistent", os.Geteuid())},
		{file, "failed", file + " is no folder", "name one"},
		{file + "/below", "failed", "not a directory", "name another folder"},
		{sealed, "failed", "cannot write there", "chown"},
		{"s3://?key=S3cret", "failed", "UPLOAD_ROOT takes a folder", "set"},
		{"s3://bucket?endpoint=http://127.0.0.1:1", "failed", "AWS_ACCESS_KEY_ID", "set"},
	} {
		run(t, []string{"UPLOAD_ROOT=" + c.root}, "doctor", "--json").wantCheck(t, "upload_root", c.state, c.evidence, c.remedy)
	}
}

// TestDoctor_open_files is alone: the limit is the process's.
func TestDoctor_open_files(t *testing.T) {
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &was); err != nil {
			t.Fatal(err)
		}
	})
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 512, Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	run(t, nil, "doctor", "--json").wantCheck(t, "open_files", "warning", "512 may be open", "LimitNOFILE")
}
