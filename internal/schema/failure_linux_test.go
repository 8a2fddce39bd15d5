package schema_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"portaldb/internal/devpg"
	"portaldb/internal/pgtest"
)

// TestFailures_disk_full: the server has no room left for what a migration writes. Every version is tried on a full disk
// first, and again when there is room.
func TestFailures_disk_full(t *testing.T) {
	t.Parallel()
	t.Run("a full tablespace", func(t *testing.T) {
		t.Parallel()
		server := pgtest.Server(t)
		dir, ok := mountTmpfs(t, server, "48m")
		if !ok {
			// Not in every container may root mount; the other subtest lets the server meet the same end of a write.
			t.Log("mounting is not permitted here: a file size limit alone has to do")
			return
		}
		admin := connect(t, server.URL("postgres"))
		for _, statement := range []string{`create tablespace small location '` + dir + `'`, `create database portal tablespace small`} {
			if _, err := admin.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		starve(t, server, "53100", func() { fill(t, dir) }, func() {
			if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
				t.Fatal(err)
			}
		})
	})

	t.Run("a file size limit", func(t *testing.T) {
		t.Parallel()
		server := pgtest.Server(t)
		if err := server.EnsureDatabase(t.Context(), "portal"); err != nil {
			t.Fatal(err)
		}
		// The segments of the log of these servers have 1 MiB: they just pass. PostgreSQL has no SQLSTATE of its own for this.
		starve(t, server, "XX000", func() { limitFiles(t, server, 1<<20) }, func() { limitFiles(t, server, -1) })
	})
}

// starve migrates a database of the server, each version first without room and then with it. code is the SQLSTATE of a
// write that finds none.
func starve(t *testing.T, server *devpg.Server, code string, full, free func()) {
	t.Helper()
	p := zoo(t, server.URL("portal"))
	starved := 0
	for version := p.settled(t, "before"); version < p.engine.Latest(); {
		what := fmt.Sprintf("%s on a full disk", p.files[version].Name)
		full()
		_, err := p.engine.Up(t.Context(), version+1)
		at := p.settled(t, what)
		var pgErr *pgconn.PgError
		if err != nil {
			starved++
			if !errors.As(err, &pgErr) || pgErr.Code != code {
				t.Errorf("%s: %v", what, err)
			}
		}
		wantTrue(t, what, err, version, at)
		free()
		if _, err := p.engine.Up(t.Context(), version+1); err != nil {
			t.Fatalf("%s: the next up: %v", what, err)
		}
		version = p.settled(t, what)
		p.advanced(t, version)
	}
	p.finish(t, "at the end")
	t.Logf("%d of %d versions met a full disk", starved, p.engine.Latest())
	if starved < 3 {
		t.Errorf("only %d versions met a full disk", starved)
	}
}

// owner is the account that the server runs as.
func owner(t testing.TB, server *devpg.Server) *syscall.Stat_t {
	t.Helper()
	info, err := os.Stat(filepath.Join(server.Dir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t)
}

// mountTmpfs mounts a small file system for the server; ok is false where that is not permitted.
func mountTmpfs(t testing.TB, server *devpg.Server, size string) (dir string, ok bool) {
	t.Helper()
	dir = pgtest.Dir(t)
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size)
	if errors.Is(err, syscall.EPERM) {
		return "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // before the server is stopped, which holds its files open
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	who := owner(t, server)
	if err := os.Chown(dir, int(who.Uid), int(who.Gid)); err != nil {
		t.Fatal(err)
	}
	return dir, true
}

// fill leaves no room on a file system.
func fill(t testing.TB, dir string) {
	t.Helper()
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer ballast.Close()
	if _, err := io.Copy(ballast, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// zeros is a reader without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// limitFiles bounds the size of the files that the server's new sessions write; -1 lifts the bound. It acts as the server's
// account, which in a container may do what root may not.
func limitFiles(t testing.TB, server *devpg.Server, size int) {
	t.Helper()
	limit := "unlimited"
	if size >= 0 {
		limit = fmt.Sprint(size)
	}
	cmd := exec.Command("prlimit", "--pid", fmt.Sprint(server.PID()), "--fsize="+limit+":")
	cmd.Dir = "/"
	if who := owner(t, server); os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: who.Uid, Gid: who.Gid}}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("prlimit, of util-linux: %v: %s", err, strings.TrimSpace(string(out)))
	}
}
