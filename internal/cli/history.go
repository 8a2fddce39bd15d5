package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"portaldb/internal/schema"
)

type historyCommand struct {
	List   historyList   `cmd:"" default:"withargs" help:"List what was done to the schema, failures too."`
	Verify historyVerify `cmd:"" help:"Recompute every hash: was a row lost or edited?"`
	Export historyExport `cmd:"" help:"Print every row whole, bodies and effects too, as a line of JSON each."`
}

// Help is the long help.
func (historyCommand) Help() string { return historyList{}.Help() }

type historyList struct{ migrating }

// Help is the long help.
func (historyList) Help() string {
	return `Examples:

    portaldb history
    portaldb history --json`
}

// Run lists the history.
func (c historyList) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	entries, err := engine.History(ctx)
	if err != nil {
		return err
	}
	var text strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&text, "%4d  %s  %-4s  %-6s  %6d ms  %s  %s\n", e.Seq, e.StartedAt.Format(time.RFC3339), e.Direction, e.Outcome, e.MS, e.Name, e.Actor)
		if e.Error != nil {
			fmt.Fprintf(&text, "      %s\n", *e.Error)
		}
	}
	if len(entries) == 0 {
		text.WriteString("no history: portaldb has not changed this database yet\n")
	}
	return a.print(map[string]any{"entries": entries}, text.String())
}

type historyVerify struct{ migrating }

// Help is the long help.
func (historyVerify) Help() string {
	return `Finds rows that were lost or edited by accident. Who may write the history can also forge it: compare the last hash with
one kept elsewhere; up prints it. Ends with 3 when a row is not as it was written.

Examples:

    portaldb history verify
    portaldb history verify --json`
}

// Run verifies the history.
func (c historyVerify) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	head, err := engine.VerifyHistory(ctx)
	var broken *schema.BrokenHistoryError
	if errors.As(err, &broken) {
		if err := a.print(map[string]any{"head": nil, "broken": map[string]any{"seq": broken.Seq, "reason": broken.Reason}}, broken.Error()+"\n"); err != nil {
			return err
		}
		return errNo
	}
	if err != nil {
		return err
	}
	return a.print(map[string]any{"head": head, "broken": nil}, "every row is as it was written; the last hash is "+head+"\n")
}

type historyExport struct{ migrating }

// Help is the long help.
func (historyExport) Help() string {
	return `Examples:

    portaldb history export > history.ndjson
    portaldb history export --database-url "host=db.example.org dbname=portal"`
}

// Run exports the history.
func (c historyExport) Run(ctx context.Context, a *app) error {
	engine, err := c.engine(a)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	return engine.ExportHistory(ctx, func(row json.RawMessage) error { return enc.Encode(row) })
}
