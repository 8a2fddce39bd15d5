package blob_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"portaldb/internal/blob"
)

func TestS3(t *testing.T) {
	t.Parallel()
	conform(t, openBucket, leaveUpload)
}

func TestS3_prefix(t *testing.T) {
	t.Parallel()
	open := func(t testing.TB) *blob.Set {
		return openAt(t, blob.Config{Root: bucketURL(newBucket(t), "/portal/uploads/"), Env: s3Env})
	}
	s := open(t)
	path := s.Path("id", at)
	if !strings.HasSuffix(path, "/portal/uploads/2026/03/02/id") {
		t.Errorf("path %s", path)
	}
	beside := openAt(t, blob.Config{Root: strings.Replace(strings.Replace(path, "/2026/03/02/id", "", 1), "/uploads", "/uploads2", 1) + "?endpoint=" + url.QueryEscape(s3URL()), Env: s3Env})
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
	server := strings.TrimPrefix(s3URL(), "http://")
	for what, root := range map[string]string{
		"bucket": "s3://never-made?endpoint=http://" + server,
		"server": "s3://bucket?endpoint=http://127.0.0.1:1",
		"key":    bucketURL(newBucket(t), ""),
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			env := map[string]string{"AWS_ACCESS_KEY_ID": s3Env["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY": s3Env["AWS_SECRET_ACCESS_KEY"]}
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

var s3Env = map[string]string{"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "not-so-secret"}

// s3URL starts the server that the tests of this process share, and stopS3 stops it.
var (
	s3URL  = sync.OnceValue(startS3)
	stopS3 = func() {}
)

// startS3 builds the server, which has modules of its own, where go build finds it again.
func startS3() string {
	binary, err := filepath.Abs("../../bin/s3server")
	if err != nil {
		panic(err)
	}
	build := exec.Command("go", "build", "-C", "../../tools", "-o", binary, "./s3server")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("build the S3 server: %v\n%s", err, out))
	}
	dir, err := os.MkdirTemp("", "portaldb-s3-*")
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"buckets", "attributes"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			panic(err)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address := free.Addr().String()
	free.Close()

	var out bytes.Buffer
	server := exec.Command(binary, address, dir)
	server.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+s3Env["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY="+s3Env["AWS_SECRET_ACCESS_KEY"])
	server.Stdout, server.Stderr = &out, &out
	dieWithParent(server)
	started, ended := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread() // the server takes the end of its thread for that of the process
		started <- server.Start()
		_ = server.Wait()
		close(ended)
	}()
	if err := <-started; err != nil {
		panic(err)
	}
	stopS3 = func() {
		_ = server.Process.Kill()
		<-ended
		_ = os.RemoveAll(dir)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return "http://" + address
		}
		select {
		case <-ended:
			stopS3()
			panic("the S3 server ended: " + out.String())
		default:
		}
		if time.Now().After(deadline) {
			stopS3()
			panic("the S3 server does not answer: " + out.String())
		}
	}
}

// s3Client is a client of its own, for what a store does not do.
func s3Client(t testing.TB) *minio.Core {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := minio.NewCore(strings.TrimPrefix(s3URL(), "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(s3Env["AWS_ACCESS_KEY_ID"], s3Env["AWS_SECRET_ACCESS_KEY"], ""), Region: "us-east-1", Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func newBucket(t testing.TB) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text())
	if err := s3Client(t).MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return name
}

func bucketURL(name, prefix string) string {
	return "s3://" + name + prefix + "?endpoint=" + url.QueryEscape(s3URL())
}

func openBucket(t testing.TB) *blob.Set {
	t.Helper()
	return openAt(t, blob.Config{Root: bucketURL(newBucket(t), ""), Env: s3Env})
}

// leaveUpload begins an upload to a path and sends a part of it.
func leaveUpload(t testing.TB, _ *blob.Set, path string) {
	t.Helper()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, "s3://"), "/")
	client := s3Client(t)
	upload, err := client.NewMultipartUpload(context.Background(), bucket, key, minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	content := random(5 << 20)
	if _, err := client.PutObjectPart(context.Background(), bucket, key, upload, 1, bytes.NewReader(content), int64(len(content)), minio.PutObjectPartOptions{}); err != nil {
		t.Fatal(err)
	}
}
