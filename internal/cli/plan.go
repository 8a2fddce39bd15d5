package cli

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"portaldb/internal/catalog"
	"portaldb/internal/schema"
)

type planCommand struct {
	migrating
	To int64 `placeholder:"N" default:"-1" help:"Version to go to, up or back; without it, the latest."`
}

// Help is the long help.
func (planCommand) Help() string {
	return `Prints each statement as it will be sent, with file, line and the lock that it takes, and who would block it now. Writes
nothing. up --plan with the digest runs exactly this or refuses.

Examples:

    portaldb plan
    portaldb plan --to 48 --json`
}

// Run prints the plan.
func (c planCommand) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	if c.To < -1 || c.To > engine.Latest() {
		return usageError{fmt.Sprintf("--to takes a version from 0 to %d", engine.Latest())}
	}
	if c.To == -1 {
		c.To = engine.Latest()
	}
	plan, err := engine.Plan(ctx, c.To)
	if err != nil {
		return err
	}
	return a.print(plan, planText(engine.Target(), plan))
}

// lockText is a lock and whom it makes wait, on a second line where one of 80 columns is too short.
func lockText(lock catalog.Lock) string {
	line := fmt.Sprintf("    -- %s: %s\n", lock, lock.Blocks())
	if utf8.RuneCountInString(line) <= 81 {
		return line
	}
	return fmt.Sprintf("    -- %s:\n    --   %s\n", lock, lock.Blocks())
}

// planText is a plan as a person reads it, on 80 columns or in the log of a CI job.
func planText(target string, p schema.Plan) string {
	var b strings.Builder
	if len(p.Steps) == 0 {
		fmt.Fprintf(&b, "%s is at version %d: nothing to send\ndigest %s\n", target, p.From, p.Digest)
		return b.String()
	}
	fmt.Fprintf(&b, "%s, version %d to %d\ndigest %s\n", target, p.From, p.To, p.Digest)
	for _, step := range p.Steps {
		bracket := "in one transaction"
		if len(step.Statements) > 0 && !step.Statements[0].Tx {
			bracket = "outside a transaction"
		}
		fmt.Fprintf(&b, "\n%s  %s, %s", step.Name, step.Direction, bracket)
		if step.Class != nil {
			fmt.Fprintf(&b, ", %s", *step.Class)
		}
		b.WriteString("\n")
		for _, s := range step.Statements {
			fmt.Fprintf(&b, "  line %d\n    %s\n", s.Line, strings.ReplaceAll(s.SQL, "\n", "\n    "))
			for _, lock := range s.Locks {
				b.WriteString(lockText(lock))
			}
			if s.EstimatedMS != nil && *s.EstimatedMS >= 10 {
				fmt.Fprintf(&b, "    -- about %s\n", about(*s.EstimatedMS))
			}
		}
	}
	if len(p.Findings) > 0 {
		b.WriteString("\nFound by lint\n")
	}
	for _, f := range p.Findings {
		fmt.Fprintf(&b, "  %s:%d\n    %s %s: %s\n", f.File, f.Line, f.Severity, f.Rule, f.Message)
	}
	if len(p.Blockers) > 0 {
		b.WriteString("\nWould wait now for\n")
	}
	for _, blocker := range p.Blockers {
		fmt.Fprintf(&b, "  %s\n    holds %s on %s\n", blocker.Blocker, blocker.Holds, blocker.Relation)
	}
	return b.String()
}
