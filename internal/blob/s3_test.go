package blob_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"portaldb/internal/blob"
	"portaldb/internal/blob/s3test"
)

func TestS3(t *testing.T) {
	t.Parallel()
	conform(t, openBucket, leaveUpload)
}

func TestS3_prefix(t *testing.T) {
	t.Parallel()
	open := func(t testing.TB) *blob.Set {
		return openAt(t, blob.Config{Root: s3test.Root(s3test.Bucket(t), "/portal/uploads/"), Env: s3test.Env})
	}
	s := open(t)
	path := s.Path("id", at)
	if !strings.HasSuffix(path, "/portal/uploads/2026/03/02/id") {
		t.Errorf("path %s", path)
	}
	beside := openAt(t, blob.Config{Root: strings.Replace(strings.Replace(path, "/2026/03/02/id", "", 1), "/uploads", "/uploads2", 1) + "?endpoint=" + url.QueryEscape(s3test.URL()), Env: s3test.Env})
	put(t, s, path, []byte("x"))
	put(t, beside, beside.Path("id", at), []byte("y"))
	list(t, s, path)
	if s.Owns(beside.Path("id", at)) {
		t.Error("owns what lies beside its prefix")
	}
}

// TestS3_gone: that the bucket is gone, or that the server is, does not read as if the files were.
func TestS3_gone(t *testing.T) {
	t.Parallel()
	server := strings.TrimPrefix(s3test.URL(), "http://")
	for what, root := range map[string]string{
		"bucket": "s3://never-made?endpoint=http://" + server,
		"server": "s3://bucket?endpoint=http://127.0.0.1:1",
		"key":    s3test.Root(s3test.Bucket(t), ""),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"AWS_ACCESS_KEY_ID": s3test.Env["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY": s3test.Env["AWS_SECRET_ACCESS_KEY"]}
			if what == "key" {
				env["AWS_SECRET_ACCESS_KEY"] = "another-secret"
			}
			s := openAt(t, blob.Config{Root: root, Env: env})
			path := s.Path("id", at)
			_, _, open := s.Open(t.Context(), path)
			var all error
			for _, err := range s.All(t.Context()) {
				all = err
			}
			for what, err := range map[string]error{
				"open": open, "put": s.Put(t.Context(), path, strings.NewReader("x")), "remove": s.Remove(t.Context(), path),
				"set aside": s.SetAside(t.Context(), path), "list": all, "check": s.Check(t.Context()),
			} {
				if err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, blob.ErrOutside) {
					t.Errorf("%s: %v", what, err)
				} else if strings.Contains(err.Error(), env["AWS_SECRET_ACCESS_KEY"]) {
					t.Errorf("%s tells the secret: %v", what, err)
				}
			}
		})
	}
}

// TestS3_removed_while_read: what goes while it is read ends in an error, not in a shorter file.
func TestS3_removed_while_read(t *testing.T) {
	t.Parallel()
	s := openBucket(t)
	path := s.Path("id", at)
	put(t, s, path, random(100))
	r, _, err := s.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := s.Remove(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	put(t, s, path, random(100)) // another file
	if n, err := r.Read(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes of another file were read", n)
	}
}

// TestS3_memory: what a file takes of memory does not grow with it.
func TestS3_memory(t *testing.T) {
	size := int64(2 << 30)
	if testing.Short() {
		size = 256 << 20
	}
	s := openBucket(t)
	path := s.Path("large", at)
	peak := watchHeap(t)
	if err := s.Put(t.Context(), path, &endless{left: size}); err != nil {
		t.Fatal(err)
	}
	r, info, err := s.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := sameAs(r, &endless{left: size}); err != nil || info.Size != size {
		t.Errorf("%d bytes: %v", info.Size, err)
	}
	if peak := peak(); peak > 48<<20 {
		t.Errorf("%d MiB of memory for %d MiB", peak>>20, size>>20)
	} else {
		t.Logf("%d MiB of memory for %d MiB", peak>>20, size>>20)
	}
}

func openBucket(t testing.TB) *blob.Set {
	t.Helper()
	return openAt(t, blob.Config{Root: s3test.Root(s3test.Bucket(t), ""), Env: s3test.Env})
}

// leaveUpload begins an upload to a path and sends a part of it.
func leaveUpload(t testing.TB, _ *blob.Set, path string) {
	t.Helper()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "s3://"), "/")
	client := s3test.Client(t)
	upload, err := client.NewMultipartUpload(context.Background(), bucket, key, minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	content := random(5 << 20)
	if _, err := client.PutObjectPart(context.Background(), bucket, key, upload, 1, bytes.NewReader(content), int64(len(content)), minio.PutObjectPartOptions{}); err != nil {
		t.Fatal(err)
	}
}
