package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"portaldb/internal/schema"
)

type statusCommand struct{ migrating }

// Help is the long help.
func (statusCommand) Help() string {
	return `Changes nothing. Ends with 3 when anything is pending or the database is newer than the files.

Examples:

    DATABASE_URL=postgres://portal@db.example.org/portal portaldb status
    portaldb status --json --database-url "host=db.example.org dbname=portal user=portal"`
}

// Run tells where the database stands.
func (c statusCommand) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	status, err := engine.Status(ctx)
	if err != nil {
		return err
	}
	if err := a.print(status, statusText(engine.Target(), status)); err != nil {
		return err
	}
	if len(status.Pending) > 0 || len(status.Newer) > 0 {
		return errNo
	}
	return nil
}

func statusText(target string, s schema.Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "database  %s\nversion   %d of %d\n", target, s.Version, s.Latest)
	switch {
	case s.Legacy:
		b.WriteString("          the portal's tables are there without versions: legacy scripts made them\n")
	case len(s.Newer) > 0:
		fmt.Fprintf(&b, "newer     %d versions that these files do not have, up to %d\n", len(s.Newer), s.Newer[len(s.Newer)-1])
	}
	if len(s.Pending) == 0 {
		b.WriteString("pending   none\n")
	}
	for i, f := range s.Pending {
		label := "pending"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(&b, "%-9s %s\n", label, f.Name)
	}
	drift := "not known"
	if s.Drift != nil {
		drift = "none"
		if *s.Drift {
			drift = "yes: the live schema is not what its version should have"
		}
	}
	fmt.Fprintf(&b, "drift     %s\n", drift)
	hold := "none"
	if s.Hold != nil {
		hold = s.Hold.String()
	}
	fmt.Fprintf(&b, "hold      %s\n", hold)
	if len(s.Replicas) == 0 {
		b.WriteString("replicas  none\n")
	}
	for i, r := range s.Replicas {
		label := "replicas"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(&b, "%-9s %s, release %s, migrations up to %d, since %s\n", label, r.Actor, r.Release, r.Version, r.StartedAt.Format(time.RFC3339))
	}
	return b.String()
}
