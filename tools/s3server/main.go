// Command s3server serves the buckets in a folder over S3, for the tests of the object store.
package main

import (
	"context"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// s3server ADDRESS DIR, with the credentials in the usual variables. SIGTERM ends it.
func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: s3server ADDRESS DIR")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, os.Args[1], os.Args[2]); err != nil && ctx.Err() == nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, address, dir string) error {
	// Attributes beside the files, for not every file system keeps them with a file.
	sidecar, err := meta.NewSideCar(filepath.Join(dir, "attributes"))
	if err != nil {
		return err
	}
	backend, err := posix.New(filepath.Join(dir, "buckets"), sidecar, posix.PosixOpts{SideCarDir: filepath.Join(dir, "attributes"), Concurrency: 64, CopyObjectThreshold: 5 << 30})
	if err != nil {
		return err
	}
	return embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess: os.Getenv("AWS_ACCESS_KEY_ID"), RootUserSecret: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		Ports: []string{address}, Quiet: true, KeepAlive: true, MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10_000,
	})
}
