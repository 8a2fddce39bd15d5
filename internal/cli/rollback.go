package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"portaldb/internal/catalog"
	"portaldb/internal/schema"
)

type rollbackCommand struct {
	migrating
	To             *int64  `xor:"target" placeholder:"N" help:"Go back to version N."`
	Steps          *int    `xor:"target" placeholder:"K" help:"Go back K versions; without a target, one."`
	Apply          bool    `help:"Do it. Without this nothing is written."`
	AcceptLoss     *string `placeholder:"DIGEST" help:"Accept the loss of the rollback with this digest, as it was printed."`
	CancelBlockers []int   `placeholder:"PID,..." help:"End these sessions when the rollback waits for them."`
	Drill          bool    `help:"Do all of it on a copy of the database, made with pg_dump on a server of its own, and tell how long it takes."`
	DrillURL       string  `name:"drill-database-url" placeholder:"URL" help:"An empty database for the copy, instead of that server."`
}

// Help is the long help.
func (rollbackCommand) Help() string {
	return `Says where the database stands, whether rolling back the binary is enough (then it ends with 10), and what going back
would send, keep and lose. With --apply it goes back, one transaction a version: tables and columns are kept, and a hold
keeps every up from applying them again. up --restore-trash brings everything back and ends the hold.

Examples:

    portaldb rollback
    portaldb rollback --steps 1 --apply
    portaldb rollback --to 48 --apply --accept-loss sha256:4f2a...
    portaldb rollback --to 48 --drill`
}

// errBinaryIsEnough is the answer that no rollback of the schema is needed.
var errBinaryIsEnough = errors.New("")

// Run rolls back, or says what that would do.
func (c rollbackCommand) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	request := schema.RollbackRequest{To: c.To, Apply: c.Apply, CancelBlockers: c.CancelBlockers}
	if c.Steps != nil {
		if request.Steps = *c.Steps; *c.Steps < 1 {
			return usageError{"--steps takes a number from 1 on"}
		}
	}
	if c.To != nil && *c.To < 0 {
		return usageError{"--to takes a version from 0 on"}
	}
	if c.AcceptLoss != nil {
		if request.AcceptLoss = *c.AcceptLoss; !strings.HasPrefix(request.AcceptLoss, "sha256:") {
			return usageError{"--accept-loss takes the digest that portaldb rollback printed, sha256:..."}
		}
	}
	if c.Drill {
		if c.Apply {
			return usageError{"--drill works on a copy and takes no --apply"}
		}
		return c.drill(ctx, a, engine, request)
	}
	if a.json {
		a.logf("%s%s", engine.Target(), inEnvironment(c.Environment))
	}
	start := time.Now()
	result, err := engine.Rollback(ctx, request)
	if err != nil && len(result.Steps) == 0 && len(result.Applied) == 0 {
		return err
	}
	text := rollbackText(result, request, time.Since(start))
	if err != nil {
		return errors.Join(err, a.print(rollbackReport{Rollback: result, Error: &upFailure{Message: err.Error()}}, text))
	}
	if err := a.print(rollbackReport{Rollback: result}, text); err != nil {
		return err
	}
	if result.Advice.Enough && c.To == nil && c.Steps == nil {
		return errBinaryIsEnough
	}
	return nil
}

// rollbackReport is the result as programs read it. Error is there when a decision is missing or the rollback failed.
type rollbackReport struct {
	schema.Rollback
	Error *upFailure `json:"error,omitempty"`
}

// classes say in a few words what a class means.
var classes = map[catalog.Reversal]string{
	catalog.NoData:       "R0, no data is touched",
	catalog.DataKept:     "R1, data is kept",
	catalog.DataLost:     "R2, loses what cannot be rebuilt",
	catalog.Irreversible: "R3, irreversible",
}

// orientationText is where the database stands, told before anything else.
func orientationText(o schema.Orientation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "database  %s%s\nversion   %d", o.Database, inEnvironment(o.Environment), o.Version)
	if o.Name != "" {
		fmt.Fprintf(&b, "  %s", o.Name)
	}
	if o.By != nil && o.At != nil {
		fmt.Fprintf(&b, "\napplied   by %s, %s", *o.By, o.At.UTC().Format(time.RFC3339))
	}
	for _, run := range o.Runs {
		fmt.Fprintf(&b, "\nrunning   %s", run)
	}
	for _, r := range o.Replicas {
		fmt.Fprintf(&b, "\nreplica   %s, release %s, migrations up to %d", r.Actor, r.Release, r.Version)
	}
	if len(o.Replicas) == 0 {
		b.WriteString("\nreplica   none")
	}
	return b.String()
}

// rollbackText is a rollback as a person reads it.
func rollbackText(r schema.Rollback, request schema.RollbackRequest, took time.Duration) string {
	var b strings.Builder
	if len(r.Steps) == 0 {
		fmt.Fprintf(&b, "at version %d, nothing to roll back\n", r.To)
		return b.String()
	}
	fmt.Fprintf(&b, "advice    %s\n", r.Advice.Text)
	if len(r.Applied) == 0 {
		planText := &b
		fmt.Fprintf(planText, "\nfrom version %d to %d: %s\ndigest %s\n", r.From, r.To, classes[r.Class], r.Digest)
		for _, step := range r.Steps {
			stepText(planText, step)
		}
		for _, blocker := range r.Orientation.Blockers {
			fmt.Fprintf(&b, "\nwould wait now for %s, which holds %s on %s", blocker.Blocker, blocker.Holds, blocker.Relation)
		}
		if r.Orientation.Unknown != "" {
			fmt.Fprintf(&b, "\n%s\n", r.Orientation.Unknown)
		}
		if r.Skeleton != "" {
			fmt.Fprintf(&b, "\n%s", r.Skeleton)
		} else if !request.Apply {
			fmt.Fprintf(&b, "\nnothing changed; to do it: %s\n", commandOf(r))
		}
		return b.String()
	}
	fmt.Fprintf(&b, "\nat version %d, rolled back %d from version %d in %s\n", r.To, len(r.Applied), r.From, took.Round(time.Millisecond))
	for _, t := range r.Trash {
		in := ""
		if t.KeptIn != nil {
			in = " in " + *t.KeptIn
		}
		fmt.Fprintf(&b, "kept      %s %s%s, %d rows, %s\n", t.Kind, t.What(), in, t.Rows, bytesText(t.Bytes))
	}
	if r.Hold != nil {
		fmt.Fprintf(&b, "hold      %s\n", r.Hold)
	}
	if r.RestoreCommand != nil {
		fmt.Fprintf(&b, "the way back: %s\nhistory head %s\n", *r.RestoreCommand, r.HistoryHead)
	}
	return b.String()
}

// commandOf is what to type to do what was shown.
func commandOf(r schema.Rollback) string {
	command := fmt.Sprintf("portaldb rollback --to %d --apply", r.To)
	if r.Class == catalog.DataLost {
		command += " --accept-loss " + r.Digest
	}
	return command
}

func stepText(b *strings.Builder, step schema.RollbackStep) {
	bracket := "in one transaction"
	if len(step.Statements) > 0 && !step.Statements[0].Tx {
		bracket = "outside a transaction"
	}
	class := ""
	if step.Class != nil {
		class = ", " + classes[catalog.Reversal(*step.Class)]
	}
	fmt.Fprintf(b, "\n%s  down, %s%s\n", step.Name, bracket, class)
	for _, s := range step.Statements {
		fmt.Fprintf(b, "  line %d\n    %s\n", s.Line, strings.ReplaceAll(s.SQL, "\n", "\n    "))
		if s.Instead != "" {
			fmt.Fprintf(b, "    -- %s\n", s.Instead)
		}
		for _, lock := range s.Locks {
			fmt.Fprintf(b, "    -- %s: %s\n", lock, lock.Blocks())
		}
	}
	for _, k := range step.Keeps {
		fmt.Fprintf(b, "  keeps %s\n", keepText(k))
	}
	for _, l := range step.Losses {
		fmt.Fprintf(b, "  LOSES %s: %d rows\n", l.What, l.Rows)
	}
}

func keepText(k schema.Keep) string {
	text := k.Kind + " " + k.Object
	if len(k.Columns) > 0 {
		text += " (" + strings.Join(k.Columns, ", ") + ")"
	}
	text += ", " + k.How
	if k.Kind != "sequence" {
		text += fmt.Sprintf(": %d rows, %s", k.Rows, bytesText(k.Bytes))
	}
	if k.Set != nil {
		text += fmt.Sprintf(", %d with a value of their own", *k.Set)
	}
	return text
}

// bytesText is a size as people read it.
func bytesText(n int64) string {
	units := []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	size := float64(n)
	for i, unit := range units {
		if size < 1024 || i == len(units)-1 {
			return strings.Replace(fmt.Sprintf("%.1f %s", size, unit), ".0 ", " ", 1)
		}
		size /= 1024
	}
	return ""
}
