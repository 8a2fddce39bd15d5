// Package s3test runs an S3 server for tests.
package s3test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
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
)

// Env has the credentials that the server takes, under the usual names.
var Env = map[string]string{"AWS_ACCESS_KEY_ID": "tester", "AWS_SECRET_ACCESS_KEY": "not-so-secret"}

// URL is that of the server that the tests of this process share; the first call starts it.
var URL = sync.OnceValue(start)

var stop = func() {}

// Stop stops the server, if it was started.
func Stop() { stop() }

// start builds the server, which has modules of its own, where go build finds it again.
func start() string {
	binary, err := filepath.Abs("../../bin/s3server")
	if err != nil {
		panic(err)
	}
	ctx := context.Background() // the server lasts as long as the process
	build := exec.CommandContext(ctx, "go", "build", "-C", "../../tools", "-o", binary, "./s3server")
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
	free, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		panic(err)
	}

	var out bytes.Buffer
	server := exec.CommandContext(ctx, binary, address, dir)
	server.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+Env["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY="+Env["AWS_SECRET_ACCESS_KEY"])
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
	stop = func() {
		_ = server.Process.Kill()
		<-ended
		_ = os.RemoveAll(dir)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = conn.Close() // it only tried
			return "http://" + address
		}
		select {
		case <-ended:
			stop()
			panic("the S3 server ended: " + out.String())
		default:
		}
		if time.Now().After(deadline) {
			stop()
			panic("the S3 server does not answer: " + out.String())
		}
	}
}

// Client is a client of its own, for what a store does not do.
func Client(t testing.TB) *minio.Core {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	client, err := minio.NewCore(strings.TrimPrefix(URL(), "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(Env["AWS_ACCESS_KEY_ID"], Env["AWS_SECRET_ACCESS_KEY"], ""), Region: "us-east-1", Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// Bucket makes a bucket and returns its name.
func Bucket(t testing.TB) string {
	t.Helper()
	name := "test-" + strings.ToLower(rand.Text())
	if err := Client(t).MakeBucket(t.Context(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	return name
}

// Root is the setting UPLOAD_ROOT for a bucket, or for a folder in it if prefix is not empty.
func Root(name, prefix string) string {
	return "s3://" + name + prefix + "?endpoint=" + url.QueryEscape(URL())
}
