package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"portaldb/internal/schema"
)

type trashCommand struct {
	List  trashList  `cmd:"" default:"withargs" help:"List what rollbacks have kept."`
	Purge trashPurge `cmd:"" help:"Throw it away for ever, by age or name."`
}

// Help is the long help.
func (trashCommand) Help() string { return trashList{}.Help() }

type trashList struct{ migrating }

// Help is the long help.
func (trashList) Help() string {
	return `What rollbacks have kept: what it was, since when, how large. It may hold personal data, and nothing ends it by itself: restore
or purge it.

Examples:

    portaldb trash list
    portaldb trash list --json`
}

// Run lists the trash.
func (c trashList) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	list, err := engine.Trash(ctx)
	if err != nil {
		return err
	}
	return a.print(map[string]any{"trash": list}, trashText(list, "nothing is kept\n"))
}

func trashText(list []schema.Trash, none string) string {
	if len(list) == 0 {
		return none
	}
	var b strings.Builder
	for _, t := range list {
		in := "its position"
		if t.KeptIn != nil {
			in = *t.KeptIn
		}
		fmt.Fprintf(&b, "%s  %-8s %s  %d rows, %s\n  of %s, by %s, in %s\n", t.KeptAt.Format(time.RFC3339), t.Kind, t.What(), t.Rows, bytesText(t.Bytes), t.Name, t.Actor, in)
		if t.LeftRows != nil {
			fmt.Fprintf(&b, "  restored but for %d rows, whose references are gone or whose keys were taken\n", *t.LeftRows)
		} else if !t.Restorable {
			b.WriteString("  kept to be looked at: up does not put it back\n")
		}
	}
	return b.String()
}

type trashPurge struct {
	migrating
	OlderThan time.Duration `placeholder:"DURATION" help:"Only what was kept longer ago than this, such as 720h."`
	Names     []string      `arg:"" optional:"" name:"name" help:"Tables, as trash list prints them."`
}

// Help is the long help.
func (trashPurge) Help() string {
	return `Throws kept data away for ever. Takes an age, names, or both: what fits both goes.

Examples:

    portaldb trash purge --older-than 720h
    portaldb trash purge public.submissions`
}

// Run purges the trash.
func (c trashPurge) Run(ctx context.Context, a *app) error {
	if c.OlderThan < 0 {
		return usageError{"--older-than takes a duration above zero, such as 720h"}
	}
	if c.OlderThan == 0 && len(c.Names) == 0 {
		return usageError{"trash purge takes --older-than or names: what it throws away is gone for ever"}
	}
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	var before *time.Time
	if c.OlderThan > 0 {
		t := time.Now().Add(-c.OlderThan)
		before = &t
	}
	purged, err := engine.PurgeTrash(ctx, before, c.Names)
	if err != nil {
		return err
	}
	text := trashText(purged, "nothing to purge\n")
	if len(purged) > 0 {
		text = "purged\n" + text
	}
	return a.print(map[string]any{"purged": purged}, text)
}
