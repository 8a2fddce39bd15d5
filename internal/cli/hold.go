package cli

import (
	"context"
	"strings"
	"time"
)

type holdCommand struct {
	migrating
	Reason string        `arg:"" help:"Why, for those whom it stops."`
	For    time.Duration `placeholder:"DURATION" help:"How long, such as 2h; without it, until it is released."`
}

// Help is the long help.
func (holdCommand) Help() string {
	return `No up changes the database while a hold is set, whoever starts it; serve goes on serving. A run under way ends as it would.

Examples:

    portaldb hold "incident 42: submissions are slow"
    portaldb hold "no deploys before the audit" --for 12h`
}

// Run sets the hold.
func (c holdCommand) Run(ctx context.Context, a *app) error {
	if strings.TrimSpace(c.Reason) == "" {
		return usageError{"hold takes a reason, for those whom it stops"}
	}
	if c.For < 0 {
		return usageError{"--for takes a duration above zero, such as 2h"}
	}
	var until *time.Time
	if c.For > 0 {
		t := time.Now().Add(c.For)
		until = &t
	}
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	hold, err := engine.Hold(ctx, c.Reason, until)
	if err != nil {
		return err
	}
	return a.print(map[string]any{"hold": hold}, "hold set: "+hold.String()+"\nportaldb release-hold ends it\n")
}

type releaseHoldCommand struct{ migrating }

// Help is the long help.
func (releaseHoldCommand) Help() string {
	return `Examples:

    portaldb release-hold
    portaldb release-hold --json`
}

// Run releases the hold.
func (c releaseHoldCommand) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	released, err := engine.ReleaseHold(ctx)
	if err != nil {
		return err
	}
	text := "no hold was set\n"
	if released != nil {
		text = "hold released: " + released.String() + "\n"
	}
	return a.print(map[string]any{"released": released}, text)
}
