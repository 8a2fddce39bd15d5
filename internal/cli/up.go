package cli

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"portaldb/internal/schema"
)

type upCommand struct {
	migrating
	To           int64   `placeholder:"N" help:"Stop at version N."`
	RestoreTrash bool    `help:"Put back what rollbacks have kept; passes a hold, and ends it when nothing is pending any more."`
	Plan         *string `placeholder:"DIGEST" help:"Run the plan with this digest, as portaldb plan printed it, or refuse."`
}

// Help is the long help.
func (upCommand) Help() string {
	return `Safe to start on every replica at once: one applies, the others wait for it. Whatever ends it, the database is at a version.

Examples:

    DATABASE_URL=postgres://portal@db.example.org/portal portaldb up
    portaldb up --to 36 --json
    portaldb up --plan sha256:4f2a...
    portaldb up --restore-trash`
}

// upReport is the result as programs read it. Error is there when the run failed.
type upReport struct {
	schema.Result
	Error *upFailure `json:"error,omitempty"`
}

type upFailure struct {
	Message   string `json:"message"`
	File      string `json:"file,omitempty"`
	Line      int    `json:"line,omitempty"`
	Statement string `json:"statement,omitempty"`
	SQLState  string `json:"sqlstate,omitempty"`
	State     string `json:"state,omitempty"`
	Next      string `json:"next,omitempty"`
}

// oneThread keeps a run on one thread, unless its user says how many: it has one request on its way at a time, and on the
// server's own machine a second thread that looks for work takes time from the server. A fifth of the time of 1,000
// migrations, and a quarter of the memory, on two cores (make bench).
func oneThread(env map[string]string) {
	if env["GOMAXPROCS"] == "" {
		runtime.GOMAXPROCS(1)
	}
}

// Run applies what is pending.
func (c upCommand) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	if c.To < 0 || c.To > engine.Latest() {
		return usageError{fmt.Sprintf("--to takes a version from 1 to %d", engine.Latest())}
	}
	digest := ""
	if c.Plan != nil {
		if digest = *c.Plan; !strings.HasPrefix(digest, "sha256:") { // an empty one must not allow any plan
			return usageError{"--plan takes the digest that portaldb plan printed, sha256:..."}
		}
	}
	oneThread(a.env)
	a.logf("%s%s", engine.Target(), inEnvironment(c.Environment))
	start := time.Now()
	apply := engine.UpPlanned
	if c.RestoreTrash {
		apply = engine.UpRestoring
	}
	result, err := apply(ctx, c.To, digest)
	if err != nil {
		return errors.Join(err, a.printFailure(result, err))
	}
	text := fmt.Sprintf("at version %d, nothing to apply\n", result.To)
	if n := len(result.Applied); n > 0 {
		text = fmt.Sprintf("at version %d, applied %d from version %d in %s\nhistory head %s\n",
			result.To, n, result.From, time.Since(start).Round(time.Millisecond), result.HistoryHead)
	}
	for _, r := range result.Restored {
		text += restoredText(r)
	}
	if result.Released != nil {
		text += "hold released: " + result.Released.String() + "\n"
	}
	return a.print(upReport{Result: result}, text)
}

// restoredText tells what was put back, and what not.
func restoredText(r schema.Restored) string {
	if r.Kind == "sequence" {
		return ""
	}
	text := fmt.Sprintf("restored %s %s", r.Kind, r.Object)
	if len(r.Columns) > 0 {
		text += " (" + strings.Join(r.Columns, ", ") + ")"
	}
	text += fmt.Sprintf(": %d rows", r.Rows)
	for _, other := range []struct {
		n    int64
		what string
	}{
		{r.Gone, "were deleted meanwhile"}, {r.Changed, "have newer values, which stay"}, {r.New, "are new"},
		{r.Left, "could not be put back, since what they refer to is gone or another row has their key; they stay kept"},
	} {
		if other.n > 0 {
			text += fmt.Sprintf("; %d %s", other.n, other.what)
		}
	}
	return text + "\n"
}

// printFailure gives programs what explain gives to people.
func (a *app) printFailure(result schema.Result, err error) error {
	failure := upFailure{Message: err.Error()}
	var failed *schema.MigrationError
	if errors.As(err, &failed) {
		failure.File, failure.Line, failure.Statement = failed.File, failed.Line, failed.Statement
		failure.SQLState, failure.State, failure.Next = failed.SQLState(), failed.State, failed.Next
	}
	if result.Applied == nil {
		result.Applied = []schema.Applied{}
	}
	return a.print(upReport{Result: result, Error: &failure}, "")
}

// progress prints a run's steps as they happen.
func (a *app) progress(e schema.Event) {
	switch {
	case e.Waiting != "":
		a.logf("waiting for the migration lock, held by %s", e.Waiting)
	case e.Oriented != nil:
		if !a.json {
			a.logf("%s", orientationText(*e.Oriented))
		}
	case e.Keeping != nil:
		a.logf("copying %s: who writes to %s waits until it is done", keepText(*e.Keeping), e.Keeping.Object)
	case len(e.Restoring) > 0:
		for _, t := range e.Restoring {
			if t.Kind != "sequence" {
				a.logf("putting back %s %s, %d rows: who writes to it waits until it is done", t.Kind, t.What(), t.Rows)
			}
		}
	case e.RolledBack != nil:
		a.logf("rolled back %s  %d ms", e.RolledBack.Name, e.RolledBack.MS)
	case e.Applied != nil:
		a.logf("applied %s  %d ms", e.Applied.Name, e.Applied.MS)
	case e.Retrying != nil:
		a.logf("undone  %s: %s; trying again in %s", e.Retrying.File.Name, e.Retrying.Reason, e.Retrying.In.Round(time.Millisecond))
	case e.Progress != nil:
		a.logf("running %s", progressText(*e.Progress))
	}
}

func progressText(p schema.Progress) string {
	text := fmt.Sprintf("%s:%d  %s", p.File.Name, p.Line, p.Elapsed.Round(time.Second))
	if p.Phase != "" {
		text += ", " + p.Phase
	}
	if p.Total > 0 {
		text += fmt.Sprintf(", %d of %d (%d %%)", p.Done, p.Total, p.Done*100/p.Total)
	}
	for _, b := range p.Blockers {
		text += ", waiting for " + b.String()
	}
	return text
}

func inEnvironment(name string) string {
	if name == "" {
		return ""
	}
	return ", environment " + name
}
