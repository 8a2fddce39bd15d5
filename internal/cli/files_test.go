package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"portaldb/internal/pgtest"
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
