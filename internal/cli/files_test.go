package cli_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"portaldb/internal/blob"
	"portaldb/internal/cli"
	"portaldb/internal/pgtest"
	"portaldb/internal/portal"
)

// TestFiles_settings gives every setting of files a value that it does not take: each ends with 2, the variable's name and
// what it takes, and the value is not repeated.
func TestFiles_settings(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.Empty(t)}
	for _, setting := range []string{
		"UPLOAD_ROOT=s3://", "UPLOAD_ROOT=s3://S3cret:S3cret@bucket", "UPLOAD_ROOT=/",
		"UPLOAD_OLD_ROOT=s3://S3cret bucket", "UPLOAD_OLD_ROOT=/data/uploads", "UPLOAD_OLD_ROOT=/data",
		"UPLOAD_CHUNK_SIZE=S3cret", "UPLOAD_CHUNK_SIZE=-1", "UPLOAD_CHUNK_SIZE=1", "UPLOAD_CHUNK_SIZE=99999999999999999999", "UPLOAD_CHUNK_SIZE=9223372036854775807",
		"UPLOAD_MAX_SIZE=S3cret", "UPLOAD_MAX_SIZE=-1", "UPLOAD_MAX_SIZE=1.5", "UPLOAD_MAX_SIZE=1MB", "UPLOAD_MAX_SIZE=99999999999999999999",
		"MAX_UPLOAD_SIZE=S3cret", "ALLOWED_MIME_PREFIXES=image/,S3cret text", "ALLOWED_MIME_PREFIXES=;", "ALLOWED_MIME_PREFIXES=*/*",
		"PORTALDB_REHASH_SECRETS=S3cret",
	} {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second) // what is taken would serve
		got := runContext(ctx, append(env, setting), "serve", "--addr", "127.0.0.1:0")
		stop()
		name, _, _ := strings.Cut(setting, "=")
		if got.code != 2 || !strings.Contains(got.stderr, name+" takes") || strings.Contains(got.stderr, "S3cret") {
			t.Errorf("%s: code %d, %s", setting, got.code, got.stderr)
		}
	}
	for _, command := range []string{"sweep", "fsck"} {
		for _, setting := range []string{"UPLOAD_ROOT=s3://S3cret bucket", "UPLOAD_OLD_ROOT=s3://S3cret bucket", "UPLOAD_CHUNK_SIZE=S3cret"} {
			got := run(t, append(env, setting), "files", command)
			name, _, _ := strings.Cut(setting, "=")
			if got.code != 2 || !strings.Contains(got.stderr, name+" takes") || strings.Contains(got.stderr, "S3cret") {
				t.Errorf("files %s, %s: code %d, %s", command, setting, got.code, got.stderr)
			}
		}
		if got := run(t, append(env, "UPLOAD_ROOT=/nonexistent"), "files", command); got.code != 1 || !strings.Contains(got.stderr, "does not exist") {
			t.Errorf("files %s without a folder: code %d, %s", command, got.code, got.stderr)
		}
		if got := run(t, append(env, "UPLOAD_ROOT="+t.TempDir()), "files", command); got.code != 1 || !strings.Contains(got.stderr, "portaldb up") {
			t.Errorf("files %s without tables: code %d, %s", command, got.code, got.stderr)
		}
	}
}

// storeFile makes a file as the legacy code does, or only its bytes, or only its row. Bytes are two hours old.
func storeFile(t testing.TB, database, root, id string, row, content bool, expires string) (path string) {
	t.Helper()
	path = filepath.Join(root, "2026/01/31", id)
	if row {
		execute(t, database, fmt.Sprintf(`INSERT INTO fileshare_items (id, filename, size, path, created_at, expires_at)
			VALUES ('%s', 'x.txt', 5, '%s', now() - interval '1 day', now() + interval '%s')`, id, path, expires))
	}
	if content {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("bytes"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-2*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestFiles_fsck(t *testing.T) {
	t.Parallel()
	root, database := t.TempDir(), pgtest.New(t)
	env := []string{"DATABASE_URL=" + database, "UPLOAD_ROOT=" + root}
	count := func(got outcome, keys ...string) (counts []int) {
		t.Helper()
		v := got.object(t)
		for _, key := range keys {
			counts = append(counts, len(v[key].([]any)))
		}
		return counts
	}
	clean := run(t, env, "files", "fsck", "--json")
	if n := count(clean, "missing", "orphaned", "damaged", "outside", "unreadable"); clean.code != 0 || fmt.Sprint(n) != "[0 0 0 0 0]" {
		t.Errorf("nothing at all: code %d, %v, %s", clean.code, n, clean.stderr)
	}

	whole := storeFile(t, database, root, "whole_________", true, true, "1 day")
	storeFile(t, database, root, "missing_______", true, false, "1 day")
	orphan := storeFile(t, database, root, "orphan________", false, true, "")
	damaged := storeFile(t, database, root, "damaged_______", true, true, "1 day")
	if err := os.WriteFile(damaged, []byte("byte"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--repair"}} {
		got := run(t, env, append([]string{"files", "fsck", "--json"}, args...)...)
		code, repaired := 3, 0.0
		if args != nil {
			code, repaired = 0, 3
		}
		if n := count(got, "missing", "orphaned", "damaged"); got.code != code || fmt.Sprint(n) != "[1 1 1]" || got.object(t)["repaired"] != repaired {
			t.Errorf("%v: code %d: %s%s", args, got.code, got.stdout, got.stderr)
		}
		if args == nil {
			text := run(t, env, "files", "fsck")
			if text.code != 3 || !strings.Contains(text.stdout, "orphaned    "+orphan) || !strings.Contains(text.stdout, "missing 1, orphaned 1, damaged 1, outside 0, unreadable 0, repaired 0") {
				t.Errorf("text: code %d: %s", text.code, text.stdout)
			}
		}
	}
	for path, there := range map[string]bool{whole: true, orphan: false, damaged: false} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
	kept := 0
	_ = filepath.WalkDir(filepath.Join(root, "set-aside"), func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			kept++
		}
		return err
	})
	if kept != 2 {
		t.Errorf("%d files of bytes are set aside", kept)
	}
	if got := run(t, env, "files", "fsck"); got.code != 0 {
		t.Errorf("after the repair: code %d: %s%s", got.code, got.stdout, got.stderr)
	}
}

// TestFiles_fsck_progress: a long comparison tells how far it has come, now and then, and a short one nothing.
func TestFiles_fsck_progress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var stderr strings.Builder
		tell := cli.FsckProgress(&stderr)
		for files := range int64(23) {
			tell(portal.FsckProgress{Files: files, Of: 23, Bytes: files << 20, Entries: files / 2})
			time.Sleep(time.Second)
		}
		want := ""
		for _, files := range []int{5, 10, 15, 20} {
			want += fmt.Sprintf("compared %d of about 23 files, %[1]d MiB; looked up %d that the store has\n", files, files/2)
		}
		if stderr.String() != want {
			t.Errorf("got %s", stderr.String())
		}
	})
}

// TestFiles_fsck_unmounted proves that a store which is not mounted is no reason to delete every file.
func TestFiles_fsck_unmounted(t *testing.T) {
	t.Parallel()
	root, database := t.TempDir(), pgtest.New(t)
	env := []string{"DATABASE_URL=" + database, "UPLOAD_ROOT=" + root}
	for i := range 20 {
		storeFile(t, database, root, fmt.Sprintf("unmounted%05d", i), true, false, "1 day")
	}
	marker := filepath.Join(root, blob.Marker)
	for _, step := range []struct {
		marker string // that lies there; empty: none
		args   []string
		code   int
		want   string // on stdout or stderr
	}{
		{"", []string{"files", "fsck", "--repair"}, 4, "none of the newest 20 files is there: see whether its file system is mounted"},
		{"", []string{"files", "sweep"}, 1, "see whether its file system is mounted"},
		{"mine", []string{"files", "fsck"}, 3, "missing 20,"},
		{"mine", []string{"files", "fsck", "--repair"}, 4, "all 20 files are missing"},
		{"mine", []string{"doctor", "--json"}, 0, "is writable"},
		{"", []string{"files", "fsck", "--repair"}, 4, "write mine into the file " + blob.Marker},
		{"other", []string{"files", "fsck", "--repair"}, 4, "write mine into the file " + blob.Marker},
		{"other", []string{"doctor", "--json"}, 3, "write mine into the file " + blob.Marker},
	} {
		if err := os.RemoveAll(marker); err != nil {
			t.Fatal(err)
		}
		if step.marker != "" {
			if err := os.WriteFile(marker, []byte(step.marker), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := run(t, append(env, "SESSION_SECRET="+strings.Repeat("S3cret", 6)), step.args...); got.code != step.code || !strings.Contains(got.stdout+got.stderr, step.want) {
			t.Errorf("%+v: code %d: %s%s", step, got.code, got.stdout, got.stderr)
		}
	}
	if got := run(t, append(env, "UPLOAD_ROOT="+filepath.Join(root, "nowhere")), "files", "fsck", "--repair"); got.code != 1 || !strings.Contains(got.stderr, "does not exist") {
		t.Errorf("without a folder: code %d: %s%s", got.code, got.stdout, got.stderr)
	}
}

func TestFiles_sweep(t *testing.T) {
	t.Parallel()
	root, database := t.TempDir(), pgtest.New(t)
	env := []string{"DATABASE_URL=" + database, "UPLOAD_ROOT=" + root}
	storeFile(t, database, root, "alive_________", true, true, "1 day")
	gone := storeFile(t, database, root, "gone__________", true, true, "-1 second")
	got := run(t, env, "files", "sweep", "--json")
	if v := got.object(t); got.code != 0 || v["expired"] != 1.0 || v["removed"] != 1.0 || v["failed"] != 0.0 {
		t.Errorf("code %d: %s%s", got.code, got.stdout, got.stderr)
	}
	if _, err := os.Stat(gone); err == nil {
		t.Error("the bytes are there still")
	}
	if got := run(t, env, "files", "sweep"); got.code != 0 || !strings.HasPrefix(got.stdout, "expired 0, removed 0") {
		t.Errorf("again: code %d: %s%s", got.code, got.stdout, got.stderr)
	}

	// serve does it by itself.
	gone = storeFile(t, database, root, "expired_______", true, true, "-1 second")
	serve(t, env)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(gone); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("serve does not sweep")
		}
	}
}

// TestServe_withoutFolder serves everything else while the folder for files is not there.
func TestServe_withoutFolder(t *testing.T) {
	t.Parallel()
	env := []string{"DATABASE_URL=" + pgtest.New(t), "UPLOAD_ROOT=/nonexistent"}
	waitReady(t, serve(t, env))
}
