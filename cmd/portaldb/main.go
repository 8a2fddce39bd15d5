// Command portaldb applies the portal's migrations and then serves its data over HTTP.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"portaldb/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
